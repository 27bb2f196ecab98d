//! The behaviour that every store must have, told over `&dyn ContextStore` and run for each of them; then what is the git store's
//! own.

mod behaviour;
pub(crate) mod cost;
mod creation;
mod faults;
mod github;
mod program;
mod prune;
mod publication;
mod records;
mod verify;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use tieline::context::create::init;
use tieline::context::git::GitStore;
use tieline::context::{Change, Changes, Location, RefNames};
use tieline::domain::address::Place;
use tieline::world::{Apart, OnCancel, ProcessSpec, Variables, World, os};

/// A folder of its own with a context repository in it.
pub(super) struct Bench {
    pub(super) world: World,
    folder: TempDir,
}

impl Bench {
    /// With an empty context: both branches are there.
    pub(super) async fn new() -> Self {
        let mut world = os::world().unwrap();
        let folder = world.files.private_folder(&world.directory.join("target/tmp"), "context-").unwrap();
        // The machine's own git settings must not decide a test.
        let path = world.variables.get("PATH").unwrap().to_owned();
        let home = folder.path().display().to_string();
        let variables = [("PATH", path), ("HOME", home), ("GIT_CONFIG_NOSYSTEM", "1".to_owned())];
        world.variables = Arc::new(Variables::new(variables.map(|(name, value)| (name.to_owned(), value))));
        let bench = Self { world, folder };
        init(&bench.world, &bench.repository()).await.unwrap();
        bench
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn repository(&self) -> PathBuf {
        self.path().join("context.git")
    }

    /// The repository itself.
    pub(super) async fn local(&self) -> GitStore {
        self.open(&self.world, &self.repository().display().to_string(), "none").await
    }

    /// The repository as a remote, read through a cache of this name.
    pub(super) async fn remote(&self, cache: &str) -> GitStore {
        self.open(&self.world, &format!("file://{}", self.repository().display()), cache).await
    }

    pub(super) async fn open(&self, world: &World, location: &str, cache: &str) -> GitStore {
        let location = Location::parse(location, self.path()).unwrap();
        GitStore::open(world, &location, RefNames::default(), &self.path().join(cache)).await.unwrap()
    }

    /// What git says in the repository.
    pub(super) async fn git(&self, arguments: &[&str]) -> String {
        let spec = ProcessSpec {
            program: "git".into(),
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            directory: self.repository(),
            environment: self.world.variables.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            stdin: None,
            on_cancel: OnCancel::Kill,
            time_limit: None,
            apart: Apart::default(),
        };
        let captured = self.world.exec.capture(&spec, &CancellationToken::new()).await.unwrap();
        assert!(captured.exit.success(), "{spec}: {}", String::from_utf8_lossy(&captured.stderr));
        String::from_utf8(captured.stdout).unwrap().trim().to_owned()
    }
}

pub(super) fn place(text: &str) -> Place {
    serde_json::from_value(match *text.split('/').collect::<Vec<_>>() {
        [workspace, environment, deployable] => {
            serde_json::json!({"workspace": workspace, "environment": environment, "deployable": deployable})
        }
        _ => panic!("{text}"),
    })
    .unwrap()
}

pub(super) fn write(files: &[(&str, &str)]) -> Changes {
    files.iter().map(|(path, content)| ((*path).to_owned(), Change::write(*content))).collect()
}

pub(super) fn strings<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).to_vec()
}
