//! `tieline fleet`: a large deploy in waves of jobs, for many machines.

mod finish;
mod job;

use super::assemble::{self, Accepts, Resolved, Standing};
use super::perform::{Order, admit, new_run};
use super::session::Session;
use super::{Ended, Outcome, outputs, pace};
use crate::context::ledger::Snapshot;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::fleet::Waves;
use crate::domain::names::RunId;
use crate::domain::record::RunType;
use crate::engine::{self, Graph};
use crate::report;
use crate::request::cli;

pub(super) use finish::finish;
pub(super) use job::job;

/// Prints the waves; nothing is claimed, nothing started.
pub(super) async fn run(session: &Session, arguments: &cli::Fleet) -> Ended {
    let accepts = Accepts { degraded: arguments.terraform.allow_degraded, abandoned: &arguments.overrides.abandon };
    let resolved = assemble::from_manifest(session, &arguments.target, &arguments.values, accepts, Standing::Environment).await?;
    let order = Order {
        target: &arguments.target,
        run_type: RunType::Deploy,
        terraform: &arguments.terraform,
        version_tag: None,
        approved_plan: None,
        allow_destroy: false,
        overrides: &arguments.overrides,
    };
    admit(session, &resolved, &order).await?;
    let fleet = new_run(session);
    pace::admit(session, &resolved, order.run_type, &fleet).await?;
    refuse_protected(&resolved)?;
    let graph = graph(&resolved).await?;
    let most = arguments.waves.map_or(usize::MAX, |waves| waves as usize);
    let waves =
        Waves { place: resolved.deployment.place.clone(), fleet, waves: engine::jobs(&graph, most, arguments.jobs as usize) };
    if let Some(workflow) = &session.workflow {
        workflow.set_outputs(session, &outputs::fleet(&waves, &session.redactor));
    }
    session.print(&if session.is_json() { report::fleet::json(&waves) } else { report::fleet::text(&waves) });
    Ok(Outcome::Done)
}

/// The tasks of a deploy, as the ledger stands now.
async fn graph(resolved: &Resolved) -> Result<Graph, Problems> {
    let applied = Snapshot::newest(&*resolved.opened.store).await?.place(&resolved.deployment.place).await?.applied;
    Ok(engine::graph(&resolved.deployment, &applied))
}

/// In a protected environment all of it is planned and gated before the first apply (R26): that takes one process.
fn refuse_protected(resolved: &Resolved) -> Result<(), Problems> {
    let deployment = &resolved.deployment;
    if !deployment.environment.protected {
        return Ok(());
    }
    let message = format!("the environment `{}` is protected: a fleet does not deploy to it", deployment.place.environment);
    Err(Diagnostic::error(FailureReason::Protected, message)
        .in_file(&deployment.file)
        .note("everything is planned there, and held against what was approved, before the first apply; no job of a fleet can do that for the others")
        .help("deploy it as one: `tieline plan`, then `tieline deploy --approved-plan <fingerprint>`")
        .into())
}

/// The id of a fleet, as `tieline fleet` printed it.
fn id(text: &str) -> Result<RunId, Problems> {
    let is_as_printed = |id: &RunId| id.as_str() == id.as_str().to_ascii_uppercase();
    RunId::parse(text.trim()).filter(is_as_printed).ok_or_else(|| {
        Diagnostic::error(FailureReason::InvalidInput, format!("`{}` is not the id of a fleet", report::one_line(text)))
            .help("take the one that `tieline fleet` printed")
            .into()
    })
}
