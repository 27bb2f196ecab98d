//! R57 for documents of our own.

use crate::documents::read::plugin;

/// A step, by its lines below the name.
fn step(name: &str, lines: &str) -> String {
    format!("    - name: {name}\n      script: \"#!/bin/sh\"\n{lines}")
}

fn document(create: &str, more: &str) -> String {
    format!(
        "apiVersion: tieline/v1\nkind: Plugin\nname: p\nversion: 1.0.0\n\
         inputs: {{type: object, properties: {{size: {{type: string}}}}}}\n\
         requires: {{server: {{type: db-conn, sensitive: [password]}}}}\n{more}\nsteps:\n  create:\n{create}"
    )
}

fn messages(text: &str) -> Vec<String> {
    match plugin("plugin.yaml", text.as_bytes()) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.0.into_iter().map(|problem| problem.message).collect(),
    }
}

#[test]
fn r57_a_sound_plugin_is_taken() {
    let create = step(
        "make",
        "      inputs:\n        - {name: size, valueFromInput: true, as: {env: SIZE, path: /in/size}}\n        - {name: p, valueFromConnection: server.password, as: {env: PASSWORD}}\n      outputs: [{name: host, valueFromPath: /out/host}, {name: port, type: integer, valueFromPath: /out/port, trim: true}]\n      timeout: 5m\n      retries: 2\n",
    ) + &step("check", "      after: [make]\n")
        + "  delete:\n"
        + &step("drop", "      inputs: [{name: host, valueFromStep: {name: make, output: host}, as: {env: HOST}}]\n");
    let more = "generates: {db: {type: db-conn, from: {host: make.host, url: endpoint}}}\nterraform: {variables: {db_host: {step: make.host}}}";
    assert_eq!(messages(&document(&create, more)), [""; 0]);
}

#[test]
fn r57_what_cannot_be_is_said_before_anything_runs() {
    let input = |source: &str, target: &str| format!("      inputs: [{{name: size, {source}, as: {{{target}}}}}]\n");
    let from_input = |target: &str| input("valueFromInput: true", target);
    let output = |fields: &str| format!("      outputs: [{{name: o, {fields}}}]\n");
    let both =
        |input_path: &str, path: &str| from_input(&format!("path: {input_path}")) + &output(&format!("valueFromPath: {path}"));
    for (lines, message) in [
        (input("valueFromInput: false", "env: A"), "the input `size` has no source"),
        (input("valueFromInput: true, valueFromConnection: server.host", "env: A"), "the input `size` has several sources"),
        (from_input(""), "the input `size` goes nowhere"),
        (from_input("env: 1A"), "`1A` cannot be the name of a variable"),
        (from_input("env: TIELINE_X"), "the variable `TIELINE_X` is not for plugins to set"),
        (from_input("env: LD_PRELOAD"), "the variable `LD_PRELOAD` cannot be taken from elsewhere"),
        (from_input("path: in/x"), "`in/x` is not the absolute path of a file"),
        (from_input("path: /in/../x"), "`/in/../x` is not the absolute path of a file"),
        (from_input("path: /in/x/"), "`/in/x/` is not the absolute path of a file"),
        (from_input("path: /proc/self/mem"), "a step's files cannot be in `/proc`"),
        (both("/x/y", "/x/y"), "there are two files `/x/y`"),
        (both("/x/y", "/x"), "the files `/x` and `/x/y` cannot both be there"),
        (both("/x", "/x/y"), "the files `/x/y` and `/x` cannot both be there"),
        (both("/x/y", "/x/yy"), ""),
        (input("valueFromConnection: sever.host", "env: A"), "there is no slot `sever`"),
        (input("valueFromConnection: server", "env: A"), "`server` is not an attribute of a slot"),
        (input("valueFromStep: {name: gone, output: o}", "env: A"), "there is no step `gone`"),
        (input("valueFromStep: {name: first, output: O}", "env: A"), "there is no output of step `first` called `O`"),
        (
            input("valueFromStep: {name: drop, output: o}", "env: A"),
            "a create step cannot use what the delete step `drop` leaves",
        ),
        (input("valueFromStep: {name: s, output: o}", "env: A") + &output("valueFromPath: /o"), "step `s` waits for itself"),
        ("      after: [drop]\n".to_owned(), "there is no step of this workflow `drop`"),
        ("      timeout: 5x\n".to_owned(), "`x` is no unit of time: use `s`, `m`, `h` or `d`"),
        ("      timeout: 0s\n".to_owned(), "no time at all is too short"),
        ("      outputs: [{name: 'a b', valueFromPath: /o}]\n".to_owned(), "`a b` cannot be the name of an output"),
    ] {
        let create = step("first", &output("valueFromPath: /out/o")) + &step("s", &lines) + "  delete:\n" + &step("drop", "");
        let expected: Vec<&str> = Some(message).filter(|message| !message.is_empty()).into_iter().collect();
        assert_eq!(messages(&document(&create, "")), expected, "{lines}");
    }
}

