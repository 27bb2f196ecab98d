//! `tieline rollback`: applies an earlier release again (R36 to R39).

use super::Ended;
use super::assemble::{self, Accepts, Back};
use super::perform::{Order, perform};
use super::session::Session;
use crate::domain::record::RunType;
use crate::request::cli;

/// Goes back to the release that is asked for.
pub(super) async fn run(session: &Session, arguments: &cli::Rollback) -> Ended {
    let back = Back::read(&arguments.back)?;
    let (target, sensitive) = (&arguments.target, &arguments.sensitive);
    let order = Order {
        target: &arguments.target,
        run_type: RunType::Rollback,
        terraform: &arguments.terraform,
        version_tag: arguments.version_tag.as_deref(),
        approved_plan: arguments.approved_plan.as_deref(),
        allow_destroy: arguments.allow_destroy,
        overrides: &arguments.overrides,
    };
    let accepts = Accepts { degraded: arguments.terraform.allow_degraded, abandoned: &arguments.overrides.abandon };
    let resolve = async || assemble::from_release(session, target, sensitive, &back, accepts).await;
    Box::pin(perform(session, order, resolve)).await
}
