//! Inputs, secrets, slots and outputs in their less usual forms.

use crate::harness::{Project, needs_terraform, tasks};

fn state(project: &Project, key: &str) -> String {
    std::fs::read_to_string(project.state_path(key)).unwrap()
}

#[test]
fn tf_inputs_of_the_run_come_last() {
    needs_terraform!();
    let mut project = Project::lab();
    project.app(
        "app",
        "  a: {use: ../plugins/thing, inputs: {name: manifest, shape: manifest}}\nenvironments: {staging: {plugins: {a: {inputs: {name: overlay}}}}}\n",
    );
    project.deploy("app").succeeds();
    let inputs = |project: &Project| project.ledger("lab/staging/app/applied/a.json")["inputs"].clone();
    assert_eq!((&inputs(&project)["name"], &inputs(&project)["shape"]), (&"overlay".into(), &"manifest".into()));

    project.deploy_with("app", &["--inputs", "{a.name: run}"]).succeeds();
    assert_eq!(inputs(&project)["name"], "run");
    project.set("TIELINE_INPUTS", "{a.name: variable, a.size: 3}");
    project.deploy("app").succeeds();
    assert_eq!((&inputs(&project)["name"], &inputs(&project)["size"]), (&"variable".into(), &3.into()));
    project.set("TIELINE_INPUTS", "{a.nam: variable}");
    project.deploy("app").refused("invalid-input").says("`name`");
}

#[test]
fn tf_a_secret_reaches_its_module_and_is_never_skipped() {
    needs_terraform!();
    let mut project = Project::lab();
    project.edit(
        "plugins/thing/plugin.yaml",
        "    broken: {type: boolean, default: false}\n",
        "    broken: {type: boolean, default: false}\n    token: {type: string, x-sensitive: true}\n",
    );
    let module = project.read("plugins/thing/main.tf");
    project.write(
        "plugins/thing/main.tf",
        &module
            .replace("sha256(var.seed)", "var.token")
            .replace("variable \"seed\"", "variable \"token\" {\n  type = string\n  sensitive = true\n}\nvariable \"seed\""),
    );
    project.app("app", "  a: {use: ../plugins/thing}\n");
    project.set("TIELINE_SECRETS", "{a.token: canary-4711}");

    let ran = project.deploy("app").succeeds();

    ran.never_says("canary-4711");
    assert!(state(&project, "lab/staging/app/a").contains("canary-4711"), "it reached the module");
    let record = project.ledger("lab/staging/app/applied/a.json");
    assert_eq!(record["sensitiveInputs"], serde_json::json!(["token"]));
    for path in project.ledger_paths() {
        assert!(!project.ledger_text(&path).contains("canary-4711"), "{path}");
    }
    assert_eq!(tasks(&project.deploy_json("app", &[])), "a: succeeded (no changes)\n");
    assert_eq!(project.ledger("lab/staging/app/connections/a.out.json")["generation"], 1);
    project.set("TIELINE_SECRETS", "{a.token: canary-4712}");
    project.deploy("app").succeeds().never_says("canary-4712");
    assert_eq!(project.ledger("lab/staging/app/connections/a.out.json")["generation"], 2);

    project.set("TIELINE_SECRETS", "{}");
    project.app("app", "  a: {use: ../plugins/thing, inputs: {token: canary-4713}}\n");
    let ran = project.deploy("app");
    assert_eq!(ran.code, 1, "documents hold no secrets: {ran}");
    ran.never_says("canary-4713");
}

#[test]
fn tf_two_aliases_of_one_plugin_are_two_things() {
    needs_terraform!();
    let project = Project::lab();
    project.app(
        "app",
        "  a: {use: ../plugins/thing, inputs: {name: first}}\n  b: {use: ../plugins/thing, inputs: {name: second}}\n",
    );
    project.deploy("app").succeeds();
    let named =
        |alias: &str| project.ledger(&format!("lab/staging/app/connections/{alias}.out.json"))["attributes"]["name"].clone();
    assert_eq!((named("a"), named("b")), ("first".into(), "second".into()));
    let trees = project.git(".tieline/context.git", &["ls-tree", "--name-only", "ledger:plugins"]);
    assert_eq!(trees.lines().count(), 1, "their plugin is kept once");
}

