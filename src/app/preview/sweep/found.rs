//! What there is to sweep, as the ledger and the claims say.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::owner;
use crate::app::session::{Opened, Session};
use crate::context::layout::{self, LedgerFile};
use crate::context::ledger::{self, Snapshot};
use crate::context::{ContextStore, StoreError};
use crate::domain::address::Place;
use crate::domain::diagnostic::{Diagnostic, Problems, Severity};
use crate::domain::failure::FailureReason;
use crate::domain::names::WorkspaceName;
use crate::domain::preview::Preview;
use crate::domain::record::Claim;
use crate::domain::removal::{Fate, PreviewName, Sweep, Swept};
use crate::request::cli::PreviewSweep;

/// What there is to sweep.
pub(super) struct Found {
    pub(super) previews: BTreeMap<PreviewName, Preview>,
    /// Where something is applied.
    pub(super) applied: BTreeMap<PreviewName, BTreeSet<Place>>,
    pub(super) claims: BTreeMap<PreviewName, Claims>,
    /// What cannot be read, which is no reason to leave the others.
    unreadable: Problems,
    /// All that have a file, whosever they are.
    known: BTreeSet<PreviewName>,
    /// Whether all previews are looked at, and not those of one repository.
    is_all: bool,
    own: Option<u64>,
}

/// What is held in a preview: where, and by whom as far as that can be read.
pub(super) type Claims = BTreeMap<Place, Option<Claim>>;

impl Found {
    /// The previews of the workflow's own repository; all of them for those whom the context repository belongs to.
    pub(super) async fn look(session: &Session, opened: &Opened, arguments: &PreviewSweep) -> Result<Self, Problems> {
        let store = &*opened.store;
        let workspace: Option<WorkspaceName> = match arguments.target.workspace.as_deref().map(str::parse).transpose() {
            Ok(workspace) => workspace,
            Err(problem) => return Err(Diagnostic::error(FailureReason::InvalidInput, format!("{problem}")).into()),
        };
        let snapshot = Snapshot::newest(store).await?;
        let mut found = Self {
            previews: BTreeMap::new(),
            applied: BTreeMap::new(),
            claims: BTreeMap::new(),
            unreadable: Problems::default(),
            known: BTreeSet::new(),
            is_all: owner::speaks_for_the_context(session, opened),
            own: owner::own_repository(session),
        };
        for ((workspace, environment), preview) in snapshot.all_previews(workspace.as_ref()).await? {
            let name = PreviewName { workspace, environment };
            found.known.insert(name.clone());
            match preview {
                Ok(preview) if found.is_meant(Some(preview.id.repository_id)) => drop(found.previews.insert(name, preview)),
                Ok(_) => {}
                Err(problem) => found.unreadable.push(problem.diagnostic()),
            }
        }
        let folder = workspace.as_ref().map_or_else(String::new, ToString::to_string);
        for path in snapshot.paths_below(&folder).await? {
            if let Some(LedgerFile::Applied(place, _)) = LedgerFile::parse(&path)
                && let Some(name) = name_of(&place)
            {
                found.applied.entry(name).or_default().insert(place);
            }
        }
        let is_named = |name: &PreviewName| workspace.as_ref().is_none_or(|workspace| *workspace == name.workspace);
        found.claims = claims(store, is_named, &mut found.unreadable).await?;
        Ok(found)
    }

    fn is_meant(&self, repository: Option<u64>) -> bool {
        self.is_all || self.own.is_some() && self.own == repository
    }

    /// Names what is applied or claimed in previews that nothing else is known of, and what cannot be read.
    pub(super) async fn left_over(self, session: &Session, store: &dyn ContextStore, sweep: &mut Sweep) -> Result<(), Problems> {
        let snapshot = Snapshot::newest(store).await?;
        let names: BTreeSet<&PreviewName> = self.applied.keys().chain(self.claims.keys()).collect();
        let none = Claims::new();
        for name in names.difference(&self.known.iter().collect()).copied() {
            let claims = self.claims.get(name).unwrap_or(&none);
            let places: BTreeSet<&Place> = self.applied.get(name).into_iter().flatten().chain(claims.keys()).collect();
            let mut is_ours = self.is_all;
            for place in places.iter().filter(|_| !self.is_all) {
                is_ours |= self.is_meant(maker(&snapshot, claims, place).await?);
            }
            if !is_ours || at_work(session, claims).is_some() {
                continue;
            }
            let what = if self.applied.contains_key(name) { "something is applied in it" } else { "a dead run holds it" };
            let because = format!("{what}, but `{}` is gone", layout::preview(&name.workspace, &name.environment));
            let problem = Diagnostic::error(FailureReason::InvalidDocument, format!("`{name}` is left over: {because}"));
            let destroy = |problem: Diagnostic, place: &&Place| {
                let Place { workspace, environment, deployable } = place;
                problem.help(format!("run `tieline destroy -w {workspace} -e {environment} --deployable {deployable}`"))
            };
            sweep.problems.push(places.iter().fold(problem, destroy));
            sweep.swept.push(Swept {
                name: name.clone(),
                repository: String::new(),
                id: None,
                expires: None,
                fate: Fate::Failed,
                because,
                retained: Vec::new(),
            });
        }
        // Whose it is cannot be told: it fails the sweep of those who can mend it, and no other.
        let severity = if self.is_all { Severity::Error } else { Severity::Warning };
        sweep.problems.0.extend(self.unreadable.0.into_iter().map(|problem| Diagnostic { severity, ..problem }));
        Ok(())
    }
}

/// The run that works in a preview, as far as can be told: one whose process is known to have ended, or whose lease is over, does not.
pub(super) fn at_work<'c>(session: &Session, claims: &'c Claims) -> Option<&'c Claim> {
    let is_alive = |claim: &&Claim| claim.lease >= session.world.clock.now() && !session.world.exec.has_ended(&claim.process);
    claims.values().flatten().find(is_alive)
}

/// What is held in the previews that are meant.
pub(super) async fn claims(
    store: &dyn ContextStore,
    is_meant: impl Fn(&PreviewName) -> bool,
    unreadable: &mut Problems,
) -> Result<BTreeMap<PreviewName, Claims>, StoreError> {
    let mut claims: BTreeMap<PreviewName, Claims> = BTreeMap::new();
    for place in store.claims().await?.into_keys() {
        let Some(name) = name_of(&place).filter(&is_meant) else { continue };
        let claim = match ledger::read_claim(store, &place).await {
            Ok(None) => continue,
            Ok(Some((_, claim))) => Some(claim),
            Err(problem @ StoreError::Corrupt { .. }) => {
                unreadable.push(problem.diagnostic().note(format!("it is the claim of `{place}`")));
                None
            }
            Err(problem) => return Err(problem),
        };
        claims.entry(name).or_default().insert(place, claim);
    }
    Ok(claims)
}

/// The repository whose run works, or last worked, at a place.
async fn maker(snapshot: &Snapshot<'_>, claims: &Claims, place: &Place) -> Result<Option<u64>, StoreError> {
    match claims.get(place) {
        Some(Some(claim)) => Ok(claim.run.repository_id),
        _ => Ok(snapshot.runs(place, 1).await?.first().and_then(|run| run.repository_id)),
    }
}

/// The preview that a place is in.
fn name_of(place: &Place) -> Option<PreviewName> {
    let name = || PreviewName { workspace: place.workspace.clone(), environment: place.environment.clone() };
    place.environment.is_preview().then(name)
}
