//! Runs of steps that do not come to their end: what was made is known, and can be taken away.

use rustix::process::Signal;

use super::{Steps, lines};
use crate::endure::bench::{descendants, is_alive, wait_until};

fn stage() -> Steps {
    let steps = Steps::new();
    let gate = steps.gate();
    steps.deployable("app", &format!("{{a: {{use: ../plugins/maker, inputs: {{gate: '{gate}'}}}}}}"));
    steps
}

#[test]
fn r60_killed_between_two_steps() {
    let steps = stage();
    let run = steps.start_deploy("app", &[]);
    steps.wait_at_the_gate();
    let claim = steps.claim("app").unwrap();
    assert_eq!(claim["applied"]["a"]["steps"]["make"]["outputs"]["host"]["text"], "db-1", "in the journal already: {claim}");
    let left = descendants(run.id());
    run.kill();
    steps.open_the_gate();
    wait_until("the script has ended", || left.iter().all(|id| !is_alive(*id)));

    // The manifest's plugin is at hand: the ledger has no tree of it yet.
    let destroyed = steps.start(steps.command(&["destroy", "-C", "app", "-e", "e"])).finish();
    assert_eq!(destroyed.code, Some(0), "{}\n{}", destroyed.err, destroyed.out);
    assert_eq!(lines(&destroyed.err, "a"), ["remove: removing db-1"], "R61: what was never seeded is not unseeded");
    assert!(destroyed.out.contains("the step `unseed` of `a` was not needed"), "{}", destroyed.out);
    assert_eq!(steps.recorded("app/applied/a.json"), None);
    assert_eq!(steps.runs("app")[0]["status"], "aborted");
    steps.verify();
}

#[test]
fn r60_the_next_run_goes_on_after_a_dead_one() {
    let steps = stage();
    let run = steps.start_deploy("app", &[]);
    steps.wait_at_the_gate();
    run.kill();
    steps.open_the_gate();
    // It is another user's.
    std::fs::remove_file(steps.gates.path().join("gate.at")).unwrap();
    let next = steps.deploys("app", &[]);
    assert!(next.err.contains("its claim taken over"), "{}", next.err);
    assert_eq!(lines(&next.err, "a"), ["make: making a", "seed: seeding db-1"]);
    assert_eq!(steps.value("app", "a").as_deref(), Some("db-1"));
    steps.destroys("app");
}

#[test]
fn r62_cancelled_in_a_step() {
    let steps = stage();
    let run = steps.start_deploy("app", &[]);
    steps.wait_at_the_gate();
    run.signal(Signal::INT);
    let ended = run.finish();
    ended.assert_aborted("cancelled");
    assert!(ended.err.contains("[a] step seed stopped"), "{}", ended.err);
    steps.assert_left_free("app");
    let run = &steps.runs("app")[0];
    assert_eq!(run["status"], "aborted");
    let record = steps.recorded("app/applied/a.json").unwrap();
    assert!(record["applied"].is_null() && record["steps"]["seed"].is_null(), "{record}");
    assert_eq!(record["steps"]["make"]["outputs"]["host"]["text"], "db-1", "what was done is on the ledger");
    assert_eq!(steps.value("app", "a"), None);
    let destroyed = steps.destroys("app");
    assert_eq!(lines(&destroyed.err, "a"), ["remove: removing db-1"]);
}

#[test]
fn r17_a_step_that_fails_leaves_the_last_good_record_degraded() {
    let steps = Steps::new();
    steps.deployable("app", "{a: {use: ../plugins/maker}}");
    steps.deploys("app", &[]);
    steps.edit("plugins/maker/plugin.yaml", "        echo \"seeding $HOST\"\n", "        echo \"seeding $HOST\"; exit 3\n");
    steps.deployable("app", "{a: {use: ../plugins/maker, inputs: {size: 2}}}");
    let failed = steps.deploy("app", &[]);
    assert_eq!(failed.code, Some(2), "{}\n{}", failed.err, failed.out);
    assert!(failed.out.contains("step-failed") || failed.err.contains("[step-failed]"), "{}\n{}", failed.err, failed.out);
    let connection = steps.recorded("app/connections/a.out.json").unwrap();
    assert_eq!((&connection["status"], &connection["attributes"]["value"]), (&"degraded".into(), &"db-1".into()));
    let record = steps.recorded("app/applied/a.json").unwrap();
    assert_eq!(record["steps"]["make"]["outputs"]["host"]["text"], "db-2", "what was made last is what has to go");
    assert_eq!(record["steps"]["seed"]["outputs"]["rows"]["text"], "7\n", "and what was made before");
}
