//! R57, R60 to R63: order, records, cancels, what is skipped, what steps are handed.

use std::collections::BTreeMap;

use super::stage::{Act, Given, Scripted, play, problems, told};
use crate::secrets::Secret;
use crate::steps::{Direction, StepText};

/// A step that needs these.
fn step(name: &str, needs: &[&str]) -> String {
    let mut text = format!("  - name: {name}\n    script: \"#!/bin/sh\"\n    outputs: [{{name: it, valueFromPath: /out/it}}]\n");
    if !needs.is_empty() {
        text.push_str("    inputs:\n");
    }
    for need in needs {
        text.push_str(&format!(
            "      - {{name: {need}, valueFromStep: {{name: {need}, output: it}}, as: {{env: FROM_{need}}}}}\n"
        ));
    }
    text
}

/// Twelve steps: one first, two branches of five, one that joins them.
fn twelve() -> String {
    let mut text = "create:\n".to_owned();
    text += &step("first", &[]);
    for branch in ["a", "b"] {
        text += &step(&format!("{branch}1"), &["first"]);
        for next in 2..=5 {
            text += &step(&format!("{branch}{next}"), &[&format!("{branch}{}", next - 1)]);
        }
    }
    text + &step("last", &["a5", "b5"])
}

#[tokio::test]
async fn r57_two_branches_of_twelve_steps_run_side_by_side_and_in_order() {
    let executor = Scripted { together: 0, ..Scripted::new([]) };
    let end = play(&twelve(), Direction::Create, &Given::default(), &executor).await;
    assert!(end.succeeded(), "{:?}", problems(&end));
    let log = executor.log.lock().unwrap();
    let at = |line: &str| log.iter().position(|one| one == line).unwrap_or_else(|| panic!("{line} is not in {log:?}"));
    for branch in ["a", "b"] {
        assert!(at("record first") < at(&format!("start {branch}1")));
        for next in 2..=5 {
            assert!(at(&format!("record {branch}{}", next - 1)) < at(&format!("start {branch}{next}")), "r60 {log:?}");
        }
        assert!(at(&format!("record {branch}5")) < at("start last"));
    }
    assert!(at("start b1") < at("start a5"), "the branches are not one after the other: {log:?}");
    assert_eq!(end.left.len(), 12);
}

#[tokio::test]
async fn r57_steps_without_a_path_between_them_run_at_once_but_at_most_ten() {
    let steps: String = (0..12).map(|number| step(&format!("s{number}"), &[])).collect();
    // Ten that wait for one another would wait for ever if they did not run at once.
    let executor = Scripted { together: 10, ..Scripted::new([]) };
    let end = play(&format!("create:\n{steps}"), Direction::Create, &Given::default(), &executor).await;
    assert!(end.succeeded());
    let log = executor.log.lock().unwrap();
    assert!(log[..10].iter().all(|line| line.starts_with("start")) && !log[10].starts_with("start s1"), "{log:?}");
}

#[tokio::test]
async fn a_failed_step_takes_along_what_needs_it_and_nothing_else() {
    let executor = Scripted::new([("a2", vec![Act::Ends(3, Vec::new())])]);
    let end = play(&twelve(), Direction::Create, &Given::default(), &executor).await;
    assert_eq!(problems(&end), ["step-failed: step `a2` failed: it ended with exit code 3"]);
    let told = told(&end);
    assert_eq!(told[2], "a2 Failed: step `a2` failed: it ended with exit code 3");
    assert_eq!(
        told[3..6],
        ["a3 Skipped: step `a2` failed", "a4 Skipped: step `a3` was skipped", "a5 Skipped: step `a4` was skipped"]
    );
    assert_eq!(told[10], "b5 Succeeded");
    assert_eq!(told[11], "last Skipped: step `a5` was skipped");
    assert!(!end.succeeded());
}

