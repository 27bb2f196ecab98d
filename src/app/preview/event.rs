//! `tieline preview`.

use crate::app::Ended;
use crate::app::session::Session;
use crate::domain::diagnostic::Diagnostic;
use crate::domain::failure::FailureReason;
use crate::request::cli::Preview;

/// Not written yet.
pub(super) async fn run(_session: &Session, _arguments: &Preview) -> Ended {
    Err(Diagnostic::error(FailureReason::Internal, "`tieline preview` is not written yet").into())
}
