//! What `tieline status` says.

use super::{Holder, RUN, claim};
use crate::endure::bench::Bench;
use crate::harness::{Project, assert_shown, needs_terraform};

/// An application that was deployed, and whose second deploy failed half-way.
fn half_way() -> Project {
    let project = Project::lab();
    project.app("app", "  a: {use: ../plugins/thing}\n  b: {use: ../plugins/thing, connections: {upstream: a.out}}\n");
    project.deploy_with("app", &["--version-tag", "v1"]).succeeds();
    project.app("app", "  a: {use: ../plugins/thing, inputs: {size: 2, broken: true}}\n  b: {use: ../plugins/thing, connections: {upstream: a.out}}\n");
    project.deploy_with("app", &["--version-tag", "v2"]).fails(2, "apply-failed");
    project
}

#[test]
fn tf_r20_status_reads_well_after_a_failure() {
    needs_terraform!();
    let project = half_way();
    assert_shown!(project.run(&["status", "-w", "lab"]).succeeds().stdout, @r"
    lab

    Runs
      <id>  staging/app  deploy v2  failed (apply-failed)
        <time>, <age> ago, took <duration>, by tester
        a +0 ~2 -0: failed, terraform: Resource postcondition failed
        b: skipped, `a` did not succeed
      <id>  staging/app  deploy v1  succeeded
        <time>, <age> ago, took <duration>, by tester
        a +2 ~0 -0, b +2 ~0 -0: succeeded

    Releases
      staging/app  v1  back: a other inputs
        <time>, <age> ago, run <id>
      to go back: tieline rollback -w lab -e staging --deployable app --to <id>

    Applied plugins
      staging/app/a  thing 1.0.0
        its apply of <time>, <age> ago, did not come to a good end; the one before did,
          <time>; 2 resources
      staging/app/b  thing 1.0.0
        applied <time>, <age> ago; 2 resources

    Connections
      lab/staging/app/a.out  degraded: the apply of run <id> failed
        thing-conn 1.0.0, generation 1, 1 consumer
          lab/staging/app/b.upstream
      lab/staging/app/b.out  ready
        thing-conn 1.0.0, generation 1, 0 consumers

    Stale
      lab/staging/app/b.upstream
        takes lab/staging/app/a.out: the last apply of its producer failed
    ");
    let runs = |more: &[&str]| {
        let status = project.run(&[&["status", "-w", "lab", "-o", "json"], more].concat()).succeeds().json();
        let tags = status["runs"].as_array().unwrap().iter().map(|run| run["versionTag"].as_str().unwrap().to_owned());
        (tags.collect::<Vec<_>>(), status["more"]["runs"].as_u64().unwrap())
    };
    assert_eq!(runs(&[]), (vec!["v2".to_owned(), "v1".to_owned()], 0));
    assert_eq!(runs(&["--limit", "1"]), (vec!["v2".to_owned()], 1));
    assert_eq!(runs(&["--outcome", "succeeded"]), (vec!["v1".to_owned()], 0));
    assert_eq!(runs(&["--outcome", "failed"]), (vec!["v2".to_owned()], 0));
    assert_eq!(runs(&["--outcome", "user-error"]), (Vec::new(), 0));
    assert_eq!(runs(&["--run-type", "rollback"]), (Vec::new(), 0));
    assert_eq!(runs(&["--since", "1h"]).0.len(), 2);
    assert_eq!(runs(&["--deployable", "other"]), (Vec::new(), 0));
    assert_eq!(runs(&["-e", "production"]), (Vec::new(), 0));
    assert_eq!(runs(&["-e", "staging", "--deployable", "app"]).0.len(), 2);
    assert_eq!(project.run(&["status", "-w", "lab", "--since", "soon"]).code, 1);
    project.run(&["status", "-w", "Lab"]).refused("invalid-input");
}

#[test]
fn tf_r23_a_run_is_shown_in_detail_with_why_each_task_was_skipped() {
    needs_terraform!();
    let project = half_way();
    let failed = project.newest("lab/staging/app/runs");
    let id = failed["id"].as_str().unwrap();
    assert_shown!(project.run(&["status", "-w", "lab", "--run", id]).succeeds().stdout, @r"
    run <id>  deploy lab/staging/app
      failed (apply-failed)
      <time>, <age> ago, took <duration>, by tester
      version tag: v2

    Tasks
      iac:a  succeeded, <duration>
      deploy:a  failed, terraform: Resource postcondition failed, +0 ~2 -0, <duration>
      iac:b  skipped, `a` did not succeed
      deploy:b  skipped, `a` did not succeed
    ");
    let json = project.run(&["status", "-w", "lab", "--run", id, "-o", "json"]).succeeds().json();
    assert_eq!((&json["found"][0]["place"], &json["found"][0]["run"]), (&"lab/staging/app".into(), &failed));
    project.run(&["status", "-w", "lab", "--run", "01ARZ3NDEKTSV4RRFFQ69G5FAV"]).refused("invalid-input").says("there is no run");
    let first = project.run(&["status", "-w", "lab", "-o", "json"]).json()["runs"][1]["id"].as_str().unwrap().to_owned();
    project
        .run(&["status", "-w", "lab", "--run", &first])
        .succeeds()
        .says("b.upstream  lab/staging/app/a.out, generation 1")
        .says("v1, made");
}

#[test]
fn r21_a_claim_is_shown_with_who_holds_it_and_whether_it_lives() {
    let bench = Bench::new();
    bench
        .put_claim("app", &claim(("w", "e", "app"), Holder::Elsewhere("2020-01-01T00:00:00Z"), Some("https://elsewhere.test/x")));
    let shown = bench
        .run(&["status", "-w", "w"])
        .succeeds()
        .stdout
        .replace(&format!("process {}", std::process::id()), "process <number>");
    let shown = shown.replace(|c: char| c.is_ascii_digit(), "0");
    assert_shown!(shown, @r"
    w

    Running now
      e/app  deploy by mallory
        run <id>, since <time>, 000d ago
        on runner-0, process <number>; 0 of 0 task done
        https://elsewhere.test/x
        unknown whether alive: its lease is over, its process cannot be looked at from here, and its
          workflow ran on another server
        its lease ended <time>, 0000d ago
        free it: tieline unlock --claim <id> --reason <text>
    ");
    let detail = bench.run(&["status", "-w", "w", "--run", RUN]).succeeds();
    detail.says("deploy:a  runs").says("unknown whether alive");
    bench.run(&["status", "-w", "w", "-e", "other"]).succeeds().says("nothing was deployed here yet");
    bench.put_claim("app", &claim(("w", "e", "app"), Holder::Dead, None));
    bench.run(&["status", "-w", "w", "-e", "e"]).succeeds().says("dead: its process on this machine is gone");
}