#[tokio::test]
async fn r62_a_cancel_stops_the_step_that_runs_and_says_which_it_was() {
    let executor = Scripted::new([("a3", vec![Act::Cancels]), ("b1", vec![Act::Hangs])]);
    let end = play(&twelve(), Direction::Create, &Given::default(), &executor).await;
    let mut stopped = problems(&end);
    stopped.sort();
    assert_eq!(stopped, ["a3", "b1"].map(|step| format!("cancelled: step `{step}` was stopped: the run was cancelled")));
    let told = told(&end);
    assert_eq!(told[3], "a3 Aborted: the run was cancelled");
    assert_eq!(told[4], "a4 Skipped: the run was cancelled");
    assert_eq!(told[2], "a2 Succeeded");
    let log = executor.log.lock().unwrap();
    assert!(!log.contains(&"record a3".to_owned()) && !log.contains(&"start a4".to_owned()), "{log:?}");
}

#[tokio::test]
async fn r62_a_cancel_before_anything_ran_starts_nothing() {
    let executor = Scripted::new([]);
    executor.cancel.cancel();
    let end = play(&twelve(), Direction::Create, &Given::default(), &executor).await;
    assert!(executor.log.lock().unwrap().is_empty());
    assert_eq!(problems(&end), ["cancelled: the workflow was stopped between two steps: the run was cancelled"]);
}

#[tokio::test(start_paused = true)]
async fn r62_a_step_has_its_time_and_so_has_the_workflow() {
    let yaml = format!("timeout: 2h\n{}", twelve().replacen("script:", "timeout: 5m\n    script:", 1));
    let executor = Scripted::new([("first", vec![Act::Hangs])]);
    let end = play(&yaml, Direction::Create, &Given::default(), &executor).await;
    assert_eq!(problems(&end), ["timed-out: step `first` was stopped: it took longer than its `5m`"]);
    assert_eq!(told(&end)[1], "a1 Skipped: step `first` was stopped");

    let executor = Scripted::new([("b2", vec![Act::Hangs])]);
    let end = play(&yaml, Direction::Create, &Given::default(), &executor).await;
    assert_eq!(problems(&end), ["timed-out: step `b2` was stopped: the time of its workflow was over"]);
    assert_eq!(told(&end)[8], "b3 Skipped: the time of the workflow was over");
}

#[tokio::test]
async fn r62_a_step_is_tried_again_only_where_it_asks_for_it() {
    let fails_once = || vec![Act::Ends(1, Vec::new()), Act::Ends(0, b"x".to_vec())];
    let executor = Scripted::new([("one", fails_once())]);
    let yaml = format!("create:\n{}", step("one", &[]));
    let end = play(&yaml, Direction::Create, &Given::default(), &executor).await;
    assert_eq!((end.succeeded(), end.steps[0].attempts), (false, 1));

    let executor = Scripted::new([("one", fails_once())]);
    let end = play(&yaml.replace("script:", "retries: 2\n    script:"), Direction::Create, &Given::default(), &executor).await;
    assert_eq!((end.succeeded(), end.steps[0].attempts), (true, 2));
}

#[tokio::test]
async fn r60_nothing_starts_after_what_could_not_be_recorded() {
    let executor = Scripted { unrecorded: Some("first"), ..Scripted::new([]) };
    let end = play(&twelve(), Direction::Create, &Given::default(), &executor).await;
    assert_eq!(problems(&end), ["context-unavailable: the claim cannot be written"]);
    assert_eq!(told(&end)[0], "first Failed: what it left could not be recorded");
    assert_eq!(told(&end)[1], "a1 Skipped: what came before it could not be recorded");
    assert_eq!(*executor.log.lock().unwrap(), ["start first", "end first"]);
}

const HALF: &str = "
create:
  - {name: network, script: '#!/bin/sh', outputs: [{name: id, valueFromPath: /out/id}]}
  - {name: server, script: '#!/bin/sh', outputs: [{name: host, valueFromPath: /out/host}]}
delete:
  - name: drop-server
    script: '#!/bin/sh'
    inputs: [{name: host, valueFromStep: {name: server, output: host}, as: {env: HOST}}]
    outputs: [{name: note, valueFromPath: /out/note}]
  - name: report
    script: '#!/bin/sh'
    inputs: [{name: note, valueFromStep: {name: drop-server, output: note}, as: {env: NOTE}}]
  - name: drop-network
    after: [drop-server]
    script: '#!/bin/sh'
    inputs: [{name: id, valueFromStep: {name: network, output: id}, as: {env: ID, path: /in/id}}]
