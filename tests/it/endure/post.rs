//! The post stage of a workflow's step, beside and after a main stage.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::Signal;

use super::bench::{Bench, Running, descendants, is_alive, wait_until};
use super::container::{contained, needs_root};
use crate::fleet::Fleet;
use crate::github::GitHub;
use crate::harness::needs_terraform;

/// A bench with an application of one slow plugin.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.deployable("app", &format!("{{a: {}}}", bench.slow("gate", "")));
    fs::create_dir(bench.path("runner-temp")).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_tieline"), bench.path("bin/tieline-post")).unwrap();
    bench
}

/// A stage of a step that deploys the application, with what the runner gives every stage.
fn stage(bench: &Bench, program: &Path) -> Command {
    let deploy = bench.deploy_command("app", &[]);
    let mut command = Command::new(program);
    command.current_dir(bench.root()).env_clear().stdin(Stdio::null());
    command.envs(deploy.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env("GITHUB_ACTIONS", "true").env("RUNNER_TEMP", bench.path("runner-temp")).env("GITHUB_STATE", bench.path("state"));
    command.env("INPUT_COMMAND", "deploy").env("INPUT_WORKING-DIRECTORY", "app").env("INPUT_ENVIRONMENT", "e");
    command.env("INPUT_ALLOW-LOCAL-EXEC", "true").env("INPUT_CONTEXT", bench.context());
    command
}

fn main_stage(bench: &Bench) -> Command {
    stage(bench, Path::new(env!("CARGO_BIN_EXE_tieline")))
}

/// The post stage, with what the main stage left for it, as the runner reads it.
fn post_stage(bench: &Bench) -> Command {
    let mut command = stage(bench, &bench.path("bin/tieline-post"));
    let state = fs::read_to_string(bench.path("state")).unwrap_or_default();
    let mut lines = state.lines();
    while let Some((name, delimiter)) = lines.next().and_then(|line| line.split_once("<<")) {
        let value: Vec<&str> = lines.by_ref().take_while(|line| *line != delimiter).collect();
        command.env(format!("STATE_{name}"), value.join("\n"));
    }
    command
}

/// Kills a run that was started as it is, and lets what it started come to an end.
fn kill(bench: &Bench, run: Running) {
    let left = descendants(run.id());
    run.kill();
    bench.open("gate");
    wait_until("what was left over has ended", || left.iter().all(|id| !is_alive(*id)));
}

/// Runs the post stage, which is to succeed.
fn post(bench: &Bench) -> String {
    let ended = bench.start(post_stage(bench)).finish();
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{}", ended.out);
    ended.out
}

fn assert_nothing_left(bench: &Bench) {
    let mut files = fs::read_dir(bench.path("runner-temp")).unwrap().flatten();
    assert!(!files.any(|file| file.file_name().to_string_lossy().starts_with("tieline-stage-")));
}

#[test]
fn post_has_nothing_to_say_without_a_main_stage() {
    assert_eq!(post(&bench()), "");
}

#[test]
fn tf_post_has_nothing_to_say_after_an_orderly_end() {
    needs_terraform!();
    let bench = bench();
    bench.open("gate");
    let main = bench.start(main_stage(&bench)).finish();
    assert_eq!(main.code, Some(0), "{}", main.out);
    assert_eq!(post(&bench), "");
    assert_nothing_left(&bench);
    assert_eq!(post(&bench), "", "it may run again");
}

#[test]
fn tf_post_waits_for_a_main_stage_that_still_works() {
    needs_terraform!();
    let bench = bench();
    let main = bench.start(main_stage(&bench));
    bench.wait_at("gate");
    let post = bench.start(post_stage(&bench));
    wait_until("the post stage says so", || post.out().contains("still works"));
    let run = bench.claim("app").unwrap()["run"]["id"].as_str().unwrap().to_owned();
    bench.open("gate");
    assert_eq!(main.finish().code, Some(0));
    let ended = post.finish();
    assert_eq!(ended.code, Some(0), "{}", ended.out);
    assert_eq!(
        ended.out,
        format!(
            "run `{run}` on `w/e/app` still works, although its step is over; waiting for it, at most 4 minutes\n\
             it came to its end, with exit code 0\n"
        )
    );
    assert_eq!((bench.runs("app").len(), bench.value("app", "a").as_deref()), (1, Some("slow")));
    assert_nothing_left(&bench);
    bench.assert_left_free("app");
}

#[test]
fn tf_post_that_is_cancelled_leaves_a_main_stage_that_works_alone() {
    needs_terraform!();
    let bench = bench();
    let main = bench.start(main_stage(&bench));
    bench.wait_at("gate");
    let post = bench.start(post_stage(&bench));
    wait_until("the post stage waits", || post.out().contains("still works"));
    post.signal(Signal::INT);
    let ended = post.finish();
    assert_eq!(ended.code, Some(0), "{}", ended.out);
    assert!(ended.out.contains("is left alone"), "{}", ended.out);
    bench.open("gate");
    assert_eq!(main.finish().code, Some(0));
    bench.assert_left_free("app");
}

#[test]
fn tf_r21_post_clears_up_after_a_main_stage_that_was_killed() {
    needs_terraform!();
    let bench = bench();
    let main = bench.start(main_stage(&bench));
    bench.wait_at("gate");
    let claim = bench.claim("app").unwrap();
    kill(&bench, main);
    assert_eq!(bench.claim("app").unwrap()["run"]["id"], claim["run"]["id"]);
    let said = post(&bench);
    let run = claim["run"]["id"].as_str().unwrap();
    assert!(
        said.starts_with(&format!("run `{run}` on `w/e/app` was killed, or ran out of memory\nwhat it did was noted")),
        "{said}"
    );
    assert_eq!(bench.claim("app"), None);
    let recorded = &bench.runs("app")[0];
    assert_eq!((&recorded["id"], &recorded["status"]), (&claim["run"]["id"], &"aborted".into()));
    bench.verify();
    assert_nothing_left(&bench);
    assert_eq!(post(&bench), "", "it may run again");

    let next = bench.deploys("app", &[]);
    assert!(!next.err.contains("taken over"), "{}", next.err);
    assert_eq!((bench.made("gate"), bench.value("app", "a").as_deref()), (1, Some("slow")));
    bench.verify();
}

/// The claim is of all jobs: that of a killed one is told, and the others go on.
#[test]
fn tf_r21_post_of_a_killed_job_leaves_the_fleet_its_claim() {
    needs_terraform!();
    let bench = Bench::new();
    bench.deployable("app", &format!("{{a: {}, b: {{use: ../plugins/quick}}}}", bench.slow("gate", "")));
    fs::create_dir(bench.path("runner-temp")).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_tieline"), bench.path("bin/tieline-post")).unwrap();
    let fleet = Fleet::of(&bench);
    let of_fleet = |mut command: Command| {
        command.env("INPUT_FLEET", &fleet.id).env("INPUT_ONLY", "a");
        command
    };
    let main = bench.start(of_fleet(main_stage(&bench)));
    bench.wait_at("gate");
    kill(&bench, main);
    let claim = bench.claim("app").unwrap();
    let ended = bench.start(of_fleet(post_stage(&bench))).finish();
    assert_eq!(ended.code, Some(0), "{}", ended.out);
    let told = format!("the job for `a` in fleet `{}` was killed, or ran out of memory\nwhat it began was noted", fleet.id);
    assert!(ended.out.starts_with(&told), "{}", ended.out);
    assert_eq!(bench.claim("app").unwrap(), claim, "it is not given back");
    assert_nothing_left(&bench);

    fleet.runs(&bench, "b");
    let finished = fleet.finish(&bench, &[]);
    assert_eq!(finished.code, Some(3), "{}", finished.err);
    assert!(finished.err.contains("the job for `a` ended without a word"), "{}", finished.err);
    assert_eq!((bench.claim("app"), bench.value("app", "b").as_deref()), (None, Some("plain")));
    bench.verify();
}

/// On GitHub nothing goes on looking as if the run went on.
#[test]
fn tf_after_a_killed_main_stage_deployment_comment_and_check_say_so() {
    needs_terraform!();
    let bench = bench();
    let github = GitHub::start();
    let shop = github.repository("acme/shop");
    let commit = shop.commit("main", &[("README.md", "a shop")]);
    let number = shop.open_pull("change", "a change");
    let token = github.token(&[("acme/shop", &["pull_requests=write", "issues=write", "deployments=write", "checks=write"])]);
    let event = format!(
        r#"{{"pull_request": {{"number": {number}, "head": {{"sha": "{commit}", "repo": {{"id": 1}}}}, "base": {{"sha": "{commit}", "repo": {{"id": 1}}}}}}}}"#
    );
    fs::write(bench.path("event.json"), event).unwrap();
    let shown = |mut command: Command| {
        command.env("GITHUB_API_URL", github.url()).env("GITHUB_REPOSITORY", "acme/shop").env("GITHUB_SHA", &commit);
        command.env("GITHUB_EVENT_PATH", bench.path("event.json")).env("INPUT_GITHUB-TOKEN", &token).env("INPUT_CHECK", "true");
        command
    };
    let main = bench.start(shown(main_stage(&bench)));
    bench.wait_at("gate");
    kill(&bench, main);
    assert_eq!(bench.start(shown(post_stage(&bench))).finish().code, Some(0));

    let (_, statuses) = shop.deployments().remove(0);
    assert_eq!(statuses.last().unwrap()["state"], "error", "{statuses:#?}");
    assert_eq!(shop.checks()[0].0["conclusion"], "cancelled");
    let [comment] = shop.comments(number).try_into().unwrap_or_else(|all| panic!("not one comment: {all:#?}"));
    assert!(comment.contains("the run was killed"), "{comment}");
    assert_eq!(bench.claim("app"), None);
}

/// What nobody could do who merely looks: the dead run's container is gone, and with it its processes' numbers.
#[test]
fn tf_r21_after_a_killed_container_the_next_deploy_needs_no_hand() {
    needs_terraform!();
    needs_root!();
    let bench = bench();
    let main = bench.start(contained(&bench, &main_stage(&bench)));
    bench.wait_at("gate");
    let left = descendants(main.id());
    main.kill();
    wait_until("the container is gone", || left.iter().all(|id| !is_alive(*id)));
    bench.open("gate");
    let refused = bench.deploy("app", &[]);
    assert!(refused.err.contains("[claimed]"), "{}", refused.err);

    let ended = bench.start(contained(&bench, &post_stage(&bench))).finish();
    assert_eq!(ended.code, Some(0), "{}", ended.out);
    assert_eq!(bench.claim("app"), None);
    bench.deploys("app", &[]);
    assert_eq!(bench.value("app", "a").as_deref(), Some("slow"));
    bench.verify();
}

#[test]
fn tf_post_leaves_the_claim_of_another_run_alone() {
    needs_terraform!();
    let bench = bench();
    let main = bench.start(main_stage(&bench));
    bench.wait_at("gate");
    let mut claim = bench.claim("app").unwrap();
    kill(&bench, main);
    claim["run"]["id"] = "01ARZ3NDEKTSV4RRFFQ69G5FAV".into();
    bench.put_claim("app", &claim);
    let said = post(&bench);
    assert!(said.contains("it holds no claim any more"), "{said}");
    assert_eq!(bench.claim("app").unwrap()["run"]["id"], claim["run"]["id"]);
    assert!(bench.runs("app").is_empty());
}
