//! A preview whose deploy was killed.

use super::Scene;
use crate::endure::bench::{is_alive, terraforms, wait_until};
use crate::harness::needs_terraform;

#[test]
fn tf_r52_a_killed_deploy_leaves_nothing_that_a_sweep_does_not_remove() {
    needs_terraform!();
    let scene = Scene::with_gates();
    let number = scene.pull_request();
    scene.push(&format!("  a: {{use: ../plugins/thing}}\n  s: {}\n", scene.slow("gate")));
    let deploying = scene.start("pull_request", &scene.event("opened", number));
    scene.wait_at("gate");
    let left = terraforms(deploying.child.id(), "apply");
    deploying.kill();
    scene.open("gate");
    wait_until("what was left over has ended", || left.iter().all(|id| !is_alive(*id)));
    assert!(!scene.project.claims().is_empty() && !scene.resources("pr-1").is_empty());
    assert!(scene.left().iter().all(|path| path.ends_with("environment.json")), "nothing was recorded: {:?}", scene.left());
    // Nothing of what was deployed is at hand.
    std::fs::remove_dir_all(scene.project.path("plugins")).unwrap();
    std::fs::remove_dir_all(scene.project.path("shop")).unwrap();
    scene.hosted.close_pull(number);
    scene.sweep(&["--allow-local-exec"]).succeeds();
    scene.is_swept();
}

#[test]
fn tf_r51_what_a_dead_deploy_holds_keeps_its_preview_in_sight() {
    needs_terraform!();
    let scene = Scene::with_gates();
    let number = scene.pull_request();
    scene.push("  a: {use: ../plugins/thing}\n");
    scene.happens("opened", number).is("succeeded");
    // Another deployable of the same pull request has nothing but its claim.
    let plugins = format!("  a: {{use: ../plugins/thing}}\n  s: {}\n", scene.slow("gate"));
    scene.project.app("web", &format!("{plugins}preview: {{base: staging}}\n"));
    let event = scene.event("synchronize", number);
    let deploying = scene.start_with("pull_request", &event, &[("INPUT_WORKING-DIRECTORY", "web")]);
    scene.wait_at("gate");
    let left = terraforms(deploying.child.id(), "apply");
    deploying.kill();
    scene.open("gate");
    wait_until("what was left over has ended", || left.iter().all(|id| !is_alive(*id)));
    let environment = "lab/pr-1/environment.json";
    let mut preview = scene.project.ledger(environment);
    preview["closing"] = "2026-01-01T00:00:00Z".into();
    scene.project.forge(environment, &preview.to_string());
    scene.project.run(&["destroy", "-w", "lab", "-e", "pr-1", "--deployable", "shop"]).succeeds();
    assert_eq!(scene.left(), [environment], "the other deployable's run left a claim");
    // Even without it, whoever sweeps hears of the claim.
    scene.project.unforge(environment);
    let command = "tieline destroy -w lab -e pr-1 --deployable web";
    drop(scene.sweep(&[]).refused("invalid-document").says("a dead run holds it").says(command));
    scene.project.forge(environment, &preview.to_string());
    scene.hosted.close_pull(number);
    scene.sweep(&["--allow-local-exec"]).succeeds();
    scene.is_swept();
}
