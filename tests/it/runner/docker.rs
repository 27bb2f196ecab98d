//! Containers of a Docker engine: the one that `DOCKER_HOST` names, such as `tests/engine` starts.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use super::container::Launch;

/// The image with our program in it.
const IMAGE: &str = "tieline-runner-test";

/// An engine that answers.
pub(crate) struct Docker {
    /// `DOCKER_HOST`.
    host: String,
}

impl Docker {
    /// The engine, with the image; else what is lacking.
    pub(crate) fn here() -> Result<&'static Self, String> {
        static HERE: OnceLock<Result<Docker, String>> = OnceLock::new();
        HERE.get_or_init(Self::find).as_ref().map_err(Clone::clone)
    }

    fn find() -> Result<Self, String> {
        let variable = |name: &str| std::env::var(name).map_err(|_| format!("{name} is not set; `tests/engine` does that"));
        let (host, base) = (variable("DOCKER_HOST")?, variable("TIELINE_TEST_BASE_IMAGE")?);
        let docker = Self { host };
        docker.build(&base)?;
        Ok(docker)
    }

    /// Puts the program that is tested into an image that has everything else.
    fn build(&self, base: &str) -> Result<(), String> {
        let folder = tempfile::tempdir().unwrap();
        fs::copy(env!("CARGO_BIN_EXE_tieline"), folder.path().join("tieline")).unwrap();
        fs::write(folder.path().join("Dockerfile"), format!("FROM {base}\nCOPY tieline /usr/local/bin/tieline\n")).unwrap();
        let mut command = self.command();
        command.env("DOCKER_BUILDKIT", "0").args(["build", "--quiet", "--pull=false", "--tag", IMAGE]).arg(folder.path());
        let built = command.output().map_err(|problem| format!("docker cannot be started: {problem}"))?;
        if built.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&built.stderr).into_owned()) }
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
