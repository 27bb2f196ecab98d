//! The client: one method a command.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::domain::diagnostic::Diagnostic;
use crate::domain::failure::FailureReason;
use crate::domain::record::TerraformBuild;
use crate::world::{Exit, Line, ProcessSpec, SpawnError, Stream, World};

use super::command::{self, BackendChange, Commands, Over, PlanMode};
use super::diagnose::{self, LockInfo, TfDiagnostic};
use super::event::{self, Event, EventSink};
use super::locate::Binary;
use super::outcome::{Applied, Failure, Plan};
use super::providers::{Place, ProviderFolder};
use super::state::State;
use super::transcript::Transcript;
use super::version::{self, Abilities, Flavour, Known};
use super::{Root, Settings, environment};

const LOCK_FILE: &str = ".terraform.lock.hcl";
/// Terraform's own name for a state that it could not save.
/// Where Terraform leaves a state that it could not save, in the root module's folder.
pub const ERRORED_STATE: &str = "errored.tfstate";
/// A lock file has some kilobytes per provider.
const LONGEST_LOCK_FILE: u64 = 4 << 20;
/// How many lines may wait between terraform and us.
const WAITING_LINES: usize = 256;
/// How long to wait before each further try of an init whose download failed.
const RETRY_WAITS: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(8)];

/// A terraform binary, ready to be used. Cloning it is cheap, and clones share the provider folder.
#[derive(Clone)]
pub struct Terraform(Arc<Inner>);

struct Inner {
    world: World,
    build: TerraformBuild,
    flavour: Flavour,
    commands: Commands,
    providers: ProviderFolder,
    /// Why there is none, where nothing should need one.
    missing: Option<Box<Diagnostic>>,
}

impl Terraform {
    /// Makes `binary` ready. Its version is asked, unless one of `known` is this very build.
    ///
    /// # Errors
    /// `terraform-missing` when it does not start, is no terraform, or is too old; `cancelled`; `internal` when the provider folder
    /// cannot be made.
    pub async fn open(
        world: &World,
        binary: Binary,
        known: &[TerraformBuild],
        settings: Settings,
        cancel: &CancellationToken,
    ) -> Result<Self, Box<Diagnostic>> {
        world.files.make_folder(&settings.plugin_cache).map_err(|problem| {
            Diagnostic::error(FailureReason::Internal, format!("cannot make `{}`: {problem}", settings.plugin_cache.display()))
        })?;
        let environment = environment::shared(world, &settings);
        let is_binary = |build: &&TerraformBuild| {
            Path::new(&build.path) == binary.path && (build.size, build.modified) == (binary.size, binary.modified)
        };
        let build = match known.iter().find(is_binary) {
            Some(build) => build.clone(),
            None => ask_version(world, &binary, environment.clone(), cancel).await?,
        };
        let Known { build, flavour, abilities } = version::understand(build)?;
        let commands = Commands { program: binary.path, abilities, settings, environment };
        let providers = ProviderFolder::default();
        Ok(Self(Arc::new(Inner { world: world.clone(), build, flavour, commands, providers, missing: None })))
    }

    /// What stands in for a terraform where there is none and nothing should need one: whatever is asked of it after all fails for that.
    pub fn absent(world: &World, settings: Settings, why: Box<Diagnostic>) -> Self {
        let abilities = Abilities { init_json: false, variables_at_apply: false };
        let commands = Commands { program: PathBuf::new(), abilities, settings, environment: BTreeMap::new() };
        let (build, flavour, providers) = (TerraformBuild::NONE, Flavour::Terraform, ProviderFolder::default());
        Self(Arc::new(Inner { world: world.clone(), build, flavour, commands, providers, missing: Some(why) }))
    }

    /// Which build it is. An `OpenTofu`'s version ends in `+opentofu`.
    pub fn build(&self) -> &TerraformBuild {
        &self.0.build
    }

    /// Whose terraform it is.
    pub fn flavour(&self) -> Flavour {
        self.0.flavour
    }

    /// Runs init, and again where a download failed for a passing reason. Gives the text of the root's provider lock file; there is
    /// none where only the built-in provider is used.
    ///
    /// # Errors
    /// `init-failed`, `state-locked` or `cancelled`.
    pub async fn init(
        &self,
        root: &Root,
        events: &EventSink<'_>,
        cancel: &CancellationToken,
    ) -> Result<Option<String>, Box<Failure>> {
        for (attempt, wait) in (2..).zip(RETRY_WAITS) {
            match self.init_once(root, events, cancel).await {
                Err(failure) if !cancel.is_cancelled() && diagnose::download_failed(&failure.diagnostics) => {
                    let because = failure.diagnostics.first().map(|first| first.summary.clone()).unwrap_or_default();
                    events(Event::Retrying { attempt, wait, because });
                    tokio::select! {
                        () = self.0.world.clock.sleep(wait) => {}
                        () = cancel.cancelled() => return Err(Box::new(Failure { reason: FailureReason::Cancelled, ..*failure })),
                    }
                }
                end => return end,
            }
        }
        self.init_once(root, events, cancel).await
    }

