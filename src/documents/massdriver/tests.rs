//! Bundles, resource types and previews as they are read.

use std::collections::BTreeMap;

use serde_json::json;

use crate::documents::{Files, PluginFolder, connection_type_among, massdriver_preview, plugin_folder};
use crate::domain::diagnostic::{Problems, Severity};
use crate::domain::foreign::{Bundle, Foreign};
use crate::domain::plugin::{Plugin, Uses};

macro_rules! tree {
    ($folder:literal: $($file:literal),*) => {
        BTreeMap::from([$(($file, fixture!(concat!($folder, "/", $file)))),*])
    };
}

macro_rules! fixture {
    ($path:expr) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/foreign/massdriver/", $path)).as_slice()
    };
}

fn lake() -> Files<'static> {
    tree!("lake-network": "massdriver.yaml", "src/main.tf", "src/resources.tf", "src/_massdriver_variables.tf",
        "src/modules/naming/main.tf")
}

fn read(files: &Files<'_>) -> PluginFolder {
    plugin_folder(files).unwrap_or_else(|problems| panic!("{}", told(&problems)))
}

fn one(folder: &PluginFolder) -> &Plugin {
    let [plugin] = &folder.plugins[..] else { panic!("{} plugins", folder.plugins.len()) };
    plugin
}

fn bundle(plugin: &Plugin) -> &Bundle {
    let Some(Foreign::Massdriver(bundle)) = &plugin.foreign else { panic!("no bundle") };
    bundle
}