#[test]
fn tf_an_optional_slot_may_stay_unset() {
    needs_terraform!();
    let project = Project::lab();
    project.app("app", "  a: {use: ../plugins/thing}\n");
    project.deploy("app").succeeds();
    assert_eq!(project.bindings("lab/staging/app/applied/a.json"), "");
    project.edit("plugins/thing/plugin.yaml", ", optional: true", "");
    project.deploy("app").refused("unresolved-slot").says("`a.upstream` has nothing to take: it needs a `thing-conn`");
}

#[test]
fn tf_r15_two_majors_are_published_side_by_side() {
    needs_terraform!();
    let project = Project::lab();
    let old = project.read("context/types/thing-conn/1.0.0.yaml");
    project.write_context(
        "types/thing-conn/2.0.0.yaml",
        &old.replace("version: 1.0.0", "version: 2.0.0")
            .replace("required: [name]", "required: [title]")
            .replace("    name:", "    title:"),
    );
    let document = project.read("plugins/thing/plugin.yaml");
    project.write("plugins/both/main.tf", &project.read("plugins/thing/main.tf"));
    project.write(
        "plugins/both/plugin.yaml",
        &document
            .replace("name: thing\n", "name: both\n")
            .replace("type: thing-conn, optional: true", "type: thing-conn, version: '^1', optional: true")
            .replace(
                "{type: thing-conn, from: {name: name, secret: secret}}",
                "{types: [{type: thing-conn@1, from: {name: name, secret: secret}}, {type: thing-conn@2, from: {title: name}}]}",
            ),
    );
    project.write(
        "plugins/new/main.tf",
        &project
            .read("plugins/thing/main.tf")
            .replace("object({ name = string })", "object({ title = string })")
            .replace("var.upstream.name", "var.upstream.title"),
    );
    project.write(
        "plugins/new/plugin.yaml",
        &document
            .replace("name: thing\n", "name: new\n")
            .replace("type: thing-conn, optional: true", "type: thing-conn, version: '^2', optional: true")
            .replace("type: thing-conn, from:", "type: thing-conn@1, from:"),
    );
    project.write(
        "plugins/thing/plugin.yaml",
        &document
            .replace("type: thing-conn, optional: true", "type: thing-conn, version: '^1', optional: true")
            .replace("type: thing-conn, from:", "type: thing-conn@1, from:"),
    );
    project.app(
        "app",
        "  a: {use: ../plugins/both, inputs: {name: twice}}\n  b: {use: ../plugins/thing, connections: {upstream: a.out}}\n  c: {use: ../plugins/new, connections: {upstream: a.out}}\n",
    );

    project.deploy("app").succeeds();

    for alias in ["b", "c"] {
        assert!(state(&project, &format!("lab/staging/app/{alias}")).contains("\"upstream\": \"twice\""), "{alias}");
    }
    project
        .run(&["connection", "show", "a.out", "-C", "app", "-e", "staging"])
        .succeeds()
        .says("thing-conn 1.0.0")
        .says("thing-conn 2.0.0");
}

#[test]
fn tf_r9_a_where_chooses_among_connections() {
    needs_terraform!();
    let project = Project::lab();
    project.edit_context(
        "workspaces/lab/workspace.yaml",
        "grants: []",
        "grants: [{connection: '*/*/*', to: ['lab/*/*'], allow: [use]}]",
    );
    project.edit(
        "plugins/thing/plugin.yaml",
        "upstream: {type: thing-conn, optional: true}",
        "upstream: {type: thing-conn, optional: true, where: {properties: {name: {const: right}}}}",
    );
    project.app("shared", "  d: {use: ../plugins/thing, inputs: {name: wrong}}\n");
    project.deploy("shared").succeeds();
    project.app("app", "  b: {use: ../plugins/thing, connections: {upstream: lab/staging/shared/d.out}}\n");
    project.deploy("app").refused("contract-mismatch").says("lab/staging/shared/d.out");
    project.app("shared", "  d: {use: ../plugins/thing, inputs: {name: right}}\n");
    project.deploy("shared").succeeds();
    project.deploy("app").succeeds();
}

