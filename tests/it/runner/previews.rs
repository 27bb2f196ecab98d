//! Previews in a runner's container, and what GitHub shows of them.

use super::job::Step;
use super::site::Site;
use super::{Engine, Event, machine};
use crate::harness::needs_terraform;

const URL: &str = "https://pr.shop.example/it";

fn site() -> Option<Site> {
    let site = Site::bench_with_files(machine()?, Engine::Namespaces);
    let plugins = format!("{{a: {{use: ../plugins/quick, inputs: {{value: '{URL}'}}}}}}");
    let head = "apiVersion: tieline/v1\nkind: Application\nname: app\nworkspace: w\n";
    let preview = "preview: {base: e, ttl: 72h, url: a.out.value}\n";
    site.machine.write("app/tieline.yaml", &format!("{head}plugins: {plugins}\n{preview}"));
    Some(site)
}

/// A step of a job of the repository, which has its own number.
fn step<'j, 'm>(site: &'m Site, job: &'j mut super::Job<'m>, command: &str) -> Step<'j, 'm> {
    job.server("GITHUB_REPOSITORY_ID", &site.hosted().id().to_string());
    site.step(job, command).with("working-directory", "app")
}

/// Nothing is left of previews but history.
fn is_swept(site: &Site, preview: &str) {
    let left: Vec<String> = site.ledger(&format!("w/{preview}")).into_iter().filter(|path| !path.contains("/app/r")).collect();
    assert_eq!((left, site.claims()), (Vec::new(), String::new()));
}

#[test]
fn tf_r51_a_preview_comes_and_goes_with_its_pull_request() {
    needs_terraform!();
    let Some(site) = site() else { return };
    let title = "a <b>shop</b> ::error::x @everybody";
    let opened = site.pull_request(title, "shop");
    let number = opened.payload["number"].as_u64().unwrap();
    let mut job = site.job(opened);
    let up = step(&site, &mut job, "preview").run().succeeds();
    assert_eq!((up.output("environment"), up.output("preview-url")), ("pr-1", URL));
    job.finish();
    let (deployment, statuses) = site.hosted().deployments().remove(0);
    assert!(deployment["transient_environment"] == true && deployment["production_environment"] == false, "{deployment}");
    assert_eq!(statuses.last().unwrap()["environment_url"], URL);
    let comments = site.hosted().comments(number);
    assert!(comments.len() == 1 && comments[0].contains(&format!("[Open the preview]({URL})")), "{comments:#?}");

    site.hosted().close_pull(number);
    let mut job = site.job(Event::pull_request("closed", number, title, "shop"));
    let down = step(&site, &mut job, "preview").run().succeeds();
    assert_eq!(down.output("run-status"), "succeeded");
    assert!(down.summary.contains("Preview removed"), "{down}");
    job.finish();
    is_swept(&site, "pr-1");
    assert_eq!(site.hosted().deployments()[0].1.last().unwrap()["state"], "inactive");
    let comments = site.hosted().comments(number);
    assert!(comments.len() == 1 && comments[0].contains("Preview removed"), "{comments:#?}");
}

#[test]
fn tf_r51_a_sweep_works_in_a_container_too() {
    needs_terraform!();
    let Some(site) = site() else { return };
    let opened = site.pull_request("a shop", "shop");
    let number = opened.payload["number"].as_u64().unwrap();
    let mut job = site.job(opened);
    step(&site, &mut job, "preview up").run().succeeds();
    job.finish();
    site.hosted().merge_pull(number);
    let mut job = site.job(Event::push("main"));
    let sweep = step(&site, &mut job, "preview sweep").run().succeeds();
    assert_eq!((sweep.output("removed"), sweep.output("left")), (r#"["w/pr-1"]"#, "[]"));
    assert!(sweep.summary.contains("its pull request was merged"), "{sweep}");
    job.finish();
    is_swept(&site, "pr-1");
    assert!(site.hosted().comments(number)[0].contains("Preview removed"));
}