/// Problems as people see them, without their surroundings.
fn told(problems: &Problems) -> String {
    let line = |problem: &crate::domain::diagnostic::Diagnostic| {
        let at = match &problem.origin {
            Some(origin) => match &origin.at {
                crate::domain::diagnostic::Spot::Pointer(pointer) => pointer.to_string(),
                _ => String::new(),
            },
            None => String::new(),
        };
        let help: String = problem.help.iter().map(|help| format!(" [{help}]")).collect();
        format!("{at}: {}{help}", problem.message)
    };
    problems.0.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn yaml(value: &impl serde::Serialize) -> String {
    serde_yaml::to_string(value).unwrap()
}

fn problems(document: &str, further: &[(&str, &str)]) -> String {
    let mut files: Files<'_> = further.iter().map(|(path, text)| (*path, text.as_bytes())).collect();
    files.insert("massdriver.yaml", document.as_bytes());
    match plugin_folder(&files) {
        Ok(_) => String::new(),
        Err(problems) => told(&problems),
    }
}

#[test]
fn params_become_the_schema_of_inputs() {
    let folder = read(&lake());
    let plugin = one(&folder);
    assert_eq!((plugin.name.as_str(), plugin.version.to_string().as_str()), ("lake-network", "2.3.0"));
    assert_eq!(plugin.module(), Some("src"));
    insta::assert_snapshot!(yaml(&plugin.inputs), @r#"
    $defs:
      region:
        default: north
        enum:
        - north
        - south
        type: string
    additionalProperties: false
    dependentRequired:
      hub_segment:
      - region
    dependentSchemas:
      mirroring:
        oneOf:
        - properties:
            mirroring:
              const: false
        - properties:
            mirror_days:
              default: 7
              minimum: 1
              type: integer
            mirroring:
              const: true
          required:
          - mirror_days
    properties:
      hub_segment:
        $md.enum:
          connection: hub_account
          label: .name
          options: .segments
          value: .id
        type: string
      limits:
        items: false
        prefixItems:
        - type: integer
        - type: integer
        type: array
      mirror_days: {}
      mirroring:
        default: false
        type: boolean
      placement:
        properties:
          owner:
            $md.copyable: false
            type: string
          spread:
            default: false
            type: boolean
          tier:
            $md.immutable: true
            default: silver
            enum:
            - silver
            - gold
            type: string
        type: object
      preset:
        description: Which of the bundle's presets stands in for what is not given.
        enum:
        - Small
        - Wide
        type: string
      range:
        $md.immutable: true
        pattern: ^[0-9./]+$
        title: Address range
        type: string
      region:
        $ref: '#/$defs/region'
      segments:
        items:
          properties:
            label:
              $md.immutable: true
              type: string
            open:
              default: false
              type: boolean
          type: object
        type: array
      zones:
        default: 2
        maximum: 3
        minimum: 1
        type: integer
    required:
    - range
    - zones
    type: object
    "#);
    insta::assert_snapshot!(told(&folder.warnings), @r#"
    steps[0].config.checkov: Checkov is not run [write what must hold as policies of the context, which see every plan, or run Checkov in the workflow]
    steps[0]: the alarm `massdriver_instance_alarm.egress` is left out: it goes to Massdriver [send alarms where your people look, with resources of your cloud's provider]
    steps[0]: the alarm `massdriver_instance_alarm.unused` is left out: it goes to Massdriver [send alarms where your people look, with resources of your cloud's provider]
    "#);
    assert!(folder.warnings.0.iter().all(|warning| warning.severity == Severity::Warning));
}

#[test]
fn annotations_and_presets_are_kept_beside_the_plugin() {
    let folder = read(&lake());
    let bundle = bundle(one(&folder));
    insta::assert_debug_snapshot!((&bundle.immutable, &bundle.not_copyable, &bundle.choices), @r#"
    (
        [
            [
                "placement",
                "tier",
            ],
            [
                "range",
            ],
            [
                "segments",
                "[]",
                "label",
            ],
        ],
        [
            [
                "placement",
                "owner",
            ],
        ],
        [
            Choice {
                path: [
                    "hub_segment",
                ],
                slot: SlotName(
                    "hub-account",
                ),
                options: ".segments",
                value: Some(
                    ".id",
                ),
            },
        ],
    )
    "#);
    insta::assert_snapshot!(yaml(&bundle.presets), @r#"
    Small:
      mirroring: false
      range: 10.40.0.0/20
      zones: 1
    Wide:
      mirror_days: 14
      mirroring: true
      placement:
        tier: gold
      range: 10.64.0.0/14
      zones: 3
    "#);
    insta::assert_debug_snapshot!(bundle.variables, @r#"
    {
        "cloud_account",
        "hub_account",
        "hub_segment",
        "limits",
        "md_metadata",
        "mirror_days",
        "mirroring",
        "placement",
        "preset",
        "range",
        "region",
        "segments",
        "zones",
    }
    "#);
}

#[test]
fn connections_become_slots_with_what_the_module_uses_of_them() {
    let folder = read(&lake());
    let plugin = one(&folder);
    let slots: BTreeMap<&str, String> = plugin
        .requires
        .iter()
        .map(|(name, slot)| {
            (name.as_str(), format!("{} optional: {} {:?} {:?}", slot.type_name, slot.optional, slot.uses, slot.constraint))
        })
        .collect();
    insta::assert_snapshot!(yaml(&slots), @r#"
    cloud-account: 'cloud-account optional: false Named({AttributeName("data")}) None'
    hub-account: 'hub-network optional: true Named({AttributeName("id")}) Some(Object {"properties": Object {"generation": Object {"const": String("v2")}, "region": Object {"enum": Array [String("north"), String("south")]}}, "type": String("object")})'
    "#);
    insta::assert_snapshot!(yaml(&plugin.generates), @r#"
    network:
      type: lake-network-type
      from:
        access: artifact_network_access
        id: artifact_network_id
        range: artifact_network_range
        segments: artifact_network_segments
    "#);
}

#[test]
fn the_older_form_is_read_too() {
    let files = tree!("orders-database": "massdriver.yaml", "types/size.json", "types/backup-store.json", "src/main.tf",
        "src/_artifacts.tf", "src/alarms.tf");
    let folder = read(&files);
    let plugin = one(&folder);
    assert_eq!(plugin.version.to_string(), "0.0.0");
    insta::assert_snapshot!(yaml(&plugin.inputs["properties"]), @r#"
    copies:
      default: 1
    engine:
      properties:
        major:
          $md.immutable: true
          default: '16'
          enum:
          - '15'
          - '16'
          type: string
        size_gb:
          default: 20
          minimum: 10
          type: integer
      required:
      - major
      type: object
    "#);
    let types: Vec<String> =
        plugin.requires.iter().map(|(name, slot)| format!("{name}: {} {:?}", slot.type_name, slot.uses)).collect();
    insta::assert_snapshot!(types.join("\n"), @r#"
    aws-authentication: aws-iam-role Named({AttributeName("data")})
    backup-store: backup-store Named({})
    network: massdriver/aws-vpc Named({AttributeName("data"), AttributeName("specs")})
    "#);
    insta::assert_snapshot!(yaml(&plugin.generates), @r#"
    authentication:
      type: massdriver/postgresql-authentication
      from:
        data: artifact_authentication_data
        specs: artifact_authentication_specs
    "#);
    insta::assert_snapshot!(told(&folder.warnings), @r#"
    params.properties.copies.$ref: `https://schemas.example.test/types/copies.json` is not fetched: the value is not checked against it [put the schema into the bundle as a file, and refer to it by its path]
    steps[0]: `module.alarm_channel` and 1 more alarms are left out: they go to Massdriver [send alarms where your people look, with resources of your cloud's provider]
    artifacts.properties.replica: no step publishes the artifact `replica` [give the module of a step `output "artifact_replica" { value = {…} }`]
    "#);
    let [own] = &folder.types[..] else { panic!("{} types", folder.types.len()) };
    assert_eq!(own.name.as_str(), "backup-store");
}

#[test]
fn variables_and_secrets_of_an_application_are_read() {
    let files = tree!("events-queue": "massdriver.yaml", "src/main.tf", "src/artifact_queue.jq", "src/resource_dashboard.jq");
    let folder = read(&files);
    let plugin = one(&folder);
    assert_eq!(plugin.sensitive_inputs().iter().map(ToString::to_string).collect::<Vec<_>>(), ["SIGNING_KEY", "TRACE_CONFIG"]);
    assert_eq!(plugin.inputs["required"], json!(["SIGNING_KEY"]));
    assert_eq!(bundle(plugin).envs.keys().collect::<Vec<_>>(), ["PORT", "SOURCE", "TOPIC"]);
    insta::assert_snapshot!(yaml(&plugin.generates), @r#"
    dashboard:
      type: dashboard-type
      from:
        id: artifact_dashboard_id
        nodes: artifact_dashboard_nodes
    queue:
      type: queue-type
      from:
        data: artifact_queue_data
        specs: artifact_queue_specs
    "#);
    insta::assert_snapshot!(told(&folder.warnings), @r#"
    steps[0].config.ssh: `ssh` has no effect [give the runner what it needs to fetch private modules]
    app.policies: `app.policies` has no effect [grant them in the bundle's own module: the connection that has them is a variable of it]
    "#);
}

#[test]
fn each_step_is_a_plugin_and_generates_what_it_publishes() {
    let folder = read(&tree!("tenant-cluster": "massdriver.yaml", "base/main.tf", "addons/main.tf"));
    let steps: Vec<String> = folder
        .plugins
        .iter()
        .map(|plugin| {
            let terraform = plugin.terraform.as_ref().unwrap();
            let generated: Vec<String> =
                plugin.generates.iter().map(|(name, output)| format!("{name} {:?}", output.from)).collect();
            format!("{} keeps {:?} generates {}", terraform.module, terraform.keep_on_destroy, generated.join(", "))
        })
        .collect();
    insta::assert_snapshot!(steps.join("\n"), @r#"
    base keeps ["*"] generates registry {AttributeName("url"): "artifact_registry.url"}
    addons keeps [] generates kubernetes-cluster {AttributeName("authentication"): "artifact_kubernetes_cluster_authentication", AttributeName("namespace"): "artifact_kubernetes_cluster_namespace"}
    "#);
    assert_eq!(bundle(&folder.plugins[1]).steps, ["base", "addons"]);
    assert_eq!(folder.plugins[1].requires["network"].uses, Uses::All);
}

#[test]
fn a_chart_becomes_two_scripts() {
    let files = tree!("web-chart": "massdriver.yaml", "chart/Chart.yaml", "chart/values.yaml", "chart/templates/config.yaml",
        "chart/params.jq", "chart/resource_endpoint.jq");
    let folder = read(&files);
    let plugin = one(&folder);
    let steps = plugin.steps.as_ref().unwrap();
    let [create] = &steps.create[..] else { panic!() };
    let [delete] = &steps.delete[..] else { panic!() };
    assert!(plugin.terraform.is_none() && steps.runner.image.is_none());
    insta::assert_snapshot!(yaml(&create.inputs), @r#"
    - name: SESSION_KEY
      valueFromInput: true
      as:
        path: /massdriver/inputs/SESSION_KEY
    - name: foo
      valueFromInput: true
      as:
        path: /massdriver/inputs/foo
    - name: namespace
      valueFromInput: true
      as:
        path: /massdriver/inputs/namespace
    - name: replicas
      valueFromInput: true
      as:
        path: /massdriver/inputs/replicas
    - name: connection-database
      valueFromConnection: database
      as:
        path: /massdriver/connections/database
    - name: connection-kubernetes-cluster
      valueFromConnection: kubernetes-cluster
      as:
        path: /massdriver/connections/kubernetes_cluster
    "#);
    insta::assert_snapshot!(yaml(&create.outputs), @r#"
    - name: endpoint_api
      type: json
      valueFromPath: /massdriver/published/endpoint_api
      trim: true
    "#);
    insta::assert_snapshot!(yaml(&plugin.generates), @r#"
    endpoint:
      type: api
      from:
        api: install.endpoint_api
    "#);
    let settings: Vec<&str> = create
        .script
        .lines()
        .filter(|line| {
            line.starts_with("take")
                || line.starts_with("setting '")
                || line.starts_with("app_env '")
                || line.starts_with("publish '")
        })
        .collect();
    insta::assert_snapshot!(settings.join("\n"), @r#"
    take() {
    take secrets 'SESSION_KEY' text inputs/'SESSION_KEY'
    take params 'foo' value inputs/'foo'
    take params 'namespace' text inputs/'namespace'
    take params 'replicas' value inputs/'replicas'
    take connections 'database' value connections/'database'
    take connections 'kubernetes_cluster' value connections/'kubernetes_cluster'
    app_env 'LOG_LEVEL' '@text "info"'
    setting '["namespace"]' '.params.namespace'
    setting '["release_name"]' '@text "web"'
    setting '["timeout"]' '"10m"'
    publish 'endpoint' 'resource_endpoint.jq'
    "#);
    assert!(create.script.starts_with("#!/usr/bin/env bash\n") && create.script.contains("helm \"${arguments[@]}\""));
    assert!(delete.script.contains("helm uninstall \"$release\""));
}

/// A bundle that is sound but for what is added to it.
fn sound(added: &str) -> String {
    let fields =
        ["name: some-bundle", "params: {}", "connections: {}", "artifacts: {}", "steps: [{path: src, provisioner: terraform}]"];
    let kept: Vec<&str> = fields.into_iter().filter(|field| !added.contains(&field[..field.find(':').unwrap() + 1])).collect();
    format!("{}\n{added}\n", kept.join("\n"))
}

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
fn a_payload_that_cannot_be_seen_takes_the_attributes_of_its_type() {
    let module =
        ("src/main.tf", "module \"m\" {\n  source = \"./m\"\n}\noutput \"artifact_net\" {\n  value = module.m.payload\n}\n");
    let found = problems(&sound("artifacts: {required: [net], properties: {net: {$ref: net}}}"), &[module]);
    insta::assert_snapshot!(found, @"artifacts.properties.net: which attributes the artifact `net` has cannot be read from the module [write its value as an object, `{…}`, or put its resource type into the bundle and refer to it by its path]");
    let document = sound("artifacts: {required: [net], properties: {net: {$ref: ./net.yaml}}}");
    let files = BTreeMap::from([
        ("massdriver.yaml", document.as_bytes()),
        (module.0, module.1.as_bytes()),
        ("net.yaml", b"name: net\nlabel: Net\nschema: {properties: {id: {type: string}, data: {type: object}}}\n".as_slice()),
    ]);
    assert_eq!(json!(one(&read(&files)).generates)["net"]["from"], json!({"data": "artifact_net.data", "id": "artifact_net.id"}));
}

#[test]
fn resource_types_become_connection_interface_types() {
    let files: Files<'_> =
        tree!("types": "backup-vault.json", "parts/arn.json", "parts/path.json", "parts/zone.json", "ledger-database.yaml");
    let (vault, warnings) = connection_type_among("backup-vault.json", files["backup-vault.json"], &files).unwrap();
    assert_eq!(warnings, Problems::default());
    insta::assert_snapshot!(yaml(&vault), @r#"
    apiVersion: tieline/v1
    kind: ConnectionInterfaceType
    name: backup-vault
    version: 0.0.0
    description: Where copies are kept.
    orientation: environment-default
    attributes:
      description: Where copies are kept.
      properties:
        data:
          properties:
            infrastructure:
              oneOf:
              - $defs:
                  owner:
                    minLength: 1
                    type: string
                properties:
                  arn:
                    type: string
                  zone:
                    enum:
                    - north
                    - south
                    type: string
                required:
                - arn
                type: object
              - properties:
                  path:
                    type: string
                type: object
            owner:
              minLength: 1
              type: string
          type: object
          x-sensitive: true
        specs:
          properties:
            retention:
              properties:
                days:
                  type: integer
                seal:
                  $md.sensitive: true
                  type: string
                  x-sensitive: true
              type: object
          type: object
        zone:
          enum:
          - north
          - south
          type: string
      required:
      - data
      - specs
      title: Backup vault
      type: object
    "#);
    assert_eq!(vault.sensitive().iter().map(ToString::to_string).collect::<Vec<_>>(), ["data", "specs"]);
    let (ledger, _) = connection_type_among("context:types/ledger-database.yaml", files["ledger-database.yaml"], &files).unwrap();
    assert_eq!(ledger.sensitive().iter().map(ToString::to_string).collect::<Vec<_>>(), ["auth", "token"]);
    insta::assert_snapshot!(yaml(&ledger), @r#"
    apiVersion: tieline/v1
    kind: ConnectionInterfaceType
    name: ledger-database
    version: 0.0.0
    description: A database that only grows.
    orientation: link
    attributes:
      additionalProperties: false
      description: A database that only grows.
      properties:
        auth:
          properties:
            hostname:
              type: string
            password:
              $md.copyable: false
              $md.sensitive: true
              type: string
              x-sensitive: true
            port:
              default: 5432
              type: integer
          required:
          - hostname
          - password
          type: object
        id:
          type: string
        token:
          $md:
            sensitive: true
          type: string
          x-sensitive: true
      required:
      - auth
      - id
      title: Ledger database
      type: object
    "#);
}

#[test]
fn references_of_a_resource_type_need_their_files() {
    let text = fixture!("types/backup-vault.json");
    let problems = connection_type_among("types/backup-vault.json", text, &Files::new()).unwrap_err();
    insta::assert_snapshot!(told(&problems), @r#"
    properties.data.properties.infrastructure.oneOf[0].$ref: there is no `./parts/arn.json` [put the file where the reference leads, or write the schema in its place]
    properties.data.properties.infrastructure.oneOf[1].$ref: there is no `./parts/path.json` [put the file where the reference leads, or write the schema in its place]
    properties.data.properties.owner.$ref: there is no `./parts/arn.json#/definitions/owner` [put the file where the reference leads, or write the schema in its place]
    properties.zone.$ref: there is no `./parts/zone.json` [put the file where the reference leads, or write the schema in its place]
    "#);
    let circle: Files<'_> = BTreeMap::from([
        ("a.json", br#"{"properties": {"x": {"$ref": "b.json"}}}"#.as_slice()),
        ("b.json", br#"{"properties": {"y": {"$ref": "b.json"}}}"#.as_slice()),
    ]);
    let looping = br#"{"$md": {"name": "a"}, "properties": {"x": {"$ref": "b.json"}}}"#;
    insta::assert_snapshot!(told(&connection_type_among("a.json", looping, &circle).unwrap_err()), @"properties.x: the schema is too large, or refers to itself");
}

#[test]
fn previews_of_both_generations_become_the_preview_part_of_a_manifest() {
    let (older, warnings) = massdriver_preview("preview.json", fixture!("previews/preview.json")).unwrap_err_or_ok();
    insta::assert_snapshot!(older, @"");
    insta::assert_snapshot!(warnings, @"packages.web.version: a version does not say where the plugin comes from [write the whole source in the manifest: `preview.plugins.<alias>.use: <name>@<range>`]");
    let (newer, warnings) = massdriver_preview("preview.yaml", fixture!("previews/preview.yaml")).unwrap_err_or_ok();
    insta::assert_snapshot!(newer, @"");
    insta::assert_snapshot!(warnings, @"instances.web.version: a version does not say where the plugin comes from [write the whole source in the manifest: `preview.plugins.<alias>.use: <name>@<range>`]");
}

trait Either {
    fn unwrap_err_or_ok(self) -> (String, String);
}

impl Either for Result<(crate::domain::manifest::PreviewPart, Problems), Problems> {
    fn unwrap_err_or_ok(self) -> (String, String) {
        match self {
            Ok((part, warnings)) => (serde_json::to_string_pretty(&part).unwrap(), told(&warnings)),
            Err(problems) => (String::new(), told(&problems)),
        }
    }
}

#[test]
fn previews_hold_no_secrets_and_no_variables_of_a_process() {
    let document = r#"
project: shop
baseEnvironment: Staging!
copySecrets: true
copyEnvironmentDefaults: false
environmentDefaults: [{resourceType: cluster, resourceId: shared-prod-k8s.cluster}]
attributes: {a: b}
other: 1
instances:
  web:
    version: ~1.2
    params: {host: "app-pr${PR}.example.test", list: ["$NAME"], price: "5$"}
    secrets: [{name: KEY, value: hunter2}]
    remoteReferences: [{resourceId: 6f9d1f4e-0000-4000-8000-000000000001, field: db}]
  Not_One: {}
"#;
    let problems = massdriver_preview("preview.yaml", document.as_bytes()).unwrap_err();
    insta::assert_snapshot!(told(&problems), @r#"
    baseEnvironment: `Staging!` is not a valid environment name: use 1 to 63 lower-case letters, digits and `-`, starting with a letter
    copySecrets: secrets of the base are not copied: they are kept nowhere [hand the preview's runs their secrets through the action's input `secrets`]
    environmentDefaults: a preview has the defaults of its base, and no others [refer to the connection for each slot: `references: {<alias>.<slot>: <address>}`]
    instances.web.version: a version does not say where the plugin comes from [write the whole source in the manifest: `preview.plugins.<alias>.use: <name>@<range>`]
    instances.web.params.host: `app-pr${PR}.example.test` names a variable of the process, which is not put in here [hand the value to the run as an input, or write `{{…}}` of the pull request in the manifest's own preview part]
    instances.web.params.list[0]: `$NAME` names a variable of the process, which is not put in here [hand the value to the run as an input, or write `{{…}}` of the pull request in the manifest's own preview part]
    instances.web.secrets: secrets do not stand in a document [take them out, give the secret a new value, and hand it to the run through the action's input `secrets`]
    instances.web.remoteReferences[0].resourceId: `6f9d1f4e-0000-4000-8000-000000000001` is known to Massdriver alone [write the connection's address in the manifest's own preview part; one that nobody here publishes is first imported as `imported/<name>`]
    instances.Not_One: `Not_One` is not a valid alias: use 1 to 63 lower-case letters, digits and `-`, starting with a letter
    "#);
    assert!(!told(&problems).contains("hunter2"));
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
