//! Terraform's state locks: seen where they can be, and freed by their exact id.

use rustix::process::{Signal, kill_process};

use crate::endure::bench::{Bench, is_alive, pid, terraforms, wait_until};
use crate::endure::states::States;
use crate::harness::needs_terraform;

/// A terraform that was killed in the middle of an apply, and so left its lock behind; ours was killed with it.
fn killed_in_apply(bench: &Bench) {
    bench.deployable("app", "{a: {use: ../plugins/quick}}");
    bench.deploys("app", &[]);
    bench.deployable("app", &format!("{{a: {{use: ../plugins/quick}}, b: {}}}", bench.slow("gate", "")));
    let run = bench.start_deploy("app", &[]);
    bench.wait_at("gate");
    let working = terraforms(run.id(), "apply");
    run.kill();
    for id in &working {
        kill_process(pid(*id), Signal::KILL).unwrap();
    }
    wait_until("terraform is gone", || working.iter().all(|id| !is_alive(*id)));
    bench.open("gate");
}

#[test]
fn tf_r21_a_lock_that_a_killed_terraform_left_is_freed_by_its_exact_id() {
    needs_terraform!();
    let states = States::serve();
    let bench = Bench::with_backend(&states.backend());
    killed_in_apply(&bench);
    assert_eq!(states.locks(), 1, "the lock of `b`");
    let place = ["-w", "w", "-e", "e", "--deployable", "app"];
    let unlock = |more: &[&str]| bench.run(&[&["unlock", "--reason", "it was killed"], &place[..], more].concat());

    // The dead run's claim is taken over by whoever comes next, and its journal is folded: `b` has an applied record from then on.
    bench.deploy("app", &["--lock-timeout", "0s"]);
    let before = bench.runs("app").len();
    let seen = bench.run(&[&["status", "--locks"], &place[..]].concat()).succeeds();
    let seen = seen.says("app/a  free").says("app/b  held by somebody whom the backend does not name, id ");
    seen.says("each was tried, and taken for a moment where it was free");
    let json = bench.run(&[&["status", "--locks", "-o", "json"], &place[..]].concat()).succeeds().json();
    let lock = &json["locks"][1];
    assert_eq!((&lock["alias"], &lock["lock"]["state"], &lock["backend"]), (&"b".into(), &"held".into(), &"http".into()));
    let id = lock["lock"]["id"].as_str().unwrap().to_owned();
    assert_eq!(states.locks(), 1, "to look gives back what it takes, and no more");

    unlock(&["--lock", "no-such-id", "--alias", "b"])
        .fails(2, "state-locked")
        .says("the state lock of `b` is not `no-such-id`")
        .says(&id);
    unlock(&["--lock", &id, "--alias", "a"]).refused("invalid-input").says("nobody holds the state lock of `a`");
    unlock(&["--lock", &id, "--alias", "c"]).refused("invalid-input").says("no `c` is applied");
    assert_eq!((states.locks(), bench.runs("app").len()), (1, before), "nothing was freed, and no run recorded");

    unlock(&["--lock", &id, "--alias", "b"]).succeeds().says("freed the state lock of w/e/app/b").says("recorded as run");
    assert_eq!((states.locks(), bench.claim("app")), (0, None));
    let runs = bench.runs("app");
    let ours = runs.iter().find(|run| run["type"] == "unlock").unwrap();
    assert_eq!(
        (ours["overrides"][0]["subjects"][0].as_str(), ours["overrides"][0]["reason"].as_str()),
        (Some(id.as_str()), Some("it was killed"))
    );
    bench.deploys("app", &[]);
    bench.verify();
}

#[test]
fn tf_r21_no_lock_is_freed_while_a_run_of_its_deployable_goes_on() {
    needs_terraform!();
    let states = States::serve();
    let bench = Bench::with_backend(&states.backend());
    bench.deployable("app", "{a: {use: ../plugins/quick}}");
    bench.deploys("app", &[]);
    bench.deployable("app", &format!("{{a: {{use: ../plugins/quick}}, b: {}}}", bench.slow("gate", "")));
    let run = bench.start_deploy("app", &[]);
    bench.wait_at("gate");
    let place = ["-w", "w", "-e", "e", "--deployable", "app"];
    bench.run(&[&["unlock", "--lock", "1", "--alias", "b", "--reason", "x"], &place[..]].concat()).refused("claimed");
    bench
        .run(&["status", "-w", "w"])
        .succeeds()
        .says("Running now")
        .says("alive: its process runs on this machine")
        .says("1 of 2 tasks done");
    bench.open("gate");
    assert_eq!(run.finish().code, Some(0));
}

#[test]
fn tf_r21_a_backend_whose_locks_end_with_their_holder_says_so() {
    needs_terraform!();
    let bench = Bench::new();
    bench.deployable("app", "{a: {use: ../plugins/quick}}");
    bench.deploys("app", &[]);
    bench
        .run(&["unlock", "-w", "w", "-e", "e", "--deployable", "app", "--lock", "1", "--alias", "a", "--reason", "x"])
        .refused("invalid-input")
        .says("a lock of the `local` backend ends with the process that holds it");
    assert_eq!(bench.claim("app"), None);
    let seen = bench.run(&["status", "-w", "w", "--locks", "-o", "json"]).succeeds().json();
    assert_eq!(seen["locks"][0]["lock"]["state"], "free");

    // A backend that is set up without locks has none to show.
    let states = States::serve();
    let backend = states.backend();
    let unlocked = backend.split(", lock_address").next().unwrap().to_owned() + "}}";
    let bench = Bench::with_backend(&unlocked);
    bench.deployable("app", "{a: {use: ../plugins/quick}}");
    bench.deploys("app", &[]);
    bench.run(&["status", "-w", "w", "--locks"]).succeeds().says("app/a  never locked: the `http` backend is set up without");
}
