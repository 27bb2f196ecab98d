//! `app`: variables, secrets and policies of an application.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{entries, text};
use crate::documents::finding::Finding;
use crate::documents::tree::Files;
use crate::domain::bundle::program;
use crate::domain::diagnostic::Pointer;
use crate::domain::names::InputName;

/// What `app` is read into.
#[derive(Default)]
pub(super) struct App {
    pub(super) envs: BTreeMap<String, String>,
    /// Names of secrets to the schemas of their inputs.
    pub(super) secrets: BTreeMap<String, Value>,
    /// Those of them that must be given.
    pub(super) required: Vec<String>,
    pub(super) findings: Vec<Finding>,
    pub(super) warnings: Vec<Finding>,
}

/// Reads `app`.
pub(super) fn app(document: &Value) -> App {
    let mut app = App::default();
    let Some(written) = document.get("app") else { return app };
    for (name, expression) in entries(written, "envs") {
        let at = Pointer::keys(["app", "envs", name]);
        match expression.as_str().map(|expression| (expression, program::parse(expression))) {
            Some((expression, Ok(_))) => _ = app.envs.insert(name.clone(), expression.to_owned()),
            Some((_, Err(why))) => {
                app.findings.push(Finding::new(at, why).help("write a jq program, such as `.params.port | tostring`"))
            }
            None => app.findings.push(Finding::new(at, "this must be a jq program: a text")),
        }
    }
    for (name, secret) in entries(written, "secrets") {
        let at = Pointer::keys(["app", "secrets", name]);
        if let Err(error) = InputName::new(name.as_str()) {
            app.findings.push(Finding::new(at.at_key(), error.to_string()));
            continue;
        }
        app.secrets.insert(name.clone(), schema(secret));
        if secret.get("required") == Some(&Value::Bool(true)) {
            app.required.push(name.clone());
        }
    }
    if written.get("policies").and_then(Value::as_array).is_some_and(|policies| !policies.is_empty()) {
        app.warnings.push(
            Finding::new(Pointer::keys(["app", "policies"]).at_key(), "`app.policies` has no effect")
                .note("a module of the vendor grants them from inside of Massdriver")
                .help("grant them in the bundle's own module: the connection that has them is a variable of it"),
        );
    }
    for name in written.as_object().into_iter().flat_map(Map::keys) {
        if !matches!(name.as_str(), "envs" | "secrets" | "policies") {
            app.warnings.push(Finding::new(
                Pointer::keys(["app", name]).at_key(),
                format!("`app.{name}` is not known, and has no effect"),
            ));
        }
    }
    app
}

/// What reaches no step: Massdriver would have put it into a file beside the module.
pub(super) fn warn_of_untaken<'a>(
    document: &Value,
    taken: impl Iterator<Item = Option<&'a BTreeSet<String>>>,
    files: &Files<'_>,
    warnings: &mut Vec<Finding>,
) {
    // A step without such names is handed everything.
    let Some(taken) = taken.collect::<Option<Vec<_>>>() else { return };
    let Some(app) = document.get("app") else { return };
    for (name, _) in entries(app, "secrets").filter(|(name, _)| taken.iter().all(|names| !names.contains(*name))) {
        let at = Pointer::keys(["app", "secrets", name]).at_key();
        let finding = Finding::new(at, format!("no module takes the secret `{name}`"));
        warnings.push(finding.help(format!("declare `variable \"{name}\"` in the module that needs it, and use it there")));
    }
    let mapped = files.iter().any(|(path, text)| path.ends_with(".jq") && String::from_utf8_lossy(text).contains(".envs"));
    if !mapped && entries(app, "envs").next().is_some() {
        let finding = Finding::new(Pointer::keys(["app", "envs"]).at_key(), "no step takes `app.envs`");
        warnings.push(
            finding.help("make the variables of the application in the module: params and connections are variables of it"),
        );
    }
}

fn schema(secret: &Value) -> Value {
    let mut schema = Map::from_iter([("type".to_owned(), json!("string")), ("x-sensitive".to_owned(), json!(true))]);
    for field in ["title", "description"] {
        let text = text(secret, field);
        if !text.is_empty() {
            schema.insert(field.to_owned(), Value::String(text));
        }
    }
    if secret.get("json") == Some(&Value::Bool(true)) {
        schema.insert("contentMediaType".to_owned(), json!("application/json"));
    }
    Value::Object(schema)
}