";

#[tokio::test]
async fn r61_what_was_half_made_is_removed_and_the_rest_has_nothing_to_do() {
    let mut given = Given::default();
    let network = BTreeMap::from([("id".to_owned(), StepText::Plain("net-1".into()))]);
    given.left.insert("network".parse().unwrap(), network);
    let executor = Scripted::new([]);
    let end = play(HALF, Direction::Delete, &given, &executor).await;
    assert_eq!(
        told(&end),
        [
            "drop-server NothingToDo: step `server` never left `host`",
            "report NothingToDo: step `drop-server` had nothing to do",
            "drop-network Succeeded"
        ]
    );
    assert!(end.succeeded());
    let jobs = executor.jobs.lock().unwrap();
    assert!(jobs["drop-network"].contains("\"ID\": Plain(\"net-1\")") && jobs["drop-network"].contains("\"/in/id\""), "{jobs:?}");
}

#[tokio::test]
async fn r61_nothing_was_made_and_nothing_is_run() {
    let executor = Scripted::new([]);
    let end = play(HALF, Direction::Delete, &Given::default(), &executor).await;
    assert!(end.succeeded() && executor.log.lock().unwrap().is_empty());
}

#[tokio::test]
async fn r63_a_step_is_handed_what_it_declares_and_the_documented_variables() {
    let yaml = "
runner: {env: {MODE: fast}}
create:
  - name: seed
    script: '#!/bin/sh'
    inputs:
      - {name: db-name, valueFromInput: true, as: {env: DB_NAME}}
      - {name: absent, valueFromInput: true, as: {env: ABSENT, path: /in/absent}}
      - {name: password, valueFromConnection: server.password, as: {env: PASSWORD, path: /in/password}}
";
    let mut given = Given::default();
    given.inputs.insert("db-name".parse().unwrap(), StepText::Plain("orders".into()));
    given.inputs.insert("other".parse().unwrap(), StepText::Plain("not declared".into()));
    given.connections.insert("server.password".into(), StepText::Secret(Secret::new("canary-4c1d")));
    let executor = Scripted::new([]);
    assert!(play(yaml, Direction::Create, &given, &executor).await.succeeded());
    let job = executor.jobs.lock().unwrap()["seed"].clone();
    for present in [
        "\"DB_NAME\": Plain(\"orders\")",
        "\"MODE\": Plain(\"fast\")",
        "\"PASSWORD\": Secret(***)",
        "\"/in/password\": Secret(***)",
        "\"SIGNADOT_SANDBOX_NAME\": Plain(\"staging\")",
        "\"SIGNADOT_RESOURCE_NAME\": Plain(\"db\")",
        "\"TIELINE_WORKSPACE\": Plain(\"retail\")",
        "\"TIELINE_DEPLOYABLE\": Plain(\"orders\")",
        "\"TIELINE_STEP\": Plain(\"seed\")",
    ] {
        assert!(job.contains(present), "{present} is not in {job}");
    }
    for absent in ["ABSENT", "absent", "not declared", "canary-4c1d"] {
        assert!(!job.contains(absent), "{absent} is in {job}");
    }
    let key = super::stage::surroundings().key();
    assert_eq!(job.matches(&format!("Plain(\"{key}\")")).count(), 2, "the key and its older name");
}

#[tokio::test]
async fn what_no_variable_holds_is_said_before_the_step_starts() {
    let yaml = "create:\n  - {name: seed, script: '#!/bin/sh', inputs: [{name: data, valueFromInput: true, as: {env: DATA}}]}\n";
    for (text, why) in [
        ("x".repeat(131_100), "its 131100 bytes are more than a variable holds"),
        ("a\0b".to_owned(), "no variable holds a zero byte"),
    ] {
        let mut given = Given::default();
        given.inputs.insert("data".parse().unwrap(), StepText::Plain(text));
        let executor = Scripted::new([]);
        let end = play(yaml, Direction::Create, &given, &executor).await;
        assert_eq!(problems(&end), [format!("step-failed: step `seed` cannot be handed `DATA`: {why}")]);
        assert!(executor.log.lock().unwrap().is_empty());
    }
}
