//! Every request on its way to the server: addressed, with a token, tried again where that is safe, counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use http::header::{ACCEPT, AUTHORIZATION, HeaderValue, USER_AGENT};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use octocrab::OctoBody;
use tokio_util::sync::CancellationToken;

use super::app::App;
use super::client::{Identity, Server};
use super::error::{ApiError, Bearer};
use super::rate;
use crate::secrets::Secret;
use crate::world::{HttpError, World};

/// The longest answer that is read, in bytes: an archive of a repository is the longest there is.
const LONGEST_ANSWER: usize = 256 << 20;

/// The longest that all waits for one request take together.
const MOST_WAITING: Duration = Duration::from_mins(10);

/// How often a request is tried again, usually.
const RETRIES: usize = 6;

/// What all requests share.
#[derive(Clone)]
pub(super) struct Wire {
    pub(super) world: World,
    pub(super) learn: Arc<dyn Fn(&Secret) + Send + Sync>,
    pub(super) cancel: CancellationToken,
    /// How often a request is tried again.
    pub(super) retries: usize,
    api: Arc<str>,
    credential: Credential,
    writes: Arc<AtomicU64>,
}

/// What a request is authorized with.
#[derive(Clone)]
enum Credential {
    None,
    Token(Secret),
    App(Arc<App>),
}

/// A try that failed.
pub(super) struct Failed {
    error: ApiError,
    again: Again,
}

impl From<Failed> for ApiError {
    fn from(failed: Failed) -> Self {
        failed.error
    }
}

/// Whether another try may help.
enum Again {
    No,
    Soon,
    After(Duration),
}

impl Wire {
    pub(super) fn new(world: &World, server: &Server, identity: Identity) -> Self {
        let credential = match identity {
            Identity::Anonymous => Credential::None,
            Identity::Token(token) => Credential::Token(token),
            Identity::App { id, key, repository } => Credential::App(Arc::new(App::new(id, key, repository))),
        };
        Self {
            world: world.clone(),
            learn: Arc::new(|_| ()),
            cancel: CancellationToken::new(),
            retries: RETRIES,
            api: server.api.as_str().into(),
            credential,
            writes: Arc::default(),
        }
    }

