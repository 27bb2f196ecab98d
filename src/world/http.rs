//! HTTP: one exchange at a time, whole bodies.

use std::time::Duration;

use async_trait::async_trait;
use http::{Request, Response};

/// Sends requests.
#[async_trait]
pub trait Http: Send + Sync {
    /// Sends `request` and reads the answer, whatever its status; redirects are followed. An answer whose body is longer than
    /// `limit` bytes is an error. It takes at most [`LONGEST`].
    ///
    /// # Errors
    /// When there is no answer, or it is too long.
    async fn send(&self, request: Request<Vec<u8>>, limit: usize) -> Result<Response<Vec<u8>>, HttpError>;
}

/// How long an exchange may take.
pub const LONGEST: Duration = Duration::from_mins(2);

/// There was no answer to a request. Its text names no more of the address than the host, since a query may hold a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{host}: {why}")]
pub struct HttpError {
    /// Whom was asked.
    pub host: String,
    /// What went wrong.
    pub why: String,
    /// Whether the request may have reached the server, so that it may have been carried out.
    pub may_have_arrived: bool,
}
