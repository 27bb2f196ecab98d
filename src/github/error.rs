//! Why the server did not do what it was asked.

use http::{HeaderMap, StatusCode};
use serde::Deserialize;

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
        /// The permission that is missing, as it is written in a workflow; none where the server does not tell.
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
    errors: Vec<serde_json::Value>,
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
                let lacks = match permission {
                    Some(permission) => format!("the token may not do this in {place}: it lacks `{permission}`"),
                    None => format!("the token may not do this in {place}"),
                };
                let diagnostic = Diagnostic::error(FailureReason::PermissionDenied, lacks)
                    .note(format!("`{call}` was answered with: {message}"));
                bearer.remedies(permission.as_deref()).into_iter().fold(diagnostic, Diagnostic::help)
            }
            Self::NotFound { bearer, call } => {
                let diagnostic = Diagnostic::error(otherwise, format!("{place} does not have it, or the token cannot see it"))
                    .note(format!("`{call}` was answered with 404, which says no more"))
                    .help("check the name");
                bearer.remedies(None).into_iter().fold(diagnostic, Diagnostic::help)
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
    /// What to do about a token that may not.
    fn remedies(self, permission: Option<&str>) -> Vec<String> {
        let permission = permission.unwrap_or("the permission");
        match self {
            Self::Workflow => vec![
                format!("add `{permission}` to `permissions:` of the workflow's job")
                    .replace("`the permission`", "the permission"),
                "a workflow's own token reaches no repository but its own: for another one set `app-id` and `app-private-key`, \
                 or a token"
                    .to_owned(),
            ],
            Self::Person => vec![format!("give the token {permission}, and access to the repository, in its owner's settings")],
            Self::App => {
                vec![format!(
                    "give the GitHub App {permission}, accept that in its installation, and install it on the repository"
                )]
            }
            Self::Nobody => vec!["give a token: `github-token`, or `context-token` for the context repository".to_owned()],
        }
    }
}

/// The message, with what the server adds to it on single fields.
fn message_of(status: StatusCode, body: &[u8]) -> String {
    let said: Said = serde_json::from_slice(body).unwrap_or_default();
    let message = if said.message.is_empty() { status.to_string() } else { said.message };
    said.errors.iter().fold(message, |message, error| match error.get("message").or(Some(error)) {
        Some(serde_json::Value::String(text)) => format!("{message}; {text}"),
        _ => format!("{message}; {error}"),
    })
}

/// The permission that would have done, as it is written in a workflow: of several sets the first.
fn permission_of(headers: &HeaderMap) -> Option<String> {
    let accepted = headers.get("x-accepted-github-permissions")?.to_str().ok()?;
    let set = accepted.split(';').next()?.trim();
    let spelled: Vec<String> = set
        .split(',')
        .filter_map(|permission| permission.trim().split_once('='))
        .map(|(name, level)| format!("{}: {level}", name.replace('_', "-")))
        .collect();
    (!spelled.is_empty()).then(|| spelled.join(", "))
}

impl From<octocrab::Error> for ApiError {
    fn from(problem: octocrab::Error) -> Self {
        let unusable = |why: String| Self::Unavailable { call: "a request".to_owned(), why };
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
}

impl ApiError {
    /// There was no answer.
    pub(super) fn unanswered(call: String, problem: &HttpError) -> Self {
        Self::Unavailable { call, why: problem.to_string() }
    }
}
