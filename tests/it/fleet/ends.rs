//! How a fleet ends in which not all goes well: whatever was done is published, once, and the run says what was not.

use rustix::process::Signal;

use super::{Fleet, held, newest_tasks};
use crate::endure::bench::{Bench, descendants, is_alive, wait_until};
use crate::harness::needs_terraform;

/// `a` and `b` need nothing; `c` takes `a`, and `d` takes `c`.
fn bench(a: &str) -> Bench {
    let bench = Bench::new();
    let c = "{use: ../plugins/quick, connections: {from: a.out}}";
    let d = "{use: ../plugins/quick, connections: {from: c.out}}";
    bench.deployable("app", &format!("{{a: {a}, b: {{use: ../plugins/quick}}, c: {c}, d: {d}}}"));
    bench
}

const BROKEN_MODULE: &str = r#"
resource "terraform_data" "base" { input = "base" }
resource "terraform_data" "top" {
  input      = "top"
  depends_on = [terraform_data.base]
  lifecycle {
    postcondition {
      condition     = self.output == "sound"
      error_message = "the top fell off"
    }
  }
}
output "value" { value = terraform_data.top.output }
"#;

const BROKEN: &str = "
apiVersion: tieline/v1
kind: Plugin
name: broken
version: 1.0.0
generates: {out: {type: value-conn, from: {value: value}}}
terraform: {}
";

