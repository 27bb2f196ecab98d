//! `steps`: which of a bundle's folders are applied, with what, in which order.

use serde_json::{Value, json};

use super::text;
use crate::documents::finding::Finding;
use crate::domain::diagnostic::Pointer;

/// What applies a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    /// Terraform, or OpenTofu.
    Terraform,
    /// Helm.
    Helm,
}

/// A step of a bundle.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    /// Its folder.
    pub(super) path: String,
    pub(super) tool: Tool,
    /// Whether a destroy leaves what it made.
    pub(super) kept: bool,
    /// Settings of the tool: texts are jq programs.
    pub(super) config: Value,
    pub(super) at: Pointer,
}

/// Reads `steps`; a bundle without has one, in `src`.
pub(super) fn steps(document: &Value, findings: &mut Vec<Finding>, warnings: &mut Vec<Finding>) -> Vec<Step> {
    let at = Pointer::keys(["steps"]);
    let written = match document.get("steps") {
        None | Some(Value::Null) => vec![json!({"path": "src", "provisioner": "terraform"})],
        Some(Value::Array(steps)) if steps.is_empty() => vec![json!({"path": "src", "provisioner": "terraform"})],
        Some(Value::Array(steps)) => steps.clone(),
        Some(_) => {
            findings.push(Finding::new(at, "`steps` must be a list"));
            return Vec::new();
        }
    };
    let mut steps: Vec<Step> = Vec::new();
    for (index, written) in written.iter().enumerate() {
        let at = at.clone().index(index);
        let Some(step) = step(written, &at, findings) else { continue };
        if steps.iter().any(|known| known.path == step.path) {
            findings.push(Finding::new(at.clone().key("path"), format!("there are two steps in `{}`", step.path)));
        }
        if step.tool == Tool::Terraform {
            warn_of_config(&step, warnings);
        }
        steps.push(step);
    }
    steps
}

fn step(written: &Value, at: &Pointer, findings: &mut Vec<Finding>) -> Option<Step> {
    let path = text(written, "path");
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !path.starts_with(|c: char| c.is_ascii_alphanumeric()) || !path.chars().all(plain) {
        findings.push(
            Finding::new(at.clone().key("path"), format!("`{path}` is not the folder of a step"))
                .help("write the name of one folder of the bundle, such as `src`"),
        );
        return None;
    }
    let provisioner = text(written, "provisioner");
    let tool = match tool(&provisioner) {
        Ok(tool) => tool,
        Err((why, help)) => {
            let message = format!("the provisioner `{provisioner}` is not supported: {why}");
            findings.push(Finding::new(at.clone().key("provisioner"), message).label("not supported").help(help));
            return None;
        }
    };
    let kept = written.get("skip_on_delete") == Some(&Value::Bool(true));
    let config = written.get("config").cloned().unwrap_or(Value::Null);
    Some(Step { path, tool, kept, config, at: at.clone() })
}

fn tool(provisioner: &str) -> Result<Tool, (&'static str, &'static str)> {
    let name = provisioner.split(':').next().unwrap_or_default();
    let name = name
        .strip_prefix("massdriver/provisioner-")
        .or_else(|| name.strip_prefix("massdrivercloud/provisioner-"))
        .unwrap_or(name);
    match name {
        "" | "terraform" | "opentofu" => Ok(Tool::Terraform),
        "helm" => Ok(Tool::Helm),
        "bicep" => Err((
            "it runs Azure's own deployments, which have no state here to plan against and to destroy from",
            "write the step as a Terraform module, for example with `azapi_resource`",
        )),
        _ => Err((
            "it is an image for a Massdriver of your own, and its contract with it is not known",
            "write the step as a Terraform module, or as the steps of a plugin with this image as their runner",
        )),
    }
}

/// Settings that people may rely on.
fn warn_of_config(step: &Step, warnings: &mut Vec<Finding>) {
    for (name, value) in step.config.as_object().into_iter().flatten() {
        let at = step.at.clone().key("config").key(name).at_key();
        let warning = match name.as_str() {
            "json" | "log_level" => continue,
            "checkov" if value.get("enable") == Some(&Value::Bool(false)) => continue,
            "checkov" => Finding::new(at, "Checkov is not run")
                .note("with `halt_on_failure` a finding would have stopped the deploy")
                .help("write what must hold as policies of the context, which see every plan, or run Checkov in the workflow"),
            "ssh" => Finding::new(at, "`ssh` has no effect").help("give the runner what it needs to fetch private modules"),
            _ => Finding::new(at, format!("the setting `{name}` has no effect")),
        };
        warnings.push(warning);
    }
}
