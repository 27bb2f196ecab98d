//! `tieline preview list`.

use crate::app::session::Session;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::request::cli::Target;

pub(super) async fn run(_session: &Session, _target: &Target) -> Result<(), Problems> {
    Err(Diagnostic::error(FailureReason::Internal, "`tieline preview list` is not written yet").into())
}
