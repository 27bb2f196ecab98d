//! `tieline plan`: what a deploy would change, and the fingerprint to approve it by.

use super::assemble::{self, Accepts, Back, Resolved, Standing};
use super::perform::Who;
use super::session::Session;
use super::{Ended, Outcome, identity, overrides, watch};
use crate::cloud::Purpose;
use crate::domain::diagnostic::{Diagnostic, Problems, Severity};
use crate::domain::failure::FailureReason;
use crate::domain::names::VersionTag;
use crate::domain::record::RunType;
use crate::engine::{self, Settings};
use crate::report;
use crate::request::cli::{self, PlanFor};
use crate::resolve;
use crate::world::Stream;

/// Plans, or explains, and prints.
pub(super) async fn run(session: &Session, arguments: &cli::Plan) -> Ended {
    let resolved = resolved(session, arguments).await?;
    if arguments.explain {
        session.print(&resolve::to_text(&resolve::explain(&resolved.deployment)));
        session.show(&as_warnings(&resolved.deployment.withheld()));
        return Ok(Outcome::Done);
    }
    let gates = assemble::gates(&resolved.organization, &arguments.terraform)?;
    assemble::check_modules(&resolved, &gates)?;
    let who = Who::of(session);
    let settings = Settings {
        run_type: match arguments.run {
            PlanFor::Deploy => RunType::Deploy,
            PlanFor::Rollback => RunType::Rollback,
            PlanFor::Destroy => RunType::Destroy,
        },
        source: None,
        overrides: overrides::asked(&arguments.overrides)?,
        life: None,
        parallelism: arguments.terraform.parallelism as usize,
        refresh: arguments.terraform.refresh,
        allow_destroy: false,
        approved_plan: None,
        gates,
        step_runners: assemble::step_runners(&resolved.organization, &arguments.terraform),
        version_tag: VersionTag::new("plan").map_err(|problem| internal(&problem.to_string()))?,
        actor: who.actor,
        repository: who.repository,
        repository_id: who.repository_id,
        approved_in: None,
        commit: None,
        run_url: None,
        attribute_changes: session.workflow.is_some(),
        only: None,
    };
    resolved.organization.has_readable_rules()?;
    let unfit = assemble::check_steps(&resolved, &arguments.terraform);
    let judged = assemble::judge(&resolved, &settings.who());
    let folder = private_folder(session)?;
    let watcher = watch::Watcher::new(session);
    let ready = tokio::try_join!(
        resolved.terraform(session, &arguments.terraform, folder.path()),
        identity::sign_in(session, &resolved.deployment, Purpose::Plan, "plan")
    )?;
    let path = folder.path().to_path_buf();
    let engine = resolved.engine(session, ready, &arguments.terraform, settings, path, watcher.sink()).await?;
    let mut report = engine::plan(engine).await;
    watcher.finish();
    let (denied, warned): (Vec<_>, Vec<_>) = judged.0.into_iter().partition(|problem| problem.severity == Severity::Error);
    report.refusals.0.splice(0..0, unfit.0.into_iter().chain(denied));
    session.warn(&Problems(warned));
    session.annotate(&watcher.warnings());
    if session.is_json() {
        session.print(&report::plan::json(&report));
    } else {
        session.print(&report::plan::text(&report, session.uses_color(Stream::Out)));
    }
    session.show(&as_warnings(&report.refusals));
    Ok(Outcome::Planned(Box::new(report)))
}

/// What the run that is planned would work with.
async fn resolved(session: &Session, arguments: &cli::Plan) -> Result<Resolved, Problems> {
    let (target, sensitive) = (&arguments.target, &arguments.values.sensitive);
    if arguments.run != PlanFor::Rollback && (arguments.back.to.is_some() || arguments.back.rebind.is_some()) {
        return Err(Diagnostic::error(
            FailureReason::InvalidInput,
            "`to` and `rebind` are about a rollback, and this is no plan for one",
        )
        .help("add `--for rollback`, or leave them out")
        .into());
    }
    let accepts = Accepts { degraded: arguments.terraform.allow_degraded, abandoned: &arguments.overrides.abandon };
    match arguments.run {
        PlanFor::Deploy => assemble::from_manifest(session, target, &arguments.values, accepts, Standing::Any).await,
        PlanFor::Rollback => {
            let back = Back::read(&arguments.back)?;
            assemble::from_release(session, target, sensitive, &back, accepts).await
        }
        PlanFor::Destroy => assemble::for_destroy(session, target, sensitive).await,
    }
}

/// What a deploy would refuse does not fail a plan.
fn as_warnings(refusals: &Problems) -> Problems {
    Problems(refusals.0.iter().map(|refusal| Diagnostic { severity: Severity::Warning, ..refusal.clone() }).collect())
}

fn internal(why: &str) -> Problems {
    Diagnostic::error(FailureReason::Internal, why.to_owned()).into()
}

/// A folder that only we can enter, outside the workspace; it goes when the value is dropped.
pub(super) fn private_folder(session: &Session) -> Result<tempfile::TempDir, Problems> {
    let parent = session.temporary();
    session.world.files.private_folder(&parent, "tieline-").map_err(|problem| {
        Diagnostic::error(FailureReason::Internal, format!("cannot make a private folder in `{}`: {problem}", parent.display()))
            .help("check the free space and rights of the temporary folder; `TMPDIR` names another")
            .into()
    })
}
