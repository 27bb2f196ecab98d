//! What deploy, rollback and destroy share once it is resolved what they are about: claim, run, report.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

use super::assemble::{self, Resolved};
use super::plan::private_folder;
use super::session::Session;
use super::workflow::shared_folder;
use super::{Ended, Outcome, back, holder, identity, outputs, overrides, owner, pace, watch};
use crate::cloud::Purpose;
use crate::context::ledger::Snapshot;
use crate::context::{Branch, ContextStore};
use crate::domain::address::Place;
use crate::domain::deployment::Deployment;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::fleet::PartName;
use crate::domain::names::{Alias, RunId, VersionTag};
use crate::domain::outcome::{PlanFingerprint, RunReport, WayBack};
use crate::domain::preview::Preview;
use crate::domain::record::{Overridden, RunType, TaskStatus};
use crate::engine::{self, Settings, Start};
use crate::policy::Gates;
use crate::policy::rules::Run;
use crate::report;
use crate::request::{cli, variables};
use crate::resolve::differences;
use crate::terraform;
use crate::world::{Apart, OnCancel, ProcessSpec, Stream};

/// What a run is asked to do.
pub(super) struct Order<'a> {
    pub(super) target: &'a cli::Target,
    pub(super) run_type: RunType,
    pub(super) terraform: &'a cli::Terraform,
    /// The name of the release that it makes, where one is asked for.
    pub(super) version_tag: Option<&'a str>,
    pub(super) approved_plan: Option<&'a str>,
    pub(super) allow_destroy: bool,
    pub(super) overrides: &'a cli::Overrides,
}

/// Who asks for a run.
pub(super) struct Who {
    pub(super) actor: Option<String>,
    pub(super) repository: Option<String>,
    pub(super) repository_id: Option<u64>,
}

impl Who {
    pub(super) fn of(session: &Session) -> Self {
        let workflow = session.workflow.as_ref().map(|workflow| &workflow.run);
        let user = || session.world.variables.get(variables::USER).map(str::to_owned);
        Self {
            actor: workflow.and_then(|run| run.actor.clone()).or_else(user),
            repository: workflow.map(|run| run.repository.clone()),
            repository_id: owner::own_repository(session),
        }
    }

    /// The same, for rules.
    pub(super) fn doing(&self, run_type: RunType) -> Run<'_> {
        let (actor, repository) = (self.actor.as_deref(), self.repository.as_deref());
        Run { run_type, actor, repository, repository_id: self.repository_id }
    }
}

/// One job of a fleet.
pub(super) struct Job {
    /// The fleet's run.
    pub(super) fleet: RunId,
    /// What it works on.
    pub(super) aliases: BTreeSet<Alias>,
}

/// Whether the run holds its claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// It is about to take it.
    NotYet,
    /// It does.
    Claimed,
}

/// Does it, and prints what came of it.
pub(super) async fn perform(session: &Session, order: Order<'_>, resolve: impl AsyncFn() -> Result<Resolved, Problems>) -> Ended {
    let report = Box::pin(performed(session, order, resolve)).await?;
    Ok(told(session, report))
}

/// The same as one job of a fleet: only a part of it is done, and nothing is published.
pub(super) async fn perform_job(
    session: &Session,
    order: Order<'_>,
    job: &Job,
    resolve: impl AsyncFn() -> Result<Resolved, Problems>,
) -> Ended {
    let report = Box::pin(carry_out(session, order, Some(job), resolve, async |_| Ok(()))).await?;
    Ok(told(session, report))
}

/// Prints what came of a run.
pub(super) fn told(session: &Session, report: RunReport) -> Outcome {
    if session.is_json() {
        session.print(&report::run::json(&report));
    } else {
        session.print(&report::run::text(&report, session.uses_color(Stream::Out)));
    }
    Outcome::Ran(Box::new(report))
}

/// Does it. `resolve` is asked what the run is about: before the claim, and once more under it where the organization's documents changed
/// meanwhile.
pub(super) async fn performed(
    session: &Session,
    order: Order<'_>,
    resolve: impl AsyncFn() -> Result<Resolved, Problems>,
) -> Result<RunReport, Problems> {
    Box::pin(performed_on(session, order, resolve, async |_| Ok(()))).await
}

/// Does it on ground that `ensure` makes sure of: once all that speaks against the run is looked at, and again under the claim.
pub(super) async fn performed_on(
    session: &Session,
    order: Order<'_>,
    resolve: impl AsyncFn() -> Result<Resolved, Problems>,
    ensure: impl AsyncFn(Held) -> Result<(), Problems>,
) -> Result<RunReport, Problems> {
    Box::pin(carry_out(session, order, None, resolve, ensure)).await
}

