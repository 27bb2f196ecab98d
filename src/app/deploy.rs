//! `tieline deploy`: provisions a deployable into an environment and publishes its connections.

use super::assemble::{self, Accepts, Standing};
use super::perform::{Order, perform};
use super::session::Session;
use super::{Ended, fleet};
use crate::domain::record::RunType;
use crate::request::cli;

/// Deploys what the manifest says.
pub(super) async fn run(session: &Session, arguments: &cli::Deploy) -> Ended {
    let (target, values) = (&arguments.target, &arguments.values);
    let accepts = Accepts { degraded: arguments.terraform.allow_degraded, abandoned: &arguments.overrides.abandon };
    let order = Order {
        target: &arguments.target,
        run_type: RunType::Deploy,
        terraform: &arguments.terraform,
        version_tag: arguments.version_tag.as_deref(),
        approved_plan: arguments.approved_plan.as_deref(),
        allow_destroy: arguments.allow_destroy,
        overrides: &arguments.overrides,
    };
    let resolve = async || assemble::from_manifest(session, target, values, accepts, Standing::Environment).await;
    if arguments.part.fleet.is_some() {
        return Box::pin(fleet::job(session, order, &arguments.part, resolve)).await;
    }
    Box::pin(perform(session, order, resolve)).await
}
