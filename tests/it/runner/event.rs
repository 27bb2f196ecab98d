//! Why a workflow runs.

use serde_json::{Value, json};

/// The repository that all workflows here are of.
pub(crate) const REPOSITORY: &str = "acme/shop";
/// The commit that is checked out, where a test has no other.
const SHA: &str = "5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e";

/// An event: what is in `event.json` and in the variables that follow from it.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) name: &'static str,
    pub(crate) payload: Value,
    /// `GITHUB_SHA`.
    pub(crate) sha: String,
    /// `GITHUB_REF`.
    pub(crate) reference: String,
    /// `GITHUB_REF_NAME`.
    pub(crate) reference_name: String,
    /// `GITHUB_HEAD_REF`, of a pull request.
    pub(crate) head: String,
    /// `GITHUB_BASE_REF`, of a pull request.
    pub(crate) base: String,
}

impl Event {
    /// Commits on a branch.
    pub(crate) fn push(branch: &str) -> Self {
        let reference = format!("refs/heads/{branch}");
        let payload = json!({
            "ref": reference, "after": SHA, "before": "0".repeat(40), "repository": repository(), "sender": sender(),
            "head_commit": {"id": SHA, "message": "a change"},
        });
        Self::on("push", payload, reference, branch.to_owned())
    }

    /// A pull request into `main`; `action` is `opened`, `synchronize`, `reopened` or `closed`.
    pub(crate) fn pull_request(action: &str, number: u64, title: &str, branch: &str) -> Self {
        let payload = json!({
            "action": action, "number": number, "repository": repository(), "sender": sender(),
            "pull_request": {
                "number": number, "title": title, "state": "open", "draft": false, "user": sender(),
                "html_url": format!("https://github.com/{REPOSITORY}/pull/{number}"),
                "head": {"ref": branch, "sha": SHA, "repo": repository()},
                "base": {"ref": "main", "sha": "a".repeat(40), "repo": repository()},
            },
        });
        let mut event = Self::on("pull_request", payload, format!("refs/pull/{number}/merge"), format!("{number}/merge"));
        branch.clone_into(&mut event.head);
        "main".clone_into(&mut event.base);
        event
    }

    /// Somebody pressed the button, on a branch, with these inputs.
    pub(crate) fn workflow_dispatch(branch: &str, inputs: &Value) -> Self {
        let reference = format!("refs/heads/{branch}");
        let payload = json!({"ref": reference, "inputs": inputs, "repository": repository(), "sender": sender()});
        Self::on("workflow_dispatch", payload, reference, branch.to_owned())
    }

    /// The same, about another commit.
    pub(crate) fn at(mut self, commit: &str) -> Self {
        self.payload = serde_json::from_str(&self.payload.to_string().replace(&self.sha, commit)).unwrap();
        commit.clone_into(&mut self.sha);
        self
    }

    fn on(name: &'static str, payload: Value, reference: String, reference_name: String) -> Self {
        Self { name, payload, sha: SHA.to_owned(), reference, reference_name, head: String::new(), base: String::new() }
    }
}

fn repository() -> Value {
    let (owner, name) = REPOSITORY.split_once('/').unwrap();
    json!({
        "id": 42, "name": name, "full_name": REPOSITORY, "private": true, "fork": false, "default_branch": "main",
        "owner": {"login": owner, "type": "Organization"}, "html_url": format!("https://github.com/{REPOSITORY}"),
    })
}

fn sender() -> Value {
    json!({"login": "octavia", "id": 7, "type": "User"})
}
