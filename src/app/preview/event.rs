//! Plain `tieline preview` in a workflow: what the event asks for.

use super::keep::{self, Asked};
use super::{down, standing, sweep, up, whose};
use crate::app::session::Session;
use crate::app::{Ended, Outcome};
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::wish::{Wish, kept_by};
use crate::github::Repository;
use crate::github::standing::{is_member, may_write};
use crate::request::cli::{Preview, PreviewDown, PreviewRun, PreviewSweep, PullRequestArguments};
use crate::request::event::{Comment, Happened};

/// Does what the event asks for.
pub(super) async fn run(session: &Session, arguments: &Preview) -> Ended {
    let run = &arguments.run;
    let Some(workflow) = &session.workflow else {
        return Err(unclear("outside of a workflow there is no event to tell what is to be done").into());
    };
    match &workflow.run.happened {
        Happened::Changed => up::up(session, run).await,
        Happened::Closed => down::run(session, &to_remove(run, &run.pull_request)).await,
        Happened::Labelled => labelled(session, run).await,
        Happened::Commented(comment) => commented(session, run, comment).await,
        Happened::Scheduled => sweep::run(session, &to_sweep(arguments)).await,
        Happened::Other(name) if name.starts_with("pull_request") || name.starts_with("issue_comment") => {
            Ok(Outcome::Skipped(format!("the event `{name}` asks nothing of a preview")))
        }
        Happened::Other(name) => Err(unclear(&format!("the event `{name}` does not tell what is to be done")).into()),
    }
}

fn unclear(why: &str) -> Diagnostic {
    Diagnostic::error(FailureReason::InvalidInput, why)
        .note("it does in workflows on `pull_request`, `issue_comment` and `schedule`")
        .help("say it: `preview up`, `preview refresh`, `preview down`, `preview sweep` or `preview list`")
}

/// What labels ask for counts from the last deploy on: they stand there for all that follow, too.
async fn labelled(session: &Session, run: &PreviewRun) -> Ended {
    let pull_request = session.workflow.as_ref().and_then(|workflow| workflow.run.pull_request.as_ref());
    let labels = pull_request.map(|pull_request| pull_request.labels.as_slice()).unwrap_or_default();
    let Some(length) = kept_by(labels) else {
        return Ok(Outcome::Skipped("no label asks for a longer life; what was granted before stays".to_owned()));
    };
    let (id, _) = whose::pull_request_in(session, &run.pull_request)?;
    keep::run(session, run, id, &Asked { length, since: None }).await
}

/// What a comment asks for, if it asks for something and its author may.
async fn commented(session: &Session, run: &PreviewRun, comment: &Comment) -> Ended {
    let wish = match Wish::of_comment(&comment.text) {
        None => return Ok(Outcome::Skipped("the comment asks nothing of a preview".to_owned())),
        Some(_) if !may_ask(session, run, comment).await? => {
            let why = "only people who may write to the repository may ask something of a preview";
            return Ok(Outcome::Skipped(why.to_owned()));
        }
        Some(Err(why)) => return Ok(Outcome::Skipped(format!("the comment asks for nothing that there is: {why}"))),
        Some(Ok(wish)) => wish,
    };
    let pull_request = PullRequestArguments { pull_request: Some(comment.number), ..run.pull_request.clone() };
    let run = PreviewRun { pull_request, ..run.clone() };
    match wish {
        Wish::Down => down::run(session, &to_remove(&run, &run.pull_request)).await,
        Wish::Refresh => refresh(session, &run, comment.number).await,
        Wish::Keep(length) => {
            let (id, _) = whose::pull_request_in(session, &run.pull_request)?;
            keep::run(session, &run, id, &Asked { length, since: Some(session.world.clock.now()) }).await
        }
    }
}

/// Whether the author of a comment may ask something of a preview: whoever may write to the repository. Where nobody can be asked, nobody
/// may.
async fn may_ask(session: &Session, run: &PreviewRun, comment: &Comment) -> Result<bool, Problems> {
    let repository = session.workflow.as_ref().and_then(|workflow| workflow.run.repository.parse::<Repository>().ok());
    let (Some(client), Some(repository)) = (session.workflow_client(&run.target.context), repository) else { return Ok(false) };
    if !is_member(&comment.author_association) || comment.author.is_empty() {
        return Ok(false);
    }
    let may = may_write(&client, &repository, &comment.author).await;
    may.map_err(|problem| problem.diagnostic(FailureReason::ContextUnavailable).into())
}

/// Deploys anew for a comment. Its workflow starts on the default branch, so what is checked out must be looked at: it is to be the pull
/// request's own files, and those not of a fork (R53).
async fn refresh(session: &Session, run: &PreviewRun, number: u64) -> Ended {
    let repository = session.workflow.as_ref().map(|workflow| workflow.run.repository.as_str()).unwrap_or_default();
    let Some(standing) = standing::open(session, &run.target.context, repository, number).await? else {
        return Err(not_checked_out(number, "how the pull request stands is not known"));
    };
    if standing.from_fork {
        return Ok(Outcome::Skipped("pull requests from forks have no preview".to_owned()));
    }
    let folder = session.folder(run.target.working_directory.as_deref());
    match crate::app::perform::commit(session, &folder).await {
        Some(commit) if commit == standing.head => up::refresh(session, run).await,
        _ => Err(not_checked_out(number, "the newest commit of its branch is not what is checked out")),
    }
}

fn not_checked_out(number: u64, why: &str) -> Problems {
    Diagnostic::error(FailureReason::InvalidInput, format!("pull request {number} cannot be deployed for a comment: {why}"))
        .note("a workflow on `issue_comment` starts on the default branch")
        .help(format!("check out `refs/pull/{number}/head` before this step, or push to the pull request instead"))
        .into()
}

fn to_remove(run: &PreviewRun, pull_request: &PullRequestArguments) -> PreviewDown {
    PreviewDown {
        target: run.target.clone(),
        pull_request: pull_request.clone(),
        sensitive: run.values.sensitive.clone(),
        terraform: run.terraform.clone(),
        announcements: run.announcements.clone(),
        seen_expires: None,
        overrides: run.overrides.clone(),
    }
}

fn to_sweep(arguments: &Preview) -> PreviewSweep {
    let PreviewRun { target, values, terraform, announcements, .. } = &arguments.run;
    PreviewSweep {
        target: target.clone(),
        bounds: arguments.bounds,
        sensitive: values.sensitive.clone(),
        terraform: terraform.clone(),
        announcements: announcements.clone(),
    }
}
