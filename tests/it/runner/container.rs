//! Containers, and the client that the runner starts them with: what the runner signals and kills is the client, never the container.

use std::path::PathBuf;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::docker::Docker;
use super::environment::Variables;
use super::namespaces;

/// What containers are made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    /// Namespaces of the kernel, around this machine's own files: no image, nothing to install.
    Namespaces,
    /// A Docker engine of the tests' own, with an image.
    Docker,
}

/// A container to be started.
pub(crate) struct Launch<'a> {
    pub(crate) name: String,
    /// The program by its path in the image.
    pub(crate) entrypoint: &'a str,
    /// The file that is there.
    pub(crate) program: &'a std::path::Path,
    pub(crate) variables: &'a Variables,
    pub(crate) mounts: Vec<(PathBuf, &'static str)>,
    /// A folder that nobody else uses.
    pub(crate) scratch: PathBuf,
}

/// A container and its client.
pub(crate) struct Container {
    name: String,
    /// The docker client; or `unshare`, whose child is the container.
    client: Child,
    /// In namespaces: the container's first process, as this machine sees it.
    first: Option<Pid>,
    docker: Option<&'static Docker>,
}

impl Container {
    /// Starts one, with its two streams as pipes of the client.
    pub(crate) fn start(engine: Engine, launch: &Launch<'_>) -> Self {
        match engine {
            Engine::Namespaces => {
                let (client, first) = namespaces::start(launch);
                Self { name: launch.name.clone(), client, first: Some(first), docker: None }
            }
            Engine::Docker => {
                let docker = Docker::here().expect("asked for before");
                Self { name: launch.name.clone(), client: docker.start(launch), first: None, docker: Some(docker) }
            }
        }
    }

    /// The client's streams; once.
    pub(crate) fn streams(&mut self) -> (std::process::ChildStdout, std::process::ChildStderr) {
        (self.client.stdout.take().unwrap(), self.client.stderr.take().unwrap())
    }

    /// Signals the client, which hands it on to the container's first process.
    pub(crate) fn signal(&self, signal: Signal) {
        let target = self.first.unwrap_or_else(|| Pid::from_child(&self.client));
        let _ = rustix::process::kill_process(target, signal);
    }

    /// The most memory that its first process ever had, in KiB; of namespaces only.
    pub(crate) fn most_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.first?.as_raw_nonzero())).ok()?;
        let of = |name: &str| -> Option<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().strip_suffix(" kB")?.parse().ok()
        };
        // Without the pages of the program, which are large in a debug build.
        of("VmHWM:")?.checked_sub(of("RssFile:")?)
    }

    /// How the client ended, if it does so in time.
    pub(crate) fn wait(&mut self, limit: Duration) -> Option<i32> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.client.try_wait().unwrap() {
                return Some(code(status));
            }
            if start.elapsed() >= limit {
                return None;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Kills the client. The container lives on. In namespaces there is no such process, the caller stops listening instead.
    pub(crate) fn kill_client(&mut self) {
        if self.docker.is_some() {
            self.client.kill().unwrap();
            self.client.wait().unwrap();
        }
    }

    /// Whether the container is still there.
    pub(crate) fn is_alive(&mut self) -> bool {
        match self.docker {
            Some(docker) => docker.is_alive(&self.name),
            None => self.client.try_wait().unwrap().is_none(),
        }
    }

    /// Ends the container and everything in it, whatever it does.
    pub(crate) fn destroy(&mut self) {
        match self.docker {
            Some(docker) => docker.remove(&self.name),
            None => self.signal(Signal::KILL),
        }
        let _ = self.wait(Duration::from_secs(10));
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if self.is_alive() {
            self.destroy();
        }
    }
}

fn code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}
