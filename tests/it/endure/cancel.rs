//! Cancels: the run ends in order, and the next one needs no hand.

use std::io::Read as _;
use std::process::Stdio;

use rustix::process::Signal;
use serde_json::Value;

use super::bench::{Bench, resources_in, terraforms, wait_until};
use super::states::States;
use crate::harness::needs_terraform;

/// How each task of a run ended, by alias.
fn statuses(run: &Value) -> Vec<(&str, &str)> {
    let tasks = run["tasks"].as_array().unwrap().iter().filter(|task| task["type"] == "deploy");
    tasks.map(|task| (task["alias"].as_str().unwrap(), task["status"].as_str().unwrap())).collect()
}

/// `b` comes after `a` and is slow, `c` comes after `b`.
fn bench_with_slow_middle() -> Bench {
    let bench = Bench::new();
    let slow = bench.slow("gate", "a");
    bench.deployable("app", &format!("{{a: {{use: ../plugins/quick}}, b: {slow}, c: {{use: ../plugins/quick, after: [b]}}}}"));
    bench
}

/// What a cancel while `b` is applied must leave, and that the next deploy brings everything there.
fn assert_ended_in_order(bench: &Bench, reason: &str) {
    bench.assert_left_free("app");
    bench.verify();
    let [run] = bench.runs("app").try_into().unwrap();
    assert_eq!((run["status"].as_str(), run["failureReason"].as_str()), (Some("aborted"), Some(reason)));
    assert_eq!(statuses(&run), [("a", "succeeded"), ("b", "aborted"), ("c", "skipped")]);
    assert_eq!(bench.value("app", "a").as_deref(), Some("plain"), "what was done is published");
    assert_eq!(bench.value("app", "b"), None, "what was not is not");
    assert_eq!(bench.resources("app", "b"), [("first".to_owned(), false), ("slow".to_owned(), true)], "all there is is known");
    assert!(bench.recorded("app/applied/b.json").unwrap()["applied"].is_null(), "the attempt is on the ledger");

    bench.open("gate");
    bench.deploys("app", &[]);
    assert_eq!(bench.value("app", "b").as_deref(), Some("slow"));
    assert_eq!(bench.value("app", "c").as_deref(), Some("plain"));
    assert!(bench.resources("app", "b").iter().all(|(_, tainted)| !tainted));
}

fn cancelled_in_apply(signal: Signal) {
    let bench = bench_with_slow_middle();
    let run = bench.start_deploy("app", &[]);
    bench.wait_at("gate");
    run.signal(signal);
    run.finish().assert_aborted("cancelled");
    assert_ended_in_order(&bench, "cancelled");
}

#[test]
fn tf_sigint_in_apply() {
    needs_terraform!();
    cancelled_in_apply(Signal::INT);
}

#[test]
fn tf_sigterm_in_apply() {
    needs_terraform!();
    cancelled_in_apply(Signal::TERM);
}

#[test]
fn tf_the_time_limit_in_apply() {
    needs_terraform!();
    let bench = bench_with_slow_middle();
    // Once it stands at the gate, only the limit can end it; a slower machine may not come so far in a second.
    bench.deploys_first("app", "{a: {use: ../plugins/quick}}", &bench.read("app/tieline.yaml"));
    let run = bench.start_deploy("app", &["--timeout", "1s"]);
    let ended = run.finish();
    ended.assert_aborted("timed-out");
    assert!(ended.err.contains("[timed-out]") && !ended.err.contains("[cancelled]"), "{}", ended.err);
    let run = bench.runs("app").pop().unwrap();
    assert_eq!((run["status"].as_str(), run["failureReason"].as_str()), (Some("aborted"), Some("timed-out")));
    bench.assert_left_free("app");
}

/// Terraform is interrupted once and then let save its state, whatever signals come meanwhile.
#[test]
fn tf_later_signals_lose_no_state() {
    needs_terraform!();
    let states = States::serve();
    let bench = Bench::with_backend(&states.backend());
    bench.deployable("app", &format!("{{b: {}}}", bench.slow("gate", "")));
    let run = bench.start_deploy("app", &[]);
    bench.wait_at("gate");
    states.hold("POST /w/e/app/b");
    run.signal(Signal::INT);
    states.wait_for("POST /w/e/app/b", 1);
    for later in [Signal::TERM, Signal::INT, Signal::HUP, Signal::TERM] {
        run.signal(later);
    }
    // Signals that were sent are delivered before the process does anything else that we could see: it still renews and reads.
    wait_until("the signals are taken", || !has_pending_signals(run.id()));
    states.release();
    run.finish().assert_aborted("cancelled");
    let kept = resources_in(&states.state("/w/e/app/b").unwrap());
    assert_eq!(kept, [("first".to_owned(), false), ("slow".to_owned(), true)]);
    assert_eq!(states.locks(), 0);
    bench.assert_left_free("app");
    bench.open("gate");
    bench.deploys("app", &[]);
    assert_eq!(bench.value("app", "b").as_deref(), Some("slow"));
}

fn has_pending_signals(id: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let pending = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim() != "0000000000000000";
    pending("SigPnd:") || pending("ShdPnd:")
}

