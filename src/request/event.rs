//! What a workflow's step knows of its run: variables of the runner, and the event that started it.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::variables::runner;

/// Who opens pull requests for new versions of dependencies. GitHub trusts its workflows as little as those of forks.
const DEPENDABOT: &str = "dependabot[bot]";

/// The run of a workflow, as its step sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowRun {
    /// `owner/name` of the repository that the workflow is in.
    pub repository: String,
    /// The commit that was checked out by default: of a pull request, a merge that exists nowhere else.
    pub sha: Option<String>,
    /// Who started it.
    pub actor: Option<String>,
    /// Where it can be watched.
    pub url: Option<String>,
    /// The pull request it is about.
    pub pull_request: Option<PullRequest>,
    /// Whether an event of pull requests started it, and which one cannot be read.
    pub is_unread: bool,
    /// What started it.
    pub happened: Happened,
}

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number.
    pub number: u64,
    /// The newest commit of its branch.
    pub head: String,
    /// Whether its branch is in another repository: such a run has neither secrets nor a token that can write.
    pub from_fork: bool,
    /// Its labels.
    pub labels: Vec<String>,
}

/// What started a workflow, as far as previews go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// A pull request was opened, or is another now.
    Changed,
    /// A pull request was closed, merged or not.
    Closed,
    /// A pull request got a label or lost one.
    Labelled,
    /// Somebody commented on a pull request.
    Commented(Comment),
    /// It was time.
    Scheduled,
    /// Something else; its name.
    Other(String),
}

/// A comment on a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// The pull request's number.
    pub number: u64,
    /// What was said.
    pub text: String,
    /// Who said it: the name of their account.
    pub author: String,
    /// What its author is to the repository, in GitHub's words: `MEMBER`, `NONE`.
    pub author_association: String,
}

/// The part of an event that is read; everything in it is text from outside.
#[derive(Default, Deserialize)]
struct Event {
    #[serde(default)]
    action: String,
    pull_request: Option<PullRequestOfEvent>,
    issue: Option<Issue>,
    comment: Option<CommentOfEvent>,
}

#[derive(Deserialize)]
struct PullRequestOfEvent {
    number: u64,
    head: Side,
    base: Side,
    #[serde(default)]
    labels: Vec<Label>,
}

#[derive(Deserialize)]
struct Side {
    sha: String,
    /// Gone where a fork was deleted.
    repo: Option<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    id: u64,
}

#[derive(Deserialize)]
struct Label {
    name: String,
}

#[derive(Deserialize)]
struct Issue {
    number: u64,
    /// There where the issue is a pull request.
    pull_request: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct CommentOfEvent {
    #[serde(default)]
    body: String,
    user: Option<Account>,
    #[serde(default)]
    author_association: String,
}

#[derive(Deserialize)]
struct Account {
    login: String,
}

impl WorkflowRun {
    /// The run that the variables tell of. `event` is the file that `GITHUB_EVENT_PATH` names.
    pub fn of<'a>(variable: impl Fn(&str) -> Option<&'a str>, event: Option<&[u8]>) -> Self {
        let repository = variable(runner::REPOSITORY).unwrap_or_default().to_owned();
        let server = variable(runner::SERVER_URL).unwrap_or("https://github.com");
        let url = variable(runner::RUN_ID).map(|id| match variable(runner::RUN_ATTEMPT) {
            Some(attempt) => format!("{server}/{repository}/actions/runs/{id}/attempts/{attempt}"),
            None => format!("{server}/{repository}/actions/runs/{id}"),
        });
        let name = variable(runner::EVENT_NAME).unwrap_or_default();
        let mut event: Event = event.and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or_default();
        Self {
            sha: variable(runner::SHA).map(str::to_owned),
            actor: variable(runner::ACTOR).map(str::to_owned),
            url,
            is_unread: name.starts_with("pull_request") && event.pull_request.is_none(),
            pull_request: event.pull_request.take().map(PullRequest::from),
            happened: event.happened(name),
            repository,
        }
    }

    /// The commit that people know: of a pull request, the newest of its branch.
    pub fn commit(&self) -> Option<&str> {
        self.pull_request.as_ref().map(|pull_request| pull_request.head.as_str()).or(self.sha.as_deref())
    }

    /// The number of the pull request that it is about.
    pub fn pull_request_number(&self) -> Option<u64> {
        let commented = match &self.happened {
            Happened::Commented(comment) => Some(comment.number),
            _ => None,
        };
        self.pull_request.as_ref().map(|pull_request| pull_request.number).or(commented)
    }

    /// Whether it runs for a pull request of somebody who is not trusted with secrets: of a fork, or Dependabot's (R53). Whose it is that
    /// cannot be read is not known, so it is not trusted either.
    pub fn is_untrusted(&self) -> bool {
        let by_dependabot = self.actor.as_deref() == Some(DEPENDABOT);
        self.is_unread || self.pull_request.as_ref().is_some_and(|pull_request| pull_request.from_fork || by_dependabot)
    }
}

impl Event {
    fn happened(self, name: &str) -> Happened {
        match (name, self.action.as_str()) {
            ("pull_request" | "pull_request_target", "closed") => Happened::Closed,
            ("pull_request" | "pull_request_target", "labeled" | "unlabeled") => Happened::Labelled,
            ("pull_request" | "pull_request_target", "opened" | "synchronize" | "reopened" | "edited" | "ready_for_review") => {
                Happened::Changed
            }
            ("schedule", _) => Happened::Scheduled,
            ("issue_comment", "created") => match (self.issue, self.comment) {
                (Some(Issue { number, pull_request: Some(_) }), Some(comment)) => {
                    let CommentOfEvent { body: text, user, author_association } = comment;
                    let author = user.map(|user| user.login).unwrap_or_default();
                    Happened::Commented(Comment { number, text, author, author_association })
                }
                _ => Happened::Other("issue_comment".to_owned()),
            },
            (name, "") => Happened::Other(name.to_owned()),
            (name, action) => Happened::Other(format!("{name} {action}")),
        }
    }
}

