//! The scripts: what is the same in all of them is in files beside this one.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Chart, chart};
use crate::documents::finding::Finding;
use crate::documents::tree::Files;
use crate::domain::bundle::program;
use crate::domain::diagnostic::Pointer;

const PRELUDE: &str = include_str!("prelude.sh");
const INSTALL: &str = include_str!("install.sh");
const UNINSTALL: &str = include_str!("uninstall.sh");

/// The script that installs.
pub(super) fn install(chart: &Chart<'_>, programs: &BTreeMap<String, String>, files: &Files<'_>) -> Result<String, Finding> {
    let mut script = format!("{PRELUDE}{}{}", handed(chart), settings(chart)?);
    script.push_str(&chart::written(chart.step, files)?);
    script.push_str(INSTALL);
    let folder = format!("{}/", chart.step.path);
    for (field, path) in programs {
        let attributes: Vec<&String> = chart
            .outputs
            .values()
            .flat_map(|output| output.from.values())
            .filter(|path| path.split_once('.').is_some_and(|(_, name)| name.starts_with(&format!("{field}_"))))
            .collect();
        if attributes.is_empty() {
            continue;
        }
        script.push_str(&format!("publish {} {}\n", quoted(field), quoted(path.trim_start_matches(&folder))));
    }
    Ok(script)
}

/// The script that takes away.
pub(super) fn uninstall(chart: &Chart<'_>) -> Result<String, Finding> {
    Ok(format!("{PRELUDE}{}{}{UNINSTALL}", handed(chart), settings(chart)?))
}

/// Lines that take up what the script is handed.
fn handed(chart: &Chart<'_>) -> String {
    // Several steps are applied under aliases that end in the step's name.
    let slug = chart.step.path.to_lowercase().replace('_', "-");
    let mut lines = format!("\n# What the bundle was given.\nabout {}\n", quoted(&slug));
    for (name, schema) in chart.inputs() {
        let kind = if schema.get("type") == Some(&json!("string")) { "text" } else { "value" };
        let place = if schema.get("x-sensitive") == Some(&Value::Bool(true)) { "secrets" } else { "params" };
        lines.push_str(&format!("take {place} {} {kind} inputs/{}\n", quoted(name), quoted(name)));
    }
    for connection in chart.connections {
        let name = quoted(&connection.name);
        lines.push_str(&format!("take connections {name} value connections/{name}\n"));
    }
    for (name, expression) in chart.envs {
        lines.push_str(&format!("app_env {} {}\n", quoted(name), quoted(expression)));
    }
    lines
}

/// Lines that evaluate the step's settings.
fn settings(chart: &Chart<'_>) -> Result<String, Finding> {
    let mut lines = String::from("\n# The settings of the step.\n");
    let at = chart.step.at.clone().key("config");
    setting(&chart.step.config, &mut Vec::new(), &at, &mut lines)?;
    lines.push('\n');
    Ok(lines)
}

fn setting(value: &Value, way: &mut Vec<String>, at: &Pointer, lines: &mut String) -> Result<(), Finding> {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                way.push(name.clone());
                setting(value, way, &at.clone().key(name), lines)?;
                way.pop();
            }
        }
        Value::Null => {}
        Value::String(expression) => {
            program::parse(expression)
                .map_err(|why| Finding::new(at.clone(), why).help("settings are jq programs: write a text as `@text \"…\"`"))?;
            lines.push_str(&format!("setting {} {}\n", quoted(&json!(way).to_string()), quoted(expression)));
        }
        other => lines.push_str(&format!("setting {} {}\n", quoted(&json!(way).to_string()), quoted(&other.to_string()))),
    }
    Ok(())
}

/// A text as one word of a shell, whatever is in it.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
