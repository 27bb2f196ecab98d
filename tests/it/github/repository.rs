//! A repository: what it holds, and what tests do to it from aside.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::checks::Check;
use super::comments::Comment;
use super::commits;
use super::deployments::Deployment;
use super::git::Git;
use super::issues::Issue;
use super::pulls::Pull;
use super::state::{self, State};
use super::trees::{self, Entry};
use super::workflow_runs::WorkflowRun;

/// The branch that a repository starts with.
pub(super) const DEFAULT_BRANCH: &str = "main";

pub(super) struct Repository {
    /// `owner/name`
    pub(super) name: String,
    pub(super) id: u64,
    pub(super) git: Git,
    /// Whether everybody may read it.
    pub(super) public: bool,
    pub(super) pulls: Vec<Pull>,
    pub(super) issues: Vec<Issue>,
    /// Whether it has none.
    pub(super) takes_no_issues: bool,
    /// Whether the caller may not give labels, and is not told so.
    pub(super) drops_labels: bool,
    pub(super) comments: Vec<Comment>,
    /// Who belongs to it and may not write.
    pub(super) readers: BTreeSet<String>,
    pub(super) deployments: Vec<Deployment>,
    pub(super) checks: Vec<Check>,
    pub(super) workflow_runs: Vec<WorkflowRun>,
    /// What is served as the archive of every commit, instead of the true one.
    pub(super) archive: Option<Vec<u8>>,
    last_id: u64,
}

impl Repository {
    pub(super) fn create(name: &str, id: u64, folder: PathBuf) -> Self {
        Self {
            name: name.to_owned(),
            id,
            git: Git::create(folder),
            public: false,
            pulls: Vec::new(),
            issues: Vec::new(),
            takes_no_issues: false,
            drops_labels: false,
            comments: Vec::new(),
            readers: BTreeSet::new(),
            deployments: Vec::new(),
            checks: Vec::new(),
            workflow_runs: Vec::new(),
            archive: None,
            last_id: id,
        }
    }

    /// Where people look at it.
    pub(super) fn web(&self) -> String {
        format!("https://github.com/{}", self.name)
    }

    /// What lets a stranger have the archive of a private repository.
    pub(super) fn archive_token(&self) -> String {
        format!("ARCHIVE{}", self.id)
    }

    /// The number of the next issue or pull request.
    pub(super) fn next_number(&self) -> u64 {
        (self.pulls.len() + self.issues.len()) as u64 + 1
    }

    /// An id that nothing has had.
    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }
}

/// A repository in the hands of a test.
#[derive(Clone)]
pub(crate) struct Hosted {
    state: Arc<Mutex<State>>,
    name: String,
}

impl Hosted {
    pub(super) fn new(state: &Arc<Mutex<State>>, name: &str) -> Self {
        Self { state: Arc::clone(state), name: name.to_owned() }
    }

    fn with<T>(&self, deed: impl FnOnce(&mut Repository) -> T) -> T {
        deed(state::lock(&self.state).repositories.get_mut(&self.name.to_lowercase()).unwrap())
    }

    /// Lets everybody read it.
    pub(crate) fn publish(&self) {
        self.with(|repository| repository.public = true);
    }

    /// The bare repository, for git.
    pub(crate) fn folder(&self) -> PathBuf {
        self.with(|repository| repository.git.folder().to_owned())
    }

    /// Commits files on a branch, which starts from `main` if it is not there; the commit.
    pub(crate) fn commit(&self, branch: &str, files: &[(&str, &str)]) -> String {
        self.with(|repository| {
            let git = &repository.git;
            let reference = format!("refs/heads/{branch}");
            let parent = git.resolve(&reference, "commit").or_else(|| git.resolve(DEFAULT_BRANCH, "commit"));
            let entries: Vec<Entry> = files.iter().map(|(path, text)| Entry::file(path, text.as_bytes())).collect();
            let base = parent.as_ref().map(|parent| git.resolve(parent, "tree").unwrap());
            let tree = trees::build(git, base.as_deref(), &entries).unwrap();
            let commit = commits::write(git, &tree, parent.as_slice(), "somebody else's").unwrap();
            git.run(&["update-ref", &reference, &commit], b"").unwrap();
            commit
        })
    }

