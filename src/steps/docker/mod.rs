//! Scripts in containers of their own. Files come and go as archives through the client, never by a mount, so that the engine may be
//! anywhere: on another machine, or around the container that we run in ourselves.

mod archive;

use std::collections::BTreeSet;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::client::{Call, Client, said};
use super::executor::{Executor, LineSink, NotRead, STEP_ROOT, StepFailure, StepJob, StepLeft};
use super::outputs::LARGEST_OUTPUT;
use crate::domain::diagnostic::Diagnostic;
use crate::domain::failure::FailureReason::StepFailed;
use crate::world::{Exit, World};

/// Where the script is in its container.
const SCRIPT: &str = "/tieline/script";

/// What is read of an archive with one output: the file, its header, and what else may stand before it.
const LARGEST_ARCHIVE: usize = LARGEST_OUTPUT + (64 << 10);

/// What is read of what the client says.
const ANSWER: usize = 64 << 10;

/// Runs scripts in containers.
pub(super) struct Docker {
    pub(super) world: World,
}

#[async_trait]
impl Executor for Docker {
    async fn run(&self, job: &StepJob<'_>, lines: LineSink<'_>, cancel: &CancellationToken) -> Result<StepLeft, StepFailure> {
        // Named by us, so that it can be removed even if we never hear that it was made.
        let name = format!("tieline-step-{:032x}", self.world.random.bits());
        let client = Client { world: &self.world, program: "docker", prefixes: &["DOCKER_", "CONTAINER_"], job };
        let container = Container { client, name };
        let left = container.run(lines, cancel).await;
        container.client.tidy(Call::new(["rm", "--force", "--volumes", &container.name])).await;
        left
    }
}

/// The container of a step.
struct Container<'a> {
    client: Client<'a>,
    name: String,
}

