//! `preview down`.

use super::{REPOSITORY, Scene};
use crate::harness::needs_terraform;

#[test]
fn tf_r52_a_preview_is_taken_apart_from_the_ledger_alone() {
    needs_terraform!();
    let (scene, numbers) = Scene::with_previews(2);
    assert!(scene.resources("pr-1").len() > 3 && scene.left().contains(&"lab/pr-1/environment.json".to_owned()));
    // Neither its manifest nor its plugins are there any more, and what is there could not be read.
    scene.project.write("shop/tieline.yaml", "{{{{");
    scene.project.write("tieline.yaml", "{{{{");
    std::fs::remove_dir_all(scene.project.path("plugins")).unwrap();
    scene.project.edit_context("workspaces/lab/environments/staging.yaml", "path: states", "path: elsewhere");
    let commits = scene.project.commits();
    scene.down(numbers[0]).succeeds().says("lab/pr-1 is gone");
    // Marked, retiring, gone: the preview goes with the last applied record.
    assert_eq!(scene.project.commits() - commits, 3);
    assert_eq!(scene.resources("pr-1"), Vec::<String>::new());
    assert!(!scene.left().iter().any(|path| path.starts_with("lab/pr-1")), "{:?}", scene.left());
    assert!(!scene.resources("pr-2").is_empty(), "the other one is as it was");
    scene.down(numbers[0]).succeeds().says("it is gone already");
    scene.down(numbers[1]).succeeds();
    scene.is_swept();
}

#[test]
fn tf_r51_a_destroy_that_fails_is_said_and_running_it_again_converges() {
    needs_terraform!();
    let (mut scene, numbers) = Scene::with_previews(1);
    scene.project.wrap_terraform("case \"$1 $2\" in 'apply '*) [ -f ../../../fail ] || [ -f /nonexistent ] ;; esac\n");
    let failing = scene.project.temporary().join("fail");
    std::fs::write(&failing, "").unwrap();
    scene.project.wrap_terraform(&format!("[ \"$1\" != apply ] || [ ! -f '{}' ] || exit 1\n", failing.display()));
    let ran = scene.down(numbers[0]);
    assert_ne!(ran.code, 0, "{ran}");
    ran.says("lab/pr-1 is not gone yet");
    let preview = scene.project.ledger("lab/pr-1/environment.json");
    assert!(preview["closing"].is_string(), "{preview}");
    std::fs::remove_file(&failing).unwrap();
    scene.down(numbers[0]).succeeds();
    scene.is_swept();
}

#[test]
fn tf_case_14_a_pull_request_that_is_opened_again_has_the_same_environment() {
    needs_terraform!();
    let (scene, numbers) = Scene::with_previews(1);
    let before = scene.resources("pr-1");
    scene.hosted.close_pull(numbers[0]);
    scene.down(numbers[0]).succeeds();
    scene.is_swept();
    scene.hosted.reopen_pull(numbers[0]);
    scene.up(numbers[0]).succeeds();
    assert_eq!(scene.resources("pr-"), before, "the same states hold the same");
    // Opened again before it was gone: it is kept.
    let mut preview = scene.project.ledger("lab/pr-1/environment.json");
    preview["closing"] = "2026-01-01T00:00:00Z".into();
    scene.project.forge("lab/pr-1/environment.json", &preview.to_string());
    scene.up(numbers[0]).succeeds();
    assert!(scene.project.ledger("lab/pr-1/environment.json")["closing"].is_null());
    assert_eq!(scene.resources("pr-"), before);
}

#[test]
fn tf_r54_a_removal_that_waited_leaves_what_was_deployed_again_meanwhile() {
    needs_terraform!();
    let mut scene = Scene::new();
    let number = scene.pull_request();
    scene.up(number).succeeds();
    scene.project.app("web", "  a: {use: ../plugins/thing}\npreview: {base: staging}\n");
    scene.preview("up", number, &["-C", "web"]).succeeds();
    // While the first of the two is destroyed, its pull request is open again, and deployed by somebody else.
    let repository = scene.project.path(".tieline/context.git");
    let open = scene.project.git(".tieline/context.git", &["rev-parse", "ledger:lab/pr-1/environment.json"]);
    let script = format!(
        "export GIT_DIR='{}' GIT_INDEX_FILE=\"$PWD/index\" GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@t\n\
         git read-tree ledger\ngit update-index --cacheinfo 100644,{},lab/pr-1/environment.json\n\
         git update-ref refs/heads/ledger $(git commit-tree -p ledger -m opened $(git write-tree))\nunset GIT_DIR GIT_INDEX_FILE\n",
        repository.display(),
        open.trim()
    );
    scene.project.meanwhile("apply", &script);
    let ran = scene.down(number);
    assert_eq!(ran.code, 3, "{ran}\n{}", scene.project.said_meanwhile());
    drop(ran.says("was deployed again"));
    let left: Vec<String> = scene.left().into_iter().filter(|path| path.contains("/applied/")).collect();
    assert!(!left.is_empty() && scene.project.ledger("lab/pr-1/environment.json")["closing"].is_null(), "{left:?}");
    assert_eq!(scene.project.claims(), "");
    scene.down(number).succeeds();
    scene.is_swept();
}

#[test]
fn tf_r54_a_deploy_after_the_end_of_its_pull_request_is_refused() {
    needs_terraform!();
    let scene = Scene::new();
    for end in [crate::github::Hosted::close_pull, crate::github::Hosted::merge_pull] {
        let number = scene.pull_request();
        end(&scene.hosted, number);
        let ran = scene.up(number).fails(3, "cancelled").says("nothing is deployed for it any more");
        assert!(!ran.stderr.contains("using Terraform"), "{ran}");
    }
    scene.is_swept();
    assert_eq!(scene.project.ledger_paths(), Vec::<String>::new());
}

#[test]
fn tf_r54_one_that_is_closed_while_a_deploy_of_it_begins_is_refused_under_the_claim() {
    needs_terraform!();
    let scene = Scene::new();
    let number = scene.pull_request();
    let hosted = scene.hosted.clone();
    let asked = format!("GET /repos/{REPOSITORY}/pulls/{number}");
    // The first look finds it open; it is closed before the second.
    scene.github.meanwhile(&asked, move || {});
    scene.github.meanwhile(&asked, move || hosted.close_pull(number));
    scene.up(number).fails(3, "cancelled");
    assert_eq!(scene.asked(&asked), 2);
    assert_eq!(scene.resources("pr-"), Vec::<String>::new());
    scene.sweep(&[]).succeeds();
    scene.is_swept();
}

#[test]
fn tf_r54_without_a_server_it_says_so_and_goes_on() {
    needs_terraform!();
    let mut scene = Scene::new();
    scene.project.set("TIELINE_GITHUB_TOKEN", "");
    scene.up(7).succeeds().says("whether the pull request is still open is not known");
    scene.sweep(&[]).succeeds().says("only what is over its time goes").says("lives on");
    scene.expire("pr-7");
    scene.sweep(&[]).succeeds().says("removed");
    scene.is_swept();
}

#[test]
fn preview_down_is_for_previews() {
    let scene = Scene::new();
    let ran = scene.project.run(&["preview", "down", "-w", "lab", "-e", "staging"]);
    ran.refused("invalid-input").says("`staging` is no preview").says("use `tieline destroy`");
    scene.project.run(&["preview", "down", "-w", "lab", "-e", "pr-9"]).succeeds().says("it is gone already");
    scene.project.run(&["preview", "down"]).refused("invalid-input").says("--pull-request");
}