    /// A file at a ref or commit.
    pub(crate) fn file(&self, at: &str, path: &str) -> Option<String> {
        self.with(|repository| {
            let id = repository.git.at(at, path, "blob")?;
            Some(String::from_utf8(repository.git.object(&id)?.1).unwrap())
        })
    }

    /// The paths of all files at a ref or commit; none where there is no such thing.
    pub(crate) fn files(&self, at: &str) -> Vec<String> {
        self.lines(&["ls-tree", "-r", "--name-only", "--end-of-options", at])
    }

    /// The full names of all refs.
    pub(crate) fn references(&self) -> Vec<String> {
        self.lines(&["for-each-ref", "--format=%(refname)"])
    }

    /// The commit that a ref leads to.
    pub(crate) fn head(&self, reference: &str) -> Option<String> {
        self.with(|repository| repository.git.resolve(reference, "commit"))
    }

    /// Serves these bytes as the archive of every commit.
    pub(crate) fn serve_archive(&self, bytes: Vec<u8>) {
        self.with(|repository| repository.archive = Some(bytes));
    }

    /// Opens a pull request of one branch to `main`; its number.
    pub(crate) fn open_pull(&self, branch: &str, title: &str) -> u64 {
        self.with(|repository| {
            let (number, id) = (repository.next_number(), repository.next_id());
            let (head, base) = (branch.to_owned(), DEFAULT_BRANCH.to_owned());
            let author = Some("ana".to_owned());
            let title = title.to_owned();
            let (is_merged, is_of_fork, labels) = (false, false, Vec::new());
            let pull = Pull { number, id, title, body: None, head, base, author, is_open: true, is_merged, is_of_fork, labels };
            repository.pulls.push(pull);
            number
        })
    }

    /// The open pull requests, oldest first: title, branch, body.
    pub(crate) fn pulls(&self) -> Vec<(String, String, String)> {
        self.with(|repository| {
            let open = repository.pulls.iter().filter(|pull| pull.is_open);
            open.map(|pull| (pull.title.clone(), pull.head.clone(), pull.body.clone().unwrap_or_default())).collect()
        })
    }

    /// Closes a pull request.
    pub(crate) fn close_pull(&self, number: u64) {
        self.change_pull(number, |pull| pull.is_open = false);
    }

    /// The issues, oldest first: whether it is open, title, text.
    pub(crate) fn issues(&self) -> Vec<(bool, String, String)> {
        self.with(|repository| {
            let all = repository.issues.iter();
            all.map(|issue| (issue.is_open, issue.title.clone(), issue.body.clone())).collect()
        })
    }

