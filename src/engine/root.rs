//! The root module of a task: rendered into the run's private folder, initialized, and gated with all that init fetched.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::event::{Event, Phase};
use super::{Content, Engine, bind};
use crate::cloud::Child;
use crate::domain::address::AliasMember;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::module::Module;
use crate::domain::names::Alias;
use crate::domain::organization::BackendKind;
use crate::domain::step::StepOutputKind;
use crate::policy::{self, FetchedModule};
use crate::render;
use crate::secrets::Secret;
use crate::terraform::{BackendChange, Root};

/// The file of a generated root module.
const ROOT_FILE: &str = "main.tf.json";

/// What a root module is rendered from, whether to apply or to destroy.
pub(super) struct Rendering<'a> {
    pub(super) alias: &'a Alias,
    /// Its folder in the run's own.
    pub(super) folder: &'a str,
    pub(super) content: &'a Content,
    pub(super) request: render::Request<'a>,
    pub(super) roles: Option<&'a Child>,
    pub(super) provider_lock: Option<&'a str>,
    pub(super) supplied: &'a Supplied,
}

/// Values of root variables beside the run's sensitive inputs.
#[derive(Default)]
pub(super) struct Supplied {
    /// What a person gives, what was sealed and what steps left, by variable.
    pub(super) given: BTreeMap<String, Given>,
    /// What stands in for sensitive inputs that nobody gives, by variable.
    pub(super) placeholders: BTreeMap<String, Value>,
}

/// A secret that a root variable is given.
#[derive(Clone)]
pub(super) struct Given {
    secret: Secret,
    kind: StepOutputKind,
}

impl Given {
    /// A secret, with what its text means; where that is not said, itself.
    pub(super) fn new(secret: Secret, kind: Option<StepOutputKind>) -> Self {
        Self { secret, kind: kind.unwrap_or_default() }
    }

    /// The value that it means.
    pub(super) fn value(&self) -> Value {
        let text = self.secret.expose();
        self.kind.read(text).unwrap_or_else(|_| Value::from(text))
    }
}

impl Engine {
    /// Renders the root module into the run's private folder, runs init, and gates what init fetched.
    pub(super) async fn initialize(&self, rendering: &Rendering<'_>) -> Result<(Root, Option<String>), Problems> {
        let rendered = render::root(&rendering.request)?;
        let directory = self.folder.join(rendering.folder);
        self.write_root(&directory, rendering, &rendered).map_err(|problem| unwritable(&directory, &problem))?;
        let variable_file = self.write_variables(rendering, &directory, &rendered.variables)?;
        let environment = self.hand_over_roles(rendering.roles, &directory)?;
        let root = Root { directory, environment, variable_file, providers: rendering.content.providers() };
        self.emit(Event::PhaseStarted { alias: rendering.alias.clone(), phase: Phase::Init });
        // In a fresh database the first inits all make the same sequence, and all but one fail over it.
        let is_shared = rendering.request.state.backend.kind == BackendKind::Pg;
        let _alone = if is_shared { Some(self.alone.lock().await) } else { None };
        let sink = self.terraform_sink(rendering.alias);
        let lock =
            self.terraform.init(&root, &*sink, &self.cancel).await.map_err(|failure| self.explain(rendering.alias, failure))?;
        self.gate_fetched(rendering.alias, &root)?;
        Ok((root, lock))
    }

    /// Renders an initialized root module with other values.
    pub(super) fn render_again(&self, root: Root, rendering: &Rendering<'_>) -> Result<Root, Problems> {
        let rendered = render::root(&rendering.request)?;
        let main = root.directory.join(ROOT_FILE);
        self.world.files.write_private(&main, &rendered.main).map_err(|problem| unwritable(&main, &problem))?;
        let variable_file = self.write_variables(rendering, &root.directory, &rendered.variables)?;
        Ok(Root { variable_file, ..root })
    }

    /// Renders the root module again, over what [`Engine::initialize`] wrote: only where its state is may differ.
    pub(super) async fn turn_to(
        &self,
        root: &Root,
        rendering: &Rendering<'_>,
        change: BackendChange,
        cancel: &CancellationToken,
    ) -> Result<(), Problems> {
        let main = root.directory.join(ROOT_FILE);
        let rendered = render::root(&rendering.request)?;
        self.world.files.write_private(&main, &rendered.main).map_err(|problem| unwritable(&main, &problem))?;
        let changed = self.terraform.change_backend(root, change, cancel).await;
        changed.map_err(|failure| self.explain(rendering.alias, failure))
    }

    /// Whether the root module of this alias was rendered in this run.
    pub(super) fn is_rendered(&self, alias: &Alias) -> bool {
        self.world.files.metadata(&self.folder.join(alias.as_str()).join(ROOT_FILE)).is_some()
    }

