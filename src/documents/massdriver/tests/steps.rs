//! What the steps of bundles become.

use super::*;

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
            line.starts_with("take ")
                || line.starts_with("setting '")
                || line.starts_with("app_env '")
                || line.starts_with("publish '")
        })
        .collect();
    insta::assert_snapshot!(settings.join("\n"), @r#"
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
