//! Runs of workflows.

use serde_json::{Value, json};

use super::about;
use super::call::{Answer, Call, Outcome, now, stamp};
use super::objects::node;
use super::repository::Repository;

/// A run of a workflow, of which there is one attempt.
pub(super) struct WorkflowRun {
    pub(super) id: u64,
    pub(super) status: String,
    pub(super) conclusion: Option<String>,
}

pub(super) fn get(repository: &Repository, call: &Call, id: &str) -> Outcome {
    let run = repository.workflow_runs.iter().find(|run| run.id.to_string() == id).ok_or_else(Answer::not_found)?;
    Ok(Answer::json(200, &shown(repository, call, run)))
}

pub(super) fn attempt(repository: &Repository, call: &Call, id: &str, attempt: &str) -> Outcome {
    if attempt == "1" { get(repository, call, id) } else { Err(Answer::not_found()) }
}

fn shown(repository: &Repository, call: &Call, run: &WorkflowRun) -> Value {
    let id = run.id;
    let url = format!("{}/repos/{}/actions/runs/{id}", call.base, repository.name);
    let about = about::describe(repository, call, false);
    let mut shown = json!({
        "id": id, "node_id": node("WFR", repository.id, id), "name": "deploy", "head_branch": "main", "head_sha": "0".repeat(40),
        "path": ".github/workflows/deploy.yml", "run_number": 1, "run_attempt": 1, "event": "push", "display_title": "deploy",
        "status": run.status, "conclusion": run.conclusion, "workflow_id": 1, "check_suite_id": 1, "url": url,
        "html_url": format!("{}/actions/runs/{id}", repository.web()), "pull_requests": [], "created_at": stamp(now()), "updated_at": stamp(now()),
        "head_commit": null, "repository": about, "head_repository": about,
        "workflow_url": format!("{}/repos/{}/actions/workflows/1", call.base, repository.name),
    });
    for part in ["jobs", "logs", "check_suite", "artifacts", "cancel", "rerun"] {
        shown[format!("{part}_url")] = json!(format!("{url}/{part}"));
    }
    shown
}