#[test]
fn tf_r9_a_where_holds_for_links_as_well() {
    needs_terraform!();
    let project = Project::lab();
    project.edit(
        "plugins/thing/plugin.yaml",
        "upstream: {type: thing-conn, optional: true}",
        "upstream: {type: thing-conn, optional: true, where: {properties: {name: {const: right}}}}",
    );
    let plugins =
        "  a: {use: ../plugins/thing, inputs: {name: NAME}}\n  b: {use: ../plugins/thing, connections: {upstream: a.out}}\n";
    project.app("app", &plugins.replace("NAME", "wrong"));
    project.deploy("app").refused("contract-mismatch").says("a.out");
    assert_eq!(project.state_resources("lab/staging/app/b"), Vec::<String>::new());
    project.app("app", &plugins.replace("NAME", "right"));
    project.deploy("app").succeeds();
}

#[test]
fn tf_r68_values_are_never_read_as_terraform() {
    needs_terraform!();
    let project = Project::lab();
    project.app("app", r#"  a: {use: ../plugins/thing, inputs: {shape: "${path.cwd} %{ if true }x%{ endif } \" \\ \n"}}"#);
    project.deploy("app").succeeds();
    assert!(state(&project, "lab/staging/app/a").contains("${path.cwd} %{ if true }x%{ endif }"));
}

#[test]
fn tf_the_module_is_told_where_it_runs() {
    needs_terraform!();
    let project = Project::lab();
    let module = project.read("plugins/thing/main.tf");
    project.write(
        "plugins/thing/main.tf",
        &format!("{module}\nvariable \"tieline\" {{ type = any }}\nresource \"terraform_data\" \"told\" {{\n  input = var.tieline\n}}\n"),
    );
    project.app("app", "  a: {use: ../plugins/thing}\n");
    project.deploy("app").succeeds();
    let state: serde_json::Value = serde_json::from_str(&state(&project, "lab/staging/app/a")).unwrap();
    let told = state["resources"].as_array().unwrap().iter().find(|resource| resource["name"] == "told").unwrap();
    let told = &told["instances"][0]["attributes"]["input"]["value"];
    assert_eq!(
        (&told["workspace"], &told["environment"], &told["deployable"], &told["alias"]),
        (&"lab".into(), &"staging".into(), &"app".into(), &"a".into())
    );
    assert!(told["name_prefix"].as_str().is_some_and(|prefix| !prefix.is_empty() && prefix.len() <= 24), "{told}");
}

#[test]
fn secrets_are_asked_for_by_name() {
    let mut project = Project::lab();
    project.edit(
        "plugins/thing/plugin.yaml",
        "  properties:\n",
        "  required: [token]\n  properties:\n    token: {type: string, x-sensitive: true}\n",
    );
    let module = project.read("plugins/thing/main.tf");
    project.write("plugins/thing/main.tf", &format!("{module}\nvariable \"token\" {{ type = string }}\n"));
    project.app("app", "  a: {use: ../plugins/thing}\n");
    project.deploy("app").refused("invalid-input").says("`a.token`").says("secrets");
    project.set("TIELINE_SECRETS", "{a.tokn: canary-1}");
    let ran = project.deploy("app");
    assert_eq!(ran.code, 1, "{ran}");
    ran.says("tokn").never_says("canary-1");
    project.set("TIELINE_SECRETS", "[canary-1");
    project.deploy("app").refused("invalid-input").never_says("canary-1");
    // A secret for what is no secret would be recorded in clear.
    project.set("TIELINE_SECRETS", "{a.token: canary-1, a.name: canary-2}");
    let ran = project.deploy("app");
    assert_eq!(ran.code, 1, "{ran}");
    ran.never_says("canary-2");
}

#[test]
fn tf_a_changed_module_is_applied() {
    needs_terraform!();
    let project = Project::lab();
    project.app("app", "  a: {use: ../plugins/thing}\n");
    project.deploy("app").succeeds();
    project.edit("plugins/thing/main.tf", "\"the top fell off\"", "\"the top fell down\"");
    assert_eq!(tasks(&project.deploy_json("app", &[])), "a: succeeded (no changes)\n");
    assert_eq!(tasks(&project.deploy_json("app", &[])), "a: skipped (unchanged)\n");
}

#[test]
fn limits_of_the_workspace_hold() {
    let project = Project::lab();
    project.edit_context("workspaces/lab/workspace.yaml", "grants: []", "limits: {max-plugins: 1}");
    project.app("app", "  a: {use: ../plugins/thing}\n  b: {use: ../plugins/thing}\n");
    project.deploy("app").refused("limit-exceeded").says("max-plugins");
}
