//! What GitHub shows of a run: one comment on the pull request, a deployment, a check. All three are made before the run begins, so that
//! a missing permission is found before anything else is, and say at the end how it went.

use std::future::Future;

use serde::{Deserialize, Serialize};

use super::session::Session;
use super::workflow::Workflow;
use super::{Ended, Outcome, problems_of};
use crate::domain::address::Place;
use crate::domain::diagnostic::{Diagnostic, Problems, Severity};
use crate::domain::failure::{FailureKind, FailureReason};
use crate::github::check::{self, Check, CheckRunConclusion, CheckRunOutputAnnotation, CheckRunOutputAnnotationLevel};
use crate::github::deployment::{self, Deployment, State, Status};
use crate::github::{ApiError, Client, Repository, comment};
use crate::report;
use crate::request::cli::{Announcements, Target};
use crate::request::variables::runner as variables;

/// The hidden marker of a comment takes its part of the server's limit.
const LARGEST_COMMENT: usize = comment::LONGEST_COMMENT - 300;

/// What a run is announced by.
pub(super) struct Subject<'a> {
    pub(super) target: &'a Target,
    pub(super) wishes: &'a Announcements,
    /// Whether it changes anything.
    pub(super) deploys: bool,
}

/// What was made at the start.
struct Announced<'a> {
    workflow: &'a Workflow,
    client: Client,
    repository: Repository,
    place: Place,
    pull_request: Option<u64>,
    deployment: Option<Deployment>,
    /// The deployment of the same preview before this one: the server leaves those active.
    before: Vec<Deployment>,
    check: Option<Check>,
}

/// Does `work`, and has GitHub show it.
pub(super) async fn around(session: &Session, subject: &Subject<'_>, work: impl Future<Output = Ended>) -> Ended {
    let Some(announced) = begin(session, subject).await? else { return work.await };
    let ended = work.await;
    announced.end(session, &ended).await;
    ended
}

/// Makes what is wanted; none where nothing is, or where it is not known what the run is about.
///
/// # Errors
/// `permission-denied`, naming the permission, and what else the server refuses.
async fn begin<'a>(session: &'a Session, subject: &Subject<'_>) -> Result<Option<Announced<'a>>, Problems> {
    let Some(workflow) = &session.workflow else { return Ok(None) };
    let run = &workflow.run;
    let is_fork = run.is_untrusted();
    let commented = run.pull_request_number().filter(|_| subject.wishes.comment.or(!is_fork));
    let deployed = subject.deploys && subject.wishes.deployment.or(!is_fork);
    let checked = subject.wishes.check.or(false);
    if commented.is_none() && !deployed && !checked {
        return Ok(None);
    }
    session.learn_access(&subject.target.context);
    // Whatever is wrong with the names or the manifest is said by the work itself.
    let Ok(place) = session.named_place(subject.target) else { return Ok(None) };
    let made = Made { place, pull_request: commented, deployment: None, check: None };
    let Some(mut announced) = Announced::of(session, workflow, subject.target, made) else {
        session.say("nothing is written to GitHub: there is no `github-token`");
        return Ok(None);
    };
    if deployed && announced.place.environment.is_preview() {
        let environment = announced.place.to_string();
        // Where they cannot be read, they stay as they are.
        announced.before =
            deployment::newest(&announced.client, &announced.repository, &environment, 1).await.unwrap_or_default();
    }
    let running = report::comment::running(&workflow.surroundings(announced.place.to_string()));
    let (comment, deployment, check) =
        tokio::join!(announced.comment(&running), announced.deployment(deployed), announced.check(checked));
    let mut problems = Problems::default();
    let mut told = |problem: ApiError| problems.push(begun(&problem));
    comment.err().into_iter().for_each(&mut told);
    let (deployment, unsaid) = deployment;
    unsaid.into_iter().for_each(&mut told);
    announced.deployment = deployment;
    announced.check = check.unwrap_or_else(|problem| {
        told(problem);
        None
    });
    if !problems.any_error() {
        session.warn(&problems);
        workflow.set_state(session, &[("ANNOUNCED", serde_json::to_string(&announced.made()).unwrap_or_default())]);
        return Ok(Some(announced));
    }
    let ended = Err(problems);
    announced.end(session, &ended).await;
    ended.map(|_: Outcome| None)
}