    /// Runs init; where a lock file that another root left does not fit this one, without it.
    async fn init_once(
        &self,
        root: &Root,
        events: &EventSink<'_>,
        cancel: &CancellationToken,
    ) -> Result<Option<String>, Box<Failure>> {
        let Inner { world, providers, .. } = &*self.0;
        let own = self.lock_file(root);
        let place = tokio::select! {
            place = providers.enter(&root.providers, own.as_deref()) => place,
            () = cancel.cancelled() => return Err(Box::new(Failure::new(FailureReason::Cancelled))),
        };
        let handed_over = if own.is_none() { providers.lock_file(&root.providers) } else { None };
        let Some(text) = handed_over else {
            return self.init_in(&place, root, events, cancel).await;
        };
        let path = root.directory.join(LOCK_FILE);
        world.files.write(&path, text.as_bytes(), false).map_err(internal)?;
        let end = self.init_in(&place, root, events, cancel).await;
        match end {
            Err(failure) if diagnose::lock_file_unfit(&failure.diagnostics) => {
                providers.unfit(&root.providers, &text);
                world.files.remove(&path).map_err(internal)?;
                drop(place);
                let place = providers.enter(&root.providers, None).await;
                self.init_in(&place, root, events, cancel).await
            }
            end => end,
        }
    }

    /// Runs init once, at a place that the caller holds.
    async fn init_in(
        &self,
        _place: &Place<'_>,
        root: &Root,
        events: &EventSink<'_>,
        cancel: &CancellationToken,
    ) -> Result<Option<String>, Box<Failure>> {
        let (exit, transcript) = self.stream(&self.0.commands.init(root), events, cancel).await?;
        if !exit.success() {
            return Err(Box::new(transcript.into_failure(FailureReason::InitFailed, exit)));
        }
        let lock_file = self.lock_file(root);
        if let (Some(text), false) = (&lock_file, root.providers.is_empty()) {
            self.0.providers.filled(&root.providers, text);
        }
        Ok(lock_file)
    }

    /// Plans into the root's plan file. With `lock`, the state is locked meanwhile.
    ///
    /// # Errors
    /// `plan-failed`, `state-locked` or `cancelled`.
    pub async fn plan(
        &self,
        root: &Root,
        mode: PlanMode,
        lock: bool,
        events: &EventSink<'_>,
        cancel: &CancellationToken,
    ) -> Result<Plan, Box<Failure>> {
        let (exit, transcript) = self.stream(&self.0.commands.plan(root, mode, lock), events, cancel).await?;
        match exit.code {
            Some(code @ (0 | 2)) if transcript.is_whole_plan() => Ok(transcript.into_plan(code == 2)),
            _ => Err(Box::new(transcript.into_failure(FailureReason::PlanFailed, exit))),
        }
    }

    /// Makes a root that was initialized take note that its backend block names another place.
    ///
    /// # Errors
    /// `init-failed`, `state-locked` or `cancelled`.
    pub async fn change_backend(
        &self,
        root: &Root,
        change: BackendChange,
        cancel: &CancellationToken,
    ) -> Result<(), Box<Failure>> {
        self.quietly(&self.0.commands.change_backend(root, change), FailureReason::InitFailed, cancel).await
    }

    /// The root's state; none where there is none. It holds secrets in clear.
    ///
    /// # Errors
    /// `init-failed` or `cancelled`.
    pub async fn state_pull(&self, root: &Root, cancel: &CancellationToken) -> Result<Option<State>, Box<Failure>> {
        let text = self.capture(&self.0.commands.state_pull(root), FailureReason::InitFailed, cancel).await?;
        if text.trim_ascii().is_empty() { Ok(None) } else { State::read(text).map(Some).map_err(internal) }
    }

    /// The outputs of the root's state, by name; nothing where there is none. They hold secrets in clear: keep them in memory.
    ///
    /// # Errors
    /// `init-failed` or `cancelled`.
    pub async fn outputs(&self, root: &Root, cancel: &CancellationToken) -> Result<BTreeMap<String, Value>, Box<Failure>> {
        let text = self.capture(&self.0.commands.outputs(root), FailureReason::InitFailed, cancel).await?;
        let outputs: BTreeMap<String, Value> = serde_json::from_slice(&text).map_err(internal)?;
        Ok(outputs.into_iter().map(|(name, mut output)| (name, output["value"].take())).collect())
    }