    fn write_root(&self, directory: &Path, rendering: &Rendering<'_>, rendered: &render::Root) -> std::io::Result<()> {
        let files = self.world.files;
        for (path, file) in &rendering.content.files.files {
            files.create(&directory.join("plugin").join(path), &file.bytes, file.executable)?;
        }
        files.write_private(&directory.join(ROOT_FILE), &rendered.main)?;
        if let Some(lock) = rendering.provider_lock {
            files.write(&directory.join(".terraform.lock.hcl"), lock.as_bytes(), false)?;
        }
        Ok(())
    }

    /// Sensitive inputs reach Terraform by a file that only we can read, never by an argument.
    fn write_variables(
        &self,
        rendering: &Rendering<'_>,
        directory: &Path,
        needed: &BTreeSet<String>,
    ) -> Result<Option<PathBuf>, Problems> {
        if needed.is_empty() {
            return Ok(None);
        }
        let mut values = serde_json::Map::new();
        let mut missing = Vec::new();
        for input in rendering.request.sensitive_inputs {
            let member = AliasMember { alias: rendering.alias.clone(), member: input.clone() };
            let variable = render::names::input_variable(input);
            match (self.secrets.get(&member), rendering.supplied.placeholders.get(&variable)) {
                (Some(secret), _) => _ = values.insert(variable, Value::from(secret.expose())),
                (None, Some(placeholder)) => _ = values.insert(variable, placeholder.clone()),
                (None, None) => missing.push(member.to_string()),
            }
        }
        let mut help = Vec::new();
        if !missing.is_empty() {
            help.push("nothing recorded has them: give them as `TIELINE_SECRETS='{alias.input: value}'`");
        }
        let given = rendering.supplied.given.iter().filter(|(variable, _)| needed.contains(*variable));
        values.extend(given.map(|(variable, given)| (variable.clone(), given.value())));
        for name in needed.iter().filter_map(|variable| variable.strip_prefix(bind::FROM_ENVIRONMENT)) {
            if let Some(value) = self.world.variables.get(name) {
                values.insert(format!("{}{name}", bind::FROM_ENVIRONMENT), Value::from(value));
            } else {
                missing.push(format!("environment variable `{name}`, which an imported connection names"));
                help.push("set the variable for the run, in a workflow by `env:` of the step");
            }
        }
        if !missing.is_empty() {
            let message = format!("`{}` needs values that are sensitive: {}", rendering.alias, missing.join(", "));
            let mut problem = Diagnostic::error(FailureReason::InvalidInput, message);
            problem.help.extend(help.into_iter().map(str::to_owned));
            return Err(problem.at(&self.deployment.file, self.pointer(rendering.alias)).into());
        }
        let path = directory.join("secrets.tfvars.json");
        let bytes = serde_json::to_vec(&values).unwrap_or_default();
        self.world.files.write_private(&path, &bytes).map_err(|problem| unwritable(&path, &problem))?;
        Ok(Some(path))
    }

    /// The gates again, over everything that init fetched (R10).
    fn gate_fetched(&self, alias: &Alias, root: &Root) -> Result<(), Problems> {
        let named =
            |(fetched, module): (FetchedModule, Module)| (format!("module `{}` ({})", fetched.key, fetched.source), module);
        let modules: Vec<_> = self.fetched(root)?.into_iter().map(named).collect();
        let problems = policy::gate(&modules, &self.settings.gates);
        if problems.any_error() { Err(self.at_alias(alias, problems)) } else { Ok(()) }
    }

    /// Every module that init has in place, the plugin's own included.
    pub(super) fn fetched(&self, root: &Root) -> Result<Vec<(FetchedModule, Module)>, Problems> {
        let manifest = root.directory.join(".terraform/modules/modules.json");
        let Ok(manifest) = self.world.files.read(&manifest, 16 << 20) else { return Ok(Vec::new()) };
        let mut modules = Vec::new();
        for fetched in policy::fetched_modules(&manifest)?.into_iter().filter(|fetched| !fetched.key.is_empty()) {
            let folder = root.directory.join(&fetched.dir);
            let files = terraform_files(self.world.files, &folder).map_err(|problem| unwritable(&folder, &problem))?;
            let module = policy::read(&files, "")?;
            modules.push((fetched, module));
        }
        Ok(modules)
    }
}

pub(super) fn unwritable(path: &Path, problem: &std::io::Error) -> Problems {
    Diagnostic::error(FailureReason::Internal, format!("cannot write `{}`: {problem}", path.display()))
        .help("check the free space and rights of the temporary folder; `TMPDIR` names another")
        .into()
}

fn terraform_files(files: crate::world::Files, folder: &Path) -> std::io::Result<BTreeMap<String, Vec<u8>>> {
    let names = files.list(folder)?.into_iter().map(|entry| entry.name).filter(|name| policy::is_terraform(name));
    names.map(|name| Ok((name.clone(), files.read(&folder.join(&name), 16 << 20)?))).collect()
}
