//! The client of a Docker engine, played by a script: what it is asked, and what is made of its answers. `tests/it` has a real one.

use super::fake::{Fake, play};
use super::stage::{Given, problems};
use crate::domain::organization::StepRunner::Docker;
use crate::secrets::Secret;
use crate::steps::StepText;

const YAML: &str = r##"
runner: {image: "example/tools:1"}
create:
  - name: seed
    inputs:
      - {name: password, valueFromConnection: server.password, as: {env: PASSWORD, path: /in/password}}
      - {name: proxy, valueFromConnection: server.proxy, as: {env: HTTP_PROXY}}
    outputs: [{name: url, valueFromPath: /out/url}]
    script: "#!/bin/sh\ntrue\n"
"##;

/// Keeps what it is asked and handed, answers as the real one does.
const ENGINE: &str = r#"
say "$@"
case $1 in
  create) env | grep -E '^(PASSWORD|TIELINE_STEP|GITHUB_TOKEN)=' | sort > "$kept/env"
    for word; do [ "$last" = --env-file ] && cp "$word" "$kept/file"; last=$word; done; echo id;;
  cp) if [ "$2" = - ]; then cat > "$kept/archive"; else
      case $2 in
        *:/out) echo "Error response from daemon: Could not find the file /out in container" >&2; exit 1;;
        *) mkdir -p "$kept/out"; printf 'db://x' > "$kept/out/url"; tar -C "$kept/out" -cf - url;;
      esac; fi;;
  start) echo 'a line';;
  inspect) echo "exited 0 false";;
esac
"#;

fn given() -> Given {
    let mut given = Given::default();
    given.connections.insert("server.password".into(), StepText::Secret(Secret::new("canary\nsecond")));
    given.connections.insert("server.proxy".into(), StepText::Secret(Secret::new("http://canary2")));
    given
}

#[tokio::test]
async fn r58_a_container_is_made_filled_started_read_and_removed() {
    let engine = Fake::new("docker", ENGINE);
    let (lines, end) = play(Docker, &engine, YAML, &given(), None).await;
    assert!(end.succeeded(), "{:?} {}", problems(&end), engine.said());
    assert_eq!(end.left["seed"]["url"].expose(), "db://x");
    assert_eq!(lines, ["a line"]);
    let said = engine.said();
    let calls: Vec<&str> = said.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(calls, ["create", "cp", "cp", "start", "inspect", "cp", "rm"], "{said}");
    assert!(!said.contains("canary"), "r69: no value is on a command line: {said}");
    assert!(said.contains("--env PASSWORD ") && said.contains("--label tieline.step=seed"), "{said}");
    assert!(!said.contains("--volume ") && !said.contains(" -v "));
    assert_eq!(engine.kept("env"), "PASSWORD=canary\nTIELINE_STEP=seed\n");
    assert_eq!(engine.kept("file"), "HTTP_PROXY=http://canary2\n", "it would mean something to the client itself");
    let entries: Vec<String> = tar::Archive::new(engine.kept("archive").as_bytes())
        .entries()
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            format!("{} {:o}", entry.path().unwrap().display(), entry.header().mode().unwrap())
        })
        .collect();
    assert_eq!(entries, ["out/ 777", "tieline/script 555", "in/password 444"]);
}

#[tokio::test]
async fn r59_what_the_engine_hands_out_is_read_with_bounds() {
    for (made, why) in [
        ("ln -s /etc/passwd url", "is a link, not a regular file"),
        ("mkdir url", "is a folder, not a regular file"),
        ("mkfifo url", "is a device or pipe, not a regular file"),
        ("head -c 100M /dev/zero > url", "is larger than 1048576 bytes"),
    ] {
        let made = format!("cd \"$kept/out\"; rm -rf url; {made}; tar -cf - url");
        let engine =
            Fake::new("docker", &ENGINE.replace("printf 'db://x' > \"$kept/out/url\"; tar -C \"$kept/out\" -cf - url", &made));
        let (_, end) = play(Docker, &engine, YAML, &given(), None).await;
        assert_eq!(problems(&end), [format!("step-failed: step `seed` left no usable output `url`: `/out/url` {why}")]);
    }
}

#[tokio::test]
async fn how_the_script_ended_is_the_engines_word() {
    for (state, problem) in [
        ("exited 3 false", "step-failed: step `seed` failed: it ended with exit code 3"),
        ("exited 137 true", "step-failed: step `seed` failed: its container used more memory than it may"),
        ("created 127 false", "step-failed: step `seed` cannot be run: its container does not start"),
        ("running 0 false", "step-failed: step `seed` cannot be run: the connection to its container was lost"),
    ] {
        let engine = Fake::new("docker", &ENGINE.replace("exited 0 false", state));
        let (_, end) = play(Docker, &engine, YAML, &given(), None).await;
        assert_eq!(problems(&end), [problem]);
        assert!(engine.said().lines().last().unwrap().starts_with("rm --force --volumes tieline-step-"));
    }
}

#[tokio::test]
async fn r62_a_cancel_stops_the_container_and_removes_it() {
    let stops = ENGINE.replace(
        "start) echo 'a line';;",
        "start) echo 'a line'; until [ -e \"$kept/stopped\" ]; do sleep 0.02; done;;\n  stop) touch \"$kept/stopped\";;",
    );
    let engine = Fake::new("docker", &stops);
    let (_, end) = play(Docker, &engine, YAML, &given(), Some("a line")).await;
    assert_eq!(problems(&end), ["cancelled: step `seed` was stopped: the run was cancelled"]);
    let said = engine.said();
    let calls: Vec<&str> = said.lines().map(|line| line.split(" tieline").next().unwrap()).collect();
    assert_eq!(calls[4..], ["stop -t 10", "rm --force --volumes"]);
}

#[tokio::test]
async fn an_engine_that_cannot_be_had_is_named() {
    let (_, end) = play(Docker, &Fake::nowhere(), YAML, &given(), None).await;
    assert_eq!(problems(&end), ["step-failed: step `seed` cannot be run: there is no `docker` on this machine"]);
    let engine = Fake::new("docker", "say \"$@\"; echo 'Cannot connect to the Docker daemon' >&2; exit 1");
    let (_, end) = play(Docker, &engine, YAML, &given(), None).await;
    assert_eq!(problems(&end), ["step-failed: step `seed` cannot be run: no container of `example/tools:1` can be made"]);
    assert_eq!(end.problems.0[0].notes, ["`docker` said: Cannot connect to the Docker daemon"]);
}
