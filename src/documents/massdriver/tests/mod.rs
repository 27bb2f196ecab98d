//! Bundles, resource types and previews as they are read.

macro_rules! tree {
    ($folder:literal: $($file:literal),*) => {
        BTreeMap::from([$(($file, fixture!(concat!($folder, "/", $file)))),*])
    };
}

macro_rules! fixture {
    ($path:expr) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/foreign/massdriver/", $path)).as_slice()
    };
}

mod inputs;
mod previews;
mod refused;
mod steps;
mod types;

use std::collections::BTreeMap;

use serde_json::json;

use crate::documents::{Files, PluginFolder, connection_type_among, massdriver_preview, plugin_folder};
use crate::domain::diagnostic::{Problems, Severity};
use crate::domain::foreign::{Bundle, Foreign};
use crate::domain::plugin::{Plugin, Uses};

fn lake() -> Files<'static> {
    tree!("lake-network": "massdriver.yaml", "src/main.tf", "src/resources.tf", "src/_massdriver_variables.tf",
        "src/modules/naming/main.tf")
}

fn read(files: &Files<'_>) -> PluginFolder {
    plugin_folder(files).unwrap_or_else(|problems| panic!("{}", told(&problems)))
}

fn one(folder: &PluginFolder) -> &Plugin {
    let [plugin] = &folder.plugins[..] else { panic!("{} plugins", folder.plugins.len()) };
    plugin
}

fn bundle(plugin: &Plugin) -> &Bundle {
    let Some(Foreign::Massdriver(bundle)) = &plugin.foreign else { panic!("no bundle") };
    bundle
}

/// Problems as people see them, without their surroundings.
fn told(problems: &Problems) -> String {
    let line = |problem: &crate::domain::diagnostic::Diagnostic| {
        let at = match &problem.origin {
            Some(origin) => match &origin.at {
                crate::domain::diagnostic::Spot::Pointer(pointer) => pointer.to_string(),
                _ => String::new(),
            },
            None => String::new(),
        };
        let help: String = problem.help.iter().map(|help| format!(" [{help}]")).collect();
        format!("{at}: {}{help}", problem.message)
    };
    problems.0.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn yaml(value: &impl serde::Serialize) -> String {
    serde_yaml::to_string(value).unwrap()
}

fn problems(document: &str, further: &[(&str, &str)]) -> String {
    let mut files: Files<'_> = further.iter().map(|(path, text)| (*path, text.as_bytes())).collect();
    files.insert("massdriver.yaml", document.as_bytes());
    match plugin_folder(&files) {
        Ok(_) => String::new(),
        Err(problems) => told(&problems),
    }
}

/// A bundle that is sound but for what is added to it.
fn sound(added: &str) -> String {
    let fields =
        ["name: some-bundle", "params: {}", "connections: {}", "artifacts: {}", "steps: [{path: src, provisioner: terraform}]"];
    let kept: Vec<&str> = fields.into_iter().filter(|field| !added.contains(&field[..field.find(':').unwrap() + 1])).collect();
    format!("{}\n{added}\n", kept.join("\n"))
}