impl From<PullRequestOfEvent> for PullRequest {
    fn from(of_event: PullRequestOfEvent) -> Self {
        let id = |side: &Side| side.repo.as_ref().map(|repository| repository.id);
        let from_fork = id(&of_event.head) != id(&of_event.base);
        let labels = of_event.labels.into_iter().map(|label| label.name).collect();
        Self { number: of_event.number, head: of_event.head.sha, from_fork, labels }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VARIABLES: [(&str, &str); 7] = [
        (runner::EVENT_NAME, "pull_request"),
        (runner::REPOSITORY, "acme/shop"),
        (runner::SERVER_URL, "https://git.example.org"),
        (runner::RUN_ID, "12"),
        (runner::RUN_ATTEMPT, "2"),
        (runner::SHA, "abc"),
        (runner::ACTOR, "ana"),
    ];

    fn run(event: &str) -> WorkflowRun {
        let variable = |name: &str| VARIABLES.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        WorkflowRun::of(variable, Some(event.as_bytes()))
    }

    #[test]
    fn a_run_is_told_by_variables_and_event() {
        let run = run(
            r#"{"pull_request": {"number": 7, "title": "::error::x", "head": {"sha": "f00", "repo": {"id": 1}}, "base": {"sha": "b", "repo": {"id": 1}}}}"#,
        );
        assert_eq!(run.url.as_deref(), Some("https://git.example.org/acme/shop/actions/runs/12/attempts/2"));
        assert_eq!(run.pull_request, Some(PullRequest { number: 7, head: "f00".into(), from_fork: false, labels: Vec::new() }));
        assert!(!run.is_untrusted());
    }

    #[test]
    fn a_fork_is_another_repository_or_one_that_is_gone() {
        for head in [r#"{"sha": "f", "repo": {"id": 2}}"#, r#"{"sha": "f", "repo": null}"#] {
            let event =
                format!(r#"{{"pull_request": {{"number": 7, "head": {head}, "base": {{"sha": "b", "repo": {{"id": 1}}}}}}}}"#);
            let run = run(&event);
            assert!(run.is_untrusted() && run.pull_request.unwrap().from_fork);
        }
    }

    #[test]
    fn r53_a_pull_request_that_cannot_be_read_is_not_trusted() {
        for event in ["not json", "{}", r#"{"pull_request": {"number": 7}}"#] {
            let run = run(event);
            assert!(run.pull_request.is_none() && run.is_untrusted(), "{event}");
        }
        let variable = |name: &str| (name == runner::EVENT_NAME).then_some("push");
        assert!(!WorkflowRun::of(variable, Some(b"{}")).is_untrusted());
    }

    fn happened(name: &str, event: &str) -> Happened {
        let variable = |wanted: &str| (wanted == runner::EVENT_NAME).then_some(name);
        WorkflowRun::of(variable, Some(event.as_bytes())).happened
    }

    #[test]
    fn what_happened_is_told_by_event_and_action() {
        for name in ["pull_request", "pull_request_target"] {
            for action in ["opened", "synchronize", "reopened", "edited", "ready_for_review"] {
                assert_eq!(happened(name, &format!(r#"{{"action": "{action}"}}"#)), Happened::Changed);
            }
            assert_eq!(happened(name, r#"{"action": "closed"}"#), Happened::Closed);
            assert_eq!(happened(name, r#"{"action": "unlabeled"}"#), Happened::Labelled);
            assert_eq!(happened(name, r#"{"action": "assigned"}"#), Happened::Other(format!("{name} assigned")));
        }
        assert_eq!(happened("schedule", "{}"), Happened::Scheduled);
        assert_eq!(happened("push", "no json"), Happened::Other("push".into()));
    }

    #[test]
    fn a_comment_counts_on_pull_requests_and_when_it_is_new() {
        let event = |action: &str, issue: &str| {
            let comment = r#"{"body": "/tieline down", "user": {"login": "ana"}, "author_association": "NONE"}"#;
            happened("issue_comment", &format!(r#"{{"action": "{action}", "issue": {issue}, "comment": {comment}}}"#))
        };
        let (number, author, author_association) = (7, "ana".to_owned(), "NONE".to_owned());
        let comment = Comment { number, text: "/tieline down".into(), author, author_association };
        assert_eq!(event("created", r#"{"number": 7, "pull_request": {"url": "x"}}"#), Happened::Commented(comment));
        assert_eq!(event("created", r#"{"number": 7}"#), Happened::Other("issue_comment".into()));
        assert!(matches!(event("edited", r#"{"number": 7, "pull_request": {}}"#), Happened::Other(_)));
    }

    #[test]
    fn r53_dependabot_is_trusted_as_little_as_a_fork() {
        let side = r#"{"sha": "f", "repo": {"id": 1}}"#;
        let event = format!(r#"{{"pull_request": {{"number": 7, "head": {side}, "base": {side}}}}}"#);
        let variable = |name: &str| (name == runner::ACTOR).then_some("dependabot[bot]");
        assert!(WorkflowRun::of(variable, Some(event.as_bytes())).is_untrusted());
    }
}
