//! A slot that is wired anew, and a run that does not come to its end: until an apply has succeeded, either producer may be in use (R47).

use rustix::process::Signal;

use super::bench::{Bench, SLOW, SLOW_MODULE, descendants, is_alive, wait_until};
use crate::harness::needs_terraform;

/// Two producers `a` and `c`, and `b`, which takes a connection and is slow; it is bound to `a`.
fn bench_bound_to_a() -> Bench {
    let bench = Bench::new();
    bench.plugin(
        "plugins/taker",
        &SLOW.replace("name: slow", "name: taker").replace("generates:", "requires: {from: {type: value-conn}}\ngenerates:"),
        &format!("variable \"from\" {{ type = any }}\n{SLOW_MODULE}")
            .replace("input      = \"slow\"", "input = \"slow\"\n  triggers_replace = var.gate"),
    );
    bench.open("first");
    wire(&bench, "a", "first");
    bench.deploys("app", &[]);
    assert_eq!(consumers(&bench), ["a"]);
    bench
}

fn wire(bench: &Bench, producer: &str, gate: &str) {
    let gate = bench.path(gate);
    let taker =
        format!("{{use: ../plugins/taker, inputs: {{gate: '{}'}}, connections: {{from: {producer}.out}}}}", gate.display());
    bench.deployable("app", &format!("{{a: {{use: ../plugins/quick}}, c: {{use: ../plugins/quick}}, b: {taker}}}"));
}

/// Whose consumer `b` is, as far as the ledger says.
fn consumers(bench: &Bench) -> Vec<String> {
    let paths = bench.ledger_paths().into_iter();
    let entries = paths.filter_map(|path| path.strip_prefix("w/e/app/consumers/").map(str::to_owned));
    entries.map(|entry| entry.split('.').next().unwrap().to_owned()).collect()
}

#[test]
fn tf_r47_a_cancelled_repointing_keeps_the_old_producer_guarded() {
    needs_terraform!();
    let bench = bench_bound_to_a();
    wire(&bench, "c", "second");
    let run = bench.start_deploy("app", &["--allow-destroy"]);
    bench.wait_at("second");
    run.signal(Signal::INT);
    let ended = run.finish();
    ended.assert_aborted("cancelled");
    let shown = "[b] slot from: w/e/app/a.out (value-conn 1.0.0) -> w/e/app/c.out (value-conn 1.0.0)";
    assert!(ended.err.contains(shown), "{}", ended.err);
    assert_eq!(consumers(&bench), ["a", "c"], "either may be what is in use");
    bench.verify();
    let plan = bench.run(&["plan", "-C", "app", "-e", "e", "--allow-local-exec"]).succeeds();
    plan.says("slot from: w/e/app/a.out -> w/e/app/c.out");

    // And back: of what the broken run may have bound nothing is left.
    bench.open("third");
    wire(&bench, "a", "third");
    bench.deploys("app", &["--allow-destroy"]);
    assert_eq!(consumers(&bench), ["a"]);
    bench.verify();
}

#[test]
fn tf_r47_a_repointing_that_died_keeps_the_old_producer_guarded() {
    needs_terraform!();
    let bench = bench_bound_to_a();
    wire(&bench, "c", "second");
    let run = bench.start_deploy("app", &["--allow-destroy"]);
    bench.wait_at("second");
    let left = descendants(run.id());
    run.kill();
    bench.open("second");
    wait_until("what was left over has ended", || left.iter().all(|id| !is_alive(*id)));
    // The next run folds the dead one's journal, and is refused before it applies anything.
    let refused = bench.deploy("app", &["--approved-plan", "another"]);
    assert!(refused.err.contains("[plan-changed]"), "{}", refused.err);
    assert_eq!(consumers(&bench), ["a", "c"]);
    bench.verify();
    bench.deploys("app", &["--allow-destroy"]);
    assert_eq!(consumers(&bench), ["c"]);
    bench.verify();
}
