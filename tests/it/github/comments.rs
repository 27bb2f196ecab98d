//! Comments on issues and pull requests.

use serde_json::{Value, json};

use super::call::{Answer, Call, Outcome, now, stamp, text};
use super::objects::node;
use super::people::{bot, person};
use super::repository::Repository;

/// The longest body, in characters.
const LONGEST: usize = 65_536;

pub(super) struct Comment {
    pub(super) issue: u64,
    id: u64,
    pub(super) body: String,
    /// Who wrote it, if not the bot, and what they are to the repository.
    person: Option<(String, &'static str)>,
    created_at: String,
    updated_at: String,
}

impl Comment {
    pub(super) fn new(issue: u64, id: u64, body: &str, person: Option<(&str, &'static str)>) -> Self {
        let moment = stamp(now());
        let (created_at, updated_at) = (moment.clone(), moment);
        Self { issue, id, body: body.to_owned(), person: person.map(|(name, is)| (name.to_owned(), is)), created_at, updated_at }
    }

    fn json(&self, repository: &Repository, call: &Call) -> Value {
        let (api, id) = (format!("{}/repos/{}/issues", call.base, repository.name), self.id);
        json!({
            "id": id,
            "node_id": node("IC", repository.id, id),
            "url": format!("{api}/comments/{id}"),
            "html_url": format!("{}/pull/{}#issuecomment-{id}", repository.web(), self.issue),
            "issue_url": format!("{api}/{}", self.issue),
            "user": self.person.as_ref().map_or_else(|| bot(&call.base), |(login, _)| person(&call.base, login, "User")),
            "author_association": self.person.as_ref().map_or("NONE", |(_, association)| association),
            "body": self.body,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        })
    }
}

pub(super) fn list(repository: &Repository, call: &Call, issue: &str) -> Outcome {
    let issue = known(repository, issue)?;
    let query = call.query();
    let is_new = |comment: &&Comment| query.get("since").is_none_or(|since| comment.updated_at >= *since);
    let found = repository.comments.iter().filter(|comment| comment.issue == issue).filter(is_new);
    Ok(call.page(&found.map(|comment| comment.json(repository, call)).collect::<Vec<_>>()))
}

pub(super) fn get(repository: &Repository, call: &Call, id: &str) -> Outcome {
    let index = find(repository, id)?;
    Ok(Answer::json(200, &repository.comments[index].json(repository, call)))
}

pub(super) fn create(repository: &mut Repository, call: &Call, issue: &str) -> Outcome {
    let issue = known(repository, issue)?;
    let body = body(call)?;
    let comment = Comment::new(issue, repository.next_id(), &body, None);
    let answer = Answer::json(201, &comment.json(repository, call));
    repository.comments.push(comment);
    Ok(answer)
}

pub(super) fn change(repository: &mut Repository, call: &Call, id: &str) -> Outcome {
    let index = find(repository, id)?;
    let comment = &mut repository.comments[index];
    comment.body = body(call)?;
    comment.updated_at = stamp(now());
    Ok(Answer::json(200, &repository.comments[index].json(repository, call)))
}

pub(super) fn delete(repository: &mut Repository, id: &str) -> Outcome {
    let index = find(repository, id)?;
    repository.comments.remove(index);
    Ok(Answer::nothing())
}

fn body(call: &Call) -> Result<String, Answer> {
    let body = call.json()?;
    let body = text(&body, "body")?;
    if body.trim().is_empty() {
        return Err(Answer::invalid("IssueComment", "body", "Body can't be blank"));
    }
    if body.chars().count() > LONGEST {
        return Err(Answer::invalid("IssueComment", "data", &format!("Body is too long (maximum is {LONGEST} characters)")));
    }
    Ok(body.to_owned())
}

/// The number of a pull request or an issue that there is.
fn known(repository: &Repository, issue: &str) -> Result<u64, Answer> {
    let pulls = repository.pulls.iter().map(|pull| pull.number);
    let mut numbers = pulls.chain(repository.issues.iter().map(|issue| issue.number));
    numbers.find(|number| number.to_string() == issue).ok_or_else(Answer::not_found)
}

fn find(repository: &Repository, id: &str) -> Result<usize, Answer> {
    repository.comments.iter().position(|comment| comment.id.to_string() == id).ok_or_else(Answer::not_found)
}
