//! The quickstart with everything on GitHub: the context repository, the deployments, the pull request's comment.

use super::annotation::Kind;
use super::job::Step;
use super::site::Site;
use super::{Engine, Event, machine};
use crate::endure::states::States;
use crate::github::{Fault, Hosted};
use crate::harness::needs_terraform;

/// The context repository, and a token for it: a secret of the workflow.
struct Context {
    hosted: Hosted,
    token: String,
}

impl Context {
    fn of(site: &Site) -> Self {
        let hosted = site.github.repository("acme/context");
        let token = site.github.token(&[("acme/context", &["contents=write"])]);
        Self { hosted, token }
    }

    fn used_by<'j, 'm>(&self, step: Step<'j, 'm>) -> Step<'j, 'm> {
        step.with("context", "github:acme/context").with("context-token", &self.token)
    }
}

#[test]
fn tf_the_quickstart_with_its_context_on_github() {
    needs_terraform!();
    let Some(machine) = machine() else { return };
    let states = States::serve();
    let site = Site::example("quickstart", machine, Engine::Namespaces);
    for workspace in ["platform", "retail"] {
        let path = format!("context/workspaces/{workspace}/environments/staging.yaml");
        let text = std::fs::read_to_string(site.machine.workspace().join(&path)).unwrap();
        let (head, rest) = text.split_once("backend:\n").unwrap();
        let rest: Vec<&str> = rest.lines().skip_while(|line| line.starts_with("  ")).collect();
        site.machine.write(&path, &format!("{head}backend: {}\n{}\n", states.backend(), rest.join("\n")));
    }
    let context = Context::of(&site);

    let mut job = site.job(Event::push("main"));
    job.secret(&context.token);
    context.used_by(site.step(&mut job, "context init")).with("from", "context").run().succeeds();
    let network = context.used_by(site.deploy(&mut job, "network", "staging")).run().succeeds();
    assert!(network.annotations(Kind::Warning).is_empty(), "{network}");
    job.finish();
    let deployments = site.hosted().deployments();
    let [(_, statuses)] = deployments.as_slice() else { panic!("one run, one deployment: {deployments:#?}") };
    assert_eq!(statuses.last().unwrap()["state"], "success");

    let event = site.pull_request("a shop", "shop");
    let number = event.payload["number"].as_u64().unwrap();
    let mut comments = Vec::new();
    for image in ["one", "two"] {
        let mut job = site.job(event.clone());
        job.secret(&context.token);
        let inputs = format!("{{web.image: 'registry.example/shop:{image}'}}");
        let shop = context.used_by(site.deploy(&mut job, "shop", "staging")).with("inputs", &inputs).run().succeeds();
        let url = &shop.json("connections")["retail/staging/shop/web.web"]["attributes"]["url"];
        assert!(url.as_str().is_some_and(|url| url.starts_with("https://")), "{shop}");
        job.finish();
        let [comment] = site.hosted().comments(number).try_into().unwrap_or_else(|all| panic!("not one comment: {all:#?}"));
        comments.push(comment);
    }
    assert_ne!(comments[0], comments[1], "the second run updated it");
    assert!(comments[1].contains("retail/staging/shop"), "{}", comments[1]);

    // How to go back is said in full, and it works without a manifest.
    let dispatch = comments[1].lines().find(|line| line.starts_with("gh ")).unwrap_or_else(|| panic!("{}", comments[1]));
    let place = "gh workflow run rollback.yml --repo acme/shop -f deployable=shop -f environment=staging -f release=";
    let release = dispatch.strip_prefix(place).unwrap_or_else(|| panic!("{dispatch}"));
    let mut job = site.job(Event::push("main"));
    job.secret(&context.token);
    let back = context.used_by(site.step(&mut job, "rollback")).with("workspace", "retail").with("environment", "staging");
    let back = back.with("deployable", "shop").with("to", release).with("deployment", "false").run().succeeds();
    assert_eq!(back.output("run-status"), "succeeded");
    assert!(!back.output("release").is_empty() && !back.output("run-id").is_empty(), "{back}");
    assert!(back.summary.contains("Rollback succeeded") && back.summary.contains("data is not rolled back"), "{back}");
    job.finish();

    let ended: Vec<String> =
        site.hosted().deployments().iter().map(|(_, statuses)| statuses.last().unwrap()["state"].to_string()).collect();
    assert_eq!(ended, ["\"success\"", "\"inactive\"", "\"success\""], "of each environment the newest is active");
    let records = context.hosted.files("ledger");
    for path in ["platform/staging/network/connections/vpc.vpc.json", "retail/staging/shop/connections/database.db.json"] {
        assert!(records.iter().any(|record| record == path), "no {path} in {records:#?}");
    }
    assert!(!context.hosted.references().iter().any(|name| name.contains("claims")), "no claim is left");
    assert_eq!(states.locks(), 0);
    eprintln!("{} writes in three runs and an init", site.github.writes());
}

#[test]
fn a_missing_permission_is_named_before_anything_is_claimed_or_started() {
    let Some(machine) = machine() else { return };
    let site = Site::bench_with_files(machine, Engine::Namespaces);
    site.manifest("{a: {use: ../plugins/quick}}");
    let token = site.github.token(&[("acme/shop", &["pull_requests=write"])]);
    let mut job = site.job(Event::push("main"));
    job.secret(&token);
    let step = site.deploy(&mut job, "app", "e").with("github-token", &token).run().fails(2, "permission-denied");
    let step = step.says("deployments: write").says("`comment`, `deployment` and `check` can each be `false`");
    assert_eq!(step.annotations(Kind::Error).len(), 1, "{step}");
    assert!(!step.shown().contains("using Terraform"), "{step}");
    assert!(site.runs().is_empty() && site.claims().is_empty());

    let step = site.deploy(&mut job, "app", "e").with("github-token", &token).with("deployment", "false").run();
    assert!(!step.shown().contains("deployments: write"), "{step}");
    job.finish();
}

#[test]
fn tf_a_server_that_cannot_be_asked_does_not_stop_a_deploy() {
    needs_terraform!();
    let Some(machine) = machine() else { return };
    let site = Site::bench_with_files(machine, Engine::Namespaces);
    site.manifest("{a: {use: ../plugins/quick}}");
    site.github.fail(1, "POST /repos/acme/shop/deployments", Fault::CutAfterwards);
    let mut job = site.job(Event::push("main"));
    let step = site.deploy(&mut job, "app", "e").run().succeeds();
    job.finish();
    assert_eq!(step.annotations(Kind::Warning).len(), 1, "{step}");
    assert_eq!(site.runs().len(), 1);
    assert_eq!(site.hosted().deployments().len(), 1, "what may have been carried out is not done twice");
}
