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
