//! `tieline preview down`.

use crate::app::Ended;
use crate::app::session::Session;
use crate::domain::diagnostic::Diagnostic;
use crate::domain::failure::FailureReason;
use crate::request::cli::PreviewDown;

/// Not written yet.
pub(super) async fn run(_session: &Session, _arguments: &PreviewDown) -> Ended {
    Err(Diagnostic::error(FailureReason::Internal, "`tieline preview down` is not written yet").into())
}
