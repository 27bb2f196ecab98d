//! Whether a module keeps what its plugin's document promises of it (R10, R13).

use std::collections::BTreeMap;

use crate::domain::deployment::PublishedFace;
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::module::Module;
use crate::domain::names::{AttributeName, OutputName};
use crate::domain::nearest::nearest;
use crate::domain::plugin::{Plugin, TypedOutput};

/// The plugin's document, as a path inside its tree.
const DOCUMENT: &str = "plugin.yaml";

/// Checks that every output that `from` names and every variable that `terraform.variables` names exists, and that no sensitive
/// Terraform output stands for a public attribute. Places are paths inside the plugin's tree.
pub fn check_contract(plugin: &Plugin, outputs: &BTreeMap<OutputName, Vec<PublishedFace>>, module: &Module) -> Problems {
    let mut problems = Problems::default();
    for (output, faces) in outputs {
        for (position, face) in faces.iter().enumerate() {
            let sensitive = face.connection_type.sensitive();
            for (attribute, name) in &face.from {
                let place = place_of(plugin, output, position, attribute);
                if let Some(left) = plugin.step_output(name) {
                    if left.sensitive && !sensitive.contains(attribute) {
                        problems.push(exposes(face, attribute, &format!("the step's output `{name}` is")).at(DOCUMENT, place));
                    }
                    continue;
                }
                match module.outputs.get(name.split('.').next().unwrap_or(name)) {
                    None => problems.push(missing_output(plugin, module, output, (attribute, name)).at(DOCUMENT, place)),
                    Some(found) if found.sensitive && !sensitive.contains(attribute) => {
                        let what = format!("the module marks its output `{name}` as");
                        problems.push(exposes(face, attribute, &what).at(DOCUMENT, place));
                    }
                    Some(_) => {}
                }
            }
        }
    }
    for name in plugin.variables().map(|(name, _)| name).filter(|name| !module.variables.contains_key(*name)) {
        let place = Pointer::keys(["terraform", "variables"]).key(name).at_key();
        problems.push(
            with_nearest(
                Diagnostic::error(FailureReason::InvalidDocument, format!("the module has no variable `{name}`")),
                name,
                module.variables.keys(),
            )
            .at(DOCUMENT, place),
        );
    }
    problems
}

fn missing_output(
    plugin: &Plugin,
    module: &Module,
    output: &OutputName,
    (attribute, name): (&AttributeName, &str),
) -> Diagnostic {
    let why = match (&plugin.terraform, &plugin.steps) {
        (None, _) => "no create step leaves",
        (Some(_), None) => "the module does not output",
        (Some(_), Some(_)) => "neither the module outputs nor a create step leaves",
    };
    let message = format!("attribute `{attribute}` of output `{output}` comes from `{name}`, which {why}");
    with_nearest(Diagnostic::error(FailureReason::InvalidDocument, message), name, module.outputs.keys())
}

fn exposes(face: &PublishedFace, attribute: &AttributeName, what: &str) -> Diagnostic {
    let type_name = &face.connection_type.name;
    Diagnostic::error(
        FailureReason::InvalidDocument,
        format!("`{attribute}` is a public attribute of `{type_name}`, and {what} sensitive"),
    )
    .note("public attributes are written to the context repository in clear")
    .help(format!("mark `{attribute}` with `x-sensitive: true` in the type, or publish an output that is no secret"))
}

fn with_nearest<'a>(diagnostic: Diagnostic, name: &str, known: impl Iterator<Item = &'a String>) -> Diagnostic {
    match nearest(name, known.map(String::as_str)) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic,
    }
}

/// Where the document maps this attribute.
fn place_of(plugin: &Plugin, output: &OutputName, position: usize, attribute: &AttributeName) -> Pointer {
    let at = Pointer::keys(["generates"]).key(output.as_str());
    let typed = plugin.generates.get(output).and_then(|output| output.types.get(position));
    let at = match typed {
        Some(TypedOutput::Mapped(mapped)) if !mapped.from.is_empty() => at.key("types").index(position),
        _ => at,
    };
    at.key("from").key(attribute.as_str())
}
