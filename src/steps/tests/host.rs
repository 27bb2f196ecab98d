//! R58, R59, R62 on this machine.

use std::sync::Mutex;

use tokio_util::sync::CancellationToken;

use super::stage::{Given, Scripted, part, problems, real_world, surroundings};
use crate::domain::organization::StepRunner;
use crate::secrets::Secret;
use crate::steps::*;
use crate::world::Variables;

/// What a script wrote, and how its workflow ended.
async fn play(yaml: &str, given: &Given, cancel_at: Option<&str>) -> (Vec<String>, WorkflowEnd) {
    let (part, surroundings) = (part(yaml), surroundings());
    let Given { inputs, connections, left } = given;
    let workflow = Workflow { part: &part, direction: Direction::Create, surroundings: &surroundings, inputs, connections, left };
    let mut world = real_world();
    world.variables = std::sync::Arc::new(Variables::new([("GITHUB_TOKEN".to_owned(), "canary".to_owned())]));
    let (lines, cancel) = (Mutex::new(Vec::new()), CancellationToken::new());
    let sink = |event| {
        if let StepEvent::Line { text, .. } = event {
            if cancel_at == Some(text.as_str()) {
                cancel.cancel();
            }
            lines.lock().unwrap().push(text);
        }
    };
    let recorder = Scripted::default();
    let end = run(&workflow, executor(StepRunner::Host, &world).as_ref(), &world, &sink, &recorder, &cancel).await;
    (lines.into_inner().unwrap(), end)
}

#[tokio::test]
async fn r58_a_script_sees_what_it_is_handed_and_nothing_of_ours() {
    let yaml = r#"
create:
  - name: seed
    inputs: [{name: password, valueFromConnection: server.password, as: {env: PASSWORD, path: /in/password}}]
    outputs: [{name: url, valueFromPath: /out/deep/url}]
    script: |
      #!/bin/sh -e
      env -0 | cut -z -d= -f1 | sort -z | tr '\0' '\n'
      echo "group $(ps -o sid= -p $$) is $$" | tr -s ' '
      test -d "$HOME" && test -w "$TMPDIR" && test "$(pwd)" = "$HOME"
      printf 'db://%s' "$(cat "$TIELINE_STEP_ROOT/in/password")" > "$TIELINE_STEP_ROOT/out/deep/url"
      id -u
"#;
    let mut given = Given::default();
    given.connections.insert("server.password".into(), StepText::Secret(Secret::new("hunter2\n'\"$(x)")));
    let (lines, end) = play(yaml, &given, None).await;
    assert!(end.succeeded(), "{:?} {lines:?}", problems(&end));
    assert_eq!(end.left["seed"]["url"].expose(), "db://hunter2\n'\"$(x)");
    let names: Vec<&str> = lines.iter().map(String::as_str).take_while(|line| !line.starts_with("group")).collect();
    let expected = [
        "HOME",
        "LANG",
        "PASSWORD",
        "PATH",
        "PWD",
        "SIGNADOT_RESOURCE_NAME",
        "SIGNADOT_SANDBOX_ID",
        "SIGNADOT_SANDBOX_NAME",
        "SIGNADOT_SANDBOX_ROUTING_KEY",
        "TIELINE_ALIAS",
        "TIELINE_DEPLOYABLE",
        "TIELINE_ENVIRONMENT",
        "TIELINE_RUN_ID",
        "TIELINE_STEP",
        "TIELINE_STEP_ROOT",
        "TIELINE_WORKSPACE",
        "TMPDIR",
    ];
    assert_eq!(names, expected);
    let own_session: Vec<&str> = lines[names.len()].split(' ').collect();
    assert_eq!(own_session[1], own_session[3], "{}", lines[names.len()]);
    let user: u32 = lines.last().unwrap().parse().unwrap();
    assert_eq!(real_world().host.is_root, user >= 61184, "another user where we can be one");
}

