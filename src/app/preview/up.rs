//! `tieline preview up` and `refresh`.

use crate::app::Ended;
use crate::app::session::Session;
use crate::domain::diagnostic::Diagnostic;
use crate::domain::failure::FailureReason;
use crate::request::cli::PreviewRun;

pub(super) async fn up(_session: &Session, _arguments: &PreviewRun) -> Ended {
    Err(Diagnostic::error(FailureReason::Internal, "`tieline preview up` is not written yet").into())
}

pub(super) async fn refresh(_session: &Session, _arguments: &PreviewRun) -> Ended {
    Err(Diagnostic::error(FailureReason::Internal, "`tieline preview refresh` is not written yet").into())
}
