//! Why the server did not do what it was asked.

use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use crate::domain::diagnostic::Diagnostic;
use crate::domain::failure::FailureReason;
use crate::world::HttpError;

/// Why the server did not do what it was asked. `call` is the method and the route.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// The token may not.
    #[error("`{call}` is not allowed: {message}")]
    Denied {
        /// What was asked.
        call: String,
        /// What is missing, as it is written in a workflow (`contents: write`), with ` or ` between alternatives; none where
        /// the server does not tell.
        permission: Option<String>,
        /// Whose token it is, which decides where the permission is set.
        bearer: Bearer,
        /// What the server says.
        message: String,
    },
    /// There is no such thing, or the token may not see it: the server does not tell which.
    #[error("`{call}` found nothing")]
    NotFound {
        /// What was asked.
        call: String,
        /// Whose token it is.
        bearer: Bearer,
    },
    /// The server does not do that.
    #[error("`{call}` was refused ({status}): {message}")]
    Refused {
        /// What was asked.
        call: String,
        /// The status of the answer.
        status: u16,
        /// What the server says.
        message: String,
    },
    /// There was no answer, or none that can be used. A write may have been carried out.
    #[error("`{call}` failed: {why}")]
    Unavailable {
        /// What was asked.
        call: String,
        /// Why.
        why: String,
    },
}

/// Whose token it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearer {
    /// A workflow's own, or one that an app minted for it.
    Workflow,
    /// A person's.
    Person,
    /// An app's, minted by us.
    App,
    /// There is none.
    Nobody,
}

/// What the server says of a failure.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    message: String,
    errors: Value,
}

impl ApiError {
    /// The error that an answer means.
    pub(super) fn of(call: String, bearer: Bearer, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let message = message_of(status, body);
        match status {
            StatusCode::UNAUTHORIZED => Self::Denied { call, permission: None, bearer, message },
            StatusCode::FORBIDDEN => Self::Denied { call, permission: permission_of(headers), bearer, message },
            StatusCode::NOT_FOUND => Self::NotFound { call, bearer },
            _ if status.is_server_error() => Self::Unavailable { call, why: format!("the server answers {status}: {message}") },
            _ => Self::Refused { call, status: status.as_u16(), message },
        }
    }

    /// There was no answer.
    pub(super) fn unanswered(call: String, problem: &HttpError) -> Self {
        Self::Unavailable { call, why: problem.to_string() }
    }

    /// What octocrab's error means. Those of the [`Wire`](super::wire::Wire) come through it unchanged.
    pub(super) fn from_octocrab(call: &str, problem: octocrab::Error) -> Self {
        let unusable = |why: String| Self::Unavailable { call: call.to_owned(), why };
        match problem {
            octocrab::Error::Service { source, .. } => match source.downcast::<Self>() {
                Ok(error) => *error,
                Err(source) => unusable(source.to_string()),
            },
            octocrab::Error::Json { source, .. } => {
                unusable(format!("the answer is not as expected: `{}`: {}", source.path(), source.inner()))
            }
            problem => unusable(problem.to_string()),
        }
    }

    /// The repository that was asked about.
    fn place(&self) -> String {
        let call = match self {
            Self::Denied { call, .. }
            | Self::NotFound { call, .. }
            | Self::Refused { call, .. }
            | Self::Unavailable { call, .. } => call,
        };
        let parts: Vec<&str> = call.split(['/', '?']).collect();
        match parts[..] {
            [_, "repos", owner, name, ..] => format!("`{owner}/{name}`"),
            _ => "the GitHub server".to_owned(),
        }
    }

    /// The error as people need it. `otherwise` is the reason where it is not a permission that lacks.
    pub fn diagnostic(&self, otherwise: FailureReason) -> Diagnostic {
        let place = self.place();
        match self {
            Self::Denied { permission, bearer, message, call } => {
                let permission = permission.as_deref();
                let lacks = permission.map(|_| format!(": it lacks {}", spoken(permission))).unwrap_or_default();
                let message_to_people = format!("the token may not do this in {place}{lacks}");
                let diagnostic = Diagnostic::error(FailureReason::PermissionDenied, message_to_people)
                    .note(format!("`{call}` was answered with: {message}"));
                // Without a name it may be the token itself.
                let validity = permission.is_none().then(|| "check that the token is the right one and still valid".to_owned());
                validity.into_iter().chain(bearer.remedies(&spoken(permission))).fold(diagnostic, Diagnostic::help)
            }
            Self::NotFound { bearer, call } => {
                let unseen = if *bearer == Bearer::Nobody { "it is not seen without a token" } else { "the token cannot see it" };
                let diagnostic = Diagnostic::error(otherwise, format!("{place} does not have it, or {unseen}"))
                    .note(format!("`{call}` was answered with 404, which says no more"))
                    .help("check the name");
                bearer.remedies(&spoken(None)).into_iter().fold(diagnostic, Diagnostic::help)
            }
            Self::Refused { message, .. } => {
                Diagnostic::error(otherwise, format!("GitHub refuses this in {place}: {message}")).note(self.to_string())
            }
            Self::Unavailable { why, call } => Diagnostic::error(otherwise, format!("GitHub is not available: {why}"))
                .note(format!("the call was `{call}`"))
                .help("check the network and the server's status, then run again"),
        }
    }
}

impl Bearer {
    /// What to do about a token that may not; `permission` as it reads in a sentence.
    fn remedies(self, permission: &str) -> Vec<String> {
        match self {
            Self::Workflow => vec![
                format!("add {permission} to `permissions:` of the workflow's job"),
                "a workflow's own token reaches no repository but its own: for another one give `app-id` and `app-private-key`, \
                 or a token"
                    .to_owned(),
            ],
            Self::Person => vec![format!("give the token {permission} and access to the repository, in its owner's settings")],
            Self::App => vec![format!(
                "give the GitHub App {permission}, have that accepted where it is installed, and install it on the repository"
            )],
            Self::Nobody => vec!["give a token: `github-token`, or `context-token` for the context repository".to_owned()],
        }
    }
}

/// A permission as it reads in a sentence.
fn spoken(permission: Option<&str>) -> String {
    permission.map_or_else(|| "the permission".to_owned(), |names| format!("`{}`", names.replace(" or ", "` or `")))
}

/// The message, with what the server adds to it on single fields.
fn message_of(status: StatusCode, body: &[u8]) -> String {
    let said: Said = serde_json::from_slice(body).unwrap_or_default();
    let message = if said.message.is_empty() { status.to_string() } else { said.message };
    let errors = match said.errors {
        Value::Array(errors) => errors,
        Value::Null => Vec::new(),
        other => vec![other],
    };
    errors.iter().fold(message, |message, error| match error.get("message").unwrap_or(error) {
        Value::String(text) => format!("{message}; {text}"),
        _ => format!("{message}; {error}"),
    })
}

/// The permissions that would have done, as they are written in a workflow; ` or ` stands between sets of which each would.
fn permission_of(headers: &HeaderMap) -> Option<String> {
    let accepted = headers.get("x-accepted-github-permissions")?.to_str().ok()?;
    let spelled = |set: &str| {
        let permissions = set.split(',').filter_map(|permission| permission.trim().split_once('='));
        permissions.map(|(name, level)| format!("{}: {level}", name.replace('_', "-"))).collect::<Vec<_>>().join(", ")
    };
    let sets: Vec<String> = accepted.split(';').map(spelled).filter(|set| !set.is_empty()).collect();
    (!sets.is_empty()).then(|| sets.join(" or "))
}
