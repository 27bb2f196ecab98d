//! Workflows that are cancelled, with the runner's own timing: interrupt, request to end, end of the client, post stage.

use super::result::{Conclusion, StepResult};
use super::site::Site;
use super::{Engine, Event, Machine, machine, machine_with_docker};
use crate::endure::bench::{resources_in, wait_until};
use crate::endure::states::States;
use crate::harness::needs_terraform;

/// The run is recorded as aborted, and neither claim nor state lock is left.
fn assert_aborted(site: &Site, states: &States) {
    let run = site.runs().pop().expect("the run is recorded");
    assert_eq!((run["status"].as_str(), run["failureReason"].as_str()), (Some("aborted"), Some("cancelled")));
    assert_eq!((site.claims().as_str(), states.locks()), ("", 0));
}

/// What the workflow's later steps and its page get of it.
fn assert_told(step: &StepResult) {
    assert_eq!((step.conclusion, step.exit), (Conclusion::Cancelled, Some(3)), "{step}");
    assert_eq!((step.output("run-status"), step.output("failure-reason")), ("aborted", "cancelled"), "{step}");
    assert!(step.summary.contains("aborted") || step.summary.contains("cancelled"), "{step}");
    step.assert_clean();
}

/// The next deploy needs no hand.
fn deploys(site: &Site) {
    let mut job = site.job(Event::push("main"));
    let step = site.deploy(&mut job, "app", "e").with("allow-local-exec", "true").run().succeeds();
    assert_eq!(step.output("run-status"), "succeeded", "{step}");
    job.finish();
    assert_eq!(site.claims(), "");
}

/// Cancels while Terraform waits for the `nth` reading of the state of `b`.
fn cancelled_at_reading(nth: usize) {
    let Some(machine) = machine() else { return };
    let states = States::serve();
    let site = Site::bench(machine, Engine::Namespaces, &states.backend());
    site.manifest("{a: {use: ../plugins/quick}, b: {use: ../plugins/quick, after: [a]}}");
    states.hold_from("GET /w/e/app/b", nth);
    let mut job = site.job(Event::push("main"));
    let running = site.deploy(&mut job, "app", "e").start();
    states.wait_for("GET /w/e/app/b", nth);
    let releasing = states.clone();
    // Terraform asks for the state once more after an interrupt, or not at all; the server answers as soon as it can.
    let release = std::thread::spawn(move || releasing.release());
    let step = running.cancel();
    release.join().unwrap();
    assert_told(&step);
    job.finish();
    assert_aborted(&site, &states);
    assert!(site.recorded("w/e/app/connections/a.out.json").is_some(), "what was done is published");
    deploys(&site);
}

#[test]
fn tf_cancelled_in_init() {
    needs_terraform!();
    cancelled_at_reading(1);
}

#[test]
fn tf_cancelled_in_plan() {
    needs_terraform!();
    cancelled_at_reading(2);
}

fn cancelled_in_apply(machine: Machine, engine: Engine) {
    let states = States::serve();
    let site = Site::bench(machine, engine, &states.backend());
    site.manifest(&format!("{{a: {{use: ../plugins/quick}}, b: {}}}", Site::slow("gate", "a")));
    let mut job = site.job(Event::push("main"));
    let running = site.deploy(&mut job, "app", "e").with("allow-local-exec", "true").start();
    let at = site.machine.workspace().join("gate.at");
    wait_until("it stands at the gate", || at.exists());
    let step = running.cancel();
    assert_told(&step);
    job.finish();
    assert_aborted(&site, &states);
    let kept = resources_in(&states.state("/w/e/app/b").unwrap());
    assert_eq!(kept, [("first".to_owned(), false), ("slow".to_owned(), true)], "the state has all there is");
    site.open("gate");
    deploys(&site);
}

#[test]
fn tf_cancelled_in_apply() {
    needs_terraform!();
    let Some(machine) = machine() else { return };
    cancelled_in_apply(machine, Engine::Namespaces);
}

#[test]
fn tf_cancelled_in_apply_in_a_container_of_docker() {
    needs_terraform!();
    let Some(machine) = machine_with_docker() else { return };
    cancelled_in_apply(machine, Engine::Docker);
}

/// Terraform takes longer to save its state than the runner waits: the client is gone, the container goes on, and the post stage
/// does not race it.
fn outlives_its_client(machine: Machine, engine: Engine) {
    let states = States::serve();
    let site = Site::bench(machine, engine, &states.backend());
    site.manifest(&format!("{{b: {}}}", Site::slow("gate", "")));
    let mut job = site.job(Event::push("main"));
    let running = site.deploy(&mut job, "app", "e").with("allow-local-exec", "true").start();
    let at = site.machine.workspace().join("gate.at");
    wait_until("it stands at the gate", || at.exists());
    states.hold("POST /w/e/app/b");
    let step = running.cancel();
    assert_eq!((step.conclusion, step.exit), (Conclusion::Cancelled, None), "{step}");
    assert_eq!(job.orphans(), 1, "the container goes on");
    assert!(step.output("run-id").len() == 26, "what is known beforehand is written beforehand");
    assert_eq!(states.locks(), 1);
    let posts = job.finish_while(|post| {
        post.wait_for("still works");
        states.release();
    });
    let [post] = posts.try_into().unwrap();
    post.succeeds().says("came to its end");
    assert_aborted(&site, &states);
    let kept = resources_in(&states.state("/w/e/app/b").unwrap());
    assert_eq!(kept, [("first".to_owned(), false), ("slow".to_owned(), true)], "the state has all there is");
    site.open("gate");
    deploys(&site);
}

#[test]
fn tf_a_run_that_outlives_its_client() {
    needs_terraform!();
    let Some(machine) = machine() else { return };
    outlives_its_client(machine, Engine::Namespaces);
}

#[test]
fn tf_a_container_of_docker_that_outlives_its_client() {
    needs_terraform!();
    let Some(machine) = machine_with_docker() else { return };
    outlives_its_client(machine, Engine::Docker);
}
