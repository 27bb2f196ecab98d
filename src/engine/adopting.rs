//! A Terraform state that was made without Tieline, taken over for an applied plugin (R40): looked at in a private copy first, then
//! copied to where the plugin's own state is, and applied there like any other. The state itself is only read.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};

use tokio_util::sync::CancellationToken;

use super::prepare::{Initialized, Prepared};
use super::root::unwritable;
use super::steps::Made;
use super::tasks::Results;
use super::{Engine, Node, locked};
use crate::domain::change::PlannedResource;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::Alias;
use crate::domain::organization::{Backend, BackendKind};
use crate::domain::record::StateLocation;
use crate::policy;
use crate::render;
use crate::terraform::{Over, PlanMode, ProviderNeeds, Root, State};

/// The folders of the run's own root modules, which no alias is named like.
const SOURCE: &str = ".source";
const COPY: &str = ".copy";
const TARGET: &str = ".target";

/// The file of a state that is pushed.
const PUSHED: &str = "pushed.tfstate";

/// Where a state comes from that is taken over.
pub enum Source {
    /// The text of one that was read from a file.
    Text(Vec<u8>),
    /// In a backend, whose settings say its key; relative paths start from the folder.
    Backend(Backend, PathBuf),
}

/// What is taken over.
pub struct Adoption {
    alias: Alias,
    source: Source,
    /// The addresses in the state's root module, once it was read.
    addresses: OnceLock<Vec<String>>,
    /// The root module about the plugin's own state, once there is one because of us.
    pushed: OnceLock<Root>,
}

impl Adoption {
    /// A state for an applied plugin that is not applied yet.
    pub fn new(alias: Alias, source: Source) -> Self {
        Self { alias, source, addresses: OnceLock::new(), pushed: OnceLock::new() }
    }
}

impl Engine {
    /// What is taken over for this applied plugin, if anything is.
    pub(super) fn adoption_of(&self, alias: &Alias) -> Option<&Adoption> {
        self.adoption.as_ref().filter(|adoption| adoption.alias == *alias)
    }

    /// The addresses that move into the plugin's module.
    pub(super) fn adopted(&self, alias: &Alias) -> &[String] {
        self.adoption_of(alias).and_then(|adoption| adoption.addresses.get()).map_or(&[], Vec::as_slice)
    }

    /// The only task of a run that takes something over.
    pub(super) fn adopting(&self) -> Option<Node> {
        self.adoption.as_ref().map(|adoption| Node::Deploy(adoption.alias.clone()))
    }

    /// Looks at what is taken over, in a copy, and copies it to where the plugin's own state is.
    pub(super) async fn take_over(&self) -> Result<(), Problems> {
        let Some(adoption) = &self.adoption else { return Ok(()) };
        self.refuse_applied(&adoption.alias)?;
        let state = self.source_state(adoption).await?;
        self.gate_providers(&adoption.alias, &state)?;
        let _ = adoption.addresses.set(roots(&state));
        self.look_at_copy(adoption, &state).await?;
        self.push(adoption, &state).await
    }

    /// Another run may have applied it, or died of it, since it was looked at without the claim.
    fn refuse_applied(&self, alias: &Alias) -> Result<(), Problems> {
        if !self.own.applied.contains_key(alias) {
            return Ok(());
        }
        let message = format!("`{}/{alias}` is applied already", self.deployment.place);
        Err(Diagnostic::error(FailureReason::InvalidInput, message)
            .at(&self.deployment.file, self.pointer(alias))
            .note("a run that ended without a word may have come that far, or another one was faster")
            .help("look at `tieline plan`: where it makes nothing anew, `tieline deploy` goes on from there")
            .help("otherwise give it up with `--abandon` and a reason while the manifest does not have it, then adopt again")
            .into())
    }

    async fn source_state(&self, adoption: &Adoption) -> Result<State, Problems> {
        let alias = &adoption.alias;
        let (backend, base) = match &adoption.source {
            Source::Text(text) => return State::read(text.clone()).map_err(|why| unreadable(alias, &why)),
            Source::Backend(backend, base) => (backend, base),
        };
        let account = self.deployment.environment.account.as_ref();
        let roles = self.roles(alias, account).await?;
        let directory = self.folder.join(SOURCE);
        let main = render::backend::foreign_root(backend, Some(base), super::identity::state_role(roles.as_ref()))?;
        let file = directory.join("main.tf.json");
        self.world.files.write_private(&file, &main).map_err(|problem| unwritable(&file, &problem))?;
        let environment = self.hand_over_roles(roles.as_ref(), &directory)?;
        let root = Root { directory, environment, variable_file: None, providers: ProviderNeeds::new() };
        let sink = self.terraform_sink(alias);
        self.terraform.init(&root, &*sink, &self.cancel).await.map_err(|failure| self.explain(alias, failure))?;
        let found = self.terraform.state_pull(&root, &self.cancel).await.map_err(|failure| self.explain(alias, failure))?;
        found.ok_or_else(|| unreadable(alias, "there is none"))
    }

