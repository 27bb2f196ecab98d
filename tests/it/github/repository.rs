//! A repository: what it holds, and what tests do to it from aside.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::checks::Check;
use super::comments::Comment;
use super::commits;
use super::deployments::Deployment;
use super::git::Git;
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
    pub(super) comments: Vec<Comment>,
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
            comments: Vec::new(),
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
            let (number, id) = (repository.pulls.len() as u64 + 1, repository.next_id());
            let (head, base) = (branch.to_owned(), DEFAULT_BRANCH.to_owned());
            let author = Some("ana".to_owned());
            repository.pulls.push(Pull { number, id, title: title.to_owned(), body: None, head, base, author, is_open: true });
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
        self.with(|repository| {
            let pull = repository.pulls.iter_mut().find(|pull| pull.number == number);
            pull.unwrap().is_open = false;
        });
    }

    /// Comments on a pull request as a person.
    pub(crate) fn comment(&self, number: u64, person: &str, text: &str) {
        self.with(|repository| {
            let comment = Comment::new(number, repository.next_id(), text, Some(person));
            repository.comments.push(comment);
        });
    }

    /// The texts of the comments on a pull request.
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
