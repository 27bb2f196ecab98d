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
        let server = Server::start(command, |port| request(port, "GET /moto-api/ HTTP/1.1", "").is_ok());
        Ok(Self { server, folder })
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.server.port)
    }

    pub(super) fn make_bucket(&self, name: &str) {
        let here = format!("<LocationConstraint>{REGION}</LocationConstraint>");
        self.s3("PUT", &format!("/{name}"), &format!("<CreateBucketConfiguration>{here}</CreateBucketConfiguration>"));
    }

    /// Asks something of S3, which must succeed.
    pub(super) fn s3(&self, method: &str, path: &str, body: &str) {
        let head = format!("{method} {path} HTTP/1.1\r\n{}", credential("s3"));
        request(self.server.port, &head, body).unwrap();
    }

    /// Asks something of SQS, which must succeed; the answer.
    pub(super) fn sqs(&self, action: &str, about: &Value) -> Value {
        let kind = format!("Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: AmazonSQS.{action}");
        let head = format!("POST / HTTP/1.1\r\n{kind}\r\n{}", credential("sqs"));
        serde_json::from_str(&request(self.server.port, &head, &about.to_string()).unwrap()).unwrap()
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

/// As much of a signature as the stand-in looks at.
fn credential(service: &str) -> String {
    format!("Authorization: AWS4-HMAC-SHA256 Credential=stand-in/20260101/{REGION}/{service}/aws4_request")
}

/// The body of the answer to a request, where it is one of success.
fn request(port: u16, head: &str, body: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let more = format!("Host: 127.0.0.1:{port}\r\nConnection: close\r\nContent-Length: {}", body.len());
    write!(stream, "{head}\r\n{more}\r\n\r\n{body}")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.1 2") => Ok(body.to_owned()),
        _ => Err(io::Error::other(answer)),
    }
}
