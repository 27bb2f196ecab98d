//! Input layers and limits.

use super::*;
use crate::domain::deployment::Layer;
use crate::domain::organization::Environment;

const SIZED: &str = "inputs: {type: object, additionalProperties: false, properties: {size: {type: string, enum: [plugin, workspace, environment, manifest, overlay, run]}, name: {type: string}}}";

fn sized(plugins: &str) -> Case {
    let mut case = case(plugins);
    case.add_plugin("app", &SIZED.replace("size: {", "size: {default: plugin, "));
    case
}

fn secret(name: &str) -> AliasMember<InputName> {
    name.parse().unwrap()
}

#[test]
fn each_layer_covers_the_weaker_ones() {
    let mut case = sized("  app: {use: ./app}\n");
    let check = |case: &Case, layer: Layer, value: &str, covered: usize| {
        let resolved = case.resolved();
        let input = input(&resolved, "app", "size");
        assert_eq!((input.layer, plain(&input.value), input.covered.len()), (layer, &json!(value), covered));
    };
    check(&case, Layer::PluginDefault, "plugin", 0);
    case.workspace += "values: {size: workspace}\n";
    check(&case, Layer::Workspace, "workspace", 1);
    case.environment += "values: {size: environment}\n";
    check(&case, Layer::Environment, "environment", 2);
    case.manifest = sized("  app: {use: ./app, inputs: {size: manifest}}\n").manifest;
    check(&case, Layer::Manifest, "manifest", 3);
    case.manifest += "environments: {staging: {plugins: {app: {inputs: {size: overlay}}}}}\n";
    check(&case, Layer::EnvironmentOverlay, "overlay", 4);
    case.run_inputs.insert(secret("app.size"), json!("run"));
    check(&case, Layer::Run, "run", 5);
    let covered: Vec<Layer> = input(&case.resolved(), "app", "size").covered.iter().map(|(layer, _)| *layer).collect();
    assert_eq!(covered, [Layer::EnvironmentOverlay, Layer::Manifest, Layer::Environment, Layer::Workspace, Layer::PluginDefault]);
}

#[test]
fn null_in_an_overlay_takes_the_manifests_value_away() {
    let mut case = sized("  app: {use: ./app, inputs: {size: manifest}}\n");
    case.manifest += "environments: {staging: {plugins: {app: {inputs: {size: null}}}}}\n";
    assert_eq!(input(&case.resolved(), "app", "size").layer, Layer::PluginDefault);
}

#[test]
fn values_of_workspace_and_environment_go_only_where_there_is_such_an_input() {
    let mut case = sized("  app: {use: ./app}\n  vpc: {use: ./vpc}\n");
    case.workspace += "values: {size: workspace, other: 1}\n";
    assert!(case.resolved().deployment.plugins["vpc"].inputs.is_empty());
}

#[test]
fn an_unknown_input_names_the_nearest() {
    let mut case = sized("  app: {use: ./app, inputs: {siez: manifest}}\n");
    assert_says(
        &case.refused(),
        &["`app` has no input `siez`", "at tieline.yaml plugins.app.inputs.siez", "did you mean `size`?"],
    );
    case.manifest = sized("  app: {use: ./app}\n").manifest;
    case.run_inputs.insert(secret("app.siez"), json!(1));
    case.run_inputs.insert(secret("ap.size"), json!(1));
    assert_says(
        &case.refused(),
        &["error[invalid-input]", "`app` has no such input", "did you mean `size`?", "did you mean `app`?"],
    );
}

#[test]
fn a_value_against_the_schema_is_shown_where_it_was_written() {
    let mut case = sized("  app: {use: ./app, inputs: {size: huge}}\n");
    assert_says(
        &case.refused(),
        &["error[invalid-document]: input `size` of `app`: \"huge\" is not one of", "at tieline.yaml plugins.app.inputs.size"],
    );
    case.manifest += "environments: {staging: {plugins: {app: {inputs: {size: vast}}}}}\n";
    assert_says(&case.refused(), &["\"vast\" is not one of", "at tieline.yaml environments.staging.plugins.app.inputs.size"]);
    case.manifest = sized("  app: {use: ./app}\n").manifest;
    case.environment += "values: {size: wide}\n";
    assert_says(&case.refused(), &["at context:workspaces/retail/environments/staging.yaml values.size"]);
    case.run_inputs.insert(secret("app.size"), json!(1));
    assert_says(&case.refused(), &["error[invalid-input]: input `size` of `app`"]);
}

