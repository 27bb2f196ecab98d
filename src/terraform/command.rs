//! Every terraform command line, in one place. A value goes by a file or a variable, never as an argument.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::world::{OnCancel, ProcessSpec};

use super::version::Abilities;
use super::{Root, Settings, environment};

/// The plan file, in the root module's folder.
const PLAN_FILE: &str = "plan.tfplan";

/// Long enough for a cold disk; `version` does nothing else.
const VERSION_LIMIT: Duration = Duration::from_secs(60);

/// What is planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanMode {
    /// What makes the infrastructure as written.
    Apply,
    /// What removes all of it.
    Destroy,
    /// Only what changed outside.
    RefreshOnly,
}

/// Builds commands of one binary.
#[derive(Debug, Clone)]
pub(super) struct Commands {
    pub program: PathBuf,
    pub abilities: Abilities,
    pub settings: Settings,
    /// What all processes share; see [`environment::shared`].
    pub environment: BTreeMap<String, String>,
}

/// Asks a binary's version.
pub(super) fn version(program: &Path, directory: &Path, environment: BTreeMap<String, String>) -> ProcessSpec {
    ProcessSpec {
        program: program.to_owned(),
        arguments: vec!["version".to_owned(), "-json".to_owned()],
        directory: directory.to_owned(),
        environment,
        stdin: None,
        on_cancel: OnCancel::Kill,
        time_limit: Some(VERSION_LIMIT),
    }
}

impl Commands {
    pub(super) fn init(&self, root: &Root) -> ProcessSpec {
        let mut arguments = vec!["init".to_owned()];
        arguments.extend(self.abilities.init_json.then(|| "-json".to_owned()));
        arguments.extend(["-no-color".to_owned(), "-input=false".to_owned(), self.lock_timeout()]);
        self.start(root, arguments)
    }

    pub(super) fn plan(&self, root: &Root, mode: PlanMode, lock: bool) -> ProcessSpec {
        let mut arguments = ["plan", "-json", "-no-color", "-input=false", "-detailed-exitcode"].map(str::to_owned).to_vec();
        arguments.push(format!("-out={PLAN_FILE}"));
        arguments.push(if lock { self.lock_timeout() } else { "-lock=false".to_owned() });
        arguments.push(self.parallelism());
        arguments.extend(match mode {
            PlanMode::Apply => None,
            PlanMode::Destroy => Some("-destroy".to_owned()),
            PlanMode::RefreshOnly => Some("-refresh-only".to_owned()),
        });
        arguments.extend(variable_file(root));
        self.start(root, arguments)
    }

    pub(super) fn show_plan(&self, root: &Root) -> ProcessSpec {
        self.start(root, ["show", "-json", "-no-color", PLAN_FILE].map(str::to_owned).to_vec())
    }

    pub(super) fn apply(&self, root: &Root) -> ProcessSpec {
        let mut arguments = ["apply", "-json", "-no-color", "-input=false"].map(str::to_owned).to_vec();
        arguments.extend([self.lock_timeout(), self.parallelism()]);
        arguments.extend(variable_file(root).filter(|_| self.abilities.variables_at_apply));
        arguments.push(PLAN_FILE.to_owned());
        self.start(root, arguments)
    }

    pub(super) fn state_remove(&self, root: &Root, addresses: &[String]) -> ProcessSpec {
        let mut arguments = ["state", "rm", "-no-color"].map(str::to_owned).to_vec();
        arguments.push(self.lock_timeout());
        arguments.extend_from_slice(addresses);
        self.start(root, arguments)
    }

    pub(super) fn state_push(&self, root: &Root, file: &Path) -> ProcessSpec {
        let mut arguments = ["state", "push", "-no-color"].map(str::to_owned).to_vec();
        arguments.extend([self.lock_timeout(), file.display().to_string()]);
        self.start(root, arguments)
    }

    pub(super) fn force_unlock(&self, root: &Root, id: &str) -> ProcessSpec {
        self.start(root, ["force-unlock", "-no-color", "-force", id].map(str::to_owned).to_vec())
    }

    fn lock_timeout(&self) -> String {
        format!("-lock-timeout={}s", self.settings.lock_timeout.as_secs())
    }

    fn parallelism(&self) -> String {
        format!("-parallelism={}", self.settings.terraform_parallelism)
    }

    /// Nothing that runs in a root is ever killed: it may hold the state lock.
    fn start(&self, root: &Root, arguments: Vec<String>) -> ProcessSpec {
        ProcessSpec {
            program: self.program.clone(),
            arguments,
            directory: root.directory.clone(),
            environment: environment::for_root(&self.environment, root),
            stdin: None,
            on_cancel: OnCancel::InterruptOnce,
            time_limit: None,
        }
    }
}

fn variable_file(root: &Root) -> Option<String> {
    root.variable_file.as_ref().map(|file| format!("-var-file={}", file.display()))
}