    /// The plan file as terraform's JSON. It holds secrets in clear: keep it in memory, and mask it before anything of it is shown.
    ///
    /// # Errors
    /// `plan-failed` or `cancelled`.
    pub async fn show_plan(&self, root: &Root, cancel: &CancellationToken) -> Result<Value, Box<Failure>> {
        let shown = self.capture(&self.0.commands.show_plan(root), FailureReason::PlanFailed, cancel).await?;
        serde_json::from_slice(&shown).map_err(internal)
    }

    /// Applies the root's plan file. A state that terraform could not save is pushed back, once.
    ///
    /// # Errors
    /// `apply-failed`, `state-locked` or `cancelled`, with what was done until then.
    pub async fn apply(&self, root: &Root, events: &EventSink<'_>, cancel: &CancellationToken) -> Result<Applied, Box<Failure>> {
        let (exit, transcript) = self.stream(&self.0.commands.apply(root), events, cancel).await?;
        if exit.success() {
            return Ok(transcript.into_applied());
        }
        let mut failure = transcript.into_failure(FailureReason::ApplyFailed, exit);
        failure.errored_state = self.rescue_state(root, events).await;
        Err(Box::new(failure))
    }

    /// Takes resources out of the state without destroying them. Gives the addresses that were there; those that were not are fine.
    ///
    /// # Errors
    /// `apply-failed`, `state-locked` or `cancelled`.
    pub async fn state_remove(
        &self,
        root: &Root,
        addresses: &[String],
        cancel: &CancellationToken,
    ) -> Result<Vec<String>, Box<Failure>> {
        let removed = std::sync::Mutex::new(Vec::new());
        let collect = |event| {
            if let Event::Text(line) = event
                && let (Some(address), Ok(mut removed)) = (line.strip_prefix("Removed "), removed.lock())
            {
                removed.push(address.to_owned());
            }
        };
        let (exit, transcript) = self.stream(&self.0.commands.state_remove(root, addresses), &collect, cancel).await?;
        let removed = removed.into_inner().unwrap_or_default();
        if exit.success() {
            return Ok(removed);
        }
        let failure = transcript.into_failure(FailureReason::ApplyFailed, exit);
        let nothing_there = |diagnostic: &TfDiagnostic| diagnostic.detail.contains("No matching objects found");
        if failure.diagnostics.iter().any(nothing_there) { Ok(removed) } else { Err(Box::new(failure)) }
    }

    /// Makes the state in `file` the root's state, over what it may replace.
    ///
    /// # Errors
    /// `apply-failed`, `state-locked` or `cancelled`.
    pub async fn state_push(&self, root: &Root, file: &Path, over: Over, cancel: &CancellationToken) -> Result<(), Box<Failure>> {
        self.quietly(&self.0.commands.state_push(root, file, over), FailureReason::ApplyFailed, cancel).await
    }

    /// Who holds the state lock; none where it is free. A free one is taken for a moment, and nothing else is changed.
    ///
    /// # Errors
    /// `init-failed` when it cannot be told; `cancelled`.
    pub async fn holder_of_lock(&self, root: &Root, cancel: &CancellationToken) -> Result<Option<LockInfo>, Box<Failure>> {
        match self.quietly(&self.0.commands.try_lock(root), FailureReason::InitFailed, cancel).await {
            Err(failure) => match &failure.lock {
                Some(lock) => Ok(Some(lock.clone())),
                // It was locked before it was looked for.
                None if failure.tail.iter().any(|line| line.contains("No state file was found")) => Ok(None),
                None => Err(failure),
            },
            Ok(()) => Ok(None),
        }
    }

    /// Frees the state lock of this very id.
    ///
    /// # Errors
    /// `state-locked`, also when another lock or none is held; `cancelled`.
    pub async fn force_unlock(&self, root: &Root, id: &str, cancel: &CancellationToken) -> Result<(), Box<Failure>> {
        self.quietly(&self.0.commands.force_unlock(root, id), FailureReason::StateLocked, cancel).await
    }

    /// Pushes back what terraform could not save; gives the file where that failed too. A cancel does not stop it: the file is the
    /// only copy.
    async fn rescue_state(&self, root: &Root, events: &EventSink<'_>) -> Option<PathBuf> {
        let file = root.directory.join(ERRORED_STATE);
        self.0.world.files.metadata(&file)?;
        let pushed = self.state_push(root, &file, Over::ItsPast, &CancellationToken::new()).await;
        events(Event::StatePushed { succeeded: pushed.is_ok() });
        match pushed {
            // It holds secrets and has done its work.
            Ok(()) => self.0.world.files.remove(&file).err().map(|_| file),
            Err(_) => Some(file),
        }
    }

