//! Real processes.

use std::os::fd::OwnedFd;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use async_trait::async_trait;
use rustix::process::{Pid, Signal};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::children::{Awaited, Children};
use crate::domain::record::Process;
use crate::world::{Captured, Exec, Exit, Line, OnCancel, ProcessSpec, SpawnError, Stream};

/// A line is cut here: nobody reads longer ones, and memory stays bounded. Terraform's own event lines stay far below.
const LONGEST_LINE: usize = 16 << 20;

/// Real processes, each in a group of its own, so that a signal from a terminal reaches us alone and we decide what it means.
#[derive(Default)]
pub(super) struct OsExec {
    pub(super) children: Children,
}

#[async_trait]
impl Exec for OsExec {
    async fn capture_at_most(&self, spec: &ProcessSpec, most: u64, cancel: &CancellationToken) -> Result<Captured, SpawnError> {
        let (mut child, _awaited) = self.spawn(spec)?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let (stdout, stderr, exit) = tokio::join!(read_all(out, most), read_all(err, u64::MAX), wait(child, spec, cancel));
        let exit = exit.map_err(|source| spawn_error(spec, source))?;
        Ok(Captured { exit, stdout, stderr })
    }

    async fn stream(
        &self,
        spec: &ProcessSpec,
        lines: mpsc::Sender<Line>,
        cancel: &CancellationToken,
    ) -> Result<Exit, SpawnError> {
        let (mut child, _awaited) = self.spawn(spec)?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let ended = CancellationToken::new();
        let ((), (), exit) = tokio::join!(
            unless_left_open(send_lines(out, Stream::Out, lines.clone()), spec, &ended),
            unless_left_open(send_lines(err, Stream::Err, lines), spec, &ended),
            async {
                let exit = wait(child, spec, cancel).await;
                ended.cancel();
                exit
            }
        );
        exit.map_err(|source| spawn_error(spec, source))
    }

    fn has_ended(&self, process: &Process) -> bool {
        super::host::has_ended(process)
    }

    fn is_alive(&self, process: &Process) -> bool {
        super::host::is_alive(process)
    }
}

fn spawn_error(spec: &ProcessSpec, source: std::io::Error) -> SpawnError {
    SpawnError { program: spec.program.display().to_string(), source }
}

