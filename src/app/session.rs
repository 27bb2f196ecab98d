//! What every command works with: the effects, how things are shown, and the files that problems point into.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tokio_util::sync::CancellationToken;

use super::Ended;
use super::workflow::Workflow;
use crate::context::create;
use crate::context::git::GitStore;
use crate::context::github::GitHubStore;
use crate::context::{Branch, CommitId, ContextStore, Location, RefNames, Remembered};
use crate::documents;
use crate::domain::diagnostic::{Diagnostic, Problems, Spot};
use crate::domain::failure::FailureReason;
use crate::domain::organization::ContextDocument;
use crate::github::Repository;
use crate::request::cli::{Color, ContextArguments, Display, LogLevel, Output};
use crate::request::variables;
use crate::runner;
use crate::secrets::{Redactor, Secret};
use crate::world::{Stream, World};

/// One invocation.
pub(super) struct Session {
    pub(super) world: World,
    pub(super) display: Display,
    pub(super) cancel: CancellationToken,
    pub(super) redactor: Redactor,
    /// The folder of the certificates that are trusted beside the machine's.
    pub(super) certificates: Option<tempfile::TempDir>,
    /// The step of a workflow that this is, if it is one.
    pub(super) workflow: Option<Workflow>,
    /// Files by the names that people know them by, for drawing problems.
    files: Mutex<BTreeMap<String, Vec<u8>>>,
}

/// An opened context repository.
#[derive(Clone)]
pub(super) struct Opened {
    pub(super) store: Arc<dyn ContextStore>,
    /// The folder that relative paths of `local` backends start from; none where the context is remote.
    pub(super) local_base: Option<PathBuf>,
    /// The repository of the GitHub server that it is; none where it is elsewhere.
    pub(super) hosted: Option<Repository>,
}

impl Session {
    pub(super) fn new(world: World, display: Display, cancel: CancellationToken) -> Self {
        let (redactor, files) = (Redactor::default(), Mutex::default());
        Self { world, display, cancel, redactor, certificates: None, workflow: None, files }
    }

    /// The same, as a step of a workflow.
    pub(super) fn in_workflow(self, workflow: Workflow) -> Self {
        Self { workflow: Some(workflow), ..self }
    }

    /// Takes note of a secret, before anything can show it.
    pub(super) fn learn(&self, secret: &Secret) {
        self.learner()(secret);
    }

