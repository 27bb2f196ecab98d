//! Every terraform command line, in one place. A value goes by a file or a variable, never as an argument.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::world::{Apart, OnCancel, ProcessSpec};

use super::version::Abilities;
use super::{Root, Settings, environment};

/// The plan file, in the root module's folder.
const PLAN_FILE: &str = "plan.tfplan";

/// Long enough for a cold disk; `version` does nothing else.
const VERSION_LIMIT: Duration = Duration::from_mins(1);

/// The address of a resource that no root module has.
const NOBODYS: &str = "terraform_data.tieline_nobodys";

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

/// What becomes of the state of a root whose backend block was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackendChange {
    /// It stays where it is: from now on the root is about the one at the new place.
    Leave,
    /// It is copied to the new place, over what is there: look first.
    Migrate,
}

/// What a pushed state may replace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// Only what it continues.
    ItsPast,
    /// Whatever is there: look first.
    Anything,
}

/// Builds commands of one binary.
#[derive(Clone)]
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
        apart: Apart::default(),
    }
}

impl Commands {
    pub(super) fn init(&self, root: &Root) -> ProcessSpec {
        let mut arguments = vec!["init".to_owned()];
        arguments.extend(self.abilities.init_json.then(|| "-json".to_owned()));
        arguments.extend(["-no-color".to_owned(), "-input=false".to_owned(), self.lock_timeout()]);
        self.start(root, arguments)
    }

    /// Terraform refuses `-json` beside `-migrate-state`.
    pub(super) fn change_backend(&self, root: &Root, change: BackendChange) -> ProcessSpec {
        let mut arguments = ["init", "-no-color", "-input=false"].map(str::to_owned).to_vec();
        arguments.push(self.lock_timeout());
        arguments.extend(match change {
            BackendChange::Leave => vec!["-reconfigure".to_owned()],
            BackendChange::Migrate => vec!["-migrate-state".to_owned(), "-force-copy".to_owned()],
        });
        self.start(root, arguments)
    }

    pub(super) fn state_pull(&self, root: &Root) -> ProcessSpec {
        self.start(root, ["state", "pull"].map(str::to_owned).to_vec())
    }

    pub(super) fn outputs(&self, root: &Root) -> ProcessSpec {
        self.start(root, ["output", "-json", "-no-color"].map(str::to_owned).to_vec())
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

    pub(super) fn state_push(&self, root: &Root, file: &Path, over: Over) -> ProcessSpec {
        let mut arguments = ["state", "push", "-no-color"].map(str::to_owned).to_vec();
        arguments.push(self.lock_timeout());
        arguments.extend((over == Over::Anything).then(|| "-force".to_owned()));
        arguments.push(file.display().to_string());
        self.start(root, arguments)
    }

    /// What fails on a held state lock at once, and changes nothing on a free one: nothing is taken out that is not there, and nothing
    /// is written in a dry run.
    pub(super) fn try_lock(&self, root: &Root) -> ProcessSpec {
        self.start(root, ["state", "rm", "-no-color", "-lock-timeout=0s", "-dry-run", NOBODYS].map(str::to_owned).to_vec())
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
            apart: Apart::default(),
        }
    }
}

fn variable_file(root: &Root) -> Option<String> {
    root.variable_file.as_ref().map(|file| format!("-var-file={}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(modern: bool) -> Commands {
        Commands {
            program: "/opt/terraform".into(),
            abilities: Abilities { init_json: modern, variables_at_apply: modern },
            settings: Settings {
                plugin_cache: "/run/providers".into(),
                terraform_parallelism: 7,
                lock_timeout: Duration::from_secs(90),
            },
            environment: BTreeMap::from([("PATH".into(), "/usr/bin".into())]),
        }
    }

    fn root() -> Root {
        Root {
            directory: "/run/roots/database".into(),
            environment: BTreeMap::from([("AWS_ROLE_ARN".into(), Some("arn:x".into()))]),
            variable_file: Some("/run/secrets/database.tfvars.json".into()),
            providers: crate::terraform::ProviderNeeds::new(),
        }
    }

    #[test]
    fn every_command_line() {
        let (new, old, root) = (commands(true), commands(false), root());
        let plain = Root { variable_file: None, ..root.clone() };
        let addresses = ["module.plugin.aws_s3_bucket.this[\"a b\"]".to_owned(), "module.plugin.x.y".to_owned()];
        let table = [
            (new.init(&root), "init -json -no-color -input=false -lock-timeout=90s"),
            (old.init(&root), "init -no-color -input=false -lock-timeout=90s"),
            (
                new.plan(&root, PlanMode::Apply, true),
                "plan -json -no-color -input=false -detailed-exitcode -out=plan.tfplan -lock-timeout=90s -parallelism=7 \
                 -var-file=/run/secrets/database.tfvars.json",
            ),
            (
                new.plan(&plain, PlanMode::Destroy, true),
                "plan -json -no-color -input=false -detailed-exitcode -out=plan.tfplan -lock-timeout=90s -parallelism=7 -destroy",
            ),
            (
                new.plan(&plain, PlanMode::RefreshOnly, false),
                "plan -json -no-color -input=false -detailed-exitcode -out=plan.tfplan -lock=false -parallelism=7 -refresh-only",
            ),
            (new.show_plan(&root), "show -json -no-color plan.tfplan"),
            (
                new.apply(&root),
                "apply -json -no-color -input=false -lock-timeout=90s -parallelism=7 -var-file=/run/secrets/database.tfvars.json \
                 plan.tfplan",
            ),
            (old.apply(&root), "apply -json -no-color -input=false -lock-timeout=90s -parallelism=7 plan.tfplan"),
            (
                new.state_remove(&root, &addresses),
                "state rm -no-color -lock-timeout=90s module.plugin.aws_s3_bucket.this[\"a b\"] module.plugin.x.y",
            ),
            (
                new.state_push(&root, Path::new("/run/roots/database/errored.tfstate"), Over::ItsPast),
                "state push -no-color -lock-timeout=90s /run/roots/database/errored.tfstate",
            ),
            (
                new.state_push(&root, Path::new("/run/roots/database/emptied.tfstate"), Over::Anything),
                "state push -no-color -lock-timeout=90s -force /run/roots/database/emptied.tfstate",
            ),
            (new.state_pull(&root), "state pull"),
            (new.outputs(&root), "output -json -no-color"),
            (new.change_backend(&root, BackendChange::Leave), "init -no-color -input=false -lock-timeout=90s -reconfigure"),
            (
                new.change_backend(&root, BackendChange::Migrate),
                "init -no-color -input=false -lock-timeout=90s -migrate-state -force-copy",
            ),
            (new.try_lock(&root), "state rm -no-color -lock-timeout=0s -dry-run terraform_data.tieline_nobodys"),
            (new.force_unlock(&root, "1234-abcd"), "force-unlock -no-color -force 1234-abcd"),
        ];
        for (spec, arguments) in table {
            assert_eq!(spec.arguments.join(" "), arguments);
            assert_eq!(spec.program, Path::new("/opt/terraform"));
            assert_eq!(spec.directory, root.directory);
            assert_eq!(spec.on_cancel, OnCancel::InterruptOnce, "{spec}: never killed, never interrupted twice");
            assert_eq!(spec.time_limit, None, "{spec}: a time limit would be a second signal");
            assert_eq!(spec.environment["TF_DATA_DIR"], ".terraform");
            assert_eq!(spec.environment["AWS_ROLE_ARN"], "arn:x");
        }
    }
}
