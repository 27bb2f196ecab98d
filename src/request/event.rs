//! What a workflow's step knows of its run: variables of the runner, and the event that started it.

use serde::Deserialize;

use super::variables::runner;

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
}

/// The part of an event that is read; everything in it is text from outside.
#[derive(Deserialize)]
struct Event {
    pull_request: Option<PullRequestOfEvent>,
}

#[derive(Deserialize)]
struct PullRequestOfEvent {
    number: u64,
    head: Side,
    base: Side,
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

impl WorkflowRun {
    /// The run that the variables tell of. `event` is the file that `GITHUB_EVENT_PATH` names.
    pub fn of<'a>(variable: impl Fn(&str) -> Option<&'a str>, event: Option<&[u8]>) -> Self {
        let repository = variable(runner::REPOSITORY).unwrap_or_default().to_owned();
        let server = variable(runner::SERVER_URL).unwrap_or("https://github.com");
        let url = variable(runner::RUN_ID).map(|id| match variable(runner::RUN_ATTEMPT) {
            Some(attempt) => format!("{server}/{repository}/actions/runs/{id}/attempts/{attempt}"),
            None => format!("{server}/{repository}/actions/runs/{id}"),
        });
        let event: Option<Event> = event.and_then(|bytes| serde_json::from_slice(bytes).ok());
        Self {
            sha: variable(runner::SHA).map(str::to_owned),
            actor: variable(runner::ACTOR).map(str::to_owned),
            url,
            pull_request: event.and_then(|event| event.pull_request).map(PullRequest::from),
            repository,
        }
    }
}

impl WorkflowRun {
    /// The commit that people know: of a pull request, the newest of its branch.
    pub fn commit(&self) -> Option<&str> {
        self.pull_request.as_ref().map(|pull_request| pull_request.head.as_str()).or(self.sha.as_deref())
    }
}

impl From<PullRequestOfEvent> for PullRequest {
    fn from(of_event: PullRequestOfEvent) -> Self {
        let id = |side: &Side| side.repo.as_ref().map(|repository| repository.id);
        let from_fork = id(&of_event.head) != id(&of_event.base);
        Self { number: of_event.number, head: of_event.head.sha, from_fork }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VARIABLES: [(&str, &str); 6] = [
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
        assert_eq!(run.pull_request, Some(PullRequest { number: 7, head: "f00".into(), from_fork: false }));
    }

    #[test]
    fn a_fork_is_another_repository_or_one_that_is_gone() {
        for head in [r#"{"sha": "f", "repo": {"id": 2}}"#, r#"{"sha": "f", "repo": null}"#] {
            let event =
                format!(r#"{{"pull_request": {{"number": 7, "head": {head}, "base": {{"sha": "b", "repo": {{"id": 1}}}}}}}}"#);
            assert!(run(&event).pull_request.unwrap().from_fork);
        }
    }

    #[test]
    fn an_event_that_is_no_json_is_no_pull_request() {
        assert_eq!(run("not json").pull_request, None);
    }
}
