//! The programs that make containers and pods: `docker` and `kubectl`.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::executor::{LineSink, StepFailure, StepJob};
use super::host::{GRACE, LINES, PATH};
use crate::domain::diagnostic::Diagnostic;
use crate::domain::failure::FailureReason::StepFailed;
use crate::world::{Apart, Captured, Exit, OnCancel, ProcessSpec, SpawnError, World};

/// Variables that such programs find servers, settings and certificates by.
const PASSED: [&str; 15] = [
    "PATH",
    "HOME",
    "XDG_RUNTIME_DIR",
    "XDG_CONFIG_HOME",
    "SSH_AUTH_SOCK",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
];

/// How long a server has to answer where nothing can be done about it.
const PATIENCE: Duration = Duration::from_mins(1);

/// A program that is called for one step.
pub(super) struct Client<'a> {
    pub(super) world: &'a World,
    pub(super) program: &'static str,
    /// What variables for this program begin with.
    pub(super) prefixes: &'static [&'static str],
    pub(super) job: &'a StepJob<'a>,
}

/// One call of the program. No argument holds a value.
#[derive(Default)]
pub(super) struct Call {
    pub(super) arguments: Vec<String>,
    pub(super) stdin: Option<Vec<u8>>,
    /// Further variables.
    pub(super) environment: BTreeMap<String, String>,
}

impl Call {
    pub(super) fn new<'b>(arguments: impl IntoIterator<Item = &'b str>) -> Self {
        Self { arguments: arguments.into_iter().map(str::to_owned).collect(), ..Self::default() }
    }

    pub(super) fn with_input(self, bytes: Vec<u8>) -> Self {
        Self { stdin: Some(bytes), ..self }
    }
}

impl Client<'_> {
    /// Calls it and keeps so many bytes of its output.
    pub(super) async fn call(&self, call: Call, most: usize, cancel: &CancellationToken) -> Result<Captured, StepFailure> {
        let captured = self.world.exec.capture_at_most(&self.spec(call), most as u64, cancel).await;
        let captured = captured.map_err(|why| self.missing(&why))?;
        if captured.exit.cancelled { Err(StepFailure::Cancelled) } else { Ok(captured) }
    }

    /// Calls it where a cancel must not keep it from its work, and nothing is lost if it fails; but a server that does not answer
    /// does not keep us for ever.
    pub(super) async fn tidy(&self, call: Call) {
        let unlimited = CancellationToken::new();
        tokio::select! {
            _ = self.call(call, 1 << 16, &unlimited) => {}
            () = self.world.clock.sleep(PATIENCE) => {}
        }
    }

    /// Calls it and hands its lines on. On a cancel `stop` is to bring about the end; where that fails, the program is killed.
    pub(super) async fn follow(
        &self,
        call: Call,
        lines: LineSink<'_>,
        cancel: &CancellationToken,
        stop: impl Future<Output = ()>,
    ) -> Result<Exit, StepFailure> {
        let gone = CancellationToken::new();
        let (sender, mut written) = mpsc::channel(LINES);
        let spec = self.spec(call);
        let work = async {
            let (exit, ()) = tokio::join!(self.world.exec.stream(&spec, sender, &gone), async {
                while let Some((stream, line)) = written.recv().await {
                    lines(stream, line);
                }
            });
            exit
        };
        let stopping = async {
            cancel.cancelled().await;
            stop.await;
            self.world.clock.sleep(GRACE).await;
            gone.cancel();
            std::future::pending::<()>().await;
        };
        let exit = tokio::select! {
            exit = work => exit.map_err(|why| self.missing(&why))?,
            () = stopping => return Err(StepFailure::Cancelled),
        };
        if cancel.is_cancelled() { Err(StepFailure::Cancelled) } else { Ok(exit) }
    }

    fn spec(&self, call: Call) -> ProcessSpec {
        let is_passed = |name: &str| PASSED.contains(&name) || self.prefixes.iter().any(|prefix| name.starts_with(prefix));
        let variables = self.world.variables.iter().filter(|(name, _)| is_passed(name));
        let mut environment = BTreeMap::from([("PATH".to_owned(), PATH.to_owned())]);
        environment.extend(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
        environment.extend(call.environment);
        ProcessSpec {
            program: self.program.into(),
            arguments: call.arguments,
            directory: self.world.directory.clone(),
            environment,
            stdin: call.stdin,
            on_cancel: OnCancel::Kill,
            time_limit: None,
            apart: Apart::default(),
        }
    }

    /// Whether a variable means something to the program itself, so that it cannot be passed on in its own environment.
    pub(super) fn minds(&self, name: &str) -> bool {
        let upper = name.to_ascii_uppercase();
        let known = ["LD_", "SSL_", "XDG_", "SSH_", "GO", "DBUS_"];
        PASSED.contains(&name)
            || upper.ends_with("_PROXY")
            || self.prefixes.iter().chain(&known).any(|prefix| upper.starts_with(prefix))
            || ["TMPDIR", "USER", "TERM", "LANG"].contains(&upper.as_str())
    }

    fn missing(&self, why: &SpawnError) -> StepFailure {
        let (step, program) = (self.job.step, self.program);
        let problem = if why.source.kind() == std::io::ErrorKind::NotFound {
            Diagnostic::error(StepFailed, format!("step `{step}` cannot be run: there is no `{program}` on this machine"))
        } else {
            Diagnostic::error(StepFailed, format!("step `{step}` cannot be run: {why}"))
        };
        problem.help(format!("install `{program}`, so that it is found on the `PATH`, or choose another step runner")).into()
    }

    /// A call that failed, with what the program said about it.
    pub(super) fn failed(&self, what: &str, captured: &Captured, help: &str) -> StepFailure {
        let mut problem = Diagnostic::error(StepFailed, format!("step `{}` cannot be run: {what}", self.job.step));
        let said = said(captured);
        if !said.is_empty() {
            problem = problem.note(format!("`{}` said: {said}", self.program));
        }
        problem.help(help).into()
    }
}

/// The last thing that a program said.
pub(super) fn said(captured: &Captured) -> String {
    let text = String::from_utf8_lossy(&captured.stderr);
    let last = text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    last.chars().take(500).collect()
}