/// Cancels while Terraform waits for the `nth` reading of the state of `b`, which comes after `a`.
fn cancelled_at_reading(nth: usize, phase: &str) {
    let states = States::serve();
    let bench = Bench::with_backend(&states.backend());
    let quick = "{use: ../plugins/quick";
    bench.deployable("app", &format!("{{a: {quick}}}, b: {quick}, after: [a]}}, c: {quick}, after: [b]}}}}"));
    states.hold_from("GET /w/e/app/b", nth);
    let run = bench.start_deploy("app", &[]);
    states.wait_for("GET /w/e/app/b", nth);
    assert_eq!(terraforms(run.id(), phase).len(), 1, "it waits in {phase}");
    run.signal(Signal::INT);
    wait_until("the signal is taken", || !has_pending_signals(run.id()));
    states.release();
    let ended = run.finish();
    ended.assert_aborted("cancelled");
    let [record] = bench.runs("app").try_into().unwrap();
    assert_eq!(statuses(&record), [("a", "succeeded"), ("b", "aborted"), ("c", "skipped")], "in {phase}");
    assert_eq!(bench.value("app", "a").as_deref(), Some("plain"));
    assert!(bench.recorded("app/applied/b.json").is_none(), "nothing was attempted in {phase}");
    assert!(states.state("/w/e/app/b").is_none_or(|state| resources_in(&state).is_empty()));
    assert_eq!(states.locks(), 0);
    bench.assert_left_free("app");
    bench.deploys("app", &[]);
    assert_eq!(bench.value("app", "c").as_deref(), Some("plain"));
}

#[test]
fn tf_sigint_in_init() {
    needs_terraform!();
    cancelled_at_reading(1, "init");
}

#[test]
fn tf_sigint_in_plan() {
    needs_terraform!();
    cancelled_at_reading(2, "plan");
}

/// A plan that was not made to its end is not shown as one.
#[test]
fn tf_sigint_in_a_plan_of_its_own() {
    needs_terraform!();
    let states = States::serve();
    let bench = Bench::with_backend(&states.backend());
    bench.deployable("app", "{a: {use: ../plugins/quick}, b: {use: ../plugins/quick, after: [a]}}");
    states.hold("GET /w/e/app/a");
    let run = bench.start(bench.command(&["plan", "-C", "app", "-e", "e"]));
    states.wait_for("GET /w/e/app/a", 1);
    run.signal(Signal::INT);
    wait_until("the signal is taken", || !has_pending_signals(run.id()));
    states.release();
    let ended = run.finish();
    assert_eq!(ended.code, Some(3), "{}\n{}", ended.err, ended.out);
    assert!(ended.err.contains("[cancelled]"), "{}", ended.err);
    assert!(bench.is_tidy());
}

/// The attempt of `b` is noted, its apply not begun.
#[test]
fn tf_sigint_between_plan_and_apply() {
    needs_terraform!();
    let bench = Bench::new();
    bench.holding_git("update-ref --no-deref -- refs/tieline/claims/w/e/app");
    bench.deployable("app", &format!("{{a: {}, b: {{use: ../plugins/quick, after: [a]}}}}", bench.slow("gate", "")));
    let run = bench.start_deploy("app", &[]);
    bench.wait_at("gate");
    bench.write("hold", "");
    bench.open("gate");
    wait_until("the journal is about to be written", || bench.path("held").exists());
    run.signal(Signal::INT);
    wait_until("the signal is taken", || !has_pending_signals(run.id()));
    std::fs::remove_file(bench.path("hold")).unwrap();
    run.finish().assert_aborted("cancelled");
    let [record] = bench.runs("app").try_into().unwrap();
    assert_eq!(statuses(&record), [("a", "succeeded"), ("b", "aborted")]);
    assert_eq!(bench.value("app", "a").as_deref(), Some("slow"));
    assert!(bench.resources("app", "b").is_empty(), "nothing new is started after a cancel");
    bench.assert_left_free("app");
    bench.deploys("app", &[]);
    assert_eq!(bench.value("app", "b").as_deref(), Some("plain"));
}

/// What is done is done: a cancel that comes so late changes nothing.
#[test]
fn tf_sigint_in_publication() {
    needs_terraform!();
    let bench = Bench::new();
    bench.holding_git("refs/heads/ledger");
    bench.deployable("app", &format!("{{a: {}}}", bench.slow("gate", "")));
    let run = bench.start_deploy("app", &[]);
    bench.wait_at("gate");
    bench.write("hold", "");
    bench.open("gate");
    wait_until("the ledger is about to be written", || bench.path("held").exists());
    run.signal(Signal::INT);
    wait_until("the signal is taken", || !has_pending_signals(run.id()));
    std::fs::remove_file(bench.path("hold")).unwrap();
    let ended = run.finish();
    let [record] = bench.runs("app").try_into().unwrap();
    let expected = if record["status"] == "succeeded" { Some(0) } else { Some(3) };
    assert_eq!(ended.code, expected, "the ledger and the exit code agree: {}", ended.err);
    assert_eq!(bench.value("app", "a").as_deref(), Some("slow"));
    bench.assert_left_free("app");
}

/// A reader that goes away must not end a run that touches infrastructure.
#[test]
fn tf_a_reader_that_goes_away() {
    needs_terraform!();
    let bench = Bench::new();
    bench.deployable("app", &format!("{{a: {}, b: {{use: ../plugins/quick, after: [a]}}}}", bench.slow("gate", "")));
    let mut command = bench.deploy_command("app", &[]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    bench.wait_at("gate");
    let mut some = [0; 1];
    child.stderr.take().unwrap().read_exact(&mut some).unwrap();
    drop(child.stdout.take());
    bench.open("gate");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(bench.value("app", "b").as_deref(), Some("plain"));
    bench.assert_left_free("app");
}