impl OsExec {
    fn spawn(&self, spec: &ProcessSpec) -> Result<(Child, Awaited), SpawnError> {
        tracing::debug!("{spec}");
        #[expect(clippy::disallowed_methods, reason = "this is the seam")]
        let mut command = if spec.apart.session {
            // It becomes the program, with the same number: it has no group of its own yet, and so need not fork.
            let mut command = Command::new("setsid");
            command.arg(&spec.program);
            command
        } else {
            let mut command = Command::new(&spec.program);
            command.process_group(0);
            command
        };
        if let Some(user) = spec.apart.user {
            // This also leaves all other groups.
            command.gid(user).uid(user);
        }
        command
            .args(&spec.arguments)
            .current_dir(&spec.directory)
            .env_clear()
            .envs(&spec.environment)
            .stdin(if spec.stdin.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(matches!(spec.on_cancel, OnCancel::Kill | OnCancel::Terminate(_)));
        let output = if outlives_us(spec) {
            Some(output_that_never_breaks(&mut command).map_err(|source| spawn_error(spec, source))?)
        } else {
            None
        };
        let (mut child, awaited) = self.children.start(&mut command).map_err(|source| spawn_error(spec, source))?;
        if output.is_some() {
            child.stdout = output;
        }
        if let (Some(bytes), Some(mut stdin)) = (spec.stdin.clone(), child.stdin.take()) {
            // A child that does not read to the end says so by its own exit.
            tokio::spawn(async move { stdin.write_all(&bytes).await });
        }
        Ok((child, awaited))
    }
}

/// Whether a process would lose something if it ended with us.
fn outlives_us(spec: &ProcessSpec) -> bool {
    spec.on_cancel == OnCancel::InterruptOnce && spec.stdin.is_none()
}

/// Gives the child an output that it can write to after we are gone: its own input is a second reading end, which it never reads.
/// A Terraform that writes to a broken pipe dies of it, before it has saved what it just made (measured). What it writes after us
/// must fit into the pipe, so that is made as large as may be.
fn output_that_never_breaks(command: &mut Command) -> std::io::Result<ChildStdout> {
    const LARGEST: usize = 1 << 20;
    let (reader, writer) = std::io::pipe()?;
    // A smaller one does too, for as long as we live.
    let _ = rustix::pipe::fcntl_setpipe_size(&writer, LARGEST);
    command.stdin(reader.try_clone()?).stdout(writer);
    ChildStdout::from_std(std::process::ChildStdout::from(OwnedFd::from(reader)))
}

/// Waits for the end; on cancel or when the time is over, does what the specification says, once.
async fn wait(mut child: Child, spec: &ProcessSpec, cancel: &CancellationToken) -> std::io::Result<Exit> {
    #[expect(clippy::disallowed_methods, reason = "this is the seam")]
    let time_is_over = async {
        match spec.time_limit {
            Some(limit) => tokio::time::sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    let id = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    tokio::select! {
        biased;
        status = child.wait() => {
            if matches!(spec.on_cancel, OnCancel::Terminate(_)) {
                let _ = send_to_group(id, Signal::KILL);
            }
            return status.map(|status| exit(status, false));
        }
        () = cancel.cancelled() => {}
        () = time_is_over => {}
    }
    match spec.on_cancel {
        OnCancel::Kill => send(id, Signal::KILL),
        OnCancel::InterruptOnce => send(id, Signal::INT),
        OnCancel::Terminate(grace) => {
            send(id, Signal::TERM);
            #[expect(clippy::disallowed_methods, reason = "this is the seam")]
            let grace = tokio::time::sleep(grace);
            tokio::select! { _ = child.wait() => {} () = grace => {} }
            let _ = send_to_group(id, Signal::KILL);
        }
        OnCancel::Finish => {}
    }
    child.wait().await.map(|status| exit(status, true))
}

/// Sends a signal to the group of a child that was not waited for yet, or to the child alone where it has no group yet.
fn send(child: Option<Pid>, signal: Signal) {
    if let (Err(_), Some(child)) = (send_to_group(child, signal), child) {
        let _ = rustix::process::kill_process(child, signal);
    }
}

/// Sends a signal to what is left of a child's group. That nothing is left is what we want.
fn send_to_group(child: Option<Pid>, signal: Signal) -> rustix::io::Result<()> {
    child.map_or(Ok(()), |child| rustix::process::kill_process_group(child, signal))
}

/// Reads on to the end; but what a process that was to be alone left behind in another session must not keep us.
async fn unless_left_open(reading: impl Future<Output = ()>, spec: &ProcessSpec, ended: &CancellationToken) {
    const GRACE: Duration = Duration::from_secs(2);
    let is_over = async {
        ended.cancelled().await;
        #[expect(clippy::disallowed_methods, reason = "this is the seam")]
        match spec.on_cancel {
            OnCancel::Terminate(_) => tokio::time::sleep(GRACE).await,
            _ => std::future::pending().await,
        }
    };
    tokio::select! { biased; () = reading => {} () = is_over => {} }
}

fn exit(status: ExitStatus, cancelled: bool) -> Exit {
    use std::os::unix::process::ExitStatusExt as _;
    Exit { code: status.code(), signal: status.signal(), cancelled }
}

async fn read_all(pipe: Option<impl AsyncRead + Unpin>, most: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        // What was read before a broken pipe still counts.
        let _ = pipe.take(most).read_to_end(&mut bytes).await;
    }
    bytes
}

/// Sends lines until the pipe ends. A receiver that went away stops the sending, never the reading: a child must not block.
async fn send_lines(pipe: Option<impl AsyncRead + Unpin>, stream: Stream, lines: mpsc::Sender<Line>) {
    let Some(mut pipe) = pipe else { return };
    let mut chunk = vec![0; 64 << 10];
    let mut line = Vec::new();
    let mut after_return = false;
    while let Ok(count @ 1..) = pipe.read(&mut chunk).await {
        for &byte in &chunk[..count] {
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => {
                    let _ = lines.send((stream, String::from_utf8_lossy(&line).into_owned())).await;
                    line.clear();
                }
                _ if line.len() < LONGEST_LINE => line.push(byte),
                _ => {}
            }
            after_return = byte == b'\r';
        }
    }
    if !line.is_empty() {
        let _ = lines.send((stream, String::from_utf8_lossy(&line).into_owned())).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Apart;
    use std::collections::BTreeMap;

    fn shell(script: &str, on_cancel: OnCancel) -> ProcessSpec {
        ProcessSpec {
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            directory: "/".into(),
            environment: BTreeMap::from([("PATH".into(), "/usr/bin:/bin".into())]),
            stdin: None,
            on_cancel,
            time_limit: None,
            apart: Apart::default(),
        }
    }

    #[tokio::test]
    async fn lines_end_at_newline_and_carriage_return() {
        let (sender, mut receiver) = mpsc::channel(16);
        let exit = OsExec::default()
            .stream(&shell(r"printf 'a\r\nb\rc\n\nd'", OnCancel::Kill), sender, &CancellationToken::new())
            .await
            .unwrap();
        assert!(exit.success());
        let mut lines = Vec::new();
        while let Some((_, line)) = receiver.recv().await {
            lines.push(line);
        }
        assert_eq!(lines, ["a", "b", "c", "", "d"]);
    }

    #[tokio::test]
    async fn a_cancel_interrupts_once_and_waits() {
        let cancel = CancellationToken::new();
        let script = "trap 'echo caught; exit 7' INT; echo ready; while :; do sleep 0.02; done";
        let (sender, mut receiver) = mpsc::channel(16);
        let (exec, spec) = (OsExec::default(), shell(script, OnCancel::InterruptOnce));
        let (exit, lines) = tokio::join!(exec.stream(&spec, sender, &cancel), async {
            let mut lines = Vec::new();
            while let Some((_, line)) = receiver.recv().await {
                if line == "ready" {
                    cancel.cancel();
                }
                lines.push(line);
            }
            lines
        });
        let exit = exit.unwrap();
        assert_eq!((exit.code, exit.cancelled), (Some(7), true), "{lines:?}");
        assert_eq!(lines.iter().filter(|line| *line == "caught").count(), 1);
    }

    #[tokio::test]
    async fn a_terminated_process_gets_its_time_and_takes_along_what_it_started() {
        let (short, long) = (Duration::from_millis(50), Duration::from_secs(30));
        // The first ends at all only because the `sleep` that holds its output is gone too.
        for (script, grace, code, signal, told) in [
            ("trap 'echo told; exit 4' TERM; sleep 60 & echo ready; wait", long, Some(4), None, &["ready", "told"][..]),
            ("trap '' TERM; echo ready; while :; do :; done", short, None, Some(9), &["ready"]),
        ] {
            let (exec, cancel) = (OsExec::default(), CancellationToken::new());
            let apart = Apart { session: true, user: None };
            let spec = ProcessSpec { apart, ..shell(script, OnCancel::Terminate(grace)) };
            let (sender, mut receiver) = mpsc::channel(16);
            let (exit, lines) = tokio::join!(exec.stream(&spec, sender, &cancel), async {
                let mut lines = Vec::new();
                while let Some((_, line)) = receiver.recv().await {
                    cancel.cancel();
                    lines.push(line);
                }
                lines
            });
            assert_eq!(exit.unwrap(), Exit { code, signal, cancelled: true });
            assert_eq!(lines, told);
        }
    }

    #[tokio::test]
    async fn output_is_kept_up_to_a_limit() {
        let spec = shell("yes", OnCancel::Kill);
        let captured = OsExec::default().capture_at_most(&spec, 1000, &CancellationToken::new()).await.unwrap();
        assert_eq!(captured.stdout.len(), 1000, "and its writer ended");
    }

    #[tokio::test]
    async fn a_time_limit_kills_what_has_nothing_to_lose() {
        let spec = ProcessSpec { time_limit: Some(Duration::from_millis(50)), ..shell("sleep 60", OnCancel::Kill) };
        let captured = OsExec::default().capture(&spec, &CancellationToken::new()).await.unwrap();
        assert_eq!(captured.exit.signal, Some(9));
    }

    #[test]
    fn r21_only_a_process_that_can_be_looked_at_is_known_to_have_ended() {
        let this = crate::world::os::host::this().process;
        assert!(!OsExec::default().has_ended(&this) && OsExec::default().is_alive(&this));
        let earlier = Process { started: this.started + 1, ..this.clone() };
        assert!(OsExec::default().has_ended(&earlier), "a later process has its number");
        assert!(!OsExec::default().is_alive(&earlier));
        let inside = Process { namespace: "pid:[1]".into(), ..earlier.clone() };
        assert!(!OsExec::default().has_ended(&inside) && !OsExec::default().is_alive(&inside), "a container's");
        assert!(
            !OsExec::default().has_ended(&Process { boot: "other".into(), machine: "other".into(), ..earlier }),
            "another machine's"
        );
    }
}
