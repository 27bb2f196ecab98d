//! Programs that are played by shell scripts.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

use tokio_util::sync::CancellationToken;

use super::stage::{Given, Scripted, part, real_world, surroundings};
use crate::domain::organization::StepRunner;
use crate::steps::*;
use crate::world::Variables;

/// A folder with a program, and with what it keeps.
pub(super) struct Fake(tempfile::TempDir);

impl Fake {
    /// A program that does this. `say` keeps a line, `$kept` is a folder to keep things in.
    pub(super) fn new(name: &str, script: &str) -> Self {
        let fake = Self::nowhere();
        let kept = fake.0.path().join("kept");
        let text = format!("#!/bin/sh\nkept={0}\nsay() {{ echo \"$*\" >> {0}/said; }}\n{script}", kept.display());
        std::fs::create_dir(&kept).unwrap();
        let path = fake.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        fake
    }

    /// No program at all.
    pub(super) fn nowhere() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// The calls, a line each.
    pub(super) fn said(&self) -> String {
        self.kept("said")
    }

    pub(super) fn kept(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.path().join("kept").join(name)).unwrap_or_default()
    }

    pub(super) fn folder(&self) -> &Path {
        self.0.path()
    }
}

/// Runs a create workflow where the program is the only one of its name. Gives the lines of its steps.
pub(super) async fn play(
    runner: StepRunner,
    fake: &Fake,
    yaml: &str,
    given: &Given,
    cancel_at: Option<&str>,
) -> (Vec<String>, WorkflowEnd) {
    let (part, surroundings) = (part(yaml), surroundings());
    let Given { inputs, connections, left } = given;
    let workflow = Workflow { part: &part, direction: Direction::Create, surroundings: &surroundings, inputs, connections, left };
    let mut world = real_world();
    // What the scripts need of the system is linked: the real programs of these names must not be found.
    let path = fake.folder().join("bin");
    std::fs::create_dir_all(&path).unwrap();
    for name in [
        "sh", "cat", "cp", "env", "grep", "mkdir", "mkfifo", "ln", "rm", "tar", "head", "touch", "sleep", "chmod", "dirname",
        "sort",
    ] {
        if let Some(program) = ["/bin", "/usr/bin"].iter().map(|folder| Path::new(folder).join(name)).find(|path| path.exists()) {
            let _ = std::os::unix::fs::symlink(program, path.join(name));
        }
    }
    let variables = [("PATH", format!("{}:{}", fake.folder().display(), path.display())), ("GITHUB_TOKEN", "canary".to_owned())];
    world.variables = Arc::new(Variables::new(variables.map(|(name, value)| (name.to_owned(), value))));
    let (lines, cancel) = (Mutex::new(Vec::new()), CancellationToken::new());
    let sink = |event| {
        if let StepEvent::Line { text, .. } = event {
            if cancel_at == Some(text.as_str()) {
                cancel.cancel();
            }
            lines.lock().unwrap().push(text);
        }
    };
    let recorder = Scripted::default();
    let end = run(&workflow, executor(runner, &world).as_ref(), &world, &sink, &recorder, &cancel).await;
    (lines.into_inner().unwrap(), end)
}
