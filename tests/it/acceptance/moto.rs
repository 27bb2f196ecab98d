//! An AWS stand-in: `moto_server`, of the Python package `moto[server]`.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::program;
use super::server::Server;

/// A secret, as far as leaks are concerned.
pub(super) const SECRET_KEY: &str = "canary-of-the-secret-access-key";
const REGION: &str = "sa-east-1";

pub(super) struct Moto {
    server: Server,
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
        let server = Server::start(command, |port| request(port, "GET", "/moto-api/", "").is_ok());
        Ok(Self { server, folder })
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.server.port)
    }

    pub(super) fn make_bucket(&self, name: &str) {
        let here = format!("<LocationConstraint>{REGION}</LocationConstraint>");
        self.request("PUT", &format!("/{name}"), &format!("<CreateBucketConfiguration>{here}</CreateBucketConfiguration>"))
            .unwrap();
    }

    /// The queues there are.
    pub(super) fn queues(&self) -> Vec<Value> {
        let data: Value = serde_json::from_str(&self.request("GET", "/moto-api/data.json", "").unwrap()).unwrap();
        data["sqs"]["Queue"].as_array().cloned().unwrap_or_default()
    }

    /// The answer's body.
    ///
    /// # Errors
    /// When the answer is not one of success.
    pub(super) fn request(&self, method: &str, path: &str, body: &str) -> io::Result<String> {
        request(self.server.port, method, path, body)
    }

    /// Every request so far, a line each.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

/// What makes Terraform and its providers talk to the stand-in.
pub(super) fn variables(url: &str) -> [(&str, &str); 6] {
    [
        ("AWS_ENDPOINT_URL", url),
        ("AWS_ACCESS_KEY_ID", "stand-in"),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
        ("AWS_REGION", REGION),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("NO_PROXY", "127.0.0.1"),
    ]
}

/// One request over HTTP/1.1, signed as far as the stand-in looks.
fn request(port: u16, method: &str, path: &str, body: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let head = [
        format!("{method} {path} HTTP/1.1"),
        format!("Host: 127.0.0.1:{port}"),
        format!("Content-Length: {}", body.len()),
        "Connection: close".to_owned(),
        format!("Authorization: AWS4-HMAC-SHA256 Credential=stand-in/20260101/{REGION}/s3/aws4_request"),
    ];
    write!(stream, "{}\r\n\r\n{body}", head.join("\r\n"))?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.1 2") => Ok(body.to_owned()),
        _ => Err(io::Error::other(answer)),
    }
}
