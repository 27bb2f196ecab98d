//! A Docker engine with a private socket, started once for all tests of this process, and an image with the program in it.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use super::container::Launch;

/// An engine that answers.
pub(crate) struct Docker {
    /// `DOCKER_HOST`.
    host: String,
}

/// The image's base, which is imported if it is not there.
const IMAGE: &str = "tieline-test";

impl Docker {
    /// The engine, if there is one; else what is lacking. `DOCKER_HOST` names it, or it is the machine's.
    pub(crate) fn here() -> Result<&'static Self, String> {
        static HERE: OnceLock<Result<Docker, String>> = OnceLock::new();
        HERE.get_or_init(Self::find).as_ref().map_err(Clone::clone)
    }

    fn find() -> Result<Self, String> {
        let host = std::env::var("DOCKER_HOST").unwrap_or_else(|_| "unix:///var/run/docker.sock".to_owned());
        let docker = Self { host };
        let version = docker.command().args(["version", "--format", "{{.Server.Version}}"]).output();
        match version {
            Ok(output) if output.status.success() => docker.build(),
            _ => Err(format!("no Docker engine answers at {}", docker.host)),
        }
    }

    /// Builds the image: the base that `TIELINE_TEST_BASE_IMAGE` names, or Debian's, which must have git and certificates.
    fn build(self) -> Result<Self, String> {
        let base = std::env::var("TIELINE_TEST_BASE_IMAGE").unwrap_or_else(|_| "debian:bookworm-slim".to_owned());
        let folder = tempfile::tempdir().unwrap();
        let program = PathBuf::from(env!("CARGO_BIN_EXE_tieline"));
        if fs::hard_link(&program, folder.path().join("tieline")).is_err() {
            fs::copy(&program, folder.path().join("tieline")).unwrap();
        }
        let lines = format!(
            "FROM {base}\nRUN git --version\nCOPY tieline /usr/local/bin/tieline\nRUN ln -s tieline /usr/local/bin/tieline-post\n"
        );
        fs::write(folder.path().join("Dockerfile"), lines).unwrap();
        let built = self.command().args(["build", "--quiet", "--pull=false", "--tag", IMAGE]).arg(folder.path()).output().unwrap();
        if built.status.success() { Ok(self) } else { Err(String::from_utf8_lossy(&built.stderr).into_owned()) }
    }

    fn command(&self) -> Command {
        let mut command = Command::new("docker");
        command.env("DOCKER_HOST", &self.host).stdin(Stdio::null());
        command
    }

    /// The line that the runner starts a container with; values travel in the client's environment. The network is the machine's,
    /// so that doubles on the loopback can be reached.
    pub(crate) fn start(&self, launch: &Launch<'_>) -> Child {
        let mut command = Command::new("docker");
        command.args(["run", "--name", &launch.name, "--label", "7ie1e", "--workdir", "/github/workspace", "--rm"]);
        for name in launch.variables.keys() {
            command.args(["-e", name]);
        }
        command.args(["--entrypoint", launch.entrypoint, "--network", "host"]);
        for (host, inside) in &launch.mounts {
            command.args(["-v", &format!("{}:{inside}", host.display())]);
        }
        command.arg(IMAGE);
        command.env_clear().env("PATH", std::env::var("PATH").unwrap()).envs(launch.variables).env("DOCKER_HOST", &self.host);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    pub(crate) fn is_alive(&self, name: &str) -> bool {
        let asked = self.command().args(["inspect", "--format", "{{.State.Running}}", name]).output().unwrap();
        asked.status.success() && String::from_utf8_lossy(&asked.stdout).trim() == "true"
    }

    pub(crate) fn remove(&self, name: &str) {
        let _ = self.command().args(["rm", "--force", name]).output();
    }
}
