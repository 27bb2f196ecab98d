//! Pull requests from forks, and of Dependabot (R53).

use serde_json::json;

use super::Scene;
use crate::endure::states::States;
use crate::harness::needs_terraform;

#[test]
fn tf_case_11_a_pull_request_from_a_fork_is_validated_and_reads_and_writes_nothing() {
    needs_terraform!();
    let mut scene = Scene::new();
    let states = States::serve();
    let path = "context/workspaces/lab/environments/staging.yaml";
    let text = scene.project.read(path).replace("{type: local, config: {path: states}}", &states.backend());
    scene.project.write_context(path.strip_prefix("context/").unwrap(), &text);
    scene.project.deploy("shop").succeeds();
    let asked_before = states.requests();
    assert!(asked_before > 0, "the backend records what is asked of it");
    scene.project.count_terraform();
    let number = scene.pull_request();
    scene.hosted.fork_pull(number);
    let refs = scene.project.context_refs();
    let requests = scene.github.requests().len();

    let mut forks = scene.event("opened", number);
    forks["pull_request"]["head"]["repo"] = json!({"id": 7});
    let dependabots = scene.event("opened", number);
    // A context that would be noticed: it is on the server, which records what is asked.
    let context = [("INPUT_CONTEXT", "github:acme/context")];
    for (name, event, actor) in [
        ("pull_request", &forks, "octavia"),
        ("pull_request_target", &forks, "octavia"),
        ("pull_request", &dependabots, "dependabot[bot]"),
    ] {
        for command in ["preview", "preview up"] {
            let variables = [context[0], ("GITHUB_ACTOR", actor), ("INPUT_COMMAND", command)];
            let step = scene.start_with(name, event, &variables).finish().is("skipped");
            assert_eq!(step.ran.code, 0, "{}", step.ran);
            step.says("not trusted with secrets")
                .says("is valid")
                .says("Not checked: connections, grants")
                .says("attributes of types that only the context repository has: `thing-conn`")
                .says("what would change: that takes a plan");
        }
    }
    forks["action"] = "closed".into();
    scene.start_with("pull_request", &forks, &context).finish().is("skipped");
    assert_eq!(states.requests(), asked_before, "no state was read");
    assert_eq!(scene.project.terraform_starts(), Vec::<String>::new());
    assert_eq!(scene.project.context_refs(), refs);
    assert_eq!(scene.github.requests().len(), requests, "no context was opened, nothing was written");

    // What is wrong with it is said all the same.
    forks["action"] = "synchronize".into();
    scene.push("  a: {use: ../plugins/thing, inputs: {size: large}}\n");
    let step = scene.start_with("pull_request", &forks, &context).finish().is("user-error");
    step.says("size");
}

#[test]
fn r53_whatever_asks_for_it_a_pull_request_from_a_fork_gets_no_preview() {
    let scene = Scene::new();
    let number = scene.pull_request();
    scene.hosted.fork_pull(number);
    for action in ["up", "refresh"] {
        let refused = scene.preview(action, number, &["-C", "shop"]).refused("invalid-input");
        refused.says("pull request 1 is from a fork: it has no preview");
    }
    assert!(scene.project.ledger_paths().is_empty());
}