    /// What a command prints.
    async fn capture(
        &self,
        spec: &ProcessSpec,
        reason: FailureReason,
        cancel: &CancellationToken,
    ) -> Result<Vec<u8>, Box<Failure>> {
        refuse_cancelled(cancel)?;
        self.refuse_missing()?;
        let captured = self.0.world.exec.capture(spec, cancel).await.map_err(not_started)?;
        if captured.exit.success() {
            return Ok(captured.stdout);
        }
        let mut transcript = Transcript::default();
        String::from_utf8_lossy(&captured.stderr).lines().for_each(|line| transcript.note(&Event::Text(line.to_owned())));
        Err(Box::new(transcript.into_failure(reason, captured.exit)))
    }

    async fn quietly(&self, spec: &ProcessSpec, reason: FailureReason, cancel: &CancellationToken) -> Result<(), Box<Failure>> {
        let (exit, transcript) = self.stream(spec, &|_| {}, cancel).await?;
        if exit.success() { Ok(()) } else { Err(Box::new(transcript.into_failure(reason, exit))) }
    }

    /// Runs one command to its end, passing each event on as it comes.
    async fn stream(
        &self,
        spec: &ProcessSpec,
        events: &EventSink<'_>,
        cancel: &CancellationToken,
    ) -> Result<(Exit, Transcript), Box<Failure>> {
        refuse_cancelled(cancel)?;
        self.refuse_missing()?;
        let (sender, mut lines) = mpsc::channel::<Line>(WAITING_LINES);
        let mut transcript = Transcript::default();
        let drain = async {
            while let Some((stream, line)) = lines.recv().await {
                // Events come on one of the two; what else writes there cannot forge one.
                let event = if stream == Stream::Out { event::parse(&line) } else { Event::Text(line) };
                transcript.note(&event);
                events(event);
            }
        };
        let (exit, ()) = tokio::join!(self.0.world.exec.stream(spec, sender, cancel), drain);
        Ok((exit.map_err(not_started)?, transcript))
    }

    fn refuse_missing(&self) -> Result<(), Box<Failure>> {
        let Some(why) = &self.0.missing else { return Ok(()) };
        let diagnostics = vec![TfDiagnostic::error(why.message.clone(), why.notes.join("\n"))];
        Err(Box::new(Failure { diagnostics, ..Failure::new(FailureReason::TerraformMissing) }))
    }

    fn lock_file(&self, root: &Root) -> Option<String> {
        let bytes = self.0.world.files.read(&root.directory.join(LOCK_FILE), LONGEST_LOCK_FILE).ok()?;
        String::from_utf8(bytes).ok()
    }
}

async fn ask_version(
    world: &World,
    binary: &Binary,
    environment: BTreeMap<String, String>,
    cancel: &CancellationToken,
) -> Result<TerraformBuild, Box<Diagnostic>> {
    let spec = command::version(&binary.path, &world.directory, environment);
    let refused = |problem: String| Diagnostic::error(FailureReason::TerraformMissing, format!("`{spec}` failed: {problem}"));
    let captured = world.exec.capture(&spec, cancel).await.map_err(|problem| refused(problem.to_string()))?;
    if cancel.is_cancelled() {
        return Err(Diagnostic::error(FailureReason::Cancelled, "cancelled while asking terraform for its version").into());
    }
    if !captured.exit.success() {
        return Err(refused(String::from_utf8_lossy(&captured.stderr).trim().to_owned()).into());
    }
    version::read(binary, &captured.stdout)
}

/// Nothing new starts after a cancel.
fn refuse_cancelled(cancel: &CancellationToken) -> Result<(), Box<Failure>> {
    if cancel.is_cancelled() { Err(Box::new(Failure::new(FailureReason::Cancelled))) } else { Ok(()) }
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn not_started(problem: SpawnError) -> Box<Failure> {
    let diagnostics = vec![TfDiagnostic::error("terraform did not start", problem.to_string())];
    Box::new(Failure { diagnostics, ..Failure::new(FailureReason::TerraformMissing) })
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn internal(problem: impl ToString) -> Box<Failure> {
    let diagnostics = vec![TfDiagnostic::error("tieline could not go on", problem.to_string())];
    Box::new(Failure { diagnostics, ..Failure::new(FailureReason::Internal) })
}
