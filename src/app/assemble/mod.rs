//! From documents or records to a resolved deployment, and from there to an engine: what `plan`, `deploy`, `rollback` and `destroy` share.

mod choices;
mod engine;
mod gates;
mod gone;
mod made;
mod manifest;
mod nothing;
mod release;
mod standing;
mod stored;
mod values;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::load::{Organization, Written};
use super::session::{Opened, Session};
use crate::context::{CommitId, ContextStore, layout};
use crate::domain::address::Place;
use crate::domain::deployment::{Choice, Deployment};
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::{Alias, Digest, RunId, VersionTag};
use crate::domain::organization::Workspace;
use crate::domain::preview::Life;
use crate::domain::record::TerraformBuild;
use crate::engine::{Adoption, Content, Keys};
use crate::request::cli;
use crate::secrets::Opener;
use crate::sources::{LockMode, Tree};

pub(super) use engine::{environments, terraform};
pub(super) use gates::{check_modules, check_steps, gates, judge, step_runners};
pub(super) use manifest::from_manifest;
pub(super) use nothing::{Grounds, for_destroy};
pub(super) use release::{Back, from_release};
pub(super) use standing::{Standing, not_by_name};
pub(super) use values::{opener, recipients};

/// What a run is asked to accept where it would be refused otherwise.
#[derive(Clone, Copy)]
pub(super) struct Accepts<'a> {
    /// New bindings to degraded connections.
    pub(super) degraded: bool,
    /// Applied plugins that are given up.
    pub(super) abandoned: &'a [Alias],
}

/// A deployment that is resolved, with all that made it.
pub(super) struct Resolved {
    pub(super) opened: Opened,
    pub(super) organization: Organization,
    pub(super) workspace: Workspace,
    pub(super) deployment: Deployment,
    pub(super) contents: BTreeMap<Alias, Content>,
    /// The plugins' folders, as people know them.
    folders: BTreeMap<Alias, String>,
    /// Trees of plugins that are not part of the deployment: a dead run may have applied them.
    at_hand: BTreeMap<Digest, Arc<Tree>>,
    secrets: values::Secrets,
    /// What secrets are sealed for and opened with.
    pub(super) keys: Keys,
    /// Sensitive attributes of connections that are given for a destroy.
    attributes: values::Attributes,
    /// The provider locks of the release that is applied again.
    locks: BTreeMap<Alias, String>,
    /// The terraform builds of the last applies, whose versions are known.
    known: Vec<TerraformBuild>,
    /// The folder whose git commit is meant.
    pub(super) folder: PathBuf,
    /// The release that is applied again.
    pub(super) source: Option<Source>,
    /// The state that is taken over.
    pub(super) adoption: Option<Adoption>,
    /// How long the preview lives that it is deployed to.
    pub(super) life: Option<Life>,
    /// What is worth saying of it in every report.
    notes: Vec<String>,
}

/// The release that a rollback applies again.
pub(super) struct Source {
    /// The run that made it.
    pub(super) run: RunId,
    pub(super) version_tag: VersionTag,
    /// The application's commit that it was made of.
    pub(super) commit: Option<String>,
}

/// What is read before anything is resolved.
struct Ground {
    place: Place,
    opened: Opened,
    organization: Organization,
    head: CommitId,
    standing: standing::Ground,
    secrets: values::Secrets,
    opener: Option<Opener>,
    folder: PathBuf,
}

impl Ground {
    /// Reads what the organization says of a place.
    async fn of(
        session: &Session,
        target: &cli::Target,
        secrets: &cli::Sensitive,
        place: Place,
        written: Option<&Written>,
        standing: Standing<'_>,
    ) -> Result<Self, Problems> {
        // Secrets come first: from then on no text can show them.
        let (secrets, opener) = (values::secrets(session, secrets)?, opener(session, &secrets.opening)?);
        let (opened, folder) = open(session, target, written).await?;
        let store = &*opened.store;
        let own = [layout::workspace(&place.workspace), layout::environment(&place.workspace, &place.environment)];
        let organization = session.organization(store, &own).await?;
        organization.has_readable_rules()?;
        let standing = standing.read(session, store, &organization, &place).await?;
        let head = organization.head.clone().ok_or_else(|| empty_context(store))?;
        Ok(Self { place, opened, organization, head, standing, secrets, opener, folder })
    }
}

/// Opens the context, and says which folder a run is about.
async fn open(session: &Session, target: &cli::Target, written: Option<&Written>) -> Result<(Opened, PathBuf), Problems> {
    let folder = session.folder(target.working_directory.as_deref());
    let near = written.map_or(&folder, |written| &written.folder).clone();
    let opened = session.open_context(&target.context, &folder, &near).await?;
    Ok((opened, near))
}

fn empty_context(store: &dyn ContextStore) -> Diagnostic {
    Diagnostic::error(FailureReason::InvalidInput, format!("the context repository {} has no documents", store.describe()))
        .help("commit them with `tieline context init --from <folder>`")
}

/// In automation the lock file must be complete; a person's run completes it.
pub(super) fn lock_mode(session: &Session) -> LockMode {
    let in_automation = session.world.variables.get(crate::request::variables::CI).is_some();
    if in_automation { LockMode::Frozen } else { LockMode::Add }
}

/// What can be planned but never deployed: references to what does not exist yet (R6), secrets that may not be read (R43).
pub(super) fn refuse_deferred(deployment: &Deployment) -> Result<(), Problems> {
    let mut problems = Problems::default();
    for (alias, plugin) in &deployment.plugins {
        for (slot, resolved_slot) in &plugin.slots {
            if let Choice::Pending { address, via } = &resolved_slot.choice {
                let message = format!("slot `{alias}.{slot}` takes `{address}`, which does not exist yet");
                let diagnostic = Diagnostic::error(FailureReason::UnresolvedSlot, message)
                    .at(&deployment.file, Pointer::keys(["plugins", alias.as_str()]).at_key())
                    .note(format!("it was chosen by {via}"))
                    .help("deploy its producer first, or correct the address");
                problems.push(diagnostic);
            }
        }
    }
    problems.extend(deployment.withheld());
    if problems.any_error() { Err(problems) } else { Ok(()) }
}
