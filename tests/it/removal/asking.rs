//! Somebody asks something of a preview on its pull request.

use serde_json::{Value, json};

use super::{REPOSITORY, Scene, Step};
use crate::harness::needs_terraform;

/// Somebody who is this to the repository comments.
fn comments(scene: &Scene, number: u64, association: &'static str, text: &str) -> Step {
    comments_as(scene, number, ("ana", association), text)
}

fn comments_as(scene: &Scene, number: u64, (person, association): (&str, &'static str), text: &str) -> Step {
    scene.hosted.comment_as(number, person, association, text);
    let event = json!({
        "action": "created",
        "issue": {"number": number, "pull_request": {"url": format!("https://github.com/{REPOSITORY}/pull/{number}")}},
        "comment": {"body": text, "user": {"login": person}, "author_association": association},
    });
    scene.start("issue_comment", &event).finish()
}

fn labels(scene: &Scene, number: u64, label: &str) -> Step {
    let mut event = scene.event("labeled", number);
    event["pull_request"]["labels"] = json!([{"name": label}]);
    scene.start("pull_request", &event).finish()
}

fn expires(scene: &Scene) -> String {
    let preview: Value = scene.project.ledger("lab/pr-1/environment.json");
    preview["expires"].as_str().unwrap().to_owned()
}

#[test]
fn tf_r51_a_longer_life_is_asked_for_by_label_and_comment() {
    needs_terraform!();
    let mut scene = Scene::with_gates();
    let number = scene.pull_request();
    // The organization has a bound: that is no leave to ask.
    let (before, bound) = ("ceilings: {local-exec: true}", "ceilings: {local-exec: true}\nlimits: {max-preview-ttl: 9d}");
    scene.project.edit_context("context.yaml", before, bound);
    let mut opened = scene.event("opened", number);
    opened["pull_request"]["labels"] = json!([{"name": "tieline-keep-5d"}]);
    scene.start("pull_request", &opened).finish().is("succeeded");
    let at_first = expires(&scene);
    scene.project.count_terraform();

    // The workspace lets nobody ask.
    labels(&scene, number, "tieline-keep-5d").is("skipped").says("has no `limits.max-preview-ttl`");
    assert!(scene.comment(number).contains("it lives no longer"), "{}", scene.comment(number));
    assert_eq!(expires(&scene), at_first);

    scene.project.edit_context("workspaces/lab/workspace.yaml", "grants: []", "grants: []\nlimits: {max-preview-ttl: 7d}");
    labels(&scene, number, "tieline-keep-30d").is("skipped").says("30 days is more than this workspace allows, which is 7 days");
    comments(&scene, number, "NONE", "/tieline keep 6d").is("skipped").says("only people who may write");
    comments(&scene, number, "MEMBER", "/tieline keep <b>").is("skipped").says("write the time as");
    comments(&scene, number, "MEMBER", "thanks").is("skipped");
    assert_eq!(expires(&scene), at_first);
    labels(&scene, number, "tieline-keep-5d").is("succeeded").says("it is kept until");
    let labelled = expires(&scene);
    assert!(labelled > at_first, "{labelled} {at_first}");
    comments(&scene, number, "MEMBER", "please\n/tieline keep 6d").is("succeeded");
    assert!(expires(&scene) > labelled);
    let comment = scene.comment(number);
    for told in
        ["Preview: `shop` in `lab/pr-1`", "it is kept until", "at most `7 days` after its last deploy", "lab/pr-1/shop/top.out"]
    {
        assert!(comment.contains(told), "no `{told}` in\n{comment}");
    }
    assert_eq!(scene.project.terraform_starts(), Vec::<String>::new());

    comments(&scene, number, "NONE", "/tieline down").is("skipped");
    scene.hosted.only_reads("rob");
    comments_as(&scene, number, ("rob", "COLLABORATOR"), "/tieline down").is("skipped").says("only people who may write");
    assert!(!scene.left().is_empty());
    comments(&scene, number, "COLLABORATOR", "/tieline down").is("succeeded");
    scene.is_swept();
    comments(&scene, number, "MEMBER", "/tieline keep 2d").is("skipped").says("there is no preview of pull request");
}

#[test]
fn preview_alone_wants_an_event_that_tells() {
    let scene = Scene::new();
    scene.start("push", &json!({"ref": "refs/heads/main"})).finish().is("user-error").says("the event `push` does not tell");
    let number = scene.pull_request();
    scene.happens("assigned", number).is("skipped").says("asks nothing of a preview");
    scene.project.run(&["preview"]).refused("invalid-input").says("outside of a workflow there is no event");
}

#[test]
fn tf_r53_a_refresh_for_a_comment_deploys_nothing_but_the_pull_requests_own_files() {
    needs_terraform!();
    let scene = Scene::new();
    let number = scene.pull_request();
    let step = comments(&scene, number, "MEMBER", "/tieline refresh").is("user-error");
    step.says("the newest commit of its branch is not what is checked out").says("check out `refs/pull/1/head`");
    scene.is_swept();
}
