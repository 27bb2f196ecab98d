//! The pages of `docs/` that are drawn from the code. They are compared; with `UPDATE_DOCS=1` they are written.

mod action;
mod commands;
mod documents;
mod environment;
mod errors;

use std::path::{Path, PathBuf};

#[test]
fn inputs_and_outputs_are_those_of_the_action() {
    check("docs/action.md", &action::page());
}

#[test]
fn commands_are_those_of_the_help() {
    check("docs/commands.md", &commands::page());
}

#[test]
fn documents_are_those_of_the_schemas() {
    check("docs/documents.md", &documents::page());
}

#[test]
fn variables_are_those_of_the_code() {
    check("docs/environment.md", &environment::page());
}

#[test]
fn errors_are_those_of_the_code() {
    check("docs/errors.md", &errors::page());
}

/// The project's folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of the project.
pub(crate) fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|problem| panic!("{}: {problem}", path.display()))
}

/// Every Rust file of `src/`, from the project's folder, with its text up to its tests. Files of tests are left out.
pub(crate) fn sources() -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::from("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root().join(&folder)).unwrap() {
            let path = folder.join(entry.unwrap().file_name());
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if root().join(&path).is_dir() && name != "tests" {
                folders.push(path);
            } else if name.ends_with(".rs") && name != "tests.rs" && name != "scripted.rs" {
                let text = read(&path);
                // Tests that stand beside the code come last.
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
                files.push((path.to_string_lossy().into_owned(), code));
            }
        }
    }
    files.sort();
    files
}

fn check(path: &str, expected: &str) {
    let file = root().join(path);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(file, expected).unwrap();
        return;
    }
    let actual = std::fs::read_to_string(file).unwrap_or_default();
    let differs = actual.lines().zip(expected.lines()).position(|(actual, expected)| actual != expected);
    let line = differs.unwrap_or_else(|| actual.lines().count().min(expected.lines().count()));
    assert!(
        actual == expected,
        "{path} is not what the code says, from line {}:\n  is:     {}\n  should: {}\nrun `UPDATE_DOCS=1 cargo test --test it generated`",
        line + 1,
        actual.lines().nth(line).unwrap_or("(its end)"),
        expected.lines().nth(line).unwrap_or("(its end)"),
    );
}

/// A text as a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