async fn carry_out(
    session: &Session,
    order: Order<'_>,
    job: Option<&Job>,
    resolve: impl AsyncFn() -> Result<Resolved, Problems>,
    ensure: impl AsyncFn(Held) -> Result<(), Problems>,
) -> Result<RunReport, Problems> {
    let resolved = Box::pin(resolve()).await?;
    let admitted = admit(session, &resolved, &order).await?;
    let run = job.map_or_else(|| new_run(session), |job| job.fleet.clone());
    pace::admit(session, &resolved, order.run_type, &run).await?;
    let settings = settings(session, &resolved, &order, admitted, &run).await?;
    let settings = Settings { only: job.map(|job| job.aliases.clone()), ..settings };
    let folder = private_folder(session)?;
    let watcher = watch::Watcher::new(session);
    ensure(Held::NotYet).await?;
    let store = resolved.opened.store.clone();
    let trees = resolved.trees();
    let start = Start { world: session.world.clone(), store, run: run.clone(), settings: settings.clone(), trees };
    if let Some(presence) = session.workflow.as_ref().and_then(|workflow| workflow.presence.as_ref()) {
        let place = &resolved.deployment.place;
        match job.and_then(|job| job.aliases.first()) {
            None => presence.claims(&session.world, std::slice::from_ref(place), &run),
            Some(alias) => {
                let part = PartName { place: place.clone(), fleet: run.clone(), alias: alias.clone() };
                presence.takes_part(&session.world, &part);
            }
        }
    }
    // Each of these takes a while, and none needs another.
    let say = |note: String| session.say(&note);
    let ready = async {
        let terraform = resolved.terraform(session, order.terraform, folder.path());
        tokio::try_join!(terraform, identity::sign_in(session, &resolved.deployment, Purpose::Deploy, run.as_str()))
    };
    let place = &resolved.deployment.place;
    let back = async {
        // There is no way back into a preview: the next push makes it anew. A part of a fleet is nothing to go back from.
        if place.environment.is_preview() || job.is_some() {
            Ok(None)
        } else {
            back::way(session, order.target, &*resolved.opened.store, place).await
        }
    };
    let claim = async {
        match job {
            None => claimed(session, &order, &start, &resolved.deployment, &say).await,
            Some(job) => engine::join(&start, &resolved.deployment, &job.aliases, &say).await,
        }
    };
    let (held, ready, back) = tokio::join!(claim, ready, back);
    let held = held?;
    if let Some(workflow) = &session.workflow {
        workflow.set_outputs(session, &outputs::early(&run, &resolved.deployment, &session.redactor));
    }
    let engine = async {
        let (ready, settings) = (ready?, settings);
        ensure(Held::Claimed).await?;
        let (resolved, settings) = Box::pin(settled(session, &order, (resolved, settings), resolve)).await?;
        resolved.engine(session, ready, order.terraform, settings, folder.path().to_path_buf(), watcher.sink()).await
    };
    let engine = match engine.await {
        Ok(engine) => engine,
        Err(mut problems) => {
            let told = problems.clone().with_texts(&|text| session.redactor.redact(text));
            problems.extend(engine::give_up(&held, &told).await.err().unwrap_or_default());
            return Err(problems);
        }
    };
    let report = match job {
        None => Box::pin(engine::deploy(engine, held)).await,
        Some(_) => Box::pin(engine::deploy_part(engine, held)).await,
    };
    watcher.finish();
    session.annotate(&watcher.warnings());
    keep_unsaved_state(session, folder, &report.run.id);
    // That the way back cannot be shown is no reason not to go on.
    Ok(with_way_back(report, back.unwrap_or_default()))
}

/// A report with the way back. Where nothing was touched there is nothing to go back from.
pub(super) fn with_way_back(report: RunReport, back: Option<WayBack>) -> RunReport {
    let was_touched = report.run.main_tasks().any(|task| task.status != TaskStatus::Skipped);
    RunReport { back: back.filter(|_| was_touched), ..report }
}

/// Takes the claim. Who holds it may be dead without this machine being able to see that; then the server is asked.
async fn claimed(
    session: &Session,
    order: &Order<'_>,
    start: &Start,
    deployment: &Deployment,
    say: &(dyn Fn(String) + Sync),
) -> Result<engine::Held, Problems> {
    let refused = match engine::claim(start, deployment, say).await {
        Err(refused) if refused.cause().is_some_and(|cause| cause.reason == FailureReason::Claimed) => refused,
        taken => return taken,
    };
    if holder::bury(session, &order.target.context, start, &deployment.place).await? {
        engine::claim(start, deployment, say).await
    } else {
        Err(refused)
    }
}