    pub(super) fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }

    /// Carries a request of octocrab's to the server. Only a success is an answer.
    pub(super) async fn carry(self, request: Request<OctoBody>) -> Result<Response<Vec<u8>>, ApiError> {
        let (parts, body) = request.into_parts();
        let call = format!("{} {}", parts.method, parts.uri.path());
        let body = body.collect().await.map(|body| body.to_bytes().to_vec());
        let body = body.map_err(|problem| ApiError::Unavailable { call, why: problem.to_string() })?;
        if !is_read(&parts.method) {
            self.writes.fetch_add(1, Ordering::Relaxed);
        }
        let request = Request::from_parts(parts, body);
        let (token, bearer) = self.token().await?;
        let answer = self.clone().exchange(request.clone(), token, bearer).await;
        match (&answer, &self.credential) {
            // Its token was revoked, or ran out while we waited.
            (Err(Failed { error: ApiError::Denied { permission: None, .. }, .. }), Credential::App(app))
                if app.forget().await =>
            {
                let (token, bearer) = self.token().await?;
                Ok(self.exchange(request, token, bearer).await?)
            }
            _ => Ok(answer?),
        }
    }

    async fn token(&self) -> Result<(Option<Secret>, Bearer), ApiError> {
        match &self.credential {
            Credential::None => Ok((None, Bearer::Nobody)),
            Credential::Token(token) => {
                let person = ["ghp_", "github_pat_", "gho_"].iter().any(|start| token.expose().starts_with(start));
                Ok((Some(token.clone()), if person { Bearer::Person } else { Bearer::Workflow }))
            }
            Credential::App(app) => Ok((Some(app.token(self).await?), Bearer::App)),
        }
    }

    /// Sends a request until it succeeds, cannot succeed, or must not be repeated.
    ///
    /// Not an `async fn`: only with the type written down does the compiler see that it is `Send`.
    pub(super) fn exchange(
        self,
        request: Request<Vec<u8>>,
        token: Option<Secret>,
        bearer: Bearer,
    ) -> impl Future<Output = Result<Response<Vec<u8>>, Failed>> + Send {
        let mut waited = Duration::ZERO;
        let (clock, cancel, cancelled) = (self.world.clock.clone(), self.cancel.clone(), self.cancel.clone());
        let backoff = ExponentialBuilder::default().with_jitter().with_max_times(self.retries);
        let tries = move || {
            let (wire, request, token) = (self.clone(), request.clone(), token.clone());
            async move { wire.attempt(request, token, bearer).await }
        };
        tries
            .retry(backoff)
            .sleep(move |pause| {
                let (clock, cancel) = (clock.clone(), cancel.clone());
                async move {
                    tokio::select! { () = clock.sleep(pause) => (), () = cancel.cancelled_owned() => () }
                }
            })
            .when(move |failed: &Failed| !matches!(failed.again, Again::No) && !cancelled.is_cancelled())
            .adjust(move |failed: &Failed, usual: Option<Duration>| {
                let pause = match failed.again {
                    Again::After(pause) => usual.map(|usual| pause.max(usual)),
                    Again::Soon | Again::No => usual,
                };
                waited = waited.saturating_add(pause.unwrap_or_default());
                pause.filter(|_| waited <= MOST_WAITING)
            })
            .notify(|failed: &Failed, pause| tracing::warn!("{}; next try in {} s", failed.error, pause.as_secs_f32().ceil()))
    }

    async fn attempt(
        self,
        request: Request<Vec<u8>>,
        token: Option<Secret>,
        bearer: Bearer,
    ) -> Result<Response<Vec<u8>>, Failed> {
        let (read, call) = (is_read(request.method()), format!("{} {}", request.method(), request.uri().path()));
        let request = self.addressed(request, token).map_err(|problem| Failed {
            error: ApiError::Unavailable { call: call.clone(), why: format!("it cannot be sent: {problem}") },
            again: Again::No,
        })?;
        let answer = self.world.http.send(request, LONGEST_ANSWER).await.map_err(|problem: HttpError| Failed {
            again: if read || !problem.may_have_arrived { Again::Soon } else { Again::No },
            error: ApiError::unanswered(call.clone(), &problem),
        })?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let (status, headers) = (answer.status(), answer.headers());
        let error = ApiError::of(call.clone(), bearer, status, headers, answer.body());
        let limit = rate::pause(status, headers, &error.to_string(), self.world.clock.now());
        Err(match limit {
            // What is refused for a limit was not carried out.
            Some(pause) => Failed { error: limited(call, bearer, pause), again: Again::After(pause) },
            None if read && passes(status) => Failed { error, again: Again::Soon },
            None => Failed { error, again: Again::No },
        })
    }

    fn addressed(&self, request: Request<Vec<u8>>, token: Option<Secret>) -> Result<Request<Vec<u8>>, http::Error> {
        let (mut parts, body) = request.into_parts();
        let route = parts.uri.path_and_query().map_or("/", |route| route.as_str());
        parts.uri = format!("{}{route}", self.api).parse()?;
        parts.headers.entry(ACCEPT).or_insert(HeaderValue::from_static("application/vnd.github+json"));
        parts.headers.insert(USER_AGENT, HeaderValue::from_static(concat!("tieline/", env!("CARGO_PKG_VERSION"))));
        if let Some(token) = token {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose()))?;
            value.set_sensitive(true);
            parts.headers.insert(AUTHORIZATION, value);
        }
        Ok(Request::from_parts(parts, body))
    }
}

fn limited(call: String, bearer: Bearer, pause: Duration) -> ApiError {
    let remedy = if bearer == Bearer::Nobody { "; with a token it is higher" } else { "" };
    ApiError::Unavailable { call, why: format!("GitHub's limit is reached, for {} s yet{remedy}", pause.as_secs()) }
}

fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// Whether a failure of the server's may be over soon.
fn passes(status: StatusCode) -> bool {
    status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED
}
