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
    assert!(folder.warnings.0.iter().any(|warning| warning.message == "taken for secrets by their names: `api_token`"));
}

#[test]
fn what_signadots_tool_would_fill_in_and_files_elsewhere_are_refused() {
    let document = |script: &str| {
        format!(
            "name: x\nspec:\n  runner: {{image: a}}\n  create: [{{name: a, script: {script:?}}}]\n  delete: [{{name: b, script: \"#!/bin/sh\"}}]\n"
        )
    };
    for (script, message) in [
        ("#!/bin/sh\necho @{bucket}", "`@{bucket}` stands for a value that Signadot's tool is given when the plugin is applied"),
        ("@{embed: ../../etc/passwd}", "`../../etc/passwd` is outside the plugin's folder"),
        ("@{embed: /etc/passwd}", "`/etc/passwd` is outside the plugin's folder"),
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
        "the overlay sets `restartPolicy: \"Always\"`, and steps are never restarted",
        "`1BAD` cannot be the name of a variable",
        "the input `n` of `a` goes nowhere",
        "`SIGNADOT_X` is not free: variables that start with `SIGNADOT_` are given to every step",
        "the script of `a` does not begin with a `#!` line",
        "`out/o` is not the absolute path of a file",
        "`/out/../p` is not the absolute path of a file",
        "the file `/x/y` is in the way of `/x`",
        "the steps need one another in a circle: a -> b -> a",
        "there is another step `a`",
        "there is no step to take it from `gone`",
    ] {
        assert!(messages.contains(&expected), "{expected}: {messages:#?}");
    }
}
