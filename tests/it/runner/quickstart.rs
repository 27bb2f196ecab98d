//! The quickstart as a workflow of two jobs, and what later steps and later jobs get of it.

use serde_json::Value;

use super::annotation::Kind;
use super::site::Site;
use super::{Engine, Event, machine, machine_with_docker};
use crate::harness::needs_terraform;

/// Shared infrastructure, then the application that uses it; each in a job of its own.
fn two_jobs(site: &Site) {
    let mut job = site.job(Event::push("main"));
    let network = site.deploy(&mut job, "network", "staging").run().succeeds();
    assert!(network.json("connections")["platform/staging/network/vpc.vpc"]["attributes"]["vpc_id"].is_string(), "{network}");
    let seen = job.outputs(&[("connections", network.output("connections"))]);
    assert!(seen.outputs.contains_key("connections"), "no other job sees it: {:?}", seen.warnings);
    job.finish();

    let mut job = site.job(Event::push("main"));
    let shop = site.deploy(&mut job, "shop", "staging").run().succeeds();
    // `${{ fromJSON(steps.deploy.outputs.connections)['…'].attributes.url }}` of a later step.
    let url = &shop.json("connections")["retail/staging/shop/web.web"]["attributes"]["url"];
    assert!(url.as_str().is_some_and(|url| url.starts_with("https://")), "{shop}");
    assert_eq!((shop.output("run-status"), shop.output("environment")), ("succeeded", "retail/staging"));
    assert_eq!(shop.json("changes")["remove"], 0);
    let names = ["run-id", "connections", "outputs", "changes", "release", "environment", "run-status"];
    let values: Vec<(&str, &str)> = names.iter().map(|name| (*name, shop.output(name))).collect();
    assert_eq!(job.outputs(&values).warnings, [""; 0], "every output reaches other jobs");
    assert!(shop.summary.contains("retail/staging/shop"), "{shop}");
    assert!(shop.annotations(Kind::Error).is_empty());
    let file = shop.output("result-file").to_owned();
    assert!(serde_json::from_str::<Value>(&std::fs::read_to_string(file).unwrap()).is_ok(), "later steps can read the report");
    job.finish();

    assert!(site.recorded("retail/staging/shop/connections/database.db.json").is_some());
    assert_eq!(site.ledger("retail/staging/shop/runs").len(), 1);
    assert_eq!(site.claims(), "");
}

#[test]
fn tf_r14_the_quickstart_is_a_workflow_of_two_jobs() {
    needs_terraform!();
    let Some(machine) = machine() else { return };
    let site = Site::example("quickstart", machine, Engine::Namespaces);
    two_jobs(&site);

    // Once more, with nothing to do.
    let mut job = site.job(Event::push("main"));
    let again = site.deploy(&mut job, "shop", "staging").run().succeeds();
    assert_eq!(again.json("changes").as_object().unwrap().values().filter_map(Value::as_u64).sum::<u64>(), 0, "{again}");
    eprintln!("first line after {:?}, all of it after {:?}", again.first_line.unwrap(), again.took);
    job.finish();
}

#[test]
fn tf_r14_the_quickstart_in_containers_of_docker() {
    needs_terraform!();
    let Some(machine) = machine_with_docker() else { return };
    let site = Site::example("quickstart", machine, Engine::Docker);
    two_jobs(&site);

    let mut job = site.job(Event::push("main"));
    let again = site.deploy(&mut job, "shop", "staging").run().succeeds();
    eprintln!("first line after {:?}, all of it after {:?}", again.first_line.unwrap(), again.took);
    job.finish();
}
