//! Resource plugins: a corpus after real ones, and what cannot be read.
#![allow(clippy::disallowed_methods, reason = "the corpus is files")]

use std::collections::BTreeMap;

use super::super::tree::{Files, PluginFolder, plugin_folder};
use crate::domain::diagnostic::Problems;

fn read(files: &[(&str, &str)]) -> Result<PluginFolder, Problems> {
    let files: Files<'_> = files.iter().map(|(path, text)| (*path, text.as_bytes())).collect::<BTreeMap<_, _>>();
    plugin_folder(&files)
}

const QUEUE: &str = r##"
name: queue@1.4
spec:
  description: A queue for a sandbox.
  runner: {image: "python:3", namespace: sandboxes, podTemplateOverlay: "@{embed: ./pod.yaml}"}
  create:
    - name: make
      inputs: [{name: region, valueFromSandbox: true, as: {env: REGION, path: /in/region}}]
      script: "@{embed: ./scripts/make.sh}"
      outputs:
        - {name: queue-url, valueFromPath: /out/url}
        - {name: api_token, valueFrom: {path: /out/token}}
    - name: seed
      inputs: [{name: url, type: string, valueFromStep: {name: make, output: queue-url}, as: {env: URL}}]
      script: "#!/bin/sh\ntrue\n"
      outputs: [{name: queue-url, path: /out/url}]
  delete:
    - name: drop
      inputs: [{name: url, valueFromStep: {name: make, output: queue-url}, as: {env: URL}}]
      script: "#!/bin/sh\ntrue\n"
"##;

#[test]
fn a_document_with_files_beside_it_becomes_a_plugin_of_steps() {
    let files = [
        ("plugin.yaml", QUEUE),
        ("pod.yaml", "spec: {containers: [{name: main}]}\n"),
        ("scripts/make.sh", "#!/bin/sh\necho @{REGION}\n"),
    ];
    let folder = read(&files).unwrap();
    let plugin = &folder.plugins[0];
    assert_eq!((plugin.name.as_str(), plugin.version.to_string()), ("queue", "1.4.0".to_owned()));
    assert_eq!(plugin.inputs["required"], serde_json::json!(["region"]));
    let steps = plugin.steps.as_ref().unwrap();
    assert_eq!(steps.create[0].script, "#!/bin/sh\necho @{REGION}\n", "what a file holds is not looked at for more");
    assert_eq!(steps.runner.namespace.as_deref(), Some("sandboxes"));
    let from = serde_json::to_value(&plugin.generates).unwrap()["outputs"]["from"].clone();
    let expected = serde_json::json!({
        "api_token": "make.api_token", "make_queue-url": "make.queue-url", "seed_queue-url": "seed.queue-url",
    });
    assert_eq!(from, expected, "two steps leave a `queue-url`");
    assert!(steps.create[0].outputs[1].sensitive && !steps.create[0].outputs[0].sensitive);
    assert_eq!(folder.types[0].sensitive().into_iter().map(|name| name.to_string()).collect::<Vec<_>>(), ["api_token"]);
    assert!(folder.warnings.0.iter().any(|warning| warning.message == "`make.api_token` is taken for a secret, by the name"));
}

#[test]
fn what_signadots_tool_would_fill_in_and_files_elsewhere_are_refused() {
    let document = |script: &str| {
        format!(
            "name: x\nspec:\n  runner: {{image: a}}\n  create: [{{name: a, script: {script:?}}}]\n  delete: [{{name: b, script: \"#!/bin/sh\"}}]\n"
        )
    };
    for (script, message) in [
        ("#!/bin/sh\necho @{bucket}", "nothing fills in the variable `@{bucket}`"),
        ("@{embed: ../../etc/passwd}", "`../../etc/passwd` is not in the plugin's folder"),
        ("@{embed: /etc/passwd}", "`/etc/passwd` is not in the plugin's folder"),
        ("@{embed: gone.sh}", "there is no file `gone.sh` in the plugin's folder"),
    ] {
        let problems = read(&[("plugin.yaml", &document(script))]).unwrap_err();
        assert!(problems.0.iter().any(|problem| problem.message == message), "{script}: {problems:#?}");
    }
}

#[test]
fn r57_everything_is_checked_before_anything_runs() {
    let problems = read(&[(
        "any-name.yaml",
        r##"
name: x
spec:
  runner: {image: a, podTemplateOverlay: "spec: {restartPolicy: Always}"}
  create:
    - name: a
      inputs:
        - {name: b, valueFromStep: {name: b, output: o}, as: {env: 1BAD}}
        - {name: n, valueFromSandbox: true, as: {}}
        - {name: s, valueFromSandbox: true, as: {env: SIGNADOT_X}}
      script: echo
      outputs: [{name: o, valueFromPath: out/o}, {name: p, valueFromPath: /out/../p}]
    - {name: b, inputs: [{name: a, valueFromStep: {name: a, output: o}, as: {path: /x}}], script: "#!/bin/sh", outputs: [{name: o, valueFromPath: /x/y}]}
  delete:
    - {name: a, inputs: [{name: z, valueFromStep: {name: gone, output: o}, as: {env: Z}}], script: "#!/bin/sh"}
"##,
    )])
    .unwrap_err();
    let messages: Vec<&str> = problems.0.iter().map(|problem| problem.message.as_str()).collect();
    for expected in [
        "the overlay's restart policy is `Always`: a step runs once",
        "`1BAD` cannot be the name of a variable",
        "the input `n` goes nowhere",
        "the variable `SIGNADOT_X` is not for plugins to set",
        "the script has no `#!` line",
        "`out/o` is not the absolute path of a file",
        "`/out/../p` is not the absolute path of a file",
        "the files `/x/y` and `/x` cannot both be there",
        "steps wait for one another: `a` needs `b` needs `a`",
        "there are two steps `a`",
        "there is no step `gone`",
    ] {
        assert!(messages.contains(&expected), "{expected}: {messages:#?}");
    }
}