#[tokio::test]
async fn r59_what_a_script_leaves_in_place_of_a_file_is_not_followed() {
    for (make, why) in [
        ("ln -s /etc/passwd $o", "is a link, not a regular file"),
        ("ln -s /etc $d/etc; mkdir -p $d/x; rm -r $d/x; ln -s /etc $d/x", "is not there"),
        ("mkfifo $o", "is a device, socket or pipe, not a regular file"),
        ("mkdir $o", "is a folder, not a regular file"),
        ("head -c 100M /dev/zero > $o", "is larger than 1048576 bytes"),
        ("printf 'a\\377' > $o", "is not UTF-8 from byte 1 on"),
        ("rm -r $d; ln -s /etc $d", "is behind a link or below a file, not a regular file"),
        (":", "is not there"),
    ] {
        let yaml = format!(
            "create:\n  - name: s\n    outputs: [{{name: o, valueFromPath: /out/passwd}}]\n    script: |\n      #!/bin/sh\n      \
             d=$TIELINE_STEP_ROOT/out; o=$d/passwd\n      {make}\n"
        );
        let (_, end) = play(&yaml, &Given::default(), None).await;
        assert_eq!(problems(&end), [format!("step-failed: step `s` left no usable output `o`: `/out/passwd` {why}")], "{make}");
    }
}

#[tokio::test]
async fn lines_that_would_be_commands_of_the_runner_are_handed_on_as_lines() {
    let yaml = "create:\n  - name: s\n    script: |\n      #!/bin/sh\n      echo '::set-output name=a::b'; printf '##[command]x\\r::stop' >&2\n";
    let (mut lines, end) = play(yaml, &Given::default(), None).await;
    lines.sort();
    assert_eq!(lines, ["##[command]x", "::set-output name=a::b", "::stop"]);
    assert!(end.succeeded());
}

#[tokio::test]
async fn r62_a_cancelled_script_is_told_and_waited_for() {
    let yaml = "create:\n  - name: s\n    script: |\n      #!/bin/sh\n      trap 'echo tidied; exit 0' TERM\n      echo ready\n      while :; do sleep 0.02; done\n";
    let (lines, end) = play(yaml, &Given::default(), Some("ready")).await;
    // What a shell says of the `sleep` that went with it differs from shell to shell.
    let own: Vec<&String> = lines.iter().filter(|line| *line != "Terminated").collect();
    assert_eq!(own, ["ready", "tidied"]);
    assert_eq!(problems(&end), ["cancelled: step `s` was stopped: the run was cancelled"]);
}

#[tokio::test]
async fn nothing_of_a_step_is_left_behind() {
    let yaml = "create:\n  - name: s\n    script: |\n      #!/bin/sh\n      dirname \"$HOME\"\n      touch \"$TMPDIR/x\"\n      sleep 600 &\n      echo $!\n";
    let (lines, end) = play(yaml, &Given::default(), None).await;
    assert!(end.succeeded());
    assert!(real_world().files.metadata(std::path::Path::new(&lines[0])).is_none());
    let state = std::fs::read_to_string(format!("/proc/{}/stat", lines[1]));
    assert!(state.is_err() || state.unwrap().contains(") Z "), "the sleep is still there");
}

#[tokio::test]
async fn a_script_that_means_paths_of_a_container_is_refused_before_anything_runs() {
    let yaml = "create:\n  - {name: a, script: \"#!/bin/sh\\necho ran\"}\n  - {name: b, script: \"#!/bin/sh\\necho x > /out/x\", outputs: [{name: x, valueFromPath: /out/x}]}\n";
    let (lines, end) = play(yaml, &Given::default(), None).await;
    assert!(lines.is_empty());
    assert_eq!(problems(&end), ["invalid-document: step `b` cannot run on this machine: its script uses `/out/x` as it is"]);
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let yaml = "create:\n  - {name: a, script: \"#!/no/such/shell -e\\n\"}\n";
    let (lines, end) = play(yaml, &Given::default(), None).await;
    assert!(lines[0].contains("/no/such/shell"), "{lines:?}");
    assert_eq!(problems(&end), ["step-failed: step `a` failed: it ended with exit code 127"]);
}
