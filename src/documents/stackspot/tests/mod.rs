//! The corpus in `tests/fixtures/foreign/stackspot`: documents after real ones, and what becomes of each.

mod hostile;
mod manifests;
mod others;
mod plugins;
mod refused;

use std::collections::BTreeMap;

use crate::documents::{Files, PluginFolder, draw, plugin_folder};
use crate::domain::diagnostic::Problems;

/// The bytes of a file of the corpus.
macro_rules! fixture {
    ($path:expr) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/foreign/stackspot/", $path)).as_slice()
    };
}

/// The files of a plugin's folder of the corpus.
macro_rules! folder {
    ($folder:literal: $($path:literal),* $(,)?) => {
        crate::documents::Files::from([$(($path, crate::documents::stackspot::tests::fixture!(concat!($folder, "/", $path)))),*])
    };
}

/// Compares a long text with the one in a file.
macro_rules! filed {
    ($name:literal, $text:expr) => {
        insta::with_settings!({snapshot_path => "../../snapshots", prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_snapshot!($name, $text);
        })
    };
}

use {filed, fixture, folder};

/// Reads the plugin of a folder.
fn read(files: &Files<'_>) -> Result<PluginFolder, String> {
    plugin_folder(files).map_err(|problems| shown(files, &problems))
}

/// What a person sees of problems with the files of a folder.
fn shown(files: &Files<'_>, problems: &Problems) -> String {
    let texts: BTreeMap<String, Vec<u8>> = files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect();
    draw(problems, &texts, false)
}

/// A folder with this `plugin.yaml` and one template.
fn small(document: &str) -> Files<'_> {
    Files::from([
        ("plugin.yaml", document.as_bytes()),
        ("templates-deploy/main.tf", b"output \"arn\" { value = 1 }\n".as_slice()),
    ])
}

/// A `plugin.yaml` of schema v2 with this below its `spec`.
fn with_spec(spec: &str) -> String {
    format!("schema-version: v2\nkind: plugin\nmetadata: {{name: a, version: 1.0.0}}\nspec:\n  type: infra\n{spec}")
}

/// What a person sees of warnings and problems, without the lines of the document.
fn said(problems: &Problems) -> Vec<&str> {
    problems.0.iter().map(|problem| problem.message.as_str()).collect()
}
