//! What bundles are given.

use super::*;

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
    app.secrets.TRACE_CONFIG: no module takes the secret `TRACE_CONFIG` [declare `variable "TRACE_CONFIG"` in the module that needs it, and use it there]
    "#);
}
