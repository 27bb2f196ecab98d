//! Crashes: our process is killed, alone, so that Terraform outlives it.

use super::bench::{Bench, Ended, descendants, is_alive, terraforms, wait_until};
use super::states::States;
use crate::harness::needs_terraform;

fn wait_for_ends(processes: &[u32]) {
    wait_until("what was left over has ended", || processes.iter().all(|id| !is_alive(*id)));
}

/// Takes the dead claim over, says so, and records the dead run as aborted.
fn assert_taken_over(bench: &Bench, next: &Ended) {
    let dead = &bench.runs("app")[0];
    let id = dead["id"].as_str().unwrap();
    assert!(next.err.contains(&format!("run {id} on ")) && next.err.contains("its claim taken over"), "{}", next.err);
    assert_eq!(dead["status"], "aborted");
    let tasks = dead["tasks"].as_array().unwrap();
    assert!(tasks.iter().all(|task| task["status"] != "running" && task["status"] != "pending"), "{dead}");
    bench.verify();
}

#[test]
fn tf_r21_killed_in_init() {
    needs_terraform!();
    let states = States::serve();
    let bench = Bench::with_backend(&states.backend());
    bench.deployable("app", "{a: {use: ../plugins/quick}, b: {use: ../plugins/quick, after: [a]}}");
    states.hold("GET /w/e/app/b");
    let run = bench.start_deploy("app", &[]);
    states.wait_for("GET /w/e/app/b", 1);
    let left = terraforms(run.id(), "init");
    assert_eq!(left.len(), 1);
    run.kill();
    states.release();
    wait_for_ends(&left);
    let next = bench.deploys("app", &[]);
    assert_taken_over(&bench, &next);
    assert!(next.err.contains("[a] ") && !next.err.contains("[a] created"), "what was made is not made again: {}", next.err);
    assert_eq!((bench.value("app", "a").as_deref(), bench.value("app", "b").as_deref()), (Some("plain"), Some("plain")));
}

/// What Terraform goes on to make when we are gone must be in its state: nobody else knows of it.
#[test]
fn tf_r21_killed_in_apply() {
    needs_terraform!();
    let bench = Bench::new();
    bench.deployable("app", &format!("{{a: {}}}", bench.slow("gate", "")));
    let run = bench.start_deploy("app", &[]);
    bench.wait_at("gate");
    let left = terraforms(run.id(), "apply");
    run.kill();

    let refused = bench.deploy("app", &["--lock-timeout", "0s"]);
    assert_eq!(refused.code, Some(2), "{}", refused.err);
    assert!(refused.err.contains("[state-locked]"), "{}", refused.err);
    assert_taken_over(&bench, &refused);
    assert!(left.iter().all(|id| is_alive(*id)), "it is let finish");

    bench.open("gate");
    wait_for_ends(&left);
    let names: Vec<String> = bench.resources("app", "a").into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["first", "last", "slow"], "all that was made is in the state");
    let next = bench.deploys("app", &[]);
    assert!(!next.err.contains("created"), "{}", next.err);
    assert_eq!((bench.made("gate"), bench.value("app", "a").as_deref()), (1, Some("slow")));
    bench.verify();
}

/// The next run may come while Terraform still works for the dead one: it waits for the state lock.
#[test]
fn tf_r21_the_next_run_waits_for_what_a_dead_one_left() {
    needs_terraform!();
    let bench = Bench::new();
    bench.deployable("app", &format!("{{a: {}}}", bench.slow("gate", "")));
    let run = bench.start_deploy("app", &[]);
    bench.wait_at("gate");
    let left = terraforms(run.id(), "apply");
    run.kill();
    let next = bench.start_deploy("app", &[]);
    wait_until("the next run wants the lock", || !terraforms(next.id(), "plan").is_empty());
    bench.open("gate");
    wait_for_ends(&left);
    let ended = next.finish();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert_eq!((bench.made("gate"), bench.value("app", "a").as_deref()), (1, Some("slow")));
}

#[test]
fn tf_r21_killed_after_apply_before_publication() {
    needs_terraform!();
    let bench = Bench::new();
    bench.holding_git("refs/heads/ledger");
    bench.deployable("app", &format!("{{a: {}}}", bench.slow("gate", "")));
    let run = bench.start_deploy("app", &[]);
    bench.wait_at("gate");
    bench.write("hold", "");
    bench.open("gate");
    wait_until("the ledger is about to be written", || bench.path("held").exists());
    let left = descendants(run.id());
    run.kill();
    wait_for_ends(&left);
    std::fs::remove_file(bench.path("hold")).unwrap();
    assert!(bench.runs("app").is_empty(), "nothing was published");
    let next = bench.deploys("app", &[]);
    assert_taken_over(&bench, &next);
    assert!(!next.err.contains("created"), "{}", next.err);
    assert_eq!((bench.made("gate"), bench.value("app", "a").as_deref()), (1, Some("slow")));
    let again = bench.deploys("app", &[]);
    assert!(again.out.contains("1 unchanged"), "{}", again.out);
}

/// The claim is there, and nothing else yet.
#[test]
fn tf_r21_killed_right_after_the_claim() {
    needs_terraform!();
    let bench = Bench::new();
    bench.deployable("app", "{a: {use: ../plugins/quick}}");
    bench.shim("terraform", &format!("while [ -e {} ]; do kill -0 $PPID || exit 1; sleep 0.02; done; exit 1", bench.path("hold").display()));
    bench.write("hold", "");
    let run = bench.start(bench.deploy_command("app", &["--terraform", bench.path("bin/terraform").to_str().unwrap()]));
    wait_until("the claim is taken", || bench.claim("app").is_some());
    let left = descendants(run.id());
    run.kill();
    std::fs::remove_file(bench.path("hold")).unwrap();
    std::fs::remove_file(bench.path("bin/terraform")).unwrap();
    wait_for_ends(&left);
    let next = bench.deploys("app", &[]);
    assert_taken_over(&bench, &next);
    assert_eq!(bench.value("app", "a").as_deref(), Some("plain"));
}
