//! Deployments and their statuses.

use serde_json::{Value, json};

use super::call::{Answer, Call, Outcome, now, stamp, text};
use super::objects::node;
use super::people::bot;
use super::repository::{DEFAULT_BRANCH, Repository};

const STATES: [&str; 7] = ["error", "failure", "inactive", "in_progress", "queued", "pending", "success"];
/// The longest description of a status, in characters.
const LONGEST: usize = 140;

pub(super) struct Deployment {
    id: u64,
    /// As the API shows it.
    pub(super) shown: Value,
    /// As the API shows them, oldest first.
    pub(super) statuses: Vec<Value>,
}

impl Deployment {
    pub(super) fn state(&self) -> &str {
        self.statuses.last().and_then(|status| status["state"].as_str()).unwrap_or("pending")
    }
}

/// The deployments, newest first; with a `sha`, `ref`, `task` or `environment` where the caller says so.
pub(super) fn list(repository: &Repository, call: &Call) -> Answer {
    let query = call.query();
    let is_asked = |shown: &&Value| {
        let has = |field: &str| query.get(field).is_none_or(|asked| asked == "none" || shown[field] == asked.as_str());
        ["sha", "ref", "task", "environment"].into_iter().all(has)
    };
    let found = repository.deployments.iter().rev().map(|deployment| &deployment.shown).filter(is_asked);
    call.page(&found.cloned().collect::<Vec<_>>())
}

pub(super) fn get(repository: &Repository, id: &str) -> Outcome {
    Ok(Answer::json(200, &repository.deployments[find(repository, id)?].shown))
}

pub(super) fn create(repository: &mut Repository, call: &Call) -> Outcome {
    let body = call.json()?;
    let reference = text(&body, "ref")?;
    let git = &repository.git;
    let sha = git.resolve(reference, "commit");
    let sha = sha.ok_or_else(|| Answer::refused(422, &format!("No ref found for: {reference}")))?;
    let is_behind = || git.run(&["merge-base", "--is-ancestor", DEFAULT_BRANCH, &sha], b"").is_err();
    if body["auto_merge"] != json!(false) && is_behind() {
        return Err(Answer::refused(409, &format!("Conflict merging {DEFAULT_BRANCH} into {reference}")));
    }
    let is_failing =
        || repository.checks.iter().any(|check| check.shown["head_sha"] == *sha && check.shown["conclusion"] != "success");
    if body["required_contexts"] != json!([]) && is_failing() {
        return Err(Answer::refused(409, &format!("Conflict: Commit status checks failed for {reference}.")));
    }
    let id = repository.next_id();
    let (api, moment) = (format!("{}/repos/{}", call.base, repository.name), stamp(now()));
    let or = |field: &str, default: Value| if body[field].is_null() { default } else { body[field].clone() };
    let environment = or("environment", json!("production"));
    let shown = json!({
        "url": format!("{api}/deployments/{id}"),
        "id": id,
        "node_id": node("DE", repository.id, id),
        "task": or("task", json!("deploy")),
        "original_environment": environment,
        "environment": environment,
        "description": body["description"],
        "created_at": moment,
        "updated_at": moment,
        "statuses_url": format!("{api}/deployments/{id}/statuses"),
        "repository_url": api,
        "creator": bot(&call.base),
        "sha": sha,
        "ref": reference,
        "payload": or("payload", json!({})),
        "transient_environment": or("transient_environment", json!(false)),
        "production_environment": or("production_environment", json!(environment == "production")),
    });
    let answer = Answer::json(201, &shown);
    repository.deployments.push(Deployment { id, shown, statuses: Vec::new() });
    Ok(answer)
}

pub(super) fn statuses(repository: &Repository, call: &Call, id: &str) -> Outcome {
    let deployment = &repository.deployments[find(repository, id)?];
    Ok(call.page(&deployment.statuses.iter().rev().cloned().collect::<Vec<_>>()))
}

pub(super) fn set(repository: &mut Repository, call: &Call, id: &str) -> Outcome {
    let index = find(repository, id)?;
    let body = call.json()?;
    let state = text(&body, "state")?;
    if !STATES.contains(&state) {
        return Err(Answer::invalid("DeploymentStatus", "state", "state is not included in the list"));
    }
    if body["description"].as_str().unwrap_or_default().chars().count() > LONGEST {
        let message = format!("description is too long (maximum is {LONGEST} characters)");
        return Err(Answer::invalid("DeploymentStatus", "description", &message));
    }
    for field in ["log_url", "target_url", "environment_url"] {
        let url = body[field].as_str().unwrap_or_default();
        if !(url.is_empty() || url.starts_with("https://") || url.starts_with("http://")) {
            return Err(Answer::invalid("DeploymentStatus", field, &format!("{field} must use http(s) scheme")));
        }
    }
    if state == "success" && body["auto_inactive"] != json!(false) {
        retire(repository, call, index);
    }
    let status = add(repository, call, index, state, &body);
    Ok(Answer::json(201, &status))
}

/// Earlier deployments of the same environment stop being active, other than those to production or transient environments.
fn retire(repository: &mut Repository, call: &Call, index: usize) {
    let environment = repository.deployments[index].shown["environment"].clone();
    for earlier in 0..index {
        let deployment = &repository.deployments[earlier];
        let is = |field: &str| deployment.shown[field] == json!(true);
        let is_same = deployment.shown["environment"] == environment && deployment.state() == "success";
        if is_same && !is("transient_environment") && !is("production_environment") {
            add(repository, call, earlier, "inactive", &json!({}));
        }
    }
}

fn add(repository: &mut Repository, call: &Call, index: usize, state: &str, about: &Value) -> Value {
    let id = repository.next_id();
    let (api, moment) = (format!("{}/repos/{}", call.base, repository.name), stamp(now()));
    let deployment = &mut repository.deployments[index];
    let log_url = about["log_url"].as_str().or(about["target_url"].as_str()).unwrap_or_default();
    let status = json!({
        "url": format!("{api}/deployments/{}/statuses/{id}", deployment.id),
        "id": id,
        "node_id": node("DES", repository.id, id),
        "state": state,
        "creator": bot(&call.base),
        "description": about["description"].as_str().unwrap_or_default(),
        "environment": about["environment"].as_str().or(deployment.shown["environment"].as_str()),
        "target_url": log_url,
        "log_url": log_url,
        "environment_url": about["environment_url"].as_str().unwrap_or_default(),
        "created_at": moment,
        "updated_at": moment,
        "deployment_url": format!("{api}/deployments/{}", deployment.id),
        "repository_url": api,
    });
    deployment.shown["updated_at"] = moment.into();
    deployment.statuses.push(status.clone());
    status
}

fn find(repository: &Repository, id: &str) -> Result<usize, Answer> {
    repository.deployments.iter().position(|deployment| deployment.id.to_string() == id).ok_or_else(Answer::not_found)
}
