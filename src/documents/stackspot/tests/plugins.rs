use serde_json::json;

use super::{Files, folder, read, said, small, with_spec};
use crate::documents::{PluginFolder, defaults, validate_value};
use crate::domain::foreign::{Foreign, InputKind, Templates};
use crate::domain::names::{AttributeName, InputName, OutputName, SlotName};
use crate::domain::plugin::{Plugin, Uses};

fn bucket() -> Files<'static> {
    folder!("bucket-v1": "plugin.yaml", "docs/about.md", "templates/README.md", "templates-deploy/main.tf", "templates-deploy/outputs.tf",
        "templates-deploy/policies/readers.json")
}

fn queue() -> Files<'static> {
    folder!("queue-v2": "plugin.yaml", "templates/QUEUE.md", "templates-deploy/outputs.tf", "templates-deploy/provider.tf",
        "templates-deploy/dead-letter/main.tf", "templates-deploy/alarms/waiting.tpl",
        "templates-deploy/{{ file_name }}-queue.tf", "templates-deploy/{{ connections['worker_role'].name }}-policy.tf")
}

fn service() -> Files<'static> {
    folder!("service-v3": "plugin.yaml", "templates-deploy/main.tf", "templates-deploy/config/main.tf")
}

fn only(files: &Files<'_>) -> (Plugin, PluginFolder) {
    let folder = read(files).unwrap();
    let [plugin] = folder.plugins.as_slice() else { panic!("one plugin") };
    (plugin.clone(), folder)
}

fn templates(plugin: &Plugin) -> &Templates {
    match &plugin.foreign {
        Some(Foreign::StackSpot(templates)) => templates,
        other => panic!("{other:?}"),
    }
}

/// Slot to its type, whether it is optional, and what is used of it.
fn slots(plugin: &Plugin) -> Vec<String> {
    let used = |uses: &Uses| match uses {
        Uses::Named(names) => names.iter().map(AttributeName::as_str).collect::<Vec<_>>().join(" "),
        Uses::All => "everything".to_owned(),
        Uses::Declared => "what it declares".to_owned(),
    };
    let slot = |(name, slot): (&SlotName, &crate::domain::plugin::Slot)| {
        let optional = if slot.optional { "?" } else { "" };
        format!("{name}{optional}: {} ({})", slot.type_name, used(&slot.uses))
    };
    plugin.requires.iter().map(slot).collect()
}

fn outputs(plugin: &Plugin) -> Vec<String> {
    let output = |(name, output): (&OutputName, &crate::domain::plugin::Output)| {
        let from: Vec<String> = output.from.iter().map(|(attribute, from)| format!("{attribute}={from}")).collect();
        format!("{name}: {} {}", output.type_ref.as_ref().unwrap(), from.join(" "))
    };
    plugin.generates.iter().map(output).collect()
}

