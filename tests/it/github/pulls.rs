//! Pull requests.

use serde_json::{Value, json};

use super::about;
use super::call::{Answer, Call, Outcome, text};
use super::git::Git;
use super::objects::node;
use super::people::{bot, person};
use super::repository::Repository;

pub(super) struct Pull {
    pub(super) number: u64,
    pub(super) id: u64,
    pub(super) title: String,
    /// The branch with the change.
    pub(super) head: String,
    /// The branch to be changed.
    pub(super) base: String,
    pub(super) body: Option<String>,
    /// Who opened it, if not the bot.
    pub(super) author: Option<String>,
    pub(super) is_open: bool,
    pub(super) is_merged: bool,
    /// Whether its branch is in a repository of somebody else's.
    pub(super) is_of_fork: bool,
    pub(super) labels: Vec<String>,
}

pub(super) fn get(repository: &Repository, call: &Call, number: &str) -> Outcome {
    let pull = repository.pulls.iter().find(|pull| pull.number.to_string() == number).ok_or_else(Answer::not_found)?;
    Ok(Answer::json(200, &whole(repository, call, pull)))
}

/// The pull requests, newest first; of a `state`, `head` (`owner:branch`) and `base` where the caller says so.
pub(super) fn list(repository: &Repository, call: &Call) -> Answer {
    let query = call.query();
    let owner = repository.name.split('/').next().unwrap();
    let state = query.get("state").map_or("open", String::as_str);
    let is_asked = |pull: &&Pull| {
        let has = |field: &str, value: &str| query.get(field).is_none_or(|asked| asked == value);
        let is_state = state == "all" || (state == "open") == pull.is_open;
        is_state && has("head", &format!("{owner}:{}", pull.head)) && has("base", &pull.base)
    };
    let found = repository.pulls.iter().rev().filter(is_asked);
    call.page(&found.map(|pull| describe(repository, call, pull)).collect::<Vec<_>>())
}

/// Opens one from a branch of the same repository.
pub(super) fn create(repository: &mut Repository, call: &Call) -> Outcome {
    let sent = call.json()?;
    let invalid = |field: &str, message: &str| Err(Answer::invalid("PullRequest", field, message));
    let (title, head, base) = (text(&sent, "title")?, text(&sent, "head")?, text(&sent, "base")?);
    let owner = repository.name.split('/').next().unwrap();
    let head = head.strip_prefix(&format!("{owner}:")).unwrap_or(head);
    if tip(&repository.git, base).is_empty() {
        return invalid("base", "invalid");
    }
    match tip(&repository.git, head) {
        found if found.is_empty() => return invalid("head", "invalid"),
        found if found == tip(&repository.git, base) => {
            return invalid("head", &format!("No commits between {base} and {head}"));
        }
        _ => {}
    }
    if repository.pulls.iter().any(|pull| pull.is_open && pull.head == head && pull.base == base) {
        return invalid("head", &format!("A pull request already exists for {owner}:{head}."));
    }
    let (number, id) = (repository.next_number(), repository.next_id());
    let (title, head, base) = (title.to_owned(), head.to_owned(), base.to_owned());
    let body = sent["body"].as_str().map(str::to_owned);
    let pull = Pull {
        number,
        id,
        title,
        body,
        head,
        base,
        author: None,
        is_open: true,
        is_merged: false,
        is_of_fork: false,
        labels: Vec::new(),
    };
    let answer = Answer::json(201, &whole(repository, call, &pull));
    repository.pulls.push(pull);
    Ok(answer)
}

fn whole(repository: &Repository, call: &Call, pull: &Pull) -> Value {
    let mut whole = describe(repository, call, pull);
    let more = json!({
        "merged": pull.is_merged,
        "mergeable": true,
        "mergeable_state": "clean",
        "merged_by": null,
        "rebaseable": true,
        "maintainer_can_modify": false,
        "comments": repository.comments.iter().filter(|comment| comment.issue == pull.number).count(),
        "review_comments": 0,
        "commits": 1,
        "additions": 1,
        "deletions": 0,
        "changed_files": 1,
    });
    whole.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    whole
}

fn describe(repository: &Repository, call: &Call, pull: &Pull) -> Value {
    let number = pull.number;
    let (api, web) = (format!("{}/repos/{}", call.base, repository.name), repository.web());
    let (url, html_url) = (format!("{api}/pulls/{number}"), format!("{web}/pull/{number}"));
    let (issue_url, statuses_url) =
        (format!("{api}/issues/{number}"), format!("{api}/statuses/{}", tip(&repository.git, &pull.head)));
    let comments_url = format!("{issue_url}/comments");
    let (commits_url, review_comments_url) = (format!("{url}/commits"), format!("{url}/comments"));
    let a_review_comment = format!("{api}/pulls/comments{{/number}}");
    let links = [
        ("self", &url),
        ("html", &html_url),
        ("issue", &issue_url),
        ("comments", &comments_url),
        ("review_comments", &review_comments_url),
        ("review_comment", &a_review_comment),
        ("commits", &commits_url),
        ("statuses", &statuses_url),
    ];
    let links: Value = links.iter().map(|(name, url)| ((*name).to_owned(), json!({"href": url}))).collect();
    let branch = |branch: &str| {
        let owner = repository.name.split('/').next().unwrap();
        json!({
            "label": format!("{owner}:{branch}"),
            "ref": branch,
            "sha": tip(&repository.git, branch),
            "user": person(&call.base, owner, "Organization"),
            "repo": about::describe(repository, call, false),
        })
    };
    let mut head = branch(&pull.head);
    if pull.is_of_fork {
        head["label"] = format!("stranger:{}", pull.head).into();
        head["repo"]["id"] = 7.into();
        head["repo"]["full_name"] = "stranger/shop".into();
    }
    json!({
        "url": url,
        "id": pull.id,
        "node_id": node("PR", repository.id, number),
        "html_url": html_url,
        "diff_url": format!("{html_url}.diff"),
        "patch_url": format!("{html_url}.patch"),
        "issue_url": issue_url,
        "number": number,
        "state": if pull.is_open { "open" } else { "closed" },
        "locked": false,
        "title": pull.title,
        "user": pull.author.as_ref().map_or_else(|| bot(&call.base), |login| person(&call.base, login, "User")),
        "body": pull.body,
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
        "closed_at": if pull.is_open { Value::Null } else { json!("2026-01-02T00:00:00Z") },
        "merged_at": if pull.is_merged { json!("2026-01-02T00:00:00Z") } else { Value::Null },
        "merge_commit_sha": null,
        "assignee": null,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "labels": pull.labels.iter().map(|name| label(repository, call, name)).collect::<Vec<_>>(),
        "milestone": null,
        "draft": false,
        "commits_url": commits_url,
        "review_comments_url": review_comments_url,
        "review_comment_url": a_review_comment,
        "comments_url": comments_url,
        "statuses_url": statuses_url,
        "head": head,
        "base": branch(&pull.base),
        "_links": links,
        "author_association": "MEMBER",
        "auto_merge": null,
    })
}

fn label(repository: &Repository, call: &Call, name: &str) -> Value {
    let id = name.bytes().fold(1_u64, |id, byte| (id * 31 + u64::from(byte)) % 1_000_000_007);
    json!({
        "id": id,
        "node_id": node("LA", repository.id, id),
        "url": format!("{}/repos/{}/labels/{name}", call.base, repository.name),
        "name": name,
        "description": "",
        "color": "ededed",
        "default": false,
    })
}

fn tip(git: &Git, branch: &str) -> String {
    git.resolve(&format!("refs/heads/{branch}"), "commit").unwrap_or_default()
}
