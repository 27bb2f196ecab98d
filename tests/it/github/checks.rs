//! Check runs and their annotations.

use serde_json::{Value, json};

use super::call::{Answer, Call, Outcome, now, stamp, text};
use super::objects::node;
use super::repository::Repository;

/// The most annotations of one request.
const AT_A_TIME: usize = 50;
/// The longest summary or text, in characters.
const LONGEST: usize = 65_535;
const CONCLUSIONS: [&str; 7] = ["action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out"];

pub(super) struct Check {
    id: u64,
    /// As the API shows it.
    pub(super) shown: Value,
    /// As the API shows them, oldest first.
    pub(super) annotations: Vec<Value>,
}

pub(super) fn get(repository: &Repository, id: &str) -> Outcome {
    Ok(Answer::json(200, &repository.checks[find(repository, id)?].shown))
}

pub(super) fn annotations(repository: &Repository, call: &Call, id: &str) -> Outcome {
    Ok(call.page(&repository.checks[find(repository, id)?].annotations))
}

pub(super) fn create(repository: &mut Repository, call: &Call) -> Outcome {
    let body = call.json()?;
    let (name, sha) = (text(&body, "name")?, text(&body, "head_sha")?);
    if repository.git.resolve(sha, "commit").is_none() {
        return Err(Answer::refused(422, &format!("No commit found for SHA: {sha}")));
    }
    let id = repository.next_id();
    let url = format!("{}/repos/{}/check-runs/{id}", call.base, repository.name);
    let html_url = format!("{}/runs/{id}", repository.web());
    let shown = json!({
        "id": id,
        "name": name,
        "node_id": node("CR", repository.id, id),
        "head_sha": sha,
        "external_id": "",
        "url": url,
        "html_url": html_url,
        "details_url": html_url,
        "status": "queued",
        "conclusion": null,
        "started_at": stamp(now()),
        "completed_at": null,
        "output": {"title": null, "summary": null, "text": null, "annotations_count": 0, "annotations_url": format!("{url}/annotations")},
        "check_suite": {"id": repository.id},
        "app": null,
        "pull_requests": [],
    });
    let mut check = Check { id, shown, annotations: Vec::new() };
    fill(&mut check, &body)?;
    let answer = Answer::json(201, &check.shown);
    repository.checks.push(check);
    Ok(answer)
}

pub(super) fn change(repository: &mut Repository, call: &Call, id: &str) -> Outcome {
    let index = find(repository, id)?;
    let check = &mut repository.checks[index];
    fill(check, &call.json()?)?;
    Ok(Answer::json(200, &check.shown))
}

/// Takes over what the caller says; annotations are added to those that are there.
fn fill(check: &mut Check, body: &Value) -> Result<(), Answer> {
    let invalid = |message: &str| Answer::refused(422, &format!("Invalid request.\n\n{message}"));
    let added = annotations_of(&body["output"])?;
    for field in ["name", "external_id", "details_url", "status", "started_at", "completed_at"] {
        if !body[field].is_null() {
            check.shown[field] = body[field].clone();
        }
    }
    if let Some(conclusion) = body["conclusion"].as_str() {
        if !CONCLUSIONS.contains(&conclusion) {
            return Err(invalid(&format!("{conclusion} is not a member of the conclusions.")));
        }
        check.shown["conclusion"] = conclusion.into();
        check.shown["status"] = "completed".into();
        if check.shown["completed_at"].is_null() {
            check.shown["completed_at"] = stamp(now()).into();
        }
    } else if body["status"] == "completed" {
        return Err(invalid("\"conclusion\" wasn't supplied."));
    }
    if body["output"].is_object() {
        text(&body["output"], "title")?;
        text(&body["output"], "summary")?;
    }
    for field in ["title", "summary", "text"] {
        let Some(text) = body["output"][field].as_str() else { continue };
        if text.chars().count() > LONGEST {
            return Err(invalid(&format!("Only {LONGEST} characters are allowed; {} were supplied.", text.chars().count())));
        }
        check.shown["output"][field] = text.into();
    }
    check.annotations.extend(added);
    check.shown["output"]["annotations_count"] = check.annotations.len().into();
    Ok(())
}

fn annotations_of(output: &Value) -> Result<Vec<Value>, Answer> {
    let invalid = |message: &str| Answer::refused(422, &format!("Invalid request.\n\n{message}"));
    let annotations = output["annotations"].as_array().cloned().unwrap_or_default();
    if annotations.len() > AT_A_TIME {
        return Err(invalid(&format!("No more than {AT_A_TIME} items are allowed; {} were supplied.", annotations.len())));
    }
    let read = |annotation: &Value| {
        let (path, message) = (text(annotation, "path")?, text(annotation, "message")?);
        let level = text(annotation, "annotation_level")?;
        if !["notice", "warning", "failure"].contains(&level) {
            return Err(invalid(&format!("{level} is not a member of [\"notice\", \"warning\", \"failure\"].")));
        }
        let (Some(start), Some(end)) = (annotation["start_line"].as_u64(), annotation["end_line"].as_u64()) else {
            return Err(invalid("\"start_line\" and \"end_line\" weren't supplied."));
        };
        if start != end && !annotation["start_column"].is_null() {
            return Err(invalid("\"start_column\" is only allowed on one line."));
        }
        Ok(json!({
            "path": path,
            "blob_href": "",
            "start_line": start,
            "end_line": end,
            "start_column": annotation["start_column"],
            "end_column": annotation["end_column"],
            "annotation_level": level,
            "title": annotation["title"],
            "message": message,
            "raw_details": annotation["raw_details"],
        }))
    };
    annotations.iter().map(read).collect()
}

fn find(repository: &Repository, id: &str) -> Result<usize, Answer> {
    repository.checks.iter().position(|check| check.id.to_string() == id).ok_or_else(Answer::not_found)
}
