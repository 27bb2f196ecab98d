//! `tieline deploy --only`: one job of a fleet.

use std::collections::BTreeSet;

use super::{graph, id, refuse_protected};
use crate::app::Ended;
use crate::app::assemble::Resolved;
use crate::app::perform::{Job, Order, perform_job};
use crate::app::session::Session;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::Alias;
use crate::domain::nearest::nearest;
use crate::engine;
use crate::request::cli::FleetPart;

/// Deploys a part of what `resolve` gives.
pub(in crate::app) async fn job(
    session: &Session,
    order: Order<'_>,
    part: &FleetPart,
    resolve: impl AsyncFn() -> Result<Resolved, Problems>,
) -> Ended {
    if order.approved_plan.is_some() {
        let message = "a job of a fleet cannot hold to an approved plan: that is of the whole deployment";
        return Err(Diagnostic::error(FailureReason::InvalidInput, message).help("deploy it as one, without `only`").into());
    }
    let job = Job { fleet: id(part.fleet.as_deref().unwrap_or_default())?, aliases: part.only.iter().cloned().collect() };
    let aliases = &job.aliases;
    let resolve = async || {
        let resolved = resolve().await?;
        refuse_protected(&resolved)?;
        refuse_unknown(&resolved, aliases).await?;
        Ok(resolved)
    };
    Box::pin(perform_job(session, order, &job, resolve)).await
}

/// What is neither in the manifest nor applied cannot be deployed.
async fn refuse_unknown(resolved: &Resolved, asked: &BTreeSet<Alias>) -> Result<(), Problems> {
    let graph = graph(resolved).await?;
    let known: BTreeSet<&Alias> = graph.keys().map(engine::Node::alias).collect();
    let unknown = asked.iter().filter(|alias| !known.contains(alias)).map(|alias| {
        let message = format!("there is no applied plugin `{alias}` to deploy");
        let problem = Diagnostic::error(FailureReason::InvalidInput, message).in_file(&resolved.deployment.file);
        match nearest(alias.as_str(), known.iter().map(|known| known.as_str())) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem.help("correct `only`; `tieline fleet` prints what there is"),
        }
    });
    let unknown = Problems(unknown.collect());
    if unknown.any_error() { Err(unknown) } else { Ok(()) }
}