/// The files of a plugin of the corpus.
fn corpus(name: &str) -> PluginFolder {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/foreign/signadot").join(name);
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for below in ["", "scripts"] {
        for entry in std::fs::read_dir(folder.join(below)).into_iter().flatten().flatten().filter(|entry| entry.path().is_file())
        {
            let name = entry.file_name().into_string().unwrap();
            let path = if below.is_empty() { name } else { format!("{below}/{name}") };
            files.push((path, std::fs::read(entry.path()).unwrap()));
        }
    }
    let files: Files<'_> = files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect();
    plugin_folder(&files).unwrap_or_else(|problems| panic!("{name}: {problems:#?}"))
}

/// What a plugin became, in short.
fn told(name: &str) -> String {
    let folder = corpus(name);
    let plugin = &folder.plugins[0];
    let part = plugin.steps.as_ref().unwrap();
    let mut text = format!("{}@{} inputs {}\n", plugin.name, plugin.version, plugin.inputs["required"]);
    for step in part.all() {
        text += &format!("{}:", step.name);
        for input in &step.inputs {
            text += &format!(
                " {}->{}{}",
                input.name,
                input.target.env.as_deref().unwrap_or("-"),
                input.target.path.as_deref().unwrap_or("")
            );
        }
        for output in &step.outputs {
            text += &format!(" {}={}{}", output.name, output.value_from_path, if output.sensitive { " (secret)" } else { "" });
        }
        text.push('\n');
    }
    for warning in &folder.warnings.0 {
        text += &format!("warning: {}\n", warning.message);
    }
    text
}

#[test]
fn the_corpus_is_read_as_it_is() {
    insta::assert_snapshot!(["queue", "database", "branch", "manifests", "table"].map(told).join("\n"), @r#"
    parcel-queue@0.0.0 inputs ["attributes","region"]
    provision: region->CLOUD_REGION attributes->ATTRIBUTES queue-name=/tmp/queue-name queue-url=/tmp/queue-url
    deprovision: region->CLOUD_REGION queue-url->QUEUE_URL

    ledger-db@1.3.0 inputs ["dbname"]
    provision: dbname->-/sandbox/input/dbname host=/sandbox/output/host port=/sandbox/output/port root-password=/sandbox/output/root_password (secret)
    seed: host->DBHOST root-password->DBPASSWORD rows=/tmp/rows
    deprovision:
    warning: `provision.root-password` is taken for a secret, by the name

    tree-branch@0.0.0 inputs ["parent-branch","project-id"]
    createbranch: project-id->PROJECT_ID parent-branch->PARENT_BRANCH branch-name=/outputs/branch-name connection-string=/outputs/connection-string (secret)
    deletebranch: project-id->PROJECT_ID branch-name->BRANCH_NAME
    warning: `createbranch.connection-string` is taken for a secret, by the name

    apply-manifests@0.0.0 inputs ["data"]
    provision: data->-/tmp/input.yaml
    warning: the plugin has no delete steps: what it makes stays when it is removed

    tables@0.0.0 inputs []
    orders: name=/tmp/name
    users: name=/tmp/name
    drop: a->A b->B/tmp/b
    "#);
}

#[test]
fn what_is_loosely_written_is_taken_and_what_nobody_knows_is_said() {
    let text = "name: Loose@v2\nlabels: {a: b}\nspec:\n  runner: {podTemplateOverlay: {spec: {containers: [{name: main, image: 'a:1'}]}}, cpu: 2}\n  create:\n    - {name: a, script: \"#!/bin/sh\", outputs: [{name: 9.lives, from: /o}], timeout: 5}\n  delete: []\n";
    let folder = read(&[("any.yml", text)]).unwrap();
    let plugin = &folder.plugins[0];
    assert_eq!((plugin.name.as_str(), plugin.version.to_string()), ("loose", "2.0.0".to_owned()));
    assert_eq!(plugin.steps.as_ref().unwrap().runner.image.as_deref(), Some("a:1"), "only the overlay names it");
    assert!(plugin.generates.values().all(|output| output.from.contains_key("o9_lives")));
    let warnings: Vec<&str> = folder.warnings.0.iter().map(|warning| warning.message.as_str()).collect();
    for expected in ["the field `labels` has no effect", "the field `cpu` has no effect", "the field `timeout` has no effect"] {
        assert!(warnings.contains(&expected), "{warnings:?}");
    }
    assert!(warnings.iter().any(|warning| warning.starts_with("the plugin has no delete steps")));
}

#[test]
fn no_shape_of_a_document_is_too_much() {
    for spec in [
        "[]",
        "7",
        "{runner: 7, create: 7}",
        "{runner: {}, create: [7, [], {}]}",
        "{runner: {image: a}, create: [{name: [], script: {}, inputs: [7], outputs: {}}]}",
        "{runner: {image: a}, create: [{name: a, script: x, inputs: [{name: a, valueFromStep: 7}], outputs: [{}]}]}",
    ] {
        let text = format!("name: x\nspec: {spec}\n");
        let result = read(&[("plugin.yaml", &text)]);
        assert!(result.is_err_and(|problems| !problems.0.is_empty()), "{spec}");
    }
}
