//! `preview sweep`.

use serde_json::Value;

use super::{REPOSITORY, Scene};
use crate::github::Fault;
use crate::harness::needs_terraform;

/// What became of each preview: `name: fate`.
fn fates(report: &Value) -> Vec<String> {
    let previews = report["previews"].as_array().unwrap().iter();
    previews.map(|one| format!("{}: {}", one["environment"].as_str().unwrap(), one["fate"].as_str().unwrap())).collect()
}

#[test]
fn tf_case_12_the_sweeper_removes_a_preview_whose_closed_never_ran() {
    needs_terraform!();
    let (scene, numbers) = Scene::with_previews(4);
    scene.hosted.close_pull(numbers[0]);
    scene.hosted.merge_pull(numbers[1]);
    scene.expire("pr-3");
    let ran = scene.sweep(&["-o", "json"]).succeeds();
    assert_eq!(fates(&ran.json()), ["pr-1: removed", "pr-2: removed", "pr-3: removed", "pr-4: lives"]);
    assert_eq!(scene.resources("pr-").iter().filter(|resource| !resource.contains("/pr-4/")).count(), 0);
    assert!(!scene.resources("pr-4").is_empty());
    // One request for the repository, one for its open pull requests, one for each that loses its preview.
    assert_eq!(scene.asked("GET /repositories/"), 1);
    assert_eq!(scene.asked(&format!("GET /repos/{REPOSITORY}/pulls?")), 1);
    let ups = 2 * numbers.len();
    assert_eq!(scene.asked(&format!("GET /repos/{REPOSITORY}/pulls/")), ups + 3);
    // Elsewhere than in a workflow nothing is written there.
    assert_eq!(scene.github.writes(), 0);
    scene.hosted.close_pull(numbers[3]);
    scene.sweep(&[]).succeeds();
    scene.is_swept();
    scene.sweep(&[]).succeeds().says("0 previews");
}

#[test]
fn tf_r51_what_cannot_be_read_is_unknown_until_its_time_is_over() {
    needs_terraform!();
    let (mut scene, numbers) = Scene::with_previews(2);
    scene.hosted.lose_pull(numbers[0]);
    scene.sweep(&[]).succeeds().says("pr-1").says("gone, or out of sight");
    scene.expire("pr-1");
    scene.sweep(&[]).succeeds();
    assert_eq!(scene.resources("pr-1"), Vec::<String>::new());
    // A new name is no new repository.
    scene.hosted.rename("acme/store");
    let ran = scene.sweep(&["-o", "json"]).succeeds();
    assert_eq!(fates(&ran.json()), ["pr-2: lives"]);
    scene.hosted.clone().delete();
    let ran = scene.sweep(&["-o", "json"]).succeeds();
    assert_eq!(fates(&ran.json()), ["pr-2: unknown"]);
    scene.expire("pr-2");
    scene.sweep(&[]).succeeds().says("its repository is gone or out of sight");
    scene.is_swept();
    let run = scene.project.newest("lab/pr-2/shop/runs");
    assert_eq!(run["overrides"][0]["override"], "orphaned", "{run}");
    assert!(run["overrides"][0]["reason"].as_str().unwrap().starts_with("swept: "), "{run}");
}

#[test]
fn tf_r51_one_that_fails_does_not_stop_the_others_and_the_sweep_ends_red() {
    needs_terraform!();
    let (mut scene, numbers) = Scene::with_previews(3);
    for number in &numbers {
        scene.hosted.close_pull(*number);
    }
    scene.project.wrap_terraform("case \"$1:$PWD\" in apply:*) ! grep -qs pr-2 main.tf.json || exit 1 ;; esac\n");
    let ran = scene.sweep(&["-o", "json"]);
    assert_eq!(ran.code, 2, "{ran}");
    let report = ran.json();
    assert_eq!(fates(&report), ["pr-1: removed", "pr-3: removed", "pr-2: failed"]);
    assert_eq!(report["problems"][0]["reason"], "apply-failed", "{report}");
    scene.project.wrap_terraform("");
    scene.sweep(&[]).succeeds();
    scene.is_swept();
}

#[test]
fn tf_r51_a_sweep_removes_at_most_so_many_and_says_what_waits() {
    needs_terraform!();
    let scene = Scene::new();
    // Twenty-five of them, of which two were ever deployed.
    let numbers: Vec<u64> = (0..25).map(|_| scene.pull_request()).collect();
    numbers[..2].iter().for_each(|number| drop(scene.up(*number).succeeds()));
    let preview = scene.project.ledger("lab/pr-1/environment.json");
    for number in &numbers[2..] {
        let mut other = preview.clone();
        other["pullRequest"] = (*number).into();
        other["environment"]["name"] = format!("pr-{number}").into();
        scene.project.forge(&format!("lab/pr-{number}/environment.json"), &other.to_string());
    }
    for number in &numbers {
        scene.hosted.close_pull(*number);
    }
    let ran = scene.sweep(&["-o", "json"]).fails(1, "limit-exceeded");
    let fates = fates(&ran.json());
    let count = |fate: &str| fates.iter().filter(|one| one.ends_with(fate)).count();
    assert_eq!((count("removed"), count("waits")), (20, 5), "{fates:?}");
    scene.sweep(&["--limit", "5"]).succeeds();
    scene.is_swept();
}