#[test]
fn tf_r23_a_job_that_fails_and_one_that_never_runs() {
    needs_terraform!();
    let bench = bench("{use: ../plugins/broken}");
    bench.plugin("plugins/broken", BROKEN, BROKEN_MODULE);
    let fleet = Fleet::of(&bench);
    assert_eq!(fleet.waves, [vec!["a", "b"], vec!["c"], vec!["d"]]);
    let failed = fleet.run(&bench, "a");
    assert_eq!(failed.code, Some(2), "{}", failed.err);
    assert!(failed.err.contains("the top fell off") && bench.runs("app").is_empty(), "{}", failed.err);
    let behind = fleet.run(&bench, "c");
    assert_eq!(behind.code, Some(0), "{}", behind.err);
    assert!(behind.err.contains("nothing was done for `c`: `a` did not succeed"), "{}", behind.err);

    let finished = fleet.finish(&bench, &[]);
    assert_eq!(finished.code, Some(3), "{}", finished.err);
    for said in ["[apply-failed]", "the top fell off", "[cancelled]", "no job of the fleet came to `b`"] {
        assert!(finished.err.contains(said), "no `{said}` in {}", finished.err);
    }
    insta::assert_snapshot!(newest_tasks(&bench), @r"
    a: failed (terraform: Resource postcondition failed)
    b: aborted (no job came to it)
    c: skipped (`a` did not succeed)
    d: skipped (`a` did not succeed)
    ");
    let record = bench.recorded("app/applied/a.json").unwrap();
    assert!(record["applied"].is_null() && bench.recorded("app/applied/b.json").is_none(), "{record}");
    assert_eq!(held(&bench), "");
    bench.verify();
}

#[test]
fn tf_r21_a_job_that_is_killed_in_its_apply() {
    needs_terraform!();
    let bench = Bench::new();
    let after = "{use: ../plugins/quick, connections: {from: a.out}}";
    bench.deployable("app", &format!("{{a: {}, b: {{use: ../plugins/quick}}, c: {after}}}", bench.slow("gate", "")));
    let fleet = Fleet::of(&bench);
    fleet.runs(&bench, "b");
    let job = fleet.start(&bench, "a");
    bench.wait_at("gate");
    let left = descendants(job.id());
    job.kill();
    bench.open("gate");
    wait_until("what was left over has ended", || left.iter().all(|id| !is_alive(*id)));

    let finished = fleet.finish(&bench, &[]);
    assert_eq!(finished.code, Some(3), "{}", finished.err);
    assert!(finished.err.contains("the job for `a` ended without a word"), "{}", finished.err);
    insta::assert_snapshot!(newest_tasks(&bench), @r"
    a: aborted (its process ended without a word)
    b: succeeded
    c: skipped (`a` did not succeed)
    ");
    let record = bench.recorded("app/applied/a.json").unwrap();
    assert!(record["applied"].is_null() && record["attempted"]["run"] == fleet.id.as_str(), "{record}");
    assert_eq!(bench.value("app", "b").as_deref(), Some("plain"));
    assert!(bench.recorded("app/releases").is_none());
    bench.verify();

    let next = bench.deploys("app", &[]);
    assert!(!next.err.contains("[a] created"), "what was made is in its state: {}", next.err);
    assert_eq!((bench.made("gate"), bench.value("app", "a").as_deref()), (1, Some("slow")));
    assert_eq!(held(&bench), "");
}

#[test]
fn tf_a_job_that_is_cancelled_leaves_what_it_did() {
    needs_terraform!();
    let bench = Bench::new();
    bench.deployable("app", &format!("{{a: {}, b: {{use: ../plugins/quick, after: [a]}}}}", bench.slow("gate", "")));
    let fleet = Fleet::of(&bench);
    let job = fleet.start(&bench, "a");
    bench.wait_at("gate");
    job.signal(Signal::INT);
    bench.open("gate");
    let ended = job.finish();
    assert_eq!(ended.code, Some(3), "{}", ended.err);
    let finished = fleet.finish(&bench, &[]);
    assert_eq!(finished.code, Some(3), "{}", finished.err);
    assert!(finished.err.contains("[cancelled]"), "{}", finished.err);
    assert!(newest_tasks(&bench).starts_with("a: aborted"), "{}", newest_tasks(&bench));
    assert_eq!(held(&bench), "");
    bench.deploys("app", &[]);
    bench.assert_left_free("app");
    bench.verify();
}

/// No process answers for it, and none of its jobs can be seen: it is waited for no longer than its lease.
#[test]
fn tf_r21_a_fleet_is_finished_while_a_job_works() {
    needs_terraform!();
    let bench = Bench::new();
    bench.deployable("app", &format!("{{a: {}, b: {{use: ../plugins/quick}}}}", bench.slow("gate", "")));
    let fleet = Fleet::of(&bench);
    let job = fleet.start(&bench, "a");
    bench.wait_at("gate");
    let arguments = ["fleet", "finish", "-C", "app", "-e", "e", "--allow-local-exec", "--fleet", &fleet.id];
    let finishing = bench.start(bench.command(&arguments));
    wait_until("it is waited for", || finishing.err().contains("the jobs for `a` may still be at work"));
    let late = fleet.run(&bench, "b");
    assert!(late.code == Some(1) && late.err.contains("is being finished"), "{}", late.err);
    let second = fleet.finish(&bench, &[]);
    assert!(second.code == Some(1) && second.err.contains("is being finished on"), "{}", second.err);
    bench.open("gate");
    assert_eq!(job.finish().code, Some(0));
    let finished = finishing.finish();
    assert_eq!(finished.code, Some(3), "{}", finished.err);
    insta::assert_snapshot!(newest_tasks(&bench), @r"
    a: succeeded
    b: aborted (no job came to it)
    ");
    bench.assert_left_free("app");
}

/// A job that was about to apply finds the fleet closed.
#[test]
fn tf_r21_who_finishes_and_who_begins_one_sees_the_other() {
    needs_terraform!();
    let bench = Bench::new();
    bench.holding_git("update-ref --no-deref -- refs/tieline/claims/fleet");
    bench.deployable("app", "{a: {use: ../plugins/quick}, b: {use: ../plugins/quick}}");
    let fleet = Fleet::of(&bench);
    fleet.runs(&bench, "b");
    bench.write("hold", "");
    let job = fleet.start(&bench, "a");
    wait_until("the attempt is about to be written", || bench.path("held").exists());
    let arguments = ["fleet", "finish", "-C", "app", "-e", "e", "--allow-local-exec", "--fleet", &fleet.id];
    let mut finish = bench.command(&arguments);
    finish.env("PATH", std::env::var("PATH").unwrap());
    let finished = bench.start(finish).finish();
    assert_eq!(finished.code, Some(3), "{}", finished.err);
    std::fs::remove_file(bench.path("hold")).unwrap();
    let job = job.finish();
    assert!(job.code == Some(1) && job.err.contains("does not go on"), "{}", job.err);
    assert!(bench.resources("app", "a").is_empty(), "nothing was applied");
    bench.verify();
}
