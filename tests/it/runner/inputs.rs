//! Inputs as a workflow gives them.

use super::annotation::Kind;
use super::site::Site;
use super::{Engine, Event, machine};
use crate::harness::needs_terraform;

#[test]
fn all_problems_of_the_inputs_come_at_once() {
    let Some(machine) = machine() else { return };
    let site = Site::bench_with_files(machine, Engine::Namespaces);
    let mut job = site.job(Event::push("main"));
    let step = site
        .deploy(&mut job, "app", "e")
        .with("context", "")
        .with("parallelism", "many")
        .with("timeout", "5x")
        .with("refresh", "yes")
        .with("environmnet", "staging")
        .run();
    job.finish();
    let step = step.fails(1, "invalid-input");
    let errors = step.annotations(Kind::Error);
    for input in ["context", "parallelism", "timeout", "refresh"] {
        let about = errors.iter().filter(|error| error.message.contains(&format!("`{input}`")));
        assert_eq!(about.count(), 1, "of `{input}`: {errors:#?}");
    }
    assert_eq!(errors.len(), 4, "{errors:#?}");
    assert!(step.summary.contains("parallelism"), "{step}");
}

#[test]
fn inputs_that_were_not_given_are_empty_and_mean_nothing() {
    let Some(machine) = machine() else { return };
    let site = Site::bench_with_files(machine, Engine::Namespaces);
    site.manifest("{a: {use: ../plugins/quick}}");
    let mut job = site.job(Event::workflow_dispatch("main", &serde_json::json!({})));
    let step = site.step(&mut job, "validate").with("working-directory", "app").with("context", "").run().succeeds();
    assert!(step.log.annotations.is_empty(), "{step}");
    job.finish();
}

#[test]
fn tf_large_inputs_arrive_by_input_and_by_file() {
    needs_terraform!();
    let Some(machine) = machine() else { return };
    let site = Site::bench_with_files(machine, Engine::Namespaces);
    site.manifest("{a: {use: ../plugins/quick}}");
    // One variable takes 128 KiB with its name.
    let (large, larger) = ("i".repeat(100 << 10), "f".repeat(200 << 10));
    site.machine.write("app/inputs.yaml", &format!("a.value: {larger}\n"));
    let mut job = site.job(Event::push("main"));
    for (input, given, expected) in
        [("inputs", format!("{{a.value: {large}}}"), large), ("inputs-file", "inputs.yaml".to_owned(), larger)]
    {
        let step = site.deploy(&mut job, "app", "e").with(input, &given).run().succeeds();
        let published = step.json("connections")["w/e/app/a.out"]["attributes"]["value"].clone();
        assert!(published == *expected, "{} bytes by `{input}`", expected.len());
    }
    job.finish();
}