#[test]
fn tf_r51_somebody_who_asked_for_more_time_and_was_not_heard_gets_it() {
    needs_terraform!();
    let (scene, numbers) = Scene::with_previews(3);
    scene.hosted.label_pull(numbers[0], "tieline-keep-5d");
    scene.hosted.comment(numbers[1], "ana", "/tieline keep 5d");
    scene.hosted.comment_as(numbers[2], "stranger", "NONE", "/tieline keep 5d");
    for name in ["pr-1", "pr-2", "pr-3"] {
        scene.expire(name);
    }
    scene.project.edit_context("workspaces/lab/workspace.yaml", "grants: []", "grants: []\nlimits: {max-preview-ttl: 7d}");
    let ran = scene.sweep(&["-o", "json"]).succeeds();
    assert_eq!(fates(&ran.json()), ["pr-3: removed", "pr-1: lives", "pr-2: lives"]);
    let ran = scene.sweep(&["-o", "json"]).succeeds();
    assert_eq!(fates(&ran.json()), ["pr-1: lives", "pr-2: lives"]);
}

#[test]
fn tf_r51_a_server_that_cannot_be_asked_is_no_reason_to_remove_anything() {
    needs_terraform!();
    let (scene, numbers) = Scene::with_previews(1);
    scene.hosted.close_pull(numbers[0]);
    scene.github.fail(1, &format!("GET /repos/{REPOSITORY}/pulls?"), Fault::Status(403));
    let ran = scene.sweep(&["-o", "json"]);
    assert_eq!(ran.code, 2, "{ran}");
    assert_eq!(fates(&ran.json()), ["pr-1: unknown"]);
    scene.sweep(&[]).succeeds();
    scene.is_swept();
}

#[test]
fn tf_r51_leftovers_are_named_with_the_way_out() {
    needs_terraform!();
    let (scene, _) = Scene::with_previews(1);
    scene.project.unforge("lab/pr-1/environment.json");
    let ran = scene.sweep(&[]).refused("invalid-document");
    let command = "tieline destroy -w lab -e pr-1 --deployable shop";
    let ran = ran.says(command);
    drop(ran);
    scene.project.run(&command.split(' ').skip(1).collect::<Vec<_>>()).succeeds();
    scene.sweep(&[]).succeeds();
    scene.is_swept();
}

#[test]
fn tf_r51_what_cannot_be_read_is_told_and_keeps_nobody_from_the_others() {
    needs_terraform!();
    let (scene, numbers) = Scene::with_previews(2);
    let text = scene.project.ledger_text("lab/pr-1/environment.json");
    scene.project.forge("lab/pr-1/environment.json", "{{{{");
    scene.hosted.close_pull(numbers[1]);
    let ran = scene.sweep(&["-o", "json"]);
    assert_ne!(ran.code, 0, "{ran}");
    let report = ran.json();
    assert_eq!(fates(&report), ["pr-2: removed"]);
    assert!(report["problems"][0]["message"].as_str().unwrap().contains("lab/pr-1/environment.json"), "{report}");
    // Whose it may be is not told that it is gone.
    let ran = scene.down(numbers[0]);
    assert_ne!(ran.code, 0, "{ran}");
    ran.says("lab/pr-1/environment.json");
    scene.down(numbers[1]).succeeds().says("it is gone already");
    scene.project.forge("lab/pr-1/environment.json", &text);
    scene.down(numbers[0]).succeeds();
    scene.is_swept();
}

#[test]
fn tf_r51_one_that_is_kept_while_others_are_removed_stays() {
    needs_terraform!();
    let (scene, numbers) = Scene::with_previews(1);
    scene.expire("pr-1");
    let mut preview = scene.project.ledger("lab/pr-1/environment.json");
    preview["expires"] = "2026-02-02T00:00:00Z".into();
    let (repository, ledger) = (".tieline/context.git", "refs/heads/ledger");
    let head = || scene.project.git(repository, &["rev-parse", ledger]).trim().to_owned();
    let before = head();
    scene.project.forge("lab/pr-1/environment.json", &preview.to_string());
    let (kept, folder) = (head(), scene.project.path(repository));
    scene.project.git(repository, &["update-ref", ledger, &before]);
    // Between the list and the last look.
    scene.github.meanwhile(&format!("GET /repos/{REPOSITORY}/pulls/{}", numbers[0]), move || {
        let mut command = std::process::Command::new("git");
        assert!(command.arg("-C").arg(folder).args(["update-ref", ledger, &kept]).status().unwrap().success());
    });
    let ran = scene.sweep(&["-o", "json"]).succeeds();
    assert_eq!(fates(&ran.json()), ["pr-1: unknown"]);
    assert!(!scene.resources("pr-1").is_empty());
    // What the sweeper saw is held against the ledger once more where the removal is begun.
    let seen = "--seen-expires=2026-01-02T00:00:00Z";
    scene.preview("down", numbers[0], &[seen]).fails(3, "cancelled").says("was deployed or kept again");
    let another = scene.pull_request();
    scene.preview("down", another, &["-w", "lab", "-e", "pr-1"]).fails(3, "cancelled").says("of another pull request");
    assert!(scene.project.ledger("lab/pr-1/environment.json")["closing"].is_null());
    scene.preview("down", numbers[0], &["--seen-expires=2026-02-02T00:00:00Z"]).succeeds();
    scene.is_swept();
}

#[test]
fn tf_r51_a_server_that_fails_at_the_last_look_ends_the_sweep_red() {
    needs_terraform!();
    let (scene, numbers) = Scene::with_previews(1);
    scene.hosted.close_pull(numbers[0]);
    scene.github.fail(1, &format!("GET /repos/{REPOSITORY}/pulls/{}", numbers[0]), Fault::Status(403));
    let ran = scene.sweep(&["-o", "json"]);
    assert_eq!(ran.code, 2, "{ran}");
    assert_eq!(fates(&ran.json()), ["pr-1: unknown"]);
    scene.sweep(&[]).succeeds();
    scene.is_swept();
}
