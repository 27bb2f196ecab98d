//! The removal of one preview in a process of its own (R52): what goes wrong in one cannot touch another.

use std::collections::BTreeMap;

use clap::ValueEnum as _;

use serde::Deserialize;
use tokio::sync::mpsc;

use crate::app::session::Session;
use crate::app::trust::BUNDLE;
use crate::domain::diagnostic::Diagnostic;
use crate::domain::failure::FailureReason;
use crate::domain::preview::Preview;
use crate::domain::removal::PreviewName;
use crate::request::cli::{PreviewSweep, Wish};
use crate::request::variables::runner;
use crate::world::{Apart, Line, OnCancel, ProcessSpec, Stream};

/// Lines that may wait to be read.
const LINES: usize = 1000;

/// The report of `tieline preview down`, as far as it is read.
#[derive(Deserialize)]
struct Report {
    #[serde(default)]
    removed: Vec<Removed>,
    #[serde(default)]
    problems: Vec<Problem>,
}

#[derive(Deserialize)]
struct Removed {
    gone: bool,
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    retained: Vec<String>,
}

#[derive(Deserialize)]
struct Problem {
    severity: String,
    reason: FailureReason,
    message: String,
}

/// Removes a preview, and gives what of it was left behind on purpose.
pub(super) async fn remove(
    session: &Session,
    arguments: &PreviewSweep,
    (name, preview): (&PreviewName, &Preview),
    repository: &str,
    reason: Option<String>,
) -> Result<Vec<String>, Diagnostic> {
    let spec = ProcessSpec {
        program: session.world.host.program.clone(),
        arguments: words(session, arguments, (name, preview), repository, reason),
        directory: session.world.directory.clone(),
        environment: environment(session, arguments),
        stdin: None,
        on_cancel: OnCancel::InterruptOnce,
        time_limit: None,
        apart: Apart::default(),
    };
    let (sender, mut lines) = mpsc::channel::<Line>(LINES);
    let told = async {
        let mut printed = String::new();
        while let Some((stream, line)) = lines.recv().await {
            match stream {
                Stream::Out => printed = printed + &line + "\n",
                Stream::Err => session.say(&format!("{name}: {line}")),
            }
        }
        printed
    };
    let (exit, printed) = tokio::join!(session.world.exec.stream(&spec, sender, &session.cancel), told);
    let exit = exit.map_err(|problem| Diagnostic::error(FailureReason::Internal, problem.to_string()))?;
    let Ok(report) = serde_json::from_str::<Report>(&printed) else {
        // What refused the whole request was said on its error output.
        let message = match exit.code {
            Some(code) => format!("its process ended with exit code {code}"),
            None => "its process was killed".to_owned(),
        };
        return Err(
            Diagnostic::error(reason_of(exit.code), message).help("the lines of the log that begin with its name say why")
        );
    };
    if let Some(problem) = report.problems.into_iter().find(|problem| problem.severity == "error") {
        return Err(Diagnostic::error(problem.reason, problem.message));
    }
    if report.removed.iter().any(|removed| !removed.gone) {
        let message = "somebody else works in it, or deployed to it again";
        return Err(Diagnostic::error(FailureReason::Claimed, message).help("the next sweep looks again"));
    }
    Ok(report.removed.into_iter().flat_map(|removed| removed.runs).flat_map(|run| run.retained).collect())
}

/// The reason that an exit code stands for, where nothing more is known.
fn reason_of(code: Option<i32>) -> FailureReason {
    match code {
        Some(1) => FailureReason::InvalidInput,
        Some(2) => FailureReason::ContextUnavailable,
        Some(70) => FailureReason::Internal,
        _ => FailureReason::Cancelled,
    }
}

/// The command line: nothing on it is a secret.
fn words(
    session: &Session,
    arguments: &PreviewSweep,
    (name, preview): (&PreviewName, &Preview),
    repository: &str,
    reason: Option<String>,
) -> Vec<String> {
    let PreviewSweep { target, terraform, announcements, .. } = arguments;
    let in_workflow = session.world.variables.get(runner::ACTIONS).is_some();
    let shown = |wish: Wish| if wish.or(in_workflow) { "true" } else { "false" }.to_owned();
    let context = &target.context;
    let folder = target.working_directory.as_ref().map(|folder| folder.display().to_string());
    let mut words: Vec<String> = ["preview", "down", "--output=json", "--color=never"].map(str::to_owned).to_vec();
    let given = [
        ("workspace", Some(name.workspace.to_string())),
        ("environment", Some(name.environment.to_string())),
        ("pull-request", Some(preview.id.pull_request.to_string())),
        ("repository-id", Some(preview.id.repository_id.to_string())),
        ("seen-expires", Some(preview.expires.to_rfc3339())),
        ("repository", Some(repository.to_owned())),
        ("reason", reason),
        ("working-directory", folder),
        ("ca-cert", session.certificates.as_ref().map(|folder| folder.path().join(BUNDLE).display().to_string())),
        ("documents-branch", Some(context.documents_branch.clone())),
        ("ledger-branch", Some(context.ledger_branch.clone())),
        ("app-id", context.app_id.clone()),
        ("terraform", terraform.terraform.clone()),
        ("parallelism", Some(terraform.parallelism.to_string())),
        ("terraform-parallelism", Some(terraform.terraform_parallelism.to_string())),
        ("lock-timeout", Some(format!("{}s", terraform.lock_timeout.as_secs()))),
        ("timeout", terraform.timeout.map(|timeout| format!("{}s", timeout.as_secs()))),
        ("allowed-modules", terraform.allowed_modules.as_ref().map(|prefixes| prefixes.join(","))),
        ("step-runner", terraform.step_runner.to_possible_value().map(|value| value.get_name().to_owned())),
        ("comment", Some(shown(announcements.comment))),
        ("deployment", Some(shown(announcements.deployment))),
    ];
    words.extend(given.into_iter().filter_map(|(flag, value)| Some(format!("--{flag}={}", value?))));
    words.extend(terraform.allow_local_exec.then(|| "--allow-local-exec".to_owned()));
    words
}

/// Our own variables, with what we were given as secrets; but nothing by which the process would take itself for the workflow's step.
fn environment(session: &Session, arguments: &PreviewSweep) -> BTreeMap<String, String> {
    let is_steps = |name: &str| name.starts_with("INPUT_") || name.starts_with("STATE_") || STEPS.contains(&name);
    let own = session.world.variables.iter().filter(|(name, _)| !is_steps(name) && !name.starts_with("TIELINE_"));
    let mut variables: BTreeMap<String, String> = own.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let context = &arguments.target.context;
    // Whatever may not stand on a command line, where others can read it: a context's URL too may have a password in it.
    let hidden = [
        ("TIELINE_CONTEXT", &context.context),
        ("TIELINE_CONTEXT_TOKEN", &context.context_token),
        ("TIELINE_APP_PRIVATE_KEY", &context.app_private_key),
        ("TIELINE_GITHUB_TOKEN", &context.github_token),
        ("TIELINE_SECRETS", &arguments.sensitive.secrets),
        ("TIELINE_AGE_IDENTITY", &arguments.sensitive.opening.age_identity),
    ];
    let given = hidden.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
    variables.extend(given);
    variables
}

/// Files of the step, which are ours to write.
const STEPS: [&str; 4] = [runner::OUTPUT, runner::STATE, runner::STEP_SUMMARY, runner::EVENT_PATH];
