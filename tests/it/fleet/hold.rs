//! Whose the place is while a fleet deploys to it (R21), and what its jobs are held to.

use super::{Fleet, held};
use crate::endure::bench::Bench;
use crate::harness::needs_terraform;

fn bench() -> Bench {
    let bench = Bench::new();
    bench.deployable("app", "{a: {use: ../plugins/quick}, b: {use: ../plugins/quick, connections: {from: a.out}}}");
    bench
}

#[test]
fn tf_r21_two_fleets_at_once_and_a_deploy_during_one() {
    needs_terraform!();
    let bench = bench();
    let (first, second) = (Fleet::of(&bench), Fleet::of(&bench));
    first.runs(&bench, "a");
    for refused in [second.run(&bench, "a"), bench.deploy("app", &[]), second.finish(&bench, &[])] {
        assert_eq!(refused.code, Some(1), "{}", refused.err);
        let said = format!("[claimed]: `w/e/app` is held by the jobs of fleet `{}`", first.id);
        assert!(refused.err.contains(&said), "no `{said}` in {}", refused.err);
        assert!(refused.err.contains(&format!("tieline fleet finish --fleet {}", first.id)), "{}", refused.err);
    }
    first.runs(&bench, "b");
    assert_eq!(first.finish(&bench, &[]).code, Some(0));
    assert_eq!((bench.runs("app").len(), bench.value("app", "b").as_deref()), (1, Some("plain")));
    bench.assert_left_free("app");
}

#[test]
fn tf_r21_a_job_that_comes_late_and_one_that_comes_twice() {
    needs_terraform!();
    let bench = bench();
    let fleet = Fleet::of(&bench);
    fleet.runs(&bench, "a");
    let twice = fleet.run(&bench, "a");
    assert!(twice.code == Some(1) && twice.err.contains("has had its job for `a`"), "{}", twice.err);
    fleet.runs(&bench, "b");
    assert_eq!(fleet.finish(&bench, &[]).code, Some(0));
    let commits = bench.commits();

    let late = fleet.run(&bench, "a");
    assert_eq!(late.code, Some(1), "{}", late.err);
    assert!(late.err.contains(&format!("[claimed]: fleet `{}` is finished", fleet.id)), "{}", late.err);
    assert_eq!(held(&bench), "", "it took no claim");
    let again = fleet.finish(&bench, &[]);
    assert!(again.code == Some(0) && again.err.contains("is finished already"), "{}", again.err);
    assert_eq!(bench.commits(), commits, "nothing was published twice");
}

#[test]
fn r26_a_fleet_does_not_deploy_to_a_protected_environment() {
    let bench = bench();
    bench.edit_context("workspaces/w/environments/e.yaml", "name: e\n", "name: e\nprotected: true\n");
    let refused = bench.run(&["fleet", "-C", "app", "-e", "e"]).refused("protected");
    refused.says("the environment `e` is protected: a fleet does not deploy to it");
    let job = ["deploy", "-C", "app", "-e", "e", "--fleet", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "--only", "a"];
    bench.run(&job).refused("protected");
    assert_eq!(held(&bench), "");
}

#[test]
fn a_job_of_what_there_is_not() {
    let bench = bench();
    let job = |id: &str, alias: &str, more: &[&str]| {
        bench.run(&[&["deploy", "-C", "app", "-e", "e", "--fleet", id, "--only", alias], more].concat())
    };
    let id = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    let unknown = job(id, "a,bb", &[]).refused("invalid-input").says("there is no applied plugin `bb` to deploy");
    unknown.says("did you mean `b`?");
    job("mine", "a", &[]).refused("invalid-input").says("`mine` is not the id of a fleet");
    job(&id.to_lowercase(), "a", &[]).refused("invalid-input");
    job(id, "a", &["--approved-plan", "x"]).refused("invalid-input").says("cannot hold to an approved plan");
    bench.run(&["deploy", "-C", "app", "-e", "e", "--only", "a"]).says("--fleet <ID>");
    let never = ["fleet", "finish", "-C", "app", "-e", "e", "--fleet", id];
    bench.run(&never).fails(3, "cancelled").says("ever began: nothing was done");
    assert_eq!(held(&bench), "");
}

#[test]
fn tf_r30_what_a_job_resolves_anew_must_be_what_the_fleet_began_with() {
    needs_terraform!();
    let bench = bench();
    let fleet = Fleet::of(&bench);
    fleet.runs(&bench, "a");
    bench.deployable("app", "{a: {use: ../plugins/quick}, b: {use: ../plugins/quick, inputs: {value: other}}}");
    let refused = fleet.run(&bench, "b");
    assert_eq!(refused.code, Some(1), "{}", refused.err);
    for said in ["[binding-changed]", "this job would deploy something else than the fleet began with", "`b` changed"] {
        assert!(refused.err.contains(said), "no `{said}` in {}", refused.err);
    }

    // Nothing that was done is lost, and no release is made of it.
    let finished = fleet.finish(&bench, &[]);
    assert_eq!(finished.code, Some(1), "{}", finished.err);
    assert!(finished.err.contains("no release can be made of it"), "{}", finished.err);
    let run = bench.runs("app").pop().unwrap();
    assert_eq!((&run["status"], &run["id"]), (&"aborted".into(), &fleet.id.as_str().into()));
    assert_eq!(bench.value("app", "a").as_deref(), Some("plain"));
    assert_eq!(held(&bench), "");
    bench.verify();
    let next = bench.deploys("app", &[]);
    assert!(next.out.contains("1 unchanged"), "{}", next.out);
}

/// What an apply put out that was killed before it was collected, the next run collects, although there is nothing left to apply.
#[test]
fn tf_r21_what_a_killed_run_put_out_is_collected_by_the_next() {
    needs_terraform!();
    let bench = Bench::new();
    let app = |value: &str, slow: &str| {
        bench.deployable("app", &format!("{{a: {{use: ../plugins/quick, inputs: {{value: {value}}}}}{slow}}}"));
    };
    app("one", "");
    bench.deploys("app", &[]);
    app("two", &format!(", b: {}", bench.slow("gate", "a")));
    let run = bench.start_deploy("app", &[]);
    bench.wait_at("gate");
    let left = crate::endure::bench::descendants(run.id());
    run.kill();
    bench.open("gate");
    crate::endure::bench::wait_until("what was left over has ended", || {
        left.iter().all(|id| !crate::endure::bench::is_alive(*id))
    });
    assert_eq!(bench.value("app", "a").as_deref(), Some("one"), "nothing was published");
    bench.deploys("app", &[]);
    assert_eq!(bench.value("app", "a").as_deref(), Some("two"));
    bench.verify();
}
