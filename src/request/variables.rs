//! Every environment variable that Tieline reads for itself. Each input is also `TIELINE_<NAME>`; those are named beside their
//! flags in [`super::cli`].

/// Where temporary files go; `/tmp` when it is not set.
pub const TMPDIR: &str = "TMPDIR";
/// The user's home, for the cache of fetched plugins.
pub const HOME: &str = "HOME";
/// Where caches go instead of `~/.cache`.
pub const XDG_CACHE_HOME: &str = "XDG_CACHE_HOME";
/// Set to anything, it turns colors off.
pub const NO_COLOR: &str = "NO_COLOR";
/// `dumb` turns colors and progress off.
pub const TERM: &str = "TERM";
/// The user's name, recorded as the run's actor.
pub const USER: &str = "USER";
/// Set in automation: plain lines instead of progress, and a lock file that must be complete.
pub const CI: &str = "CI";

/// What the runner tells a workflow's step.
pub mod runner {
    /// Set to `true` in every workflow: inputs and outputs are the action's.
    pub const ACTIONS: &str = "GITHUB_ACTIONS";
    /// `owner/name` of the workflow's repository.
    pub const REPOSITORY: &str = "GITHUB_REPOSITORY";
    /// The number of the workflow's repository, which it keeps when it is renamed: owners are told by it.
    pub const REPOSITORY_ID: &str = "GITHUB_REPOSITORY_ID";
    /// The commit that the workflow runs for.
    pub const SHA: &str = "GITHUB_SHA";
    /// Who started the workflow, recorded as the run's actor.
    pub const ACTOR: &str = "GITHUB_ACTOR";
    /// What started the workflow, such as `pull_request`: what plain `preview` does follows from it.
    pub const EVENT_NAME: &str = "GITHUB_EVENT_NAME";
    /// The file with the event that started the workflow: its pull request.
    pub const EVENT_PATH: &str = "GITHUB_EVENT_PATH";
    /// The number of the workflow's run, for the link to it.
    pub const RUN_ID: &str = "GITHUB_RUN_ID";
    /// Which attempt of the run it is.
    pub const RUN_ATTEMPT: &str = "GITHUB_RUN_ATTEMPT";
    /// Where the server's pages are.
    pub const SERVER_URL: &str = "GITHUB_SERVER_URL";
    /// Where the server's API is.
    pub const API_URL: &str = "GITHUB_API_URL";
    /// Where OIDC tokens are asked for, where the job may: for the roles of an environment's account.
    pub const ID_TOKEN_REQUEST_URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
    /// What they are asked for with.
    pub const ID_TOKEN_REQUEST_TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";
    /// Where outputs are written.
    pub const OUTPUT: &str = "GITHUB_OUTPUT";
    /// Where state for the post stage is written.
    pub const STATE: &str = "GITHUB_STATE";
    /// What the main stage tells the post stage: the file that it holds for as long as it works.
    pub const STATE_HELD: &str = "STATE_HELD";
    /// What the main stage tells the post stage: the run and what it claimed.
    pub const STATE_CLAIMED: &str = "STATE_CLAIMED";
    /// What the main stage tells the post stage: which part of a fleet it was.
    pub const STATE_PART: &str = "STATE_PART";
    /// What the main stage tells the post stage: what it made on GitHub.
    pub const STATE_ANNOUNCED: &str = "STATE_ANNOUNCED";
    /// Where the summary is written.
    pub const STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";
    /// The workspace. Where a container is started as root, its owner is who we become.
    pub const GITHUB_WORKSPACE: &str = "GITHUB_WORKSPACE";
    /// The folder for temporary files that the job's steps share; a terraform that was staged in it is taken before the one on `PATH`.
    pub const TEMP: &str = "RUNNER_TEMP";
    /// The workspace's parent as the runner itself sees it: tells where `RUNNER_TEMP` is outside of the container.
    pub const WORKSPACE: &str = "RUNNER_WORKSPACE";
}