/// What is decided before anything is touched: what the run may set aside, what modules may contain, and whether the organization's
/// rules let it be.
pub(super) async fn admit(
    session: &Session,
    resolved: &Resolved,
    order: &Order<'_>,
) -> Result<(Gates, Vec<Overridden>), Problems> {
    let overrides = set_aside(session, resolved, order).await?;
    assemble::refuse_deferred(&resolved.deployment)?;
    let gates = assemble::gates(&resolved.organization, order.terraform)?;
    assemble::check_modules(resolved, &gates)?;
    // Of what is taken over nothing runs.
    if order.run_type != RunType::Adopt {
        let unfit = assemble::check_steps(resolved, order.terraform);
        if unfit.any_error() {
            return Err(unfit);
        }
    }
    let judged = assemble::judge(resolved, &Who::of(session).doing(order.run_type));
    if judged.any_error() {
        return Err(judged);
    }
    session.warn(&judged);
    Ok((gates, overrides))
}

/// What was resolved, as it holds under the claim: where the organization's documents changed meanwhile, grants and all else are
/// checked again, and what would not be the same run is refused.
async fn settled(
    session: &Session,
    order: &Order<'_>,
    (before, settings): (Resolved, Settings),
    resolve: impl AsyncFn() -> Result<Resolved, Problems>,
) -> Result<(Resolved, Settings), Problems> {
    if before.opened.store.head(Branch::Documents).await? == before.organization.head {
        return Ok((before, settings));
    }
    let now = resolve().await?;
    let (gates, overrides) = admit(session, &now, order).await?;
    let differences = differences(&before.deployment, &now.deployment);
    if differences.is_empty() {
        let step_runners = assemble::step_runners(&now.organization, order.terraform);
        return Ok((now, Settings { overrides, gates, step_runners, ..settings }));
    }
    let message = "the organization's documents changed while the run began, and it would be another one now";
    let mut refused = Diagnostic::error(FailureReason::BindingChanged, message).in_file(&now.deployment.file);
    refused.notes = differences.into_iter().map(|what| format!("{what} changed")).collect();
    Err(refused.help("run again: it takes the change in").into())
}

/// What the run may set aside, having made sure that it may write the deployable at all.
async fn set_aside(session: &Session, resolved: &Resolved, order: &Order<'_>) -> Result<Vec<Overridden>, Problems> {
    let (place, workspace) = (&resolved.deployment.place, &resolved.workspace);
    let mut asked = overrides::asked(order.overrides)?;
    if order.run_type == RunType::Destroy {
        let reason = order.overrides.reason.as_deref();
        let opened = (&resolved.opened, &order.target.context);
        asked.extend(match preview_at(&*resolved.opened.store, place).await? {
            Some(preview) => owner::admit_removal(session, opened, place, &preview, reason).await?,
            None => owner::admit_destroy(session, opened, place, workspace, reason).await?,
        });
    } else {
        owner::admit(session, place, workspace)?;
    }
    let (context, environment) = (resolved.organization.context.as_ref(), &resolved.deployment.environment);
    overrides::approve(session, context, place, environment, asked.iter().map(|set_aside| set_aside.what)).await?;
    Ok(asked)
}

/// The preview that a place is in, if it is in one.
async fn preview_at(store: &dyn ContextStore, place: &Place) -> Result<Option<Preview>, Problems> {
    if !place.environment.is_preview() {
        return Ok(None);
    }
    Ok(Snapshot::newest(store).await?.preview(&place.workspace, &place.environment).await?)
}

/// The id of a run that begins now.
pub(super) fn new_run(session: &Session) -> RunId {
    RunId::from_parts(
        u64::try_from(session.world.clock.now().timestamp_millis()).unwrap_or_default(),
        session.world.random.bits(),
    )
}

/// What a run is asked to do that touches no infrastructure.
///
/// # Errors
/// Never in practice: the id of a run is a version tag.
pub(super) fn plain_settings(session: &Session, run: &RunId, run_type: RunType) -> Result<Settings, Problems> {
    let workflow = session.workflow.as_ref().map(|workflow| &workflow.run);
    let user = || session.world.variables.get(variables::USER).map(str::to_owned);
    let tag = VersionTag::new(run.as_str()).map_err(|problem| Diagnostic::error(FailureReason::Internal, problem.to_string()))?;
    Ok(Settings {
        actor: workflow.and_then(|run| run.actor.clone()).or_else(user),
        repository: workflow.map(|run| run.repository.clone()),
        repository_id: owner::own_repository(session),
        commit: workflow.and_then(|run| run.sha.clone()),
        run_url: workflow.and_then(|run| run.url.clone()),
        ..Settings::plain(run_type, tag)
    })
}