    /// Whoever made the state may have used providers that the organization does not allow.
    fn gate_providers(&self, alias: &Alias, state: &State) -> Result<(), Problems> {
        let denied: Vec<&str> =
            state.providers().into_iter().filter(|source| !policy::allows_provider(&self.settings.gates, source)).collect();
        let Some(first) = denied.first() else { return Ok(()) };
        let message = format!("the state for `{alias}` was made with the provider `{first}`, which is not allowed");
        Err(Diagnostic::error(FailureReason::ModuleDenied, message)
            .at(&self.deployment.file, self.pointer(alias))
            .help("ask for it in the `ceilings` of `context.yaml`")
            .into())
    }

    /// Plans with a copy that nobody else sees: what the plugin would change of what is taken over must be nothing, or approved.
    async fn look_at_copy(&self, adoption: &Adoption, state: &State) -> Result<(), Problems> {
        let alias = &adoption.alias;
        let folder = self.folder.join(COPY);
        let mut config = serde_json::Map::new();
        config.insert("path".to_owned(), folder.join("states").display().to_string().into());
        let location = StateLocation { backend: Backend { kind: BackendKind::Local, config }, key: alias.to_string() };
        let file = folder.join(format!("states/{alias}.tfstate"));
        self.world.files.write_private(&file, state.text()).map_err(|problem| unwritable(&file, &problem))?;
        let initialized = self.rooted(alias, location, COPY, Made::default()).await?;
        let plan = self.plan_root(alias, &initialized.root, PlanMode::Apply, true, None).await?;
        let mut prepared = Prepared::new(initialized, plan);
        if beyond_moves(&prepared.resources).is_empty() {
            return Ok(());
        }
        let shown = self.shown(alias, &prepared).await?;
        let essence = self.essence(&mut prepared, &shown);
        let fingerprint = self.plan_fingerprint(&[(Node::Deploy(alias.clone()), essence)].into());
        if self.settings.approved_plan.as_ref() == Some(&fingerprint) {
            return Ok(());
        }
        let changes = beyond_moves(&prepared.resources);
        let (count, things) = (changes.len(), if changes.len() == 1 { "resource" } else { "resources" });
        let message = format!("as `{alias}` the state would not stay as it is: {count} {things} would change");
        let mut problem = Diagnostic::error(FailureReason::NeedsApproval, message).at(&self.deployment.file, self.pointer(alias));
        for change in changes.iter().take(10) {
            problem = problem.note(format!("{} {}", change.action, change.address));
        }
        if count > 10 {
            problem = problem.note(format!("and {} more", count - 10));
        }
        Err(problem
            .note(format!("plan fingerprint: {fingerprint}"))
            .help("give the plugin the inputs that what is there was made with, or addresses that it was made under by `terraform.moved` in its document")
            .help(format!("if this is wanted, adopt with `--approved-plan {fingerprint}`"))
            .into())
    }

    /// Copies the state to where the plugin's own is; there may be nothing else, and nothing that went on from it.
    async fn push(&self, adoption: &Adoption, state: &State) -> Result<(), Problems> {
        let alias = &adoption.alias;
        let location = render::backend::state_location(&self.deployment.environment.backend, &self.deployment.place, alias);
        let initialized = self.rooted(alias, location, TARGET, Made::default()).await?;
        let explain = |failure| self.explain(alias, failure);
        let there = self.terraform.state_pull(&initialized.root, &self.cancel).await.map_err(explain)?;
        let there = there.filter(|there| !there.is_empty());
        if let Some(other) = there.as_ref().filter(|there| !there.is_copy_of(state) || there.is_newer_than(state)) {
            return Err(self.taken(alias, &initialized, other));
        }
        if there.is_none() {
            let _ = adoption.pushed.set(initialized.root.clone());
        }
        self.push_text(alias, &initialized.root, state.text()).await
    }

    async fn push_text(&self, alias: &Alias, root: &Root, text: &[u8]) -> Result<(), Problems> {
        let file = root.directory.join(PUSHED);
        self.world.files.write_private(&file, text).map_err(|problem| unwritable(&file, &problem))?;
        let pushed = self.terraform.state_push(root, &file, Over::Anything, &CancellationToken::new()).await;
        pushed.map_err(|failure| self.explain(alias, failure))
    }

