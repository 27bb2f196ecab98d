//! A plugin's folder: which file of it is its document, and what that says, whichever system it was written for.

use std::collections::BTreeMap;

use super::finding::Finding;
use super::foreign::{ForeignKind, recognise, refusal};
use super::{Kind, massdriver, read, signadot, stackspot, yaml};
use crate::domain::connection_type::ConnectionType;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason::{InvalidDocument, PluginUnavailable};
use crate::domain::plugin::Plugin;

/// The files of a plugin, by path from its folder.
pub type Files<'a> = BTreeMap<&'a str, &'a [u8]>;

/// A folder of a plugin, read.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginFolder {
    /// Its document, as a path in the folder.
    pub document: String,
    /// What is in it: one plugin, or one for each step of a bundle that has several.
    pub plugins: Vec<Plugin>,
    /// Types that it brings along beside those in `types/`.
    pub types: Vec<ConnectionType>,
    /// What of it has no effect here, and why.
    pub warnings: Problems,
}

/// What a document of another system is read into.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Translated {
    pub(super) plugins: Vec<Plugin>,
    pub(super) types: Vec<ConnectionType>,
    pub(super) warnings: Vec<Finding>,
}

/// The names that a plugin's document may have, in the order in which they are looked for.
const NAMES: [&str; 4] = ["plugin.yaml", "plugin.yml", "massdriver.yaml", "massdriver.yml"];

/// The file of a plugin's folder that is its document; none where there is none. A Signadot plugin's may have any name.
pub fn document_of(files: &Files<'_>) -> Option<String> {
    if let Some(name) = NAMES.iter().find(|name| files.contains_key(**name)) {
        return Some((*name).to_owned());
    }
    let is_yaml = |path: &str| !path.contains('/') && (path.ends_with(".yaml") || path.ends_with(".yml"));
    let is_signadot = |(path, bytes): (&&str, &&[u8])| {
        is_yaml(path) && yaml::parse(path, bytes).is_ok_and(|value| recognise(&value) == Some(ForeignKind::SignadotPlugin))
    };
    files.iter().find(|found| is_signadot(*found)).map(|(path, _)| (*path).to_owned())
}

/// What a document of another system is; none for one of ours, and for what is no such document.
///
/// # Errors
/// When it is not YAML.
pub fn foreign_kind(file: &str, text: &[u8]) -> Result<Option<ForeignKind>, Problems> {
    Ok(recognise(&yaml::parse(file, text)?))
}

/// Reads the plugin in a folder. Places in problems are paths in the folder.
///
/// # Errors
/// Every problem of its document, or that it has none.
pub fn plugin_folder(files: &Files<'_>) -> Result<PluginFolder, Problems> {
    let Some(document) = document_of(files) else {
        return Err(Diagnostic::error(PluginUnavailable, "it has no document: a plugin is a folder with a `plugin.yaml`").into());
    };
    let text = files[document.as_str()];
    let value = yaml::parse(&document, text)?;
    let translated = match recognise(&value) {
        None => {
            let plugins = vec![read::plugin(&document, text)?];
            return Ok(PluginFolder { document, plugins, types: Vec::new(), warnings: Problems::default() });
        }
        Some(ForeignKind::StackSpotPlugin) => stackspot::plugin(&value, files),
        Some(ForeignKind::MassdriverBundle) => massdriver::bundle(&value, files),
        Some(ForeignKind::SignadotPlugin) => signadot::plugin(&value, files),
        Some(other) => Err(vec![refusal(other, Kind::Plugin)]),
    };
    let placed = |findings: Vec<Finding>| -> Vec<Diagnostic> {
        findings.into_iter().map(|finding| finding.into_diagnostic(&document, InvalidDocument)).collect()
    };
    match translated {
        Ok(Translated { plugins, types, warnings }) => {
            let warnings = placed(warnings).into_iter().map(Diagnostic::as_warning).collect();
            Ok(PluginFolder { plugins, types, warnings: Problems(warnings), document })
        }
        Err(findings) => Err(read::reported(&document, text, placed(findings))),
    }
}
