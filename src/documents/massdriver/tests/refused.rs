//! What of bundles is refused, or has no effect.

use super::*;

#[test]
fn what_cannot_be_honoured_is_named() {
    let module = [("src/main.tf", "locals {}\n")];
    let documents = [
        "version: one",
        "name: Not_A_Name",
        "steps: [{path: src, provisioner: bicep}]",
        "steps: [{path: src, provisioner: registry.example.test/own:1}]",
        "steps: [{path: ../src, provisioner: terraform}]",
        "steps: [{path: other, provisioner: terraform}]",
        "steps: {}",
        "params: {required: [x]}",
        "params: {properties: {9x: {type: string}}}",
        "params: {properties: {x: {$ref: ./missing.json}}}",
        "params: {properties: {x: {$md.enum: {options: .}}}}",
        "params: {properties: {x: {$md.enum: {options: ., connection: none}}}}",
        "params: {properties: {x: {type: strin}}}",
        "params: []",
        "params: {properties: {net: {}}}\nconnections: {properties: {net: {$ref: net}}}",
        "connections: {properties: {a_b: {$ref: x}, a-b: {$ref: x}}}",
        "connections: {properties: {net: {type: object}}}",
        "connections: {required: [net]}",
        "connections: {properties: {net: {$ref: net, properties: {data: {const: 1}}}}}",
        "artifacts: {required: [net], properties: {net: {$ref: net}}}",
        "artifacts: {properties: {net: {type: object}}}",
        "app: {envs: {X: '.a |'}}",
        "app: {envs: {X: 1}}",
        "app: {secrets: {9: {}}}",
        "params: {properties: {KEY: {}}}\napp: {secrets: {KEY: {}}}",
    ];
    let told: Vec<String> = documents
        .iter()
        .map(|added| {
            let found = problems(&sound(added), &module);
            assert!(!found.is_empty(), "{added}");
            found
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    version: "one" is not a version [write three numbers, such as `1.2.0`]
    name: `Not_A_Name` is not a valid plugin name: use 1 to 63 lower-case letters, digits and `-`, starting with a letter
    steps[0].provisioner: the provisioner `bicep` is not supported: it runs Azure's own deployments, which have no state here to plan against and to destroy from [write the step as a Terraform module, for example with `azapi_resource`]
    steps[0].provisioner: the provisioner `registry.example.test/own:1` is not supported: it is an image for a Massdriver of your own, and its contract with it is not known [write the step as a Terraform module, or as the steps of a plugin with this image as their runner]
    steps[0].path: `../src` is not the folder of a step [write the name of one folder of the bundle, such as `src`]
    steps[0].path: there is no Terraform file in `other` [put the step's module there, or take the step out]
    steps: `steps` must be a list
    params.required: `required` names `x`, which is no param
    params.properties.9x: `9x` is not a valid input name: use 1 to 63 letters, digits, `-` and `_`, starting with a letter
    params.properties.x.$ref: there is no `./missing.json` [put the file where the reference leads, or write the schema in its place]
    params.properties.x: `$md.enum` does not say of which connection its options are [write `connection:` with the name of a connection, and `options:` with a jq program]
    params: `$md.enum` of `x` names `none`, which is no connection
    params.properties.x.type: `params.properties.x.type` must be one of `array`, `boolean`, `integer`, `null`, `number`, `object`, `string`, not `strin` [did you mean `string`?]
    params: `params` must be a JSON Schema: a mapping
    connections.properties.net: the connection `net` and the param of that name would be one variable [rename one of them]
    connections.properties.a_b: `a_b` and `a-b` are one name here: `a-b`
    connections.properties.net: the connection `net` refers to no resource type [write `$ref:` with the name of a resource type]
    connections.required: `required` names `net`, which is no connection
    connections.properties.net.properties.data: a condition cannot look at `data`: it is sensitive [put conditions on public attributes only, such as those under `specs`]
    artifacts.properties.net: no step publishes the artifact `net` [give the module of a step `output "artifact_net" { value = {…} }`]
    artifacts.properties.net: the artifact `net` refers to no resource type [write `$ref:` with the name of a resource type]
    app.envs.X: it is no jq program: it ends too early [write a jq program, such as `.params.port | tostring`]
    app.envs.X: this must be a jq program: a text
    app.secrets.9: a key must be text, and `9` is not [put it in quotes]
    app.secrets.KEY: the secret `KEY` and the param of that name would be one variable [rename one of them]
    "#);
}

#[test]
fn what_has_no_effect_is_a_warning() {
    let document = sound(
        "dependencies: {}\nwidget: 1\napp: {policies: [.x], other: 1}\nparams: {examples: [{x: 1}], properties: {preset: {type: string}, x: {pattern: '(?<', type: string}}}\nartifacts: {properties: {net: {$ref: net}}}",
    );
    let files = BTreeMap::from([
        ("massdriver.yaml", document.as_bytes()),
        ("src/main.tf", b"output \"artifact_more\" {\n  value = {}\n}\n".as_slice()),
    ]);
    insta::assert_snapshot!(told(&read(&files).warnings), @r#"
    params.properties.x.pattern: the pattern "(?<" is not checked [write it without what other languages add]
    params.examples[0]: a preset without `__name` cannot be chosen [write `__name:`]
    app.policies: `app.policies` has no effect [grant them in the bundle's own module: the connection that has them is a variable of it]
    app.other: `app.other` is not known, and has no effect
    dependencies: `dependencies` is not known, and has no effect [it belongs under `params`: write `params.dependencies`]
    widget: `widget` is not known, and has no effect
    artifacts.properties.net: no step publishes the artifact `net` [give the module of a step `output "artifact_net" { value = {…} }`]
    artifacts: `more` is published, but `artifacts` does not declare it [declare it under `artifacts.properties`]
    "#);
}

#[test]
fn values_of_any_shape_are_no_reason_to_fail() {
    let shapes = [
        json!(null),
        json!(1),
        json!("x"),
        json!([]),
        json!([1]),
        json!({}),
        json!({"properties": 1}),
        json!({"properties": {"x": 1}}),
    ];
    for field in ["name", "version", "steps", "params", "connections", "artifacts", "app", "ui"] {
        for shape in &shapes {
            let mut document =
                json!({"name": "some-bundle", "params": {}, "connections": {}, "artifacts": {}, "steps": [{"path": "src"}]});
            document[field] = shape.clone();
            let text = serde_json::to_vec(&document).unwrap();
            let files: Files<'_> = BTreeMap::from([("massdriver.yaml", text.as_slice()), ("src/main.tf", b"".as_slice())]);
            let _ = plugin_folder(&files);
            let _ = massdriver_preview(
                "preview.yaml",
                &serde_json::to_vec(&json!({"baseEnvironment": "x", field: shape, "instances": {"a": shape}})).unwrap(),
            );
            let _: Result<_, _> = connection_type_among(
                "x.json",
                &serde_json::to_vec(&json!({"$md": {"name": "x"}, field: shape, "properties": {"y": shape}})).unwrap(),
                &Files::new(),
            );
        }
    }
}