    fn taken(&self, alias: &Alias, initialized: &Initialized, there: &State) -> Problems {
        let location = &initialized.basis.state;
        let (key, backend) = (&location.key, location.backend.kind.as_str());
        let message = format!("`{alias}` has a Terraform state already, with {} resources", there.managed().len());
        Diagnostic::error(FailureReason::InvalidInput, message)
            .at(&self.deployment.file, self.pointer(alias))
            .note(format!("the state `{key}` in the `{backend}` backend is another one, or newer than what would be taken over"))
            .help("find out whose it is, and take it away or adopt under another alias")
            .into()
    }

    /// Empties the plugin's state again where nothing came of it. What was taken over is where it always was.
    pub(super) async fn give_back(&self, results: &Mutex<Results>) {
        let Some(adoption) = &self.adoption else { return };
        let (alias, Some(root)) = (&adoption.alias, adoption.pushed.get()) else { return };
        if locked(results).applied.contains_key(alias) {
            return;
        }
        let emptied = async {
            let never = CancellationToken::new();
            let found = self.terraform.state_pull(root, &never).await.map_err(|failure| self.explain(alias, failure))?;
            let Some(found) = found else { return Ok(()) };
            let lineage = format!("{:032x}", self.world.random.bits());
            self.push_text(alias, root, &found.emptied(&lineage)).await
        };
        let problems = emptied.await.err().unwrap_or_default();
        locked(results).problems.extend(problems);
    }

    /// A plan that could only be made now must be what was looked at.
    pub(super) fn gate_adoption(&self, alias: &Alias, prepared: &Prepared) -> Result<(), Problems> {
        let changes = beyond_moves(&prepared.resources);
        if self.adoption_of(alias).is_none() || self.settings.approved_plan.is_some() || changes.is_empty() {
            return Ok(());
        }
        let message = format!("the plan of `{alias}` changes {} resources, which that of the copy did not", changes.len());
        Err(Diagnostic::error(FailureReason::PlanChanged, message)
            .at(&self.deployment.file, self.pointer(alias))
            .help("somebody changed what is taken over meanwhile: run again")
            .into())
    }
}

fn beyond_moves(resources: &[PlannedResource]) -> Vec<&PlannedResource> {
    resources.iter().filter(|resource| resource.action != "move").collect()
}

/// The addresses of a state's root module: its resources, and the modules that it calls. What is in the plugin's module already, or is
/// ours, stays where it is.
fn roots(state: &State) -> Vec<String> {
    let roots: BTreeSet<String> = state
        .managed()
        .into_iter()
        .map(|(module, kind, name)| match module {
            None => format!("{kind}.{name}"),
            Some(path) => called(path).to_owned(),
        })
        .filter(|root| root != "module.plugin" && !render::names::is_own_resource(root))
        .collect();
    roots.into_iter().collect()
}

/// The module of the root that a module's path begins with, without its key.
fn called(path: &str) -> &str {
    let name = path.strip_prefix("module.").unwrap_or(path);
    let end = name.find(['.', '[']).unwrap_or(name.len());
    &path[..path.len() - name.len() + end]
}

fn unreadable(alias: &Alias, why: &str) -> Problems {
    Diagnostic::error(FailureReason::InvalidInput, format!("the state for `{alias}` cannot be read: {why}"))
        .help("name a file that `terraform state pull` wrote, or the backend that the state is in")
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r40_whole_resources_and_modules_of_the_root_are_taken_over() {
        let resource = |module: &str, kind: &str, name: &str| {
            let module = if module.is_empty() { String::new() } else { format!("\"module\": {module:?}, ") };
            format!("{{{module}\"mode\": \"managed\", \"type\": \"{kind}\", \"name\": \"{name}\", \"provider\": \"p\"}}")
        };
        let resources = [
            resource("", "aws_vpc", "main"),
            resource("module.x[\"a.b\"].module.y", "aws_vpc", "main"),
            resource("module.x[\"c\"]", "aws_vpc", "main"),
            resource("module.plugin", "aws_vpc", "main"),
            resource("", "terraform_data", "tieline_db"),
        ];
        let text = format!(
            "{{\"version\": 4, \"terraform_version\": \"1.11.4\", \"serial\": 1, \"lineage\": \"l\", \"resources\": [{}]}}",
            resources.join(", ")
        );
        let state = State::read(text.into_bytes()).map_err(|why| panic!("{why}")).unwrap();
        assert_eq!(roots(&state), ["aws_vpc.main", "module.x"]);
    }
}
