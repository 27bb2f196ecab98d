//! GitHub's own description of its API as the judge of callers and answers.
//!
//! In front of the double stands Prism, a validating proxy, with the description that GitHub publishes (`tests/openapi`); in front
//! of Prism a hop that makes of `a/b` in the last part of a path what Prism takes for one part, and keeps what Prism complains of.

use std::io::{BufRead as _, BufReader};
use std::mem::take;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::panicking;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State as Shared};
use axum::http::Response;
use reqwest::Client;
use reqwest::redirect::Policy;
use serde_json::Value;

use super::host::{Host, Port};
use super::server::ENTERPRISE;

/// Statuses that any call may meet; the description does not repeat them for each.
const ANYWHERE: [u16; 8] = [401, 403, 404, 429, 500, 502, 503, 504];
/// What the proxy says of itself and must not be passed on.
const HOP_BY_HOP: [&str; 5] = ["connection", "content-length", "host", "sl-violations", "transfer-encoding"];

/// Stops when it is dropped; a violation fails the test then.
pub(super) struct Judge {
    pub(super) url: String,
    violations: Arc<Mutex<Vec<String>>>,
    prism: Child,
    _host: Host,
}

struct Hop {
    /// Its own host, as callers know it.
    name: String,
    double: String,
    prism: String,
    client: Client,
    violations: Arc<Mutex<Vec<String>>>,
}

impl Judge {
    /// Starts before the double at `double`.
    ///
    /// # Errors
    /// When Node.js or the packages are not installed.
    pub(super) fn start(double: &str) -> Result<Self, String> {
        let (prism, address) = start_prism(double)?;
        let (port, violations) = (Port::open(), Arc::default());
        let url = port.url();
        let hop = Hop {
            name: url.trim_start_matches("http://").to_owned(),
            double: double.to_owned(),
            prism: address,
            client: Client::builder().no_proxy().redirect(Policy::none()).build().unwrap(),
            violations: Arc::clone(&violations),
        };
        let host = Host::start(vec![(port, Router::new().fallback(pass).with_state(Arc::new(hop)))]);
        Ok(Self { url, violations, prism, _host: host })
    }

    /// What broke the description so far.
    pub(super) fn violations(&self) -> Vec<String> {
        self.violations.lock().unwrap().clone()
    }

    pub(super) fn forgive(&self) -> Vec<String> {
        take(&mut self.violations.lock().unwrap())
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        _ = self.prism.kill();
        _ = self.prism.wait();
        let violations = self.violations();
        assert!(violations.is_empty() || panicking(), "GitHub's description of its API was broken:\n{}", violations.join("\n"));
    }
}

/// Prism and its address.
fn start_prism(double: &str) -> Result<(Child, String), String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openapi");
    let modules = folder.join("node_modules");
    if !modules.join("@octokit/openapi").is_dir() {
        return Err("GitHub's description of its API is not installed (`npm ci` in `tests/openapi`)".to_owned());
    }
    let node = which::which("node").map_err(|_| "no `node` on PATH".to_owned())?;
    let mut command = Command::new(node);
    command.arg(folder.join("proxy.mjs")).arg(double).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut prism = command.spawn().unwrap();
    let mut address = String::new();
    BufReader::new(prism.stdout.take().unwrap()).read_line(&mut address).unwrap();
    assert!(address.starts_with("http"), "the validating proxy did not start; its error output is above");
    Ok((prism, address.trim().to_owned()))
}

/// Passes a request on to Prism, and the answer back.
async fn pass(Shared(hop): Shared<Arc<Hop>>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    // Prism follows redirects, and reads whatever comes as text; an identity token is not of this API; a repository's number is not in
    // its description.
    let is_raw = head.headers.get("accept").is_some_and(|accepted| accepted.to_str().unwrap_or_default().contains(".raw"));
    let is_beside =
        target.contains("/tarball") || target.starts_with("/_oidc/") || target.starts_with("/repositories/") || is_raw;
    let url = if is_beside { format!("{}{target}", hop.double) } else { format!("{}{}", hop.prism, escape(target)) };
    let mut passed = hop.client.request(head.method.clone(), url).header("x-forwarded-host", &hop.name);
    passed = passed.header("x-forwarded-uri", target);
    for (name, value) in head.headers.iter().filter(|(name, _)| !HOP_BY_HOP.contains(&name.as_str())) {
        passed = passed.header(name, value);
    }
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let passed = if body.is_empty() { passed } else { passed.body(body) };
    let answer = passed.send().await.unwrap();
    let status = answer.status().as_u16();
    if let Some(said) = answer.headers().get("sl-violations") {
        let found = read(said.as_bytes(), status);
        let call = format!("{} {target} {status}", head.method);
        hop.violations.lock().unwrap().extend(found.iter().map(|violation| format!("{call}: {violation}")));
    }
    let mut response = Response::builder().status(status);
    for (name, value) in answer.headers().iter().filter(|(name, _)| !HOP_BY_HOP.contains(&name.as_str())) {
        response = response.header(name, value);
    }
    response.body(answer.bytes().await.unwrap().into()).unwrap()
}

/// The last part of a route may have slashes; Prism wants it to be one part. The description is the same for an Enterprise Server.
fn escape(target: &str) -> String {
    let target = target.strip_prefix(ENTERPRISE).unwrap_or(target);
    let (path, query) = target.split_once('?').map_or((target, String::new()), |(path, query)| (path, format!("?{query}")));
    let parts: Vec<&str> = path.split('/').collect();
    let fixed = match parts.as_slice() {
        ["", "repos", _, _, "contents" | "commits" | "compare", ..] => 5,
        ["", "repos", _, _, "git", "ref" | "refs" | "matching-refs" | "trees", ..] => 6,
        _ => parts.len(),
    };
    let fixed = fixed.min(parts.len());
    let last = parts[fixed..].join("%2F");
    let border = if fixed < parts.len() { "/" } else { "" };
    format!("{}{border}{last}{query}", parts[..fixed].join("/"))
}

/// The violations that count.
fn read(said: &[u8], status: u16) -> Vec<String> {
    let all: Value = serde_json::from_slice(said).unwrap_or_default();
    let Some(all) = all.as_array() else { return vec![String::from_utf8_lossy(said).into_owned()] };
    let counts = |violation: &&Value| {
        let is_status = violation["message"].as_str().unwrap_or_default().starts_with("Unable to match the returned status code");
        !(is_status && ANYWHERE.contains(&status))
    };
    let show = |violation: &Value| {
        let parts = violation["location"].as_array().into_iter().flatten().map(|part| part.as_str().unwrap_or("?").to_owned());
        format!("{} {}", parts.collect::<Vec<_>>().join("."), violation["message"].as_str().unwrap_or_default())
    };
    all.iter().filter(counts).map(show).collect()
}