/// What the engine is asked to do.
pub(super) async fn settings(
    session: &Session,
    resolved: &Resolved,
    order: &Order<'_>,
    (gates, set_aside): (Gates, Vec<Overridden>),
    run: &RunId,
) -> Result<Settings, Problems> {
    let (workflow, who) = (session.workflow.as_ref().map(|workflow| &workflow.run), Who::of(session));
    let commit = match &resolved.source {
        Some(source) => source.commit.clone(),
        // What is checked out has nothing to do with what is removed (R52).
        None if order.run_type == RunType::Destroy && resolved.deployment.place.environment.is_preview() => None,
        None => commit(session, &resolved.folder).await.or_else(|| workflow.and_then(|run| run.sha.clone())),
    };
    let version_tag = match (order.version_tag, &resolved.source) {
        (None, Some(source)) => source.version_tag.clone(),
        (asked, _) => version_tag(asked, commit.as_deref(), run)?,
    };
    // Who approved is in the history of the GitHub environment that the job runs under.
    let is_approved = resolved.deployment.environment.protected || order.approved_plan.is_some() || !set_aside.is_empty();
    let approved_in =
        if is_approved { overrides::approved_in(session, resolved.organization.context.as_ref()).await } else { None };
    Ok(Settings {
        run_type: order.run_type,
        source: resolved.source.as_ref().map(|source| source.run.clone()),
        overrides: set_aside,
        life: resolved.life,
        parallelism: order.terraform.parallelism as usize,
        refresh: order.terraform.refresh,
        allow_destroy: order.allow_destroy,
        approved_plan: order.approved_plan.map(PlanFingerprint::approved),
        gates,
        step_runners: assemble::step_runners(&resolved.organization, order.terraform),
        version_tag,
        actor: who.actor,
        repository: who.repository,
        repository_id: who.repository_id,
        approved_in,
        commit,
        run_url: workflow.and_then(|run| run.url.clone()),
        attribute_changes: workflow.is_some(),
        only: None,
    })
}

/// A state that Terraform could not save anywhere else must outlive the run; in a workflow also the container, so that a later step
/// of the job can save it.
pub(super) fn keep_unsaved_state(session: &Session, folder: tempfile::TempDir, run: &RunId) {
    let files = session.world.files;
    let roots = files.list(folder.path()).unwrap_or_default();
    let unsaved: Vec<(String, PathBuf)> = roots
        .into_iter()
        .map(|root| (root.name.clone(), folder.path().join(root.name).join(terraform::ERRORED_STATE)))
        .filter(|(_, state)| files.metadata(state).is_some())
        .collect();
    if unsaved.is_empty() {
        return;
    }
    let kept = folder.keep();
    session.say(&format!("kept `{}`, which holds the only copy of a Terraform state", kept.display()));
    let Some((ours, theirs)) = session.workflow.as_ref().and_then(|_| shared_folder(&session.world)) else { return };
    for (alias, state) in unsaved {
        let name = format!("tieline-{run}-{alias}.tfstate");
        let copied = files.read(&state, u64::MAX - 1).and_then(|bytes| files.write_private(&ours.join(&name), &bytes));
        session.say(&match copied {
            Ok(()) => {
                format!("copied it to `{}`: save it in a later step of this job, it holds secrets", theirs.join(name).display())
            }
            Err(problem) => format!("cannot copy `{}`: {problem}", state.display()),
        });
    }
}

fn version_tag(asked: Option<&str>, commit: Option<&str>, run: &RunId) -> Result<VersionTag, Problems> {
    let fallback = commit.and_then(|commit| commit.get(..12)).unwrap_or(run.as_str());
    VersionTag::new(asked.unwrap_or(fallback))
        .map_err(|problem| Diagnostic::error(FailureReason::InvalidInput, problem.to_string()).into())
}

/// The commit that the manifest stands at, where it is in a git work tree.
pub(super) async fn commit(session: &Session, folder: &Path) -> Option<String> {
    let pass = [variables::HOME, "PATH"];
    let environment: BTreeMap<String, String> =
        pass.iter().filter_map(|name| Some(((*name).to_owned(), session.world.variables.get(name)?.to_owned()))).collect();
    let spec = ProcessSpec {
        program: "git".into(),
        arguments: ["rev-parse", "--verify", "--quiet", "HEAD"].map(str::to_owned).to_vec(),
        directory: folder.to_path_buf(),
        environment,
        stdin: None,
        on_cancel: OnCancel::Kill,
        time_limit: Some(std::time::Duration::from_secs(10)),
        apart: Apart::default(),
    };
    let captured = session.world.exec.capture(&spec, &CancellationToken::new()).await.ok()?;
    let commit = String::from_utf8(captured.stdout).ok()?.trim().to_owned();
    (captured.exit.success() && commit.len() >= 40).then_some(commit)
}