/// What was made at the start, for the post stage of a run that is killed.
#[derive(Debug, Serialize, Deserialize)]
struct Made {
    place: Place,
    pull_request: Option<u64>,
    deployment: Option<String>,
    check: Option<String>,
}

/// Has GitHub show that the main stage was killed. What cannot be said is told in the log.
pub(super) async fn lost(session: &Session, target: &Target) {
    let made = session.world.variables.get(variables::STATE_ANNOUNCED).and_then(|made| serde_json::from_str::<Made>(made).ok());
    let (Some(workflow), Some(made)) = (&session.workflow, made) else { return };
    let Some(announced) = Announced::of(session, workflow, target, made) else { return };
    let killed = Diagnostic::error(FailureReason::Cancelled, "the run was killed, or ran out of memory").help("run again");
    announced.end(session, &Err(killed.into())).await;
}

/// A permission that is missing is for a person to set; that the server cannot be asked is no reason not to deploy.
fn begun(problem: &ApiError) -> Diagnostic {
    let diagnostic = problem.diagnostic(FailureReason::ContextUnavailable).help(WAY_OUT);
    match problem {
        ApiError::Unavailable { .. } => Diagnostic { severity: Severity::Warning, ..diagnostic },
        _ => diagnostic,
    }
}

const WAY_OUT: &str = "or leave it out: `comment`, `deployment` and `check` can each be `false`";

impl<'a> Announced<'a> {
    /// What was made, with who may say more of it; none where nobody may.
    fn of(session: &Session, workflow: &'a Workflow, target: &Target, made: Made) -> Option<Self> {
        let (owner, name) = workflow.run.repository.split_once('/')?;
        Some(Self {
            workflow,
            client: session.workflow_client(&target.context)?,
            repository: Repository { owner: owner.to_owned(), name: name.to_owned() },
            place: made.place,
            pull_request: made.pull_request,
            deployment: made.deployment.map(Deployment::at),
            before: Vec::new(),
            check: made.check.map(Check::at),
        })
    }

    fn made(&self) -> Made {
        Made {
            place: self.place.clone(),
            pull_request: self.pull_request,
            deployment: self.deployment.as_ref().map(|deployment| deployment.route().to_owned()),
            check: self.check.as_ref().map(|check| check.route().to_owned()),
        }
    }

    async fn comment(&self, text: &str) -> Result<(), ApiError> {
        let Some(number) = self.pull_request else { return Ok(()) };
        comment::upsert(&self.client, &self.repository, number, &self.place.to_string(), text).await.map(|_| ())
    }

    /// The deployment that was created, and what was in the way. One whose first status could not be set is there nevertheless.
    async fn deployment(&self, wanted: bool) -> (Option<Deployment>, Option<ApiError>) {
        let Some(commit) = self.workflow.run.commit().filter(|_| wanted) else { return (None, None) };
        let subject = deployment::Subject {
            reference: commit.to_owned(),
            environment: self.place.to_string(),
            description: format!("{} by Tieline", self.place),
            transient: self.place.environment.is_preview(),
            production: self.place.environment.as_str().starts_with("prod"),
        };
        match deployment::create(&self.client, &self.repository, &subject).await {
            Err(problem) => (None, Some(problem)),
            Ok(deployment) => {
                let begun = status(self.workflow, State::InProgress, "the run goes on");
                let unsaid = deployment.set(&self.client, &begun).await.err();
                (Some(deployment), unsaid)
            }
        }
    }

    async fn check(&self, wanted: bool) -> Result<Option<Check>, ApiError> {
        let Some(commit) = self.workflow.run.commit().filter(|_| wanted) else { return Ok(None) };
        let name = format!("Tieline: {} {}", self.workflow.command, self.place);
        check::create(&self.client, &self.repository, &name, commit, self.workflow.run.url.as_deref()).await.map(Some)
    }