impl Container<'_> {
    async fn run(&self, lines: LineSink<'_>, cancel: &CancellationToken) -> Result<StepLeft, StepFailure> {
        self.create(cancel).await?;
        self.fill(cancel).await?;
        let stop = self.client.tidy(Call::new(["stop", "-t", "10", &self.name]));
        let call = Call::new(["start", "--attach", &self.name]);
        self.client.follow(call, lines, cancel, stop).await?;
        let exit = self.ended(cancel).await?;
        let mut left = StepLeft { exit, outputs: [].into() };
        if exit.success() {
            for path in &self.client.job.outputs {
                left.outputs.insert(path.clone(), self.take(path, cancel).await?);
            }
        }
        Ok(left)
    }

    async fn create(&self, cancel: &CancellationToken) -> Result<(), StepFailure> {
        let job = self.client.job;
        let image = job.runner.image.as_deref().unwrap_or_default();
        if image.is_empty() || image.starts_with('-') {
            let problem =
                Diagnostic::error(StepFailed, format!("step `{}` cannot be run in a container: it names no image", job.step));
            return Err(problem.help("write `image` under `steps.runner`").into());
        }
        let mut call = Call::new(["create", "--name", &self.name, "--entrypoint", SCRIPT]);
        for (label, value) in &job.labels {
            call.arguments.extend(["--label".to_owned(), format!("tieline.{label}={value}")]);
        }
        let file = self.variables(&mut call)?;
        call.arguments.push(image.to_owned());
        let made = self.client.call(call, ANSWER, cancel).await?;
        drop(file);
        if made.exit.success() {
            return Ok(());
        }
        let help = "see that a Docker engine runs and can be reached, and that the image is there or may be pulled";
        Err(self.client.failed(&format!("no container of `{image}` can be made"), &made, help))
    }

    /// Hands the step's variables over without a value on the command line: in the client's own environment, or in a file where they
    /// would mean something to the client. The file goes with the value that is returned.
    fn variables(&self, call: &mut Call) -> Result<Option<tempfile::TempDir>, StepFailure> {
        let (client, mut file) = (&self.client, String::new());
        call.environment.insert(STEP_ROOT.to_owned(), String::new());
        call.arguments.extend(["--env".to_owned(), STEP_ROOT.to_owned()]);
        for (name, value) in &client.job.env {
            let value = value.expose();
            if !client.minds(name) {
                call.environment.insert(name.clone(), value.to_owned());
                call.arguments.extend(["--env".to_owned(), name.clone()]);
            } else if value.contains(['\n', '\r']) {
                let message =
                    format!("step `{}` cannot be handed `{name}`: with that name, it can hold one line alone", client.job.step);
                return Err(Diagnostic::error(StepFailed, message).help("use another name, or a file").into());
            } else {
                file.push_str(&format!("{name}={value}\n"));
            }
        }
        if file.is_empty() {
            return Ok(None);
        }
        let files = client.world.files;
        let parent = client.world.variables.get("TMPDIR").unwrap_or("/tmp");
        let made = files.private_folder(parent.as_ref(), "tieline-variables-").and_then(|folder| {
            files.write_private(&folder.path().join("variables"), file.as_bytes())?;
            Ok(folder)
        });
        let folder = made.map_err(|why| {
            Diagnostic::error(StepFailed, format!("step `{}` cannot be handed its variables: {why}", client.job.step))
        })?;
        let path = folder.path().join("variables").to_string_lossy().into_owned();
        call.arguments.extend(["--env-file".to_owned(), path]);
        Ok(Some(folder))
    }

    /// Puts in the script, the files that the step is handed, and the folders that its outputs go to.
    async fn fill(&self, cancel: &CancellationToken) -> Result<(), StepFailure> {
        let job = self.client.job;
        let above: BTreeSet<&str> = job.outputs.iter().filter_map(|path| Some(path.rsplit_once('/')?.0)).collect();
        let mut missing = Vec::new();
        for folder in above.into_iter().filter(|folder| !folder.is_empty()) {
            if !self.has(folder, cancel).await? {
                missing.push(folder);
            }
        }
        let archive = archive::packed(SCRIPT, job.script, &job.files, &missing);
        let archive = archive.map_err(|why| {
            StepFailure::from(Diagnostic::error(StepFailed, format!("step `{}` cannot be handed its files: {why}", job.step)))
        })?;
        let target = format!("{}:/", self.name);
        let call = Call::new(["cp", "-", &target]).with_input(archive);
        let copied = self.client.call(call, ANSWER, cancel).await?;
        if copied.exit.success() {
            return Ok(());
        }
        Err(self.client.failed(
            "its files cannot be put into the container",
            &copied,
            "see that their folders can be written to in the image",
        ))
    }

    /// Whether there is something at a path. What it is comes first in its archive, of which no more is read.
    async fn has(&self, path: &str, cancel: &CancellationToken) -> Result<bool, StepFailure> {
        let source = format!("{}:{path}", self.name);
        Ok(!self.client.call(Call::new(["cp", &source, "-"]), 512, cancel).await?.stdout.is_empty())
    }

    /// How the script ended, as the engine has it: the client may have lost it on the way.
    async fn ended(&self, cancel: &CancellationToken) -> Result<Exit, StepFailure> {
        let call = Call::new(["inspect", "--format", "{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}", &self.name]);
        let captured = self.client.call(call, ANSWER, cancel).await?;
        let text = String::from_utf8_lossy(&captured.stdout);
        let words: Vec<&str> = text.split_whitespace().collect();
        let code = words.get(1).and_then(|code| code.parse().ok());
        match (words.first().copied(), code) {
            (Some("exited" | "dead" | "stopped"), Some(_)) if words.get(2) == Some(&"true") => {
                let message = format!("step `{}` failed: its container used more memory than it may", self.client.job.step);
                Err(Diagnostic::error(StepFailed, message).help("give the engine more memory, or the script less to do").into())
            }
            (Some("exited" | "dead" | "stopped"), Some(code)) => Ok(Exit { code: Some(code), signal: None, cancelled: false }),
            // Podman has other words for it.
            (Some("created" | "configured" | "initialized"), _) => {
                let help = "read what the engine said; the program of the `#!` line must be in the image";
                Err(self.client.failed("its container does not start", &captured, help))
            }
            _ => Err(self.client.failed("the connection to its container was lost", &captured, "see that the engine still runs")),
        }
    }

    /// What is in a file of the container.
    async fn take(&self, path: &str, cancel: &CancellationToken) -> Result<Result<Vec<u8>, NotRead>, StepFailure> {
        let source = format!("{}:{path}", self.name);
        let captured = self.client.call(Call::new(["cp", &source, "-"]), LARGEST_ARCHIVE, cancel).await?;
        if !captured.stdout.is_empty() {
            return Ok(archive::only_file(&captured.stdout));
        }
        let why = said(&captured);
        let is_missing = ["could not find the file", "no such file", "not found", "does not exist"];
        let lower = why.to_ascii_lowercase();
        Ok(Err(if is_missing.iter().any(|words| lower.contains(words)) { NotRead::Missing } else { NotRead::Unreadable(why) }))
    }
}
