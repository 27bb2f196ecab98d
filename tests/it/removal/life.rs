//! The life of a pull request, by its events.

use serde_json::json;

use super::Scene;
use crate::endure::bench::wait_until;
use crate::harness::needs_terraform;

const THING: &str = "  a: {use: ../plugins/thing}\n";

/// Opened, and pushed three times in quick succession: of what waits in the concurrency group only the newest is left, so the second push
/// is never deployed. Then pushed once more, and the deploy works in the middle of it.
fn until_a_deploy_runs(scene: &Scene) -> u64 {
    let number = scene.pull_request();
    scene.push(THING);
    let opened = scene.happens("opened", number).is("succeeded");
    assert_eq!(opened.outputs["environment"], "pr-1");
    let comment = scene.comment(number);
    for told in ["Deploy succeeded", "It lives until", "/tieline down", "lab/pr-1/shop/a.out", "which is `3 days` from now"] {
        assert!(comment.contains(told), "no `{told}` in\n{comment}");
    }
    let (deployment, _) = scene.hosted.deployments().remove(0);
    assert!(deployment["transient_environment"] == true && deployment["environment"] == "lab/pr-1/shop", "{deployment}");

    scene.push(&format!("{THING}  s: {}\n", scene.slow("one")));
    let first = scene.start("pull_request", &scene.event("synchronize", number));
    scene.wait_at("one");
    scene.open("one");
    first.finish().is("succeeded");
    scene.push(&format!("{THING}  s: {}\n  b: {{use: ../plugins/thing}}\n", scene.slow("one")));
    scene.happens("synchronize", number).is("succeeded");
    assert_eq!(scene.deployments(), ["inactive", "inactive", "success"], "one preview, one active deployment");
    number
}

/// Starts a deploy and lets it come into the middle of an apply, with something to be applied after that.
fn start_a_deploy(scene: &Scene, number: u64) -> super::Running<'_> {
    let last = "  t: {use: ../plugins/thing, after: [z]}\n";
    scene.push(&format!("{THING}  s: {}\n  z: {}\n{last}", scene.slow("one"), scene.slow("two")));
    let running = scene.start("pull_request", &scene.event("synchronize", number));
    scene.wait_at("two");
    running
}

#[test]
fn tf_r51_a_pull_request_lives_by_its_events_and_leaves_nothing_but_history() {
    needs_terraform!();
    let scene = Scene::with_gates();
    let number = until_a_deploy_runs(&scene);

    let deploying = start_a_deploy(&scene, number);
    scene.hosted.close_pull(number);
    let closing = scene.start("pull_request", &scene.event("closed", number));
    let is_marked = || scene.project.ledger("lab/pr-1/environment.json")["closing"].is_string();
    wait_until("the removal has left its mark", is_marked);
    scene.open("two");
    let deployed = deploying.finish().is("aborted").says("nothing more is begun in it");
    assert_eq!(deployed.outputs["failure-reason"], "cancelled");
    closing.finish().is("succeeded").says("lab/pr-1 is gone");
    scene.is_swept();
    assert!(scene.comment(number).contains("Preview removed"), "{}", scene.comment(number));
    // A push that waited came too late.
    let late = scene.happens("synchronize", number).is("aborted");
    assert_eq!(late.outputs["failure-reason"], "cancelled");
    scene.is_swept();

    scene.hosted.reopen_pull(number);
    scene.push(THING);
    assert_eq!(scene.happens("reopened", number).is("succeeded").outputs["environment"], "pr-1");
    assert!(!scene.resources("pr-1").is_empty());
    scene.hosted.merge_pull(number);
    scene.happens("closed", number).is("succeeded");
    scene.is_swept();
    scene.happens("closed", number).is("skipped").says("it is gone already");
    assert!(!scene.deployments().contains(&"success".to_owned()), "{:?}", scene.deployments());
    assert_eq!(scene.hosted.comments(number).len(), 1);
    assert!(!scene.comment(number).contains("@everybody"));
}

#[test]
fn tf_r51_without_any_closed_event_the_sweeper_leaves_nothing_but_history() {
    needs_terraform!();
    let scene = Scene::with_gates();
    let number = until_a_deploy_runs(&scene);

    let deploying = start_a_deploy(&scene, number);
    scene.hosted.close_pull(number);
    let sweep = || scene.start("schedule", &json!({"schedule": "0 * * * *"})).finish();
    let busy = sweep().is("user-error").says("works in it");
    assert_eq!((busy.outputs["failure-reason"].as_str(), busy.outputs["left"].as_str()), ("claimed", r#"["lab/pr-1"]"#));
    scene.open("two");
    deploying.finish().is("succeeded");
    assert_eq!(sweep().is("succeeded").outputs["removed"], r#"["lab/pr-1"]"#);
    scene.is_swept();
    assert!(scene.comment(number).contains("Preview removed"), "the sweep says so on the pull request");

    scene.hosted.reopen_pull(number);
    scene.push(THING);
    scene.happens("reopened", number).is("succeeded");
    sweep().is("succeeded").says("lives on");
    scene.hosted.merge_pull(number);
    sweep().is("succeeded");
    scene.is_swept();
    assert!(!scene.deployments().contains(&"success".to_owned()), "{:?}", scene.deployments());
}
