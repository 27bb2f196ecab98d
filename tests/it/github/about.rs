//! What a repository says of itself.

use serde_json::{Map, Value, json};

use super::call::Call;
use super::objects::node;
use super::people::person;
use super::repository::{DEFAULT_BRANCH, Repository};

/// Parts of the API that a repository names the address of.
const PARTS: [&str; 37] = [
    "archive",
    "assignees",
    "blobs",
    "branches",
    "collaborators",
    "comments",
    "commits",
    "compare",
    "contents",
    "contributors",
    "deployments",
    "downloads",
    "events",
    "forks",
    "git_commits",
    "git_refs",
    "git_tags",
    "hooks",
    "issue_comment",
    "issue_events",
    "issues",
    "keys",
    "labels",
    "languages",
    "merges",
    "milestones",
    "notifications",
    "pulls",
    "releases",
    "stargazers",
    "statuses",
    "subscribers",
    "subscription",
    "tags",
    "teams",
    "trees",
    "svn",
];

/// The repository, with what the caller may do to it.
pub(super) fn describe(repository: &Repository, call: &Call, may_push: bool) -> Value {
    let (owner, name) = repository.name.split_once('/').unwrap();
    let (api, web) = (format!("{}/repos/{}", call.base, repository.name), repository.web());
    let mut about = Map::new();
    for part in PARTS {
        about.insert(format!("{part}_url"), format!("{api}/{part}").into());
    }
    for none in ["description", "homepage", "language", "license", "mirror_url"] {
        about.insert(none.to_owned(), Value::Null);
    }
    let counts =
        ["forks", "forks_count", "open_issues", "open_issues_count", "stargazers_count", "subscribers_count", "watchers"];
    for count in counts.iter().chain(&["watchers_count", "network_count", "size"]) {
        about.insert((*count).to_owned(), 0.into());
    }
    for no in ["fork", "archived", "disabled", "has_pages", "has_wiki", "has_discussions"] {
        about.insert(no.to_owned(), false.into());
    }
    for yes in ["has_issues", "has_projects", "has_downloads"] {
        about.insert(yes.to_owned(), true.into());
    }
    for moment in ["created_at", "updated_at", "pushed_at"] {
        about.insert(moment.to_owned(), "2026-01-01T00:00:00Z".into());
    }
    let own = json!({
        "id": repository.id,
        "node_id": node("R", repository.id, &repository.name),
        "name": name,
        "full_name": repository.name,
        "owner": person(&call.base, owner, "Organization"),
        "private": !repository.public,
        "visibility": if repository.public { "public" } else { "private" },
        "default_branch": DEFAULT_BRANCH,
        "url": api,
        "html_url": web,
        "clone_url": format!("{web}.git"),
        "git_url": format!("git://github.com/{}.git", repository.name),
        "ssh_url": format!("git@github.com:{}.git", repository.name),
        "permissions": {"admin": false, "maintain": false, "push": may_push, "triage": false, "pull": true},
    });
    about.extend(own.as_object().unwrap().clone());
    about.into()
}
