//! A Docker container action: what its `action.yml` says, and the program that stands in its image.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_yaml::Value;
use tempfile::TempDir;

/// An action, ready to be started.
#[derive(Debug)]
pub(crate) struct Action {
    /// Every input with its default, an empty string where it has none.
    pub(crate) inputs: BTreeMap<String, String>,
    /// The variables that `runs.env` sets.
    pub(crate) environment: BTreeMap<String, String>,
    /// The program of the main stage, by its path in the image.
    pub(crate) entrypoint: String,
    /// That of the post stage.
    pub(crate) post_entrypoint: Option<String>,
    /// The program that both are.
    pub(crate) program: PathBuf,
    /// Held while the action is.
    _folder: Option<TempDir>,
}

impl Action {
    /// Ours, as `action.yml` at the root of the repository describes it.
    pub(crate) fn tieline() -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("action.yml");
        Self::described(&std::fs::read_to_string(file).unwrap(), env!("CARGO_BIN_EXE_tieline").into())
    }

    fn described(text: &str, program: PathBuf) -> Self {
        let document: Value = serde_yaml::from_str(text).unwrap();
        let entries = |value: &Value| value.as_mapping().cloned().unwrap_or_default().into_iter().collect::<Vec<_>>();
        let path = |name: &str| document["runs"][name].as_str().map(str::to_owned);
        assert_eq!(document["runs"]["using"].as_str(), Some("docker"));
        assert!(document["runs"]["args"].is_null(), "the inputs arrive as variables: arguments would be in the log");
        Self {
            inputs: entries(&document["inputs"]).iter().map(|(name, input)| (scalar(name), scalar(&input["default"]))).collect(),
            environment: entries(&document["runs"]["env"]).iter().map(|(name, value)| (scalar(name), scalar(value))).collect(),
            entrypoint: path("entrypoint").expect("action.yml names its entrypoint"),
            post_entrypoint: path("post-entrypoint"),
            program,
            _folder: None,
        }
    }

    /// One that is a shell script, for both stages where it has two: `$0` is `/action/main` or `/action/post`.
    pub(crate) fn script(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("script");
        std::fs::write(&program, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self {
            inputs: BTreeMap::from([("plugin-name".to_owned(), String::new()), ("size of it".to_owned(), "small".to_owned())]),
            environment: BTreeMap::new(),
            entrypoint: "/action/main".to_owned(),
            post_entrypoint: Some("/action/post".to_owned()),
            program,
            _folder: Some(folder),
        }
    }
}

/// A scalar as the runner takes it: as text.
fn scalar(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => serde_yaml::to_string(other).unwrap().trim_end().to_owned(),
    }
}