#[test]
fn a_missing_input_is_named() {
    let mut case = sized("  app: {use: ./app}\n");
    case.add_plugin("app", &format!("{}, required: [name]}}", SIZED.strip_suffix('}').unwrap()));
    assert_says(
        &case.refused(),
        &["`app` needs the input `name`", "at tieline.yaml plugins.app", "add it under `plugins.app.inputs`"],
    );
    assert_eq!(case.declared(), "", "it may still come from elsewhere");
}

fn guarded(plugins: &str) -> Case {
    let mut case = case(plugins);
    case.add_plugin("app", "inputs: {type: object, additionalProperties: false, required: [password], properties: {password: {type: string, minLength: 40, x-sensitive: true}, size: {type: string}}}");
    case
}

#[test]
fn r56_a_required_sensitive_input_comes_through_secrets() {
    let mut case = guarded("  app: {use: ./app}\n");
    assert_says(
        &case.refused(),
        &[
            "error[invalid-input]: `app` needs the sensitive input `password`",
            "give it through `secrets`: `app.password: <value>`",
        ],
    );
    case.secrets.insert(secret("app.password"));
    assert_eq!(input(&case.resolved(), "app", "password").value, InputValue::Sensitive);
}

#[test]
fn sensitive_inputs_in_documents_are_refused_and_never_echoed() {
    let mut case = guarded("  app: {use: ./app, inputs: {password: hunter2}}\n");
    case.secrets.insert(secret("app.password"));
    case.manifest += "environments: {staging: {plugins: {app: {inputs: {password: hunter2}}}}}\n";
    case.workspace += "values: {password: hunter2}\n";
    case.environment += "values: {password: hunter2}\n";
    case.run_inputs.insert(secret("app.password"), json!("hunter2"));
    let refused = case.refused();
    assert_eq!(refused.matches("`app.password` is sensitive").count(), 5);
    assert!(!refused.contains("hunter2"), "{refused}");
    assert!(!case.declared().contains("hunter2"));
}

#[test]
fn a_secret_for_nothing_is_refused() {
    let mut case = guarded("  app: {use: ./app}\n");
    case.secrets.extend([secret("app.password"), secret("app.pasword"), secret("app.size")]);
    assert_says(
        &case.refused(),
        &["did you mean `password`?", "`app.size` was given through `secrets`, but it is not a sensitive input"],
    );
}

#[test]
fn limits_are_kept() {
    let mut case = case("  a: {use: ./vpc}\n  b: {use: ./vpc}\n");
    case.workspace += "limits: {max-plugins: 1}\n";
    case.limits.max_plugins = Some(1);
    let refused = case.refused();
    assert_says(
        &refused,
        &["error[limit-exceeded]: 2 applied plugins are more than workspace `retail` allows", "the organization allows"],
    );
    case.limits.max_plugins = None;
    case.workspace = super::case("").workspace;
    assert!(case.resolve().is_ok());
    case.add_plugin("vpc", "limits: {single-use: true}");
    assert_says(
        &case.refused(),
        &["the plugin `vpc` may be used only once: `a` uses it already", "at tieline.yaml plugins.b.use"],
    );
}

#[test]
fn explain_says_where_everything_came_from() {
    let mut case = guarded(
        "  app: {use: ./app, inputs: {size: small}}\n  db: {use: ./postgres}\n  web: {use: ./web, connections: {database: db.db}}\n",
    );
    case.secrets.insert(secret("app.password"));
    case.environment += "values: {size: large}\n";
    let text = super::super::to_text(&super::super::explain(&case.resolved().deployment));
    assert_eq!(
        text,
        r#"app
  input password = (sensitive) (secrets)
  input size = "small" (manifest)
    environment values: "large"
web
  slot database = db.db (link)
    reference: no `web.database` under `environments.staging.references`
    link db.db: taken
    environment default for this slot: no `postgres-conn:database` under `defaults` of environment `staging`
    environment default: no `postgres-conn` under `defaults` of environment `staging`
"#
    );
}

#[test]
fn wanted_names_every_address_of_elsewhere() {
    let mut case = case(
        "  db: {use: ./postgres}\n  web: {use: ./web, connections: {database: db.db}}\n  jobs: {use: ./web, connections: {database: data/a.main}}\n",
    );
    case.manifest += "environments: {staging: {references: {web.database: b/production/data/b.main}, stand-ins: {db.db: imported/c}}, production: {references: {web.database: x/x.x}}}\n";
    case.environment += "defaults: {vpc-conn: net/d.vpc, postgres-conn: shop/db.db}\n";
    let environment: Environment = yaml(&case.environment);
    let wanted = super::super::wanted(&yaml(&case.manifest), &environment, &place(), None);
    assert_eq!(
        wanted.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["b/production/data/b.main", "retail/staging/data/a.main", "retail/staging/net/d.vpc", "retail/staging/imported/c"]
    );
}