    /// The same, for those who come by secrets later.
    pub(super) fn learner(&self) -> impl Fn(&Secret) + Send + Sync + 'static {
        let redactor = self.redactor.clone();
        let console = self.workflow.as_ref().map(|workflow| workflow.console.clone());
        move |secret| {
            redactor.learn(secret);
            if let Some(console) = &console {
                console.mask(secret);
            }
        }
    }

    /// Where a problem is, if it is in a file of the caller's repository.
    pub(super) fn place_in_workspace(&self, problem: &Diagnostic) -> Option<runner::Place> {
        let origin = problem.origin.as_ref()?;
        self.world.files.metadata(&self.world.directory.join(&origin.file))?;
        let files = self.files.lock().ok()?;
        let text = files.get(&origin.file).map(|bytes| String::from_utf8_lossy(bytes));
        let line = match &origin.at {
            Spot::File => None,
            Spot::Line { line, column } => Some((*line, *column, *column)),
            Spot::Pointer(pointer) => {
                text.and_then(|text| documents::locate(&text, pointer)).map(|span| (span.line, span.column, span.end_column))
            }
        };
        Some(runner::Place { file: origin.file.clone(), line })
    }

    /// Remembers a file, so that problems in it can be drawn.
    pub(super) fn remember(&self, name: &str, bytes: &[u8]) {
        if let Ok(mut files) = self.files.lock() {
            files.insert(name.to_owned(), bytes.to_vec());
        }
    }

    /// Shows problems to a person, on the error output.
    pub(super) fn show(&self, problems: &Problems) {
        if problems.0.is_empty() {
            return;
        }
        let files = self.files.lock().map(|files| files.clone()).unwrap_or_default();
        let drawn = documents::draw(problems, &files, self.uses_color(Stream::Err));
        self.world.console.write(Stream::Err, &(self.redactor.redact(&drawn) + "\n"));
    }

    /// How something ended, for pages that are read elsewhere: without secrets, and with lines for places.
    pub(super) fn told(&self, ended: &Ended) -> Ended {
        let tell = |problems: &Problems| {
            let problems = problems.clone().with_texts(&|text| self.redactor.redact(text));
            Problems(problems.0.into_iter().map(|problem| self.with_line(problem)).collect())
        };
        match ended {
            Ok(outcome) => Ok(outcome.told(tell)),
            Err(problems) => Err(tell(problems)),
        }
    }

    fn with_line(&self, problem: Diagnostic) -> Diagnostic {
        match self.place_in_workspace(&problem) {
            Some(runner::Place { file, line: Some((line, column, _)) }) => problem.at_line(file, line, column),
            _ => problem,
        }
    }

    /// Shows what deserves a look, and annotates it.
    pub(super) fn warn(&self, warnings: &Problems) {
        self.show(warnings);
        self.annotate(warnings);
    }

    /// Has the runner annotate problems, each on the line of the caller's own file.
    pub(super) fn annotate(&self, problems: &Problems) {
        let Some(workflow) = &self.workflow else { return };
        let problems = problems.clone().with_texts(&|text| self.redactor.redact(text));
        for annotation in runner::annotations(&problems, |problem| self.place_in_workspace(problem)) {
            workflow.console.command(&annotation);
        }
    }

    /// Prints a result.
    pub(super) fn print(&self, text: &str) {
        let text = self.redactor.redact(text);
        self.world.console.write(Stream::Out, &if text.ends_with('\n') { text } else { text + "\n" });
    }

    /// Prints a line about what happens.
    pub(super) fn say(&self, line: &str) {
        if self.display.log_level >= LogLevel::Info {
            self.world.console.write(Stream::Err, &format!("{}\n", crate::report::one_line(&self.redactor.redact(line))));
        }
    }

    pub(super) fn is_json(&self) -> bool {
        self.display.output == Output::Json
    }

    /// Whether colors are wanted on this stream.
    pub(super) fn uses_color(&self, stream: Stream) -> bool {
        let variables = &self.world.variables;
        match self.display.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                self.world.console.is_terminal(stream)
                    && variables.get(variables::NO_COLOR).is_none()
                    && variables.get(variables::TERM) != Some("dumb")
            }
        }
    }

    /// Whether a person watches.
    pub(super) fn is_interactive(&self) -> bool {
        self.world.console.is_terminal(Stream::Err)
            && self.world.variables.get(variables::CI).is_none()
            && self.world.variables.get(variables::TERM) != Some("dumb")
    }

    /// The folder that paths on the command line start from.
    pub(super) fn folder(&self, working_directory: Option<&Path>) -> PathBuf {
        working_directory.map_or_else(|| self.world.directory.clone(), |folder| self.world.directory.join(folder))
    }

    /// Where fetched things are kept from run to run.
    pub(super) fn cache(&self) -> PathBuf {
        let variables = &self.world.variables;
        let home = variables.get(variables::HOME).map(|home| Path::new(home).join(".cache"));
        let bases = variables.get(variables::XDG_CACHE_HOME).map(PathBuf::from).into_iter().chain(home);
        // In a job's home an earlier step may have made a cache that is root's alone.
        let usable = |folder: &PathBuf| self.world.files.can_write_into(folder);
        bases.map(|base| base.join("tieline")).find(usable).unwrap_or_else(|| self.temporary().join("tieline"))
    }

    /// Where temporary files go.
    pub(super) fn temporary(&self) -> PathBuf {
        PathBuf::from(self.world.variables.get(variables::TMPDIR).unwrap_or("/tmp"))
    }

    /// Opens the context repository: the one that is named, from `folder` if its path is relative, else the nearest
    /// `.tieline/context.git` from `near` upwards.
    ///
    /// # Errors
    /// When there is none, or it cannot be opened.
    pub(super) async fn open_context(
        &self,
        arguments: &ContextArguments,
        folder: &Path,
        near: &Path,
    ) -> Result<Opened, Problems> {
        self.learn_access(arguments);
        let location = match &arguments.context {
            Some(text) => Location::parse(text, folder)?,
            None => match create::find(&self.world, near) {
                Some(path) => Location::Local(path),
                None => return Err(no_context(near).into()),
            },
        };
        let location = match &location {
            Location::Remote(url) => self.hosted(arguments, url).map_or(location, Location::GitHub),
            _ => location,
        };
        let local_base = match &location {
            Location::Local(path) => path.parent().map(Path::to_path_buf),
            Location::Remote(_) | Location::GitHub(_) => None,
        };
        let names = RefNames {
            documents: arguments.documents_branch.clone(),
            ledger: arguments.ledger_branch.clone(),
            ..RefNames::default()
        };
        let mut store = self.store(arguments, &location, names.clone()).await?;
        let document = self.context_yaml(&*store).await?;
        if let Some(claims_prefix) = document.as_ref().and_then(|(_, document)| document.claims_prefix.clone()) {
            store = self.store(arguments, &location, RefNames { claims_prefix, ..names }).await?;
        }
        let hosted = match location {
            Location::GitHub(repository) => Some(repository),
            Location::Local(_) | Location::Remote(_) => None,
        };
        let store = self.proven(Arc::new(Remembered::new(store)), document.as_ref());
        Ok(Opened { store, local_base, hosted })
    }

    /// The store of the context at `location`.
    async fn store(
        &self,
        arguments: &ContextArguments,
        location: &Location,
        names: RefNames,
    ) -> Result<Arc<dyn ContextStore>, Problems> {
        Ok(match location {
            Location::GitHub(repository) => {
                let client = self.context_client(arguments, repository)?;
                Arc::new(GitHubStore::open(&self.world, client, repository, names)?)
            }
            Location::Local(_) | Location::Remote(_) => {
                Arc::new(GitStore::open(&self.world, location, names, &self.cache()).await?)
            }
        })
    }

    /// What says how the rest of the context is kept: where claims are, and what is believed.
    async fn context_yaml(&self, store: &dyn ContextStore) -> Result<Option<(CommitId, ContextDocument)>, Problems> {
        let Some(head) = store.head(Branch::Documents).await? else { return Ok(None) };
        let path = crate::context::layout::CONTEXT_DOCUMENT.to_owned();
        let mut found = store.read(&head, std::slice::from_ref(&path)).await?;
        let Some(bytes) = found.remove(&path) else { return Ok(None) };
        let name = super::context_file(&path);
        self.remember(&name, &bytes);
        let document = documents::context(&name, &bytes)?;
        Ok(Some((head, document)))
    }
}

fn no_context(folder: &Path) -> Diagnostic {
    Diagnostic::error(FailureReason::InvalidInput, "there is no context repository")
        .note(format!("looked for `.tieline/context.git` from `{}` upwards", folder.display()))
        .help("make one with `tieline context init --from <folder>`, or name one with `--context <path, git URL or github:owner/repository>`")
}
