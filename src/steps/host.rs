//! Scripts as processes of this machine: each in a fresh folder, in a session of its own, with an environment made of nothing, and as
//! another user where we are root.
//!
//! No absolute path of a step can be made true on a machine that is shared with others: `/out/host` is a file of the machine, for
//! every step the same. Declared paths are therefore below a folder of the step's own, and `$TIELINE_STEP_ROOT` says which; in
//! containers that variable is empty, so `"$TIELINE_STEP_ROOT/out/host"` is right everywhere.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::executor::{Executor, LineSink, NotRead, STEP_ROOT, StepFailure, StepJob, StepLeft};
use super::outputs::LARGEST_OUTPUT;
use crate::domain::diagnostic::Diagnostic;
use crate::domain::failure::FailureReason::{InvalidDocument, StepFailed};
use crate::domain::step::Step;
use crate::world::{Apart, Beneath, OnCancel, ProcessSpec, World};

/// Where programs are looked for.
pub(super) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How long a script has after it was told to end (R62).
pub(super) const GRACE: Duration = Duration::from_secs(10);

/// Lines that may wait to be taken.
pub(super) const LINES: usize = 256;

/// Users whom no machine gives to anybody for good: systemd takes them for services for as long as they run, we for steps.
const PASSING_USERS: std::ops::RangeInclusive<u32> = 61184..=65519;

/// Runs scripts on this machine.
pub(super) struct Host {
    pub(super) world: World,
}

#[async_trait]
impl Executor for Host {
    fn refuses(&self, step: &Step) -> Option<Diagnostic> {
        if step.script.contains(STEP_ROOT) {
            return None;
        }
        let taken = step.inputs.iter().filter_map(|input| input.target.path.as_deref());
        let left = step.outputs.iter().map(|output| output.value_from_path.as_str());
        let path = taken.chain(left).find(|path| step.script.contains(path))?;
        Some(
            Diagnostic::error(
                InvalidDocument,
                format!("step `{}` cannot run on this machine: its script uses `{path}` as it is", step.name),
            )
            .note(format!("on a machine that others use too, a step's files are below a folder of its own, `${STEP_ROOT}`"))
            .help(format!("write `\"${STEP_ROOT}{path}\"` in the script, which is right in containers as well"))
            .help("or run it in a container: name an `image` under `steps.runner`"),
        )
    }

    async fn run(&self, job: &StepJob<'_>, lines: LineSink<'_>, cancel: &CancellationToken) -> Result<StepLeft, StepFailure> {
        let room = self.make_room(job).map_err(|why| unable(job, &format!("its folder cannot be made: {why}")))?;
        let spec = Self::process(job, &room)?;
        let (sender, mut written) = mpsc::channel(LINES);
        let (exit, ()) = tokio::join!(self.world.exec.stream(&spec, sender, cancel), async {
            while let Some((stream, line)) = written.recv().await {
                lines(stream, line);
            }
        });
        let exit = exit.map_err(|why| unable(job, &why.to_string()))?;
        if exit.cancelled {
            return Err(StepFailure::Cancelled);
        }
        let wanted = job.outputs.iter().filter(|_| exit.success());
        let outputs = wanted.map(|path| (path.clone(), self.read(&room.root(), path))).collect();
        Ok(StepLeft { exit, outputs })
    }
}

/// What a step has to itself: a folder that is gone with it.
struct Room {
    folder: tempfile::TempDir,
    user: Option<u32>,
}

impl Room {
    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn root(&self) -> PathBuf {
        self.at("root")
    }
}

impl Host {
    /// A folder with the script and the files that the step is handed, for its user alone.
    fn make_room(&self, job: &StepJob<'_>) -> io::Result<Room> {
        let files = self.world.files;
        let parent = self.world.variables.get("TMPDIR").unwrap_or("/tmp");
        let folder = files.private_folder(Path::new(parent), "tieline-step-")?;
        let room = Room { folder, user: self.world.host.is_root.then(|| self.passing_user()) };
        let mut made = vec![room.folder.path().to_owned()];
        for name in ["root", "home", "tmp"] {
            files.make_folder(&room.at(name))?;
            made.push(room.at(name));
        }
        files.create(&room.at("script"), job.script.as_bytes(), true)?;
        made.push(room.at("script"));
        for path in job.files.keys().chain(&job.outputs) {
            let parent = below(&room.root(), path).parent().map(Path::to_owned).unwrap_or_default();
            files.make_folder(&parent)?;
            made.extend(parent.ancestors().take_while(|above| **above != room.root()).map(Path::to_owned));
        }
        for (path, text) in &job.files {
            let path = below(&room.root(), path);
            files.create(&path, text.expose().as_bytes(), false)?;
            made.push(path);
        }
        if let Some(user) = room.user {
            made.iter().try_for_each(|path| files.give(path, user))?;
        }
        Ok(room)
    }

    fn passing_user(&self) -> u32 {
        let count = u128::from(PASSING_USERS.end() - PASSING_USERS.start()) + 1;
        PASSING_USERS.start() + u32::try_from(self.world.random.bits() % count).unwrap_or_default()
    }

    fn process(job: &StepJob<'_>, room: &Room) -> Result<ProcessSpec, StepFailure> {
        // The system would start the script by itself; but not from a folder that programs may not be started from, nor while
        // another thread of ours, about to start something else, still holds it open for writing.
        let (program, argument) = interpreter(job.script).ok_or_else(|| unable(job, "its script has no `#!` line"))?;
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        let own = [
            ("PATH", PATH.to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            ("HOME", text(room.at("home"))),
            ("TMPDIR", text(room.at("tmp"))),
            (STEP_ROOT, text(room.root())),
        ];
        let mut environment: BTreeMap<String, String> = own.map(|(name, value)| (name.to_owned(), value)).into();
        environment.extend(job.env.iter().map(|(name, value)| (name.clone(), value.expose().to_owned())));
        Ok(ProcessSpec {
            program: program.into(),
            arguments: argument.map(str::to_owned).into_iter().chain([text(room.at("script"))]).collect(),
            directory: room.at("home"),
            environment,
            stdin: None,
            on_cancel: OnCancel::Terminate(GRACE),
            time_limit: None,
            apart: Apart { session: true, user: room.user },
        })
    }

    fn read(&self, root: &Path, path: &str) -> Result<Vec<u8>, NotRead> {
        match self.world.files.read_beneath(root, path, LARGEST_OUTPUT as u64) {
            Ok(Beneath::Bytes(bytes)) => Ok(bytes),
            Ok(Beneath::Missing) => Err(NotRead::Missing),
            Ok(Beneath::Other(kind)) => Err(NotRead::NotRegular(kind)),
            Ok(Beneath::TooLarge) => Err(NotRead::TooLarge),
            Err(why) => Err(NotRead::Unreadable(why.to_string())),
        }
    }
}

fn below(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}

/// What a script's first line names: a program and, as the system has it, at most one argument.
fn interpreter(script: &str) -> Option<(&str, Option<&str>)> {
    let line = script.lines().next()?.strip_prefix("#!")?.trim();
    match line.split_once([' ', '\t']) {
        Some((program, argument)) => Some((program, Some(argument.trim()))),
        None => (!line.is_empty()).then_some((line, None)),
    }
}

fn unable(job: &StepJob<'_>, why: &str) -> StepFailure {
    Diagnostic::error(StepFailed, format!("step `{}` cannot be run on this machine: {why}", job.step))
        .help("run it in a container instead: name an `image` under `steps.runner`")
        .into()
}