#[test]
fn r57_names_are_used_once_and_steps_do_not_wait_for_one_another() {
    let needs = |name: &str| {
        format!(
            "      inputs: [{{name: x, valueFromStep: {{name: {name}, output: o}}, as: {{env: X}}}}]\n      outputs: [{{name: o, valueFromPath: /o}}]\n"
        )
    };
    let create = step("a", &needs("b")) + &step("b", &format!("      after: [c]\n{}", needs("c"))) + &step("c", &needs("a"));
    assert_eq!(messages(&document(&create, "")), ["steps wait for one another: `a` needs `b` needs `c` needs `a`"]);
    let twice = step("a", "") + "  delete:\n" + &step("a", "");
    assert_eq!(messages(&document(&twice, "")), ["there are two steps `a`"]);
}

#[test]
fn r57_a_script_names_its_program() {
    for (script, message) in [
        ("echo", "the script has no `#!` line"),
        ("\\n#!/bin/sh", "the script has no `#!` line"),
        ("#!sh", "the script's `#!` line does not name a program by its path"),
        (
            "#! /bin/sh\\r\\necho",
            "the script's lines end as on Windows, so that the system would look for a program whose name ends in a carriage return",
        ),
    ] {
        let text = document(&format!("    - {{name: a, script: \"{script}\"}}\n"), "");
        assert_eq!(messages(&text), [message], "{script}");
    }
}

#[test]
fn what_comes_from_a_step_is_left_by_a_create_step() {
    let create = step("make", "      outputs: [{name: host, valueFromPath: /o}]\n") + "  delete:\n" + &step("drop", "");
    for (from, message) in [
        ("make.host", ""),
        ("make.port", "there is no step output `make.port`"),
        ("host", "there is no step output `host`"),
        ("drop.host", "there is no step output `drop.host`"),
    ] {
        let more = format!("generates: {{db: {{type: db-conn, from: {{host: {from}}}}}}}");
        let expected: Vec<&str> = Some(message).filter(|message| !message.is_empty()).into_iter().collect();
        assert_eq!(messages(&document(&create, &more)), expected, "{from}");
    }
    let variable = messages(&document(&create, "terraform: {variables: {x: {step: make.x}}}"));
    assert_eq!(variable, ["there is no step output `make.x`"]);
}

#[test]
fn pods_are_of_the_plugins_image_and_run_once() {
    for (runner, message) in [
        ("image: a, namespace: ops", ""),
        ("namespace: ops", "there is a `namespace`, but no image to run there"),
        ("image: -v", "`-v` is not the name of an image"),
        ("image: a, namespace: CHANGE_ME", "`CHANGE_ME` is not the name of a namespace"),
        ("image: a, env: {SIGNADOT_X: y}", "the variable `SIGNADOT_X` is not for plugins to set"),
        (
            "image: a, podTemplateOverlay: 'spec: {restartPolicy: Always}'",
            "the overlay's restart policy is `Always`: a step runs once",
        ),
        ("image: a, podTemplateOverlay: 'a: [b'", "the overlay cannot be read"),
        ("image: a, podTemplateOverlay: 'text'", "the overlay is no mapping"),
        (
            "image: a, podTemplateOverlay: 'spec: {containers: [{name: main, image: b}]}'",
            "the overlay's image `b` for `main` is not that of the runner",
        ),
        (
            "image: a, podTemplateOverlay: 'spec: {containers: [{name: main, command: [x]}]}'",
            "the overlay sets `command` of `main`, which runs the scripts",
        ),
        (
            "image: a, podTemplateOverlay: 'spec: {containers: [{name: plugin}]}'",
            "the overlay's container `plugin` has no image; the one that the scripts run in is called `main`, under `containers`",
        ),
        (
            "image: a, podTemplateOverlay: 'spec: {initContainers: [{name: signadot-execunit-input-manager, image: x}]}'",
            "the overlay's container `signadot-execunit-input-manager` has a name that is kept",
        ),
        (
            "image: a, namespace: ops, podTemplateOverlay: 'metadata: {namespace: other}'",
            "the overlay's namespace `other` is not that of the runner",
        ),
        (
            "image: a, podTemplateOverlay: 'spec: {serviceAccountName: x, containers: [{name: main, env: []}, {name: db, image: y}]}'",
            "",
        ),
    ] {
        let text = document(&step("a", ""), "").replace("steps:\n", &format!("steps:\n  runner: {{{runner}}}\n"));
        let said = messages(&text);
        assert_eq!(said.len(), usize::from(!message.is_empty()), "{runner}: {said:?}");
        assert!(said.iter().all(|one| one.starts_with(message)), "{runner}: {said:?}");
    }
}
