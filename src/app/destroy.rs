//! `tieline destroy`: removes what was deployed, consumers first, from what was recorded when it was applied (R29 to R35).

use super::perform::{Order, perform};
use super::session::Session;
use super::{Ended, assemble};
use crate::domain::record::RunType;
use crate::request::cli;

/// Destroys all that is applied at a place.
pub(super) async fn run(session: &Session, arguments: &cli::Destroy) -> Ended {
    let order = Order {
        target: &arguments.target,
        run_type: RunType::Destroy,
        terraform: &arguments.terraform,
        version_tag: None,
        approved_plan: arguments.approved_plan.as_deref(),
        allow_destroy: true,
        overrides: &arguments.overrides,
    };
    let resolve = async || assemble::for_destroy(session, &arguments.target, &arguments.sensitive).await;
    Box::pin(perform(session, order, resolve)).await
}
