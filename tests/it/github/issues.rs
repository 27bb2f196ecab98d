//! Issues. They share their numbers with pull requests.

use serde_json::{Value, json};

use super::call::{Answer, Call, Outcome, now, stamp, text};
use super::objects::node;
use super::people::{bot, person};
use super::repository::Repository;

/// The longest body, in characters.
const LONGEST: usize = 65_536;

pub(super) struct Issue {
    pub(super) number: u64,
    id: u64,
    pub(super) title: String,
    pub(super) body: String,
    pub(super) labels: Vec<String>,
    pub(super) is_open: bool,
    state_reason: Option<String>,
    /// Who opened it, if not the bot; with what they are to the repository.
    author: Option<(String, &'static str)>,
    created_at: String,
    closed_at: Option<String>,
}

impl Issue {
    pub(super) fn new(repository: &mut Repository, title: &str, body: &str, author: Option<(&str, &'static str)>) -> Self {
        Self {
            number: repository.next_number(),
            id: repository.next_id(),
            title: title.to_owned(),
            body: body.to_owned(),
            labels: Vec::new(),
            is_open: true,
            state_reason: None,
            author: author.map(|(login, association)| (login.to_owned(), association)),
            created_at: stamp(now()),
            closed_at: None,
        }
    }

    fn json(&self, repository: &Repository, call: &Call) -> Value {
        let (api, number) = (format!("{}/repos/{}", call.base, repository.name), self.number);
        let url = format!("{api}/issues/{number}");
        let label = |name: &String| {
            json!({
                "id": name.len(), "node_id": format!("LA_{name}"), "url": format!("{api}/labels/{name}"), "name": name,
                "description": "", "color": "ededed", "default": false,
            })
        };
        let author = self.author.as_ref();
        json!({
            "id": self.id,
            "node_id": node("I", repository.id, number),
            "url": url,
            "repository_url": api,
            "labels_url": format!("{url}/labels{{/name}}"),
            "comments_url": format!("{url}/comments"),
            "events_url": format!("{url}/events"),
            "html_url": format!("{}/issues/{number}", repository.web()),
            "number": number,
            "state": if self.is_open { "open" } else { "closed" },
            "state_reason": self.state_reason,
            "title": self.title,
            "body": self.body,
            "user": author.map_or_else(|| bot(&call.base), |(login, _)| person(&call.base, login, "User")),
            "author_association": author.map_or("NONE", |(_, association)| association),
            "labels": self.labels.iter().map(label).collect::<Vec<_>>(),
            "assignee": null,
            "assignees": [],
            "milestone": null,
            "locked": false,
            "active_lock_reason": null,
            "comments": repository.comments.iter().filter(|comment| comment.issue == number).count(),
            "closed_at": self.closed_at,
            "closed_by": null,
            "created_at": self.created_at,
            "updated_at": self.created_at,
        })
    }
}

/// The issues, newest first; of a `state` and with `labels` where the caller says so.
pub(super) fn list(repository: &Repository, call: &Call) -> Answer {
    let query = call.query();
    let state = query.get("state").map_or("open", String::as_str);
    let labels: Vec<&str> = query.get("labels").map(|labels| labels.split(',').collect()).unwrap_or_default();
    let is_asked = |issue: &&Issue| {
        let has = |label: &&str| issue.labels.iter().any(|has| has == label);
        (state == "all" || (state == "open") == issue.is_open) && labels.iter().all(has)
    };
    let found = repository.issues.iter().rev().filter(is_asked);
    call.page(&found.map(|issue| issue.json(repository, call)).collect::<Vec<_>>())
}

pub(super) fn create(repository: &mut Repository, call: &Call) -> Outcome {
    if repository.takes_no_issues {
        return Err(Answer::refused(410, "Issues has been disabled in this repository."));
    }
    let sent = call.json()?;
    let mut issue = Issue::new(repository, text(&sent, "title")?, &body(&sent)?, None);
    // Those that the caller may not give are dropped without a word.
    if !repository.drops_labels {
        let labels = sent["labels"].as_array().into_iter().flatten();
        issue.labels = labels.filter_map(Value::as_str).map(str::to_owned).collect();
    }
    let answer = Answer::json(201, &issue.json(repository, call));
    repository.issues.push(issue);
    Ok(answer)
}

pub(super) fn change(repository: &mut Repository, call: &Call, number: &str) -> Outcome {
    let sent = call.json()?;
    let at = repository.issues.iter().position(|issue| issue.number.to_string() == number).ok_or_else(Answer::not_found)?;
    let issue = &mut repository.issues[at];
    if !sent["body"].is_null() {
        issue.body = body(&sent)?;
    }
    match sent["state"].as_str() {
        Some("open") => {
            issue.state_reason = (!issue.is_open).then(|| "reopened".to_owned());
            (issue.is_open, issue.closed_at) = (true, None);
        }
        Some("closed") => {
            issue.state_reason = Some(sent["state_reason"].as_str().unwrap_or("completed").to_owned());
            (issue.is_open, issue.closed_at) = (false, Some(stamp(now())));
        }
        _ => {}
    }
    Ok(Answer::json(200, &repository.issues[at].json(repository, call)))
}

fn body(sent: &Value) -> Result<String, Answer> {
    let body = sent["body"].as_str().unwrap_or_default();
    if body.chars().count() > LONGEST {
        return Err(Answer::invalid("Issue", "body", &format!("body is too long (maximum is {LONGEST} characters)")));
    }
    Ok(body.to_owned())
}
