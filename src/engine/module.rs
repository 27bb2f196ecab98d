//! The module of an applied plugin: its files as they were fetched, or rendered from its templates for what it is applied with.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::Content;
use crate::domain::diagnostic::Problems;
use crate::domain::foreign::Foreign;
use crate::domain::plugin::{Plugin, TerraformPart, VariableSource};
use crate::policy;
use crate::render::templates::{Rendered, Scope, VariableSource as Reference, render};

/// A plugin and its content as they are for one apply.
pub(super) type Made<'a> = (Cow<'a, Plugin>, Cow<'a, Content>);

/// The plugin with its module: rendered from templates where it has those, for this scope; else as it is.
///
/// # Errors
/// What is wrong with a template, or with what came of it. Places are paths in the plugin's folder.
pub fn made<'a>(plugin: &'a Plugin, content: &'a Content, scope: &Scope<'_>) -> Result<Made<'a>, Problems> {
    let Some(Foreign::StackSpot(templates)) = &plugin.foreign else {
        return Ok((Cow::Borrowed(plugin), Cow::Borrowed(content)));
    };
    let texts = content.tree.files.iter().map(|(path, file)| (path.as_str(), &*file.bytes)).collect();
    let Rendered { files, variables } = render(templates, &texts, scope)?;
    let is_terraform = |path: &str| policy::is_terraform(path.rsplit('/').next().unwrap_or(path));
    let terraform: BTreeMap<String, Vec<u8>> =
        files.iter().filter(|(path, _)| is_terraform(path)).map(|(path, bytes)| (path.clone(), bytes.clone())).collect();
    let modules = Arc::new(policy::read_tree(&terraform, "")?);
    let of_templates = |(path, file): (&String, &crate::sources::TreeFile)| {
        Some((path.strip_prefix(&templates.folder)?.strip_prefix('/')?.to_owned(), file.clone()))
    };
    let before = crate::sources::Tree { files: content.tree.files.iter().filter_map(of_templates).collect() };
    let rendered = Content { tree: content.tree.clone(), files: Arc::new(before.with(files)), modules };
    let source = |source| match source {
        Reference::Input(input) => VariableSource::Input(input),
        Reference::Attribute(slot, attribute) => VariableSource::Connection(format!("{slot}.{attribute}")),
    };
    let variables: BTreeMap<_, _> = variables.into_iter().map(|(name, reference)| (name, source(reference))).collect();
    let terraform = plugin.terraform.clone().map(|terraform| TerraformPart { variables, ..terraform });
    Ok((Cow::Owned(Plugin { terraform, ..plugin.clone() }), Cow::Owned(rendered)))
}
