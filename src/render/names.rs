//! The names that generated root modules use, and that their readers look for.

use std::collections::BTreeMap;

use crate::domain::address::Place;
use crate::domain::names::{Alias, AttributeName, Digest, InputName, OutputName, SlotName};

/// The longest [`name_prefix`]: short enough for what clouds still call a name.
const LONGEST_PREFIX: usize = 20;

/// The Terraform output with the public attributes of a face, an object.
pub fn public_output(output: &OutputName, face: usize) -> String {
    format!("tieline_{output}_public{}", suffix(face))
}

/// The sensitive Terraform output with the sensitive attributes of a face, an object.
pub fn sensitive_output(output: &OutputName, face: usize) -> String {
    format!("tieline_{output}_sensitive{}", suffix(face))
}

/// The Terraform output that says which sensitive attributes of a face have a value: attribute to bool.
pub fn presence_output(output: &OutputName, face: usize) -> String {
    format!("tieline_{output}_present{}", suffix(face))
}

/// The Terraform output with the sensitive revision, a text that changes exactly when a sensitive value does.
pub fn revision_output(output: &OutputName) -> String {
    format!("tieline_{output}_revision")
}

/// The name of the `terraform_data` behind the revision. It is ours: counts and gates leave it out.
pub fn revision_resource(output: &OutputName) -> String {
    format!("tieline_{output}")
}

/// Whether a resource of the root module is one of ours.
pub fn is_own_resource(address: &str) -> bool {
    address.starts_with("terraform_data.tieline_")
}

/// The sensitive root variable that carries a sensitive input.
pub fn input_variable(input: &InputName) -> String {
    format!("tieline_input_{input}")
}

/// The sensitive root variable that carries a sensitive attribute of a slot's connection, where a person gives it.
pub fn attribute_variable(slot: &SlotName, attribute: &AttributeName) -> String {
    format!("tieline_given_{slot}_{attribute}")
}

/// The way to what is inside a value, from the outermost name on.
pub(super) fn inside<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    names.into_iter().map(|name| ["[\"", name, "\"]"].concat()).collect()
}

/// The local value that holds a sensitive attribute which a mapping made for a slot.
pub(super) fn mapped_local(slot: &SlotName, attribute: &AttributeName) -> String {
    format!("tieline_mapped_{slot}_{attribute}")
}

/// The sensitive root variable that carries what a step left, which is a secret: `step.output`.
pub fn step_variable(output: &str) -> String {
    // What steps call their outputs need not be a name for Terraform.
    format!("tieline_step_{}", Digest::of(output.as_bytes()).short())
}

/// Output names have no `_`, so no name with a suffix is another output's.
fn suffix(face: usize) -> String {
    if face == 0 { String::new() } else { format!("_{face}") }
}

/// The expression for what is at `path` in the outputs of the plugin's module: an output, or a field in one (`output.field`); none
/// where it is no such path.
pub(super) fn module_output(path: &str) -> Option<String> {
    let (output, fields) = path.split_once('.').map_or((path, None), |(output, fields)| (output, Some(fields)));
    let fields: Vec<&str> = fields.into_iter().flat_map(|fields| fields.split('.')).collect();
    let valid = is_identifier(output) && fields.iter().all(|field| is_identifier(field));
    let fields = inside(fields);
    valid.then(|| format!("module.plugin.{output}{fields}"))
}

/// Whether Terraform takes `text` as a name.
pub(super) fn is_identifier(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// What plugins begin the names of their resources with: the start of `<environment>-<deployable>`, `-`, and 6 hexadecimal digits
/// of the SHA-256 of `<workspace>/<environment>/<deployable>/<alias>`; 20 characters at most. Two environments, deployables or
/// applied plugins do not share it, so previews do not collide.
pub fn name_prefix(place: &Place, alias: &Alias) -> String {
    let digest = Digest::of(format!("{place}/{alias}").as_bytes());
    let digits = &digest.short()[..6];
    let readable = format!("{}-{}", place.environment, place.deployable);
    let cut = &readable[..readable.len().min(LONGEST_PREFIX - 1 - digits.len())];
    format!("{}-{digits}", cut.trim_end_matches('-'))
}

/// What resources are marked with, in a form that every cloud takes as tags or labels.
pub fn tags(place: &Place, alias: &Alias) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("tieline_workspace", place.workspace.to_string()),
        ("tieline_environment", place.environment.to_string()),
        ("tieline_deployable", place.deployable.to_string()),
        ("tieline_alias", alias.to_string()),
    ])
}
