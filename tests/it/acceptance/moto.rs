//! An AWS stand-in: `moto_server`, of the Python package `moto[server]`.

use std::fs::{self, File};
use std::process::Command;

use tempfile::TempDir;

use super::program;
use super::request::request;
use super::server::Server;

/// The account that the stand-in says everything belongs to.
pub(super) const ACCOUNT: &str = "123456789012";

pub(super) struct Moto {
    pub(super) server: Server,
    // Dropped after the server: its error output goes there.
    folder: TempDir,
}

impl Moto {
    /// # Errors
    /// When the machine has none.
    pub(super) fn start() -> Result<Self, String> {
        let program = program("moto_server", &[]).ok_or("no `moto_server` on PATH (Python package `moto[server]`)")?;
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let command = |port: u16| {
            let mut command = Command::new(&program);
            command.args(["-H", "127.0.0.1", "-p", &port.to_string()]).stderr(File::create(&log).unwrap());
            command
        };
        let server = Server::start(command, |port| request(port, "GET", "/moto-api/", "").is_ok_and(|(status, _)| status == 200));
        Ok(Self { server, folder })
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.server.port)
    }

    pub(super) fn make_bucket(&self, name: &str) {
        let (status, body) = request(self.server.port, "PUT", &format!("/{name}"), "").unwrap();
        assert_eq!(status, 200, "{body}");
    }

    /// Every request so far, a line each.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// What makes Terraform and its providers talk to the stand-in.
    pub(super) fn variables(&self) -> [(&'static str, String); 6] {
        [
            ("AWS_ENDPOINT_URL", self.url()),
            ("AWS_ACCESS_KEY_ID", "stand-in".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY.to_owned()),
            ("AWS_REGION", "sa-east-1".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("NO_PROXY", "127.0.0.1".to_owned()),
        ]
    }
}

/// A secret, as far as leaks are concerned.
pub(super) const SECRET_KEY: &str = "canary-of-the-secret-access-key";
