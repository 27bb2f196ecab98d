//! What a workflow uses of us: the action and its variants, the example workflows, and our own.

mod act;
mod description;
mod lint;
mod scripts;

use std::path::PathBuf;

use serde_yaml::{Mapping, Value};

use crate::generated::{read, root};

/// The action's description at this path.
fn action(path: &str) -> Value {
    serde_yaml::from_str(&read(path)).unwrap()
}

/// The entries of a mapping.
fn entries(value: &Value) -> &Mapping {
    value.as_mapping().unwrap()
}

/// The files of a folder whose names end so, from the project's folder.
fn files(folder: &str, ending: &str) -> Vec<String> {
    let listed = std::fs::read_dir(root().join(folder)).unwrap();
    let names = listed.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<String> = names.filter(|name| name.ends_with(ending)).map(|name| format!("{folder}/{name}")).collect();
    files.sort();
    files
}

fn workflows() -> Vec<String> {
    [".github/workflows", "examples/workflows", "examples/context-repository/.github/workflows"]
        .map(|folder| files(folder, ".yml"))
        .concat()
}

fn at(path: &str) -> PathBuf {
    root().join(path)
}