#[test]
fn v1_maps_attributes_by_the_names_of_outputs() {
    let (plugin, folder) = only(&bucket());
    assert_eq!((plugin.name.as_str(), plugin.version.to_string().as_str()), ("report-bucket", "0.4.2"));
    assert_eq!(plugin.module(), Some("."));
    assert_eq!(slots(&plugin), ["aws-kms-conn: aws-kms-conn (key_arn)"]);
    assert_eq!(outputs(&plugin), ["aws-s3-conn: aws-s3-conn arn=aws-s3-conn-arn bucket_name=aws-s3-conn-bucket_name"]);
    assert_eq!(templates(&plugin).links.len(), 1);
    insta::assert_snapshot!(said(&folder.warnings).join("\n"), @r"
    `hooks` run when `stk apply plugin` does, and play no part in a deploy
    `requires.plugin` is not checked: what a plugin needs comes by its connections
    nothing says where the attributes of `aws-s3-conn` come from: the names of outputs do
    ");
}

#[test]
fn v1_takes_every_output_where_no_name_says_more() {
    let document = with_spec("  generates: {connection-interface: [aws-key-conn]}\n").replace("v2", "v1");
    let (plugin, _) = only(&small(&document));
    assert_eq!(outputs(&plugin), ["aws-key-conn: aws-key-conn arn=arn"]);
}

#[test]
fn v1_of_the_first_drafts_lists_one_mapping_for_each_type() {
    let spec = "  requires:\n  - connection-interface: aws-vpc-conn\n  - connection-interface: ecs-cluster-fargate-conn\n";
    let (plugin, folder) = only(&small(&with_spec(spec).replace("kind: plugin", "kind: runtime-plugin")));
    assert_eq!(plugin.requires.len(), 2);
    assert_eq!(said(&folder.warnings), Vec::<&str>::new());
}

#[test]
fn v2_names_connections_by_alias() {
    let (plugin, folder) = only(&queue());
    assert_eq!(slots(&plugin), ["alarms: aws-sns-conn (arn)", "worker-role: aws-iam-role-conn (name)"]);
    insta::assert_snapshot!(outputs(&plugin).join("\n"), @r"
    dead-letters: aws-sqs-conn arn=dead_letters_arn queue_name=dead_letters_name url=dead_letters_url
    orders: aws-sqs-conn arn=orders_arn queue_name=orders_name url=orders_url
    ");
    let templates = templates(&plugin);
    assert_eq!(templates.folder, "templates-deploy");
    assert_eq!(templates.aliases["worker_role"].as_str(), "worker-role");
    let computed: Vec<&str> = templates.computed.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(computed, ["queue_name", "file_name", "alarm_name"], "in the order of the document");
    assert_eq!(templates.global_computed.len(), 1);
    assert_eq!(templates.global.iter().map(InputName::as_str).collect::<Vec<_>>(), ["queue_name"]);
    assert_eq!(templates.links.iter().map(|link| link.dynamic).collect::<Vec<_>>(), [true, false]);
    assert_eq!(said(&folder.warnings), ["`requires.plugins` is not checked: what a plugin needs comes by its connections"]);
}

#[test]
fn v2_inputs_take_the_loose_forms_of_answers() {
    let (plugin, _) = only(&queue());
    let good = json!({"queue_name": "a", "attempts": "5", "region": "sa-east-1", "alarm": "false", "senders": "events",
        "visibility": "", "threshold": null, "queue_type": "FIFO", "stk_wks_id": "01H", "global_inputs": {"project_name": "x"}});
    assert_eq!(validate_value(&plugin.inputs, &good, false), []);
    for (input, answer) in [
        ("attempts", json!("five")),
        ("attempts", json!("")),
        ("region", json!("")),
        ("region", json!("mars")),
        ("alarm", json!("perhaps")),
        ("senders", json!(["strangers"])),
        ("queue_name", json!(["a"])),
        ("global_inputs", json!("x")),
    ] {
        let mut wrong = good.clone();
        wrong[input] = answer.clone();
        assert!(!validate_value(&plugin.inputs, &wrong, false).is_empty(), "{input}: {answer}");
    }
}

#[test]
fn defaults_are_what_they_mean() {
    let (plugin, _) = only(&queue());
    let defaults = defaults(&plugin.inputs);
    assert_eq!(defaults["queue_type"], "Standard");
    assert_eq!(defaults["senders"], json!(["events"]));
    assert_eq!((&defaults["alarm"], &defaults["threshold"]), (&json!(true), &json!(100)));
    assert_eq!(templates(&plugin).kinds[&InputName::new("alarm").unwrap()], InputKind::Bool);
}

#[test]
fn an_input_under_opposite_conditions_is_one_with_a_default_for_each() {
    let (plugin, _) = only(&queue());
    let required: Vec<&str> = plugin.inputs["required"].as_array().unwrap().iter().filter_map(|name| name.as_str()).collect();
    assert_eq!(
        required,
        ["attempts", "queue_name", "region"],
        "an input with a condition is never required, nor one with a default"
    );
    assert!(!defaults(&plugin.inputs).contains_key("visibility"));
    let visibility = templates(&plugin).conditions.iter().filter(|condition| condition.input.as_str() == "visibility");
    let read: Vec<_> = visibility.map(|condition| (condition.operator.as_str(), condition.default.clone())).collect();
    assert_eq!(read, [("==", Some(json!(30))), ("!=", Some(json!(60)))]);
}

#[test]
fn v3_has_connections_among_its_inputs() {
    let (plugin, folder) = only(&service());
    assert_eq!((plugin.name.as_str(), plugin.version.to_string().as_str()), ("web-service", "0.0.0"));
    assert_eq!(slots(&plugin), ["database?: aws-rds-conn (host pass)", "my-cluster: aws-ecs-conn (cluster_name)"]);
    assert_eq!(outputs(&plugin), ["endpoint: http-conn host=service-host url=service-url"]);
    assert!(plugin.limits.single_use);
    assert_eq!(templates(&plugin).conditions.len(), 1);
    insta::assert_snapshot!(said(&folder.warnings).join("\n"), @r"
    projects cannot have copies of their own of a plugin's resources here: `allowed-resource-fork` has no effect
    `stk-projects-only` has no effect: every deployable may use the plugin
    `app-allowed` has no effect: applications may use the plugin as well
    `requires.plugins` is not checked: what a plugin needs comes by its connections
    the default of the secret input `registry_token` is not taken: a secret in a file is none
    ");
}

#[test]
fn v3_inputs_may_be_lists_objects_and_secrets() {
    let (plugin, _) = only(&service());
    assert_eq!(plugin.sensitive_inputs().iter().map(InputName::as_str).collect::<Vec<_>>(), ["registry_token", "sidecars"]);
    assert!(!plugin.inputs.to_string().contains("change-me"));
    let good = json!({"name": "a", "ports": [80, "443"], "probe": {"path": "/", "seconds": "5"}, "size": 2, "zones": ["a"],
        "sidecars": [{"image": "x", "key": "k"}], "registry_token": "t", "with_database": false, "domain": ""});
    assert_eq!(validate_value(&plugin.inputs, &good, false), []);
    for (input, answer) in
        [("ports", json!(["x"])), ("probe", json!({"seconds": 1})), ("size", json!(3)), ("sidecars", json!([{}]))]
    {
        let mut wrong = good.clone();
        wrong[input] = answer.clone();
        assert!(!validate_value(&plugin.inputs, &wrong, false).is_empty(), "{input}: {answer}");
    }
    assert_eq!(defaults(&plugin.inputs)["with_database"], json!(false));
}

#[test]
fn what_is_not_known_is_a_warning() {
    let document = with_spec("  inputs: [{label: A, name: a, type: text, requird: true, pattern: '(['}]\n  colour: blue\n");
    let (_, folder) = only(&small(&document));
    insta::assert_snapshot!(super::shown(&small(&document), &folder.warnings), @r"
    warning[invalid-document]: `colour` is not a field that is known here, and has no effect
     --> plugin.yaml:7:3
      |
    7 |   colour: blue
      |   ^^^^^^ not known

    warning[invalid-document]: `requird` is not a field that is known here, and has no effect
     --> plugin.yaml:6:44
      |
    6 |   inputs: [{label: A, name: a, type: text, requird: true, pattern: '(['}]
      |                                            ^^^^^^^ not known
      |
      = help: did you mean `required`?

    warning[invalid-document]: the pattern `([` is not a regular expression that is understood here: nothing is checked against it
     --> plugin.yaml:6:68
      |
    6 |   inputs: [{label: A, name: a, type: text, requird: true, pattern: '(['}]
      |                                                                    ^^^^ not checked
    ");
}

#[test]
fn look_ups_of_connections_that_there_are_not_are_a_warning() {
    let document = with_spec("  requires: {connections: [{type: aws-iam-role-conn, alias: role}]}\n");
    let mut files = small(&document);
    files.insert("templates-deploy/x.tpl", b"{{ connections.rol.arn }}");
    let (plugin, folder) = only(&files);
    assert_eq!(slots(&plugin), ["role: aws-iam-role-conn ()"]);
    assert_eq!(said(&folder.warnings), ["templates look up the connection `rol`, which the plugin does not require"]);
}
