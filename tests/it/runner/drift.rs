//! A scheduled job that looks for drift.

use super::annotation::Kind;
use super::site::Site;
use super::{Engine, Event, machine};
use crate::harness::needs_terraform;

#[test]
fn tf_drift_is_an_output_a_summary_and_an_issue_and_no_failure() {
    needs_terraform!();
    let Some(machine) = machine() else { return };
    let site = Site::bench_with_files(machine, Engine::Namespaces);
    site.manifest("{a: {use: ../plugins/quick}, b: {use: ../plugins/quick}}");
    let mut job = site.job(Event::push("main"));
    site.deploy(&mut job, "app", "e").run().succeeds();
    let asked = [("workspace", "w"), ("environment", "e"), ("issue", "true")];
    let quiet = asked.iter().fold(site.step(&mut job, "drift"), |step, (name, value)| step.with(name, value)).run().succeeds();
    assert_eq!((quiet.output("drifted"), quiet.output("run-status")), ("[]", "succeeded"));
    assert!(quiet.summary.contains("Nothing changed outside of Terraform."), "{quiet}");

    std::fs::remove_file(site.machine.workspace().join(".tieline/states/w/e/app/a.tfstate")).unwrap();
    let seen = asked.iter().fold(site.step(&mut job, "drift"), |step, (name, value)| step.with(name, value)).run().succeeds();
    job.finish();
    assert_eq!(seen.json("drifted"), serde_json::json!(["w/e/app/a"]), "{seen}");
    assert_eq!(seen.json("changes")["remove"], 1);
    assert!(seen.summary.contains("Drift in `w/e`") && seen.summary.contains("issues/1"), "{seen}");
    assert!(seen.annotations(Kind::Error).is_empty(), "{seen}");
    let [(true, _, body)] = &site.hosted().issues()[..] else { panic!("{:?}", site.hosted().issues()) };
    assert!(body.contains("workflow run"), "{body}");
}
