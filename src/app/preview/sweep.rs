//! `tieline preview sweep`.

use crate::app::Ended;
use crate::app::session::Session;
use crate::domain::diagnostic::Diagnostic;
use crate::domain::failure::FailureReason;
use crate::request::cli::PreviewSweep;

/// Not written yet.
pub(super) async fn run(_session: &Session, _arguments: &PreviewSweep) -> Ended {
    Err(Diagnostic::error(FailureReason::Internal, "`tieline preview sweep` is not written yet").into())
}