    /// Opens an issue with a label, as a person who is a `MEMBER`, or `NONE`, to the repository; its number.
    pub(crate) fn open_issue(&self, (person, association): (&str, &'static str), body: &str, label: &str) -> u64 {
        self.with(|repository| {
            let mut issue = Issue::new(repository, "A person's", body, Some((person, association)));
            let number = issue.number;
            issue.labels.push(label.to_owned());
            repository.issues.push(issue);
            number
        })
    }

    /// Closes an issue as a person does.
    pub(crate) fn close_issue(&self, number: u64) {
        self.with(|repository| {
            let issue = repository.issues.iter_mut().find(|issue| issue.number == number);
            issue.unwrap().is_open = false;
        });
    }

    /// Takes issues no more.
    pub(crate) fn disable_issues(&self) {
        self.with(|repository| repository.takes_no_issues = true);
    }

    /// Drops the labels that callers give.
    pub(crate) fn drop_labels(&self) {
        self.with(|repository| repository.drops_labels = true);
    }

    /// Opens a closed pull request again.
    pub(crate) fn reopen_pull(&self, number: u64) {
        self.change_pull(number, |pull| pull.is_open = true);
    }

    /// Merges a pull request, and so closes it.
    pub(crate) fn merge_pull(&self, number: u64) {
        self.change_pull(number, |pull| (pull.is_open, pull.is_merged) = (false, true));
    }

    /// Puts a label on a pull request.
    pub(crate) fn label_pull(&self, number: u64, label: &str) {
        self.change_pull(number, |pull| pull.labels.push(label.to_owned()));
    }

    /// Makes a pull request one of a fork.
    pub(crate) fn fork_pull(&self, number: u64) {
        self.change_pull(number, |pull| pull.is_of_fork = true);
    }

    /// Takes a pull request away, as nobody can but the server's own people.
    pub(crate) fn lose_pull(&self, number: u64) {
        self.with(|repository| repository.pulls.retain(|pull| pull.number != number));
    }

    fn change_pull(&self, number: u64, change: impl FnOnce(&mut Pull)) {
        self.with(|repository| change(repository.pulls.iter_mut().find(|pull| pull.number == number).unwrap()));
    }

    /// The number that it keeps whatever it is called.
    pub(crate) fn id(&self) -> u64 {
        self.with(|repository| repository.id)
    }

    /// Deletes the repository.
    pub(crate) fn delete(self) {
        state::lock(&self.state).repositories.remove(&self.name.to_lowercase());
    }

    /// Gives it another name, with those who may use it.
    pub(crate) fn rename(&mut self, name: &str) {
        let mut state = state::lock(&self.state);
        let mut repository = state.repositories.remove(&self.name.to_lowercase()).unwrap();
        state.tokens.values_mut().for_each(|token| token.follow(&self.name, name));
        name.clone_into(&mut repository.name);
        state.repositories.insert(name.to_lowercase(), repository);
        name.clone_into(&mut self.name);
    }

    /// Comments on a pull request as a person of the organization.
    pub(crate) fn comment(&self, number: u64, person: &str, text: &str) {
        self.comment_as(number, person, "MEMBER", text);
    }

    /// Comments on a pull request as a person who is this to the repository: `MEMBER`, `CONTRIBUTOR`, `NONE`.
    pub(crate) fn comment_as(&self, number: u64, person: &str, association: &'static str, text: &str) {
        self.with(|repository| {
            let comment = Comment::new(number, repository.next_id(), text, Some((person, association)));
            repository.comments.push(comment);
        });
    }

    /// Lets somebody who belongs to it read and no more.
    pub(crate) fn only_reads(&self, person: &str) {
        self.with(|repository| _ = repository.readers.insert(person.to_owned()));
    }

    /// The texts of the comments on a pull request or an issue.
    pub(crate) fn comments(&self, number: u64) -> Vec<String> {
        self.with(|repository| {
            let found = repository.comments.iter().filter(|comment| comment.issue == number);
            found.map(|comment| comment.body.clone()).collect()
        })
    }

    /// The deployments, oldest first, each with its statuses, oldest first, as the API shows them.
    pub(crate) fn deployments(&self) -> Vec<(Value, Vec<Value>)> {
        self.with(|repository| {
            let all = repository.deployments.iter();
            all.map(|deployment| (deployment.shown.clone(), deployment.statuses.clone())).collect()
        })
    }

    /// Has a run of a workflow stand so; the address that people watch it at.
    pub(crate) fn workflow_run(&self, id: u64, status: &str, conclusion: Option<&str>) -> String {
        self.with(|repository| {
            repository.workflow_runs.retain(|run| run.id != id);
            let (status, conclusion) = (status.to_owned(), conclusion.map(str::to_owned));
            repository.workflow_runs.push(WorkflowRun { id, status, conclusion });
            format!("{}/actions/runs/{id}/attempts/1", repository.web())
        })
    }

    /// The check runs, each with its annotations, as the API shows them.
    pub(crate) fn checks(&self) -> Vec<(Value, Vec<Value>)> {
        self.with(|repository| repository.checks.iter().map(|check| (check.shown.clone(), check.annotations.clone())).collect())
    }

    fn lines(&self, arguments: &[&str]) -> Vec<String> {
        let said = self.with(|repository| repository.git.run(arguments, b"")).unwrap_or_default();
        String::from_utf8_lossy(&said).lines().map(str::to_owned).collect()
    }
}
