//! What a plugin is as a whole: whether there is anything of it to deploy, and what of it has no effect.

use serde_json::Value;

use super::fields::{Fields, Report};
use crate::documents::finding::Finding;
use crate::documents::tree::Files;
use crate::domain::diagnostic::Pointer;
use crate::domain::foreign::InputKind;

/// The folder of the templates that make up the module.
pub(super) const FOLDER: &str = "templates-deploy";

pub(super) fn without_envelope() -> Finding {
    Finding::new(Pointer::default(), "this is a StackSpot plugin of the time before `schema-version`, which is not read")
        .label("no `kind`, no `spec`")
        .help("bring it to schema v2 or v3: `schema-version`, `kind: plugin`, `metadata` and `spec`, with its Terraform in `templates-deploy/`")
}

/// A plugin that is not deployed at all, or that does not say what it is.
pub(super) fn other_type(root: &Fields<'_>, spec: &Fields<'_>) -> Option<Finding> {
    let kind = root.get("kind").and_then(Value::as_str).and_then(|kind| kind.strip_suffix("-plugin"));
    let written = spec.get("type").and_then(Value::as_str).or(kind.map(|kind| if kind == "runtime" { "infra" } else { kind }));
    let at = spec.place("type");
    match written {
        Some("infra") => None,
        Some("app") => Some(
            Finding::new(at, "this is a StackSpot plugin of type `app`, which plays no part in a deploy")
                .label("writes source files, makes no infrastructure")
                .note(
                    "it writes into a repository once, when `stk apply plugin` is run there; what it wrote is in the repository",
                )
                .help("take it out of the manifest"),
        ),
        Some(other) => Some(Finding::new(at, format!("`{other}` is not a type of StackSpot plugins")).help("write `infra`")),
        None => Some(Finding::new(spec.at.clone(), "`spec` does not say its `type`").help("write `type: infra`")),
    }
}

pub(super) fn check_templates(files: &Files<'_>, spec: &Fields<'_>, report: &mut Report) {
    let own: Vec<&str> = files.keys().filter_map(|path| path.strip_prefix(FOLDER)?.strip_prefix('/')).collect();
    let hooks = spec.get("hooks").is_some() && !spec.list("hooks").is_empty();
    let at = spec.place("hooks").at_key();
    if own.is_empty() {
        let finding = if hooks {
            Finding::new(at, "the plugin consists of hooks, and those play no part in a deploy")
                .note("hooks run once, on the machine of whoever runs `stk apply plugin`")
        } else {
            Finding::new(spec.at.clone(), format!("the plugin has no files in `{FOLDER}/`, so there is nothing to deploy"))
        };
        report.refuse(finding.help(format!("put its Terraform into `{FOLDER}/`, or take the plugin out of the manifest")));
        return;
    }
    if hooks {
        let finding =
            Finding::new(at, "`hooks` run when `stk apply plugin` does, and play no part in a deploy").label("no effect");
        report.warn(finding.note(format!("what is in `{FOLDER}/` is deployed as it is")));
    }
    if !own.iter().any(|path| !path.contains('/') && (path.ends_with(".tf") || path.ends_with(".tf.json"))) {
        let message = format!(
            "there is no `.tf` file in `{FOLDER}/` itself, and Terraform reads no folders below it unless a module names them"
        );
        report.warn(Finding::new(spec.at.clone(), message).help(format!("move the files up into `{FOLDER}/`")));
    }
}

pub(super) fn warn_of_no_effect(spec: &Fields<'_>, report: &mut Report) {
    let mut warn = |name: &str, message: &str| report.warn(Finding::new(spec.place(name).at_key(), message).label("no effect"));
    if !spec.list("allowed-resource-fork").is_empty() {
        warn(
            "allowed-resource-fork",
            "projects cannot have copies of their own of a plugin's resources here: `allowed-resource-fork` has no effect",
        );
    }
    let means = |name: &str| InputKind::Bool.taken(spec.get(name).unwrap_or(&Value::Null));
    if means("stk-projects-only") == true {
        warn("stk-projects-only", "`stk-projects-only` has no effect: every deployable may use the plugin");
    }
    if means("app-allowed") == false {
        warn("app-allowed", "`app-allowed` has no effect: applications may use the plugin as well");
    }
    let requires = spec.get("requires").and_then(Value::as_object);
    for name in ["plugin", "plugins"] {
        if requires
            .and_then(|requires| requires.get(name))
            .is_some_and(|plugins| plugins.as_array().is_none_or(|list| !list.is_empty()))
        {
            let finding = Finding::new(
                spec.place("requires").key(name).at_key(),
                format!("`requires.{name}` is not checked: what a plugin needs comes by its connections"),
            );
            report.warn(finding.label("no effect"));
        }
    }
}
