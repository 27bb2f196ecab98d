//! Further root certificates: a server whose certificate no machine knows.

use std::path::Path;
use std::process::{Command, Stdio};

use http::Request;
use tieline::world::os::http_trusting;

use super::server::Server;
use super::{need, program};
use crate::harness::{Project, needs_terraform};

/// Makes an authority `<name>.pem` in a folder.
fn authority(folder: &Path, name: &str) {
    let (key, certificate, subject) = (format!("{name}.key"), format!("{name}.pem"), format!("/CN={name}"));
    let new = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"];
    openssl(folder, &[&new[..], &["-keyout", &key, "-out", &certificate, "-subj", &subject]].concat());
}

fn openssl(folder: &Path, arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A server with a certificate of the authority `ours.pem`; it has the file `hello`.
fn server(project: &Project) -> Server {
    let folder = project.root();
    authority(&folder, "ours");
    project.write("names", "subjectAltName=IP:127.0.0.1\n");
    project.write("hello", "hello\n");
    openssl(
        &folder,
        &["req", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=server"],
    );
    let signed = ["-CA", "ours.pem", "-CAkey", "ours.key", "-CAcreateserial", "-days", "2", "-extfile", "names"];
    openssl(&folder, &[&["x509", "-req", "-in", "server.csr", "-out", "server.pem"], &signed[..]].concat());
    let start = |port: u16| {
        let mut command = Command::new("openssl");
        command.args(["s_server", "-WWW", "-quiet", "-key", "server.key", "-cert", "server.pem"]);
        command.args(["-accept", &format!("127.0.0.1:{port}")]).current_dir(&folder).stderr(Stdio::null());
        command
    };
    Server::start(start, |port| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok())
}

fn has_openssl() -> Option<()> {
    let found = program("openssl", &[]).map(|_| ());
    need("openssl", found.ok_or_else(|| "no `openssl` on the PATH".to_owned()))
}

#[tokio::test]
async fn our_own_requests_trust_further_certificates() {
    if has_openssl().is_none() {
        return;
    }
    let project = Project::empty();
    let server = server(&project);
    let ours = std::fs::read(project.path("ours.pem")).unwrap();
    let request = || Request::get(format!("https://127.0.0.1:{}/hello", server.port)).body(Vec::new()).unwrap();
    let refused = http_trusting(&[]).send(request(), 100).await.unwrap_err();
    assert!(refused.why.contains("certificate"), "{refused}");
    assert_eq!(http_trusting(&ours).send(request(), 100).await.unwrap().body(), b"hello\n");
}

#[test]
fn git_trusts_further_certificates() {
    if has_openssl().is_none() {
        return;
    }
    let project = Project::empty();
    let server = server(&project);
    let context = format!("https://127.0.0.1:{}/context.git", server.port);
    let trusted = project.run(&["context", "verify", "--context", &context, "--ca-cert", "ours.pem"]);
    assert!(!trusted.stderr.contains("certificate") && trusted.stderr.contains("is this a git repository"), "{trusted}");
}

/// Programs that are told of a bundle forget the machine's certificates, so it holds those too.
#[test]
fn tf_terraform_is_told_of_the_machines_certificates_with_the_further_ones() {
    needs_terraform!();
    if has_openssl().is_none() {
        return;
    }
    let mut project = Project::lab();
    authority(&project.root(), "machine");
    authority(&project.root(), "ours");
    project.set("SSL_CERT_FILE", project.path("machine.pem").to_str().unwrap());
    project.set("TIELINE_CA_CERT", "ours.pem");
    let seen = project.path("seen");
    project.meanwhile("init", &format!("cat \"$SSL_CERT_FILE\" \"$GIT_SSL_CAINFO\" \"$AWS_CA_BUNDLE\" > '{}'", seen.display()));
    project.app("app", "  a: {use: ../plugins/thing}\n");
    project.deploy("app").succeeds();
    let both = project.read("machine.pem") + &project.read("ours.pem");
    assert_eq!(project.read("seen"), both.repeat(3));
    assert!(std::fs::read_dir(project.temporary()).unwrap().next().is_none());
}

#[test]
fn certificates_that_are_none_are_refused_with_the_reason() {
    let project = Project::empty();
    project.write("text.pem", "hello\n");
    project.write("cut.pem", "-----BEGIN CERTIFICATE-----\naGVsbG8=\n");
    project.write("other.pem", "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n");
    let said = ["text.pem", "cut.pem", "other.pem", "none.pem"].map(|file| {
        let ran = project.run(&["context", "verify", "--ca-cert", file]).refused("invalid-input");
        ran.stderr.lines().next().unwrap().to_owned()
    });
    insta::assert_snapshot!(said.join("\n"), @r"
    error[invalid-input]: cannot use the certificates in `text.pem`: there is no `-----BEGIN CERTIFICATE-----` in it
    error[invalid-input]: cannot use the certificates in `cut.pem`: it is cut off: a `-----BEGIN` has no `-----END`
    error[invalid-input]: cannot use the certificates in `other.pem`: its certificate 1 is none: invalid peer certificate: BadEncoding
    error[invalid-input]: cannot use the certificates in `none.pem`: No such file or directory (os error 2)
    ");
}
