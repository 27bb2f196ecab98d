//! What a step hands on to later steps and jobs.

use serde_json::Value;

use super::{Ended, Outcome, exit_code, problems_of};
use crate::domain::deployment::Deployment;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::drift::DriftReport;
use crate::domain::failure::FailureReason;
use crate::domain::fleet::Waves;
use crate::domain::names::RunId;
use crate::domain::outcome::{PlanReport, RunReport};
use crate::domain::record::{ChangeCounts, RunStatus};
use crate::domain::removal::{Fate, Removal, Sweep};
use crate::report;
use crate::secrets::Redactor;

/// Outputs, by name.
pub(super) type Outputs = Vec<(&'static str, String)>;

/// What is known before anything is applied, so that clean-up steps have it however the run ends. What is left out of it is left out at
/// the end as well, and told then.
pub(super) fn early(run: &RunId, deployment: &Deployment, redactor: &Redactor) -> Outputs {
    let outputs = vec![
        ("run-id", run.to_string()),
        ("environment", deployment.place.environment.to_string()),
        ("connections", report::early::connections(deployment)),
        ("outputs", report::early::outputs(deployment)),
    ];
    kept(outputs, redactor).0
}

/// What the jobs of a fleet are started with.
pub(super) fn fleet(waves: &Waves, redactor: &Redactor) -> Outputs {
    let outputs = vec![
        ("run-id", waves.fleet.to_string()),
        ("environment", waves.place.environment.to_string()),
        ("matrix", report::fleet::matrix(waves)),
    ];
    kept(outputs, redactor).0
}

/// What there is at the end, and what had to be left out of it (R19): GitHub drops a whole output when a mask matches in it.
pub(super) fn of(ended: &Ended, redactor: &Redactor) -> (Outputs, Problems) {
    let mut outputs = vec![("run-status", status(ended).to_owned())];
    if let Some(cause) = problems_of(ended).cause() {
        outputs.push(("failure-reason", cause.reason.as_str().to_owned()));
    }
    match ended {
        Ok(Outcome::Ran(report)) => outputs.extend(ran(report)),
        Ok(Outcome::Planned(report)) => outputs.extend(planned(report)),
        Ok(Outcome::Drifted(report)) => outputs.extend(drifted(report)),
        Ok(Outcome::Removed(removal)) => outputs.extend(removed(removal)),
        Ok(Outcome::Swept(sweep)) => outputs.extend(swept(sweep)),
        Ok(Outcome::Done | Outcome::Reviewed(_) | Outcome::Skipped(_)) | Err(_) => {}
    }
    kept(outputs, redactor)
}

fn kept(mut outputs: Outputs, redactor: &Redactor) -> (Outputs, Problems) {
    let mut left_out = Problems::default();
    for (name, value) in &mut outputs {
        let mut paths = Vec::new();
        *value = without_masked(value, redactor, name, &mut paths);
        left_out.0.extend(paths.iter().map(|path| hidden(path)));
    }
    (outputs, left_out)
}

fn ran(report: &RunReport) -> Outputs {
    let mut counts = ChangeCounts::default();
    report.run.main_tasks().for_each(|task| counts += task.changes);
    let mut outputs = vec![
        ("run-id", report.run.id.to_string()),
        ("environment", report.place.environment.to_string()),
        ("connections", report::outputs::connections(report)),
        ("outputs", report::outputs::outputs(report)),
        ("changes", report::outputs::changes(counts)),
        ("stale-consumers", report::outputs::stale_consumers(report)),
        ("skipped", report::outputs::skipped(report)),
    ];
    outputs.extend(report.preview.as_ref().and_then(|preview| preview.url.clone()).map(|url| ("preview-url", url)));
    if report.run.status == RunStatus::Succeeded {
        outputs.push(("release", report.run.version_tag.to_string()));
    }
    outputs
}

fn planned(report: &PlanReport) -> Outputs {
    let needs_approval = report.refusals.0.iter().any(|refusal| refusal.reason == FailureReason::NeedsApproval);
    vec![
        ("environment", report.place.environment.to_string()),
        ("changes", report::outputs::changes(report.counts())),
        ("plan-fingerprint", report.fingerprint.to_string()),
        ("needs-approval", needs_approval.to_string()),
    ]
}

fn drifted(report: &DriftReport) -> Outputs {
    vec![
        ("environment", report.environment.to_string()),
        ("changes", report::outputs::changes(report.counts())),
        ("drifted", report::drift::drifted(report)),
    ]
}

fn removed(removal: &Removal) -> Outputs {
    let last = removal.removed.last();
    let run = last.and_then(|removed| removed.runs.last()).map(|run| ("run-id", run.run.id.to_string()));
    last.map(|removed| ("environment", removed.name.environment.to_string())).into_iter().chain(run).collect()
}

fn swept(sweep: &Sweep) -> Outputs {
    let left = [Fate::Failed, Fate::Waits];
    vec![("removed", report::preview::swept(sweep, &[Fate::Removed])), ("left", report::preview::swept(sweep, &left))]
}

/// A value without the parts that a mask would blank; where those were is added to `paths`.
fn without_masked(value: &str, redactor: &Redactor, name: &str, paths: &mut Vec<String>) -> String {
    match serde_json::from_str::<Value>(value) {
        _ if redactor.redact(value) == value => value.to_owned(),
        Ok(mut json @ (Value::Object(_) | Value::Array(_))) => {
            leave_out(&mut json, redactor, name, paths);
            json.to_string()
        }
        _ => {
            paths.push(name.to_owned());
            String::new()
        }
    }
}

/// Takes what a mask would blank out of a value, and notes where it was.
fn leave_out(value: &mut Value, redactor: &Redactor, at: &str, paths: &mut Vec<String>) {
    let is_hidden = |text: &str| redactor.redact(text) != text;
    match value {
        Value::Object(members) => members.retain(|key, member| {
            let path = format!("{at}.{key}");
            let goes = is_hidden(key) || is_leaf(member) && is_hidden(&text_of(member));
            if goes {
                paths.push(redactor.redact(&path));
            } else {
                leave_out(member, redactor, &path, paths);
            }
            !goes
        }),
        Value::Array(items) => {
            let before = items.len();
            items.retain(|item| !(is_leaf(item) && is_hidden(&text_of(item))));
            if items.len() < before {
                paths.push(redactor.redact(at));
            }
            for item in items {
                leave_out(item, redactor, at, paths);
            }
        }
        _ => {}
    }
}

fn is_leaf(value: &Value) -> bool {
    !value.is_object() && !value.is_array()
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn hidden(path: &str) -> Diagnostic {
    Diagnostic::warning(FailureReason::InvalidInput, format!("the output `{path}` is left out: a masked value is in it"))
        .note("GitHub drops an output altogether when a mask matches in it, so the rest is handed on without this part")
        .help("register only real secrets as secrets, or read the value from the context repository")
}

fn status(ended: &Ended) -> &'static str {
    match ended {
        Ok(Outcome::Skipped(_)) => return "skipped",
        Ok(Outcome::Removed(removal)) if removal.is_skipped() => return "skipped",
        _ => {}
    }
    match exit_code(problems_of(ended)) {
        0 => "succeeded",
        1 => "user-error",
        3 => "aborted",
        _ => "runtime-error",
    }
}