    /// Says how it went. What cannot be said any more is told in the log: the run itself is over.
    async fn end(mut self, session: &Session, ended: &Ended) {
        let ended = session.told(ended);
        let problems = problems_of(&ended);
        let text = session.redactor.redact(&self.text(&ended));
        let (deployment, check) = (self.deployment.take(), self.check.take());
        let summary = outcome_in_words(problems);
        let deployed = async {
            let Some(deployment) = &deployment else { return Ok(()) };
            let told = Status { environment_url: environment_url(&ended), ..status(self.workflow, state(problems), &summary) };
            deployment.set(&self.client, &told).await?;
            if state(problems) == State::Success {
                for before in &self.before {
                    before.set(&self.client, &status(self.workflow, State::Inactive, "a newer one is there")).await?;
                }
            }
            Ok(())
        };
        let checked = async {
            let Some(check) = check else { return Ok(()) };
            let annotations = annotations(session, problems);
            check.complete(&self.client, conclusion(problems), &summary, &text, annotations).await
        };
        let (commented, deployed, checked) = tokio::join!(self.comment(&text), deployed, checked);
        let lost = [commented, deployed, checked].into_iter().filter_map(Result::err);
        let lost = lost
            .map(|problem| Diagnostic { severity: Severity::Warning, ..problem.diagnostic(FailureReason::ContextUnavailable) });
        session.warn(&Problems(lost.collect()));
    }

    fn text(&self, ended: &Ended) -> String {
        let surroundings = self.workflow.surroundings(self.place.to_string());
        match ended {
            Ok(Outcome::Ran(report)) => report::comment::run(report, &surroundings, LARGEST_COMMENT),
            Ok(Outcome::Planned(report)) => report::comment::plan(report, &surroundings, LARGEST_COMMENT),
            Ok(_) => report::comment::refused(&Problems::default(), &surroundings, LARGEST_COMMENT),
            Err(problems) => report::comment::refused(problems, &surroundings, LARGEST_COMMENT),
        }
    }
}

fn status(workflow: &Workflow, state: State, description: &str) -> Status {
    Status { state, description: description.to_owned(), log_url: workflow.run.url.clone(), environment_url: None }
}

/// Where the preview that was deployed can be looked at.
fn environment_url(ended: &Ended) -> Option<String> {
    match ended {
        Ok(Outcome::Ran(report)) => report.preview.as_ref()?.url.clone(),
        _ => None,
    }
}

fn kind(problems: &Problems) -> Option<FailureKind> {
    problems.cause().map(|cause| cause.reason.kind())
}

fn state(problems: &Problems) -> State {
    match kind(problems) {
        None => State::Success,
        Some(FailureKind::User | FailureKind::Runtime) => State::Failure,
        Some(FailureKind::Aborted | FailureKind::Internal) => State::Error,
    }
}

fn conclusion(problems: &Problems) -> CheckRunConclusion {
    match kind(problems) {
        None => CheckRunConclusion::Success,
        Some(FailureKind::Aborted) => CheckRunConclusion::Cancelled,
        Some(_) => CheckRunConclusion::Failure,
    }
}

fn outcome_in_words(problems: &Problems) -> String {
    problems.cause().map_or_else(|| "succeeded".to_owned(), |cause| format!("{}: {}", cause.reason, cause.message))
}

/// The problems that are in files of the repository.
fn annotations(session: &Session, problems: &Problems) -> Vec<CheckRunOutputAnnotation> {
    let placed = problems.0.iter().filter_map(|problem| Some((problem, session.place_in_workspace(problem)?)));
    let annotations = placed.map(|(problem, place)| {
        let line = place.line.and_then(|(line, ..)| u32::try_from(line).ok()).unwrap_or(1);
        CheckRunOutputAnnotation {
            path: place.file,
            start_line: line,
            end_line: line,
            start_column: None,
            end_column: None,
            annotation_level: match problem.severity {
                Severity::Error => CheckRunOutputAnnotationLevel::Failure,
                Severity::Warning => CheckRunOutputAnnotationLevel::Warning,
            },
            message: problem.message.clone(),
            title: Some(problem.reason.to_string()),
            raw_details: None,
        }
    });
    annotations.collect()
}
