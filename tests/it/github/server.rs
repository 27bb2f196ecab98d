//! Requests in, answers out.

use std::panic::resume_unwind;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State as Shared};
use axum::http::Response;
use sha2::{Digest as _, Sha256};

use super::call::{Answer, Call, now};
use super::fault::{self, Fault};
use super::routes;
use super::state::{self, State};

/// The prefix of the API on an Enterprise Server.
pub(super) const ENTERPRISE: &str = "/api/v3";
/// More than any body that GitHub takes.
const BODY_LIMIT: usize = 100 << 20;

pub(super) type Held = Arc<Mutex<State>>;

/// What answers as the API, and what as the host of the archives.
pub(super) fn routers(held: &Held) -> [Router; 2] {
    [
        Router::new().fallback(answer).with_state(Arc::clone(held)),
        Router::new().fallback(answer_archive).with_state(Arc::clone(held)),
    ]
}

async fn answer_archive(Shared(held): Shared<Held>, request: Request) -> Response<Body> {
    let mut call = read(request).await;
    call.target.insert_str(0, "codeload");
    let answer = routes::archive(&state::lock(&held), &call).unwrap_or_else(|refused| refused);
    state::lock(&held).record(&call, Some(&answer));
    respond(&call, answer)
}

async fn answer(Shared(held): Shared<Held>, request: Request) -> Response<Body> {
    let call = Arc::new(read(request).await);
    let fault = fault::take(&mut state::lock(&held).faults, &call);
    if matches!(fault, Some(Fault::Cut)) {
        cut(&held, &call);
    }
    let cuts = matches!(fault, Some(Fault::CutAfterwards));
    let answer = match fault.as_ref().and_then(Fault::answer) {
        Some(answer) => answer,
        None => carry_out(&held, &call, fault).await,
    };
    if cuts {
        cut(&held, &call);
    }
    state::lock(&held).record(&call, Some(&answer));
    respond(&call, answer)
}

async fn carry_out(held: &Held, call: &Arc<Call>, fault: Option<Fault>) -> Answer {
    if let Some(Fault::Slow(time)) = fault {
        tokio::time::sleep(time).await;
    }
    let (held, call) = (Arc::clone(held), Arc::clone(call));
    let work = move || {
        if let Some(Fault::Meanwhile(deed)) = fault {
            deed();
        }
        routes::answer(&mut state::lock(&held), &call).unwrap_or_else(|refused| refused)
    };
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|problem| Answer::refused(500, &problem.to_string()))
}

/// Ends the connection without an answer: the server drops the connection of a task that unwinds.
fn cut(held: &Held, call: &Call) -> ! {
    state::lock(held).record(call, None);
    resume_unwind(Box::new("the connection is cut"))
}

async fn read(request: Request) -> Call {
    let (head, body) = request.into_parts();
    // A proxy says what it was asked, and as whom.
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let target = header("x-forwarded-uri").unwrap_or_else(|| head.uri.path_and_query().map_or("/", |target| target.as_str()));
    let host = header("x-forwarded-host").or(header("host")).unwrap_or("localhost");
    let (prefix, target) = target.strip_prefix(ENTERPRISE).map_or(("", target), |rest| (ENTERPRISE, rest));
    Call {
        method: head.method,
        base: format!("http://{host}{prefix}"),
        target: target.to_owned(),
        body: to_bytes(body, BODY_LIMIT).await.unwrap_or_default().to_vec(),
        headers: head.headers,
    }
}

/// The answer with what every answer of GitHub has.
fn respond(call: &Call, answer: Answer) -> Response<Body> {
    let reset = (now().timestamp() + 3600).to_string();
    let usual = [
        ("x-ratelimit-limit", "5000"),
        ("x-ratelimit-remaining", "4999"),
        ("x-ratelimit-used", "1"),
        ("x-ratelimit-reset", &reset),
        ("x-ratelimit-resource", "core"),
        ("x-github-request-id", "D0B1:E000:0000001:0000002:00000003"),
        ("x-github-media-type", "github.v3; format=json"),
        ("server", "github.com"),
    ];
    let etag = format!("\"{:x}\"", Sha256::digest(&answer.body));
    let is_same = call.method == "GET" && answer.status == 200 && call.header("if-none-match") == Some(etag.as_str());
    let mut response = Response::builder().status(if is_same { 304 } else { answer.status.as_u16() });
    for (name, value) in usual.iter().filter(|(name, _)| !answer.headers.iter().any(|(own, _)| own == name)) {
        response = response.header(*name, *value);
    }
    for (name, value) in &answer.headers {
        response = response.header(*name, value);
    }
    if call.method == "GET" {
        response = response.header("etag", etag);
    }
    response.body(if is_same { Body::empty() } else { answer.body.into() }).unwrap()
}
