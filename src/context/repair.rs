//! Mending what [`verify`](super::verify) finds, as far as the rest of the ledger tells how.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::publish::publish;
use super::verify::{Finding, LedgerFiles, Remedy, unproven, verify};
use super::{Branch, Change, Changes, CommitId, ContextStore, StoreError, layout};
use crate::domain::address::Place;
use crate::domain::diagnostic::Problems;
use crate::world::World;

/// What became of all that was found wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repair {
    /// What was mended.
    pub mended: Vec<Finding>,
    /// What was left alone: a run holds the place whose file would change.
    pub claimed: Vec<Finding>,
    /// What nobody can mend out of the ledger alone.
    pub unmended: Vec<Finding>,
}

/// Mends the ledger in one commit. Where somebody else was faster, all is looked at again: a run that ended meanwhile has changed what
/// is right.
///
/// # Errors
/// When the context cannot be read or written.
pub async fn repair(store: &dyn ContextStore, world: &World) -> Result<Repair, Problems> {
    let found = Mutex::new(Repair::default());
    let keep = |repair: Repair| *found.lock().unwrap_or_else(PoisonError::into_inner) = repair;
    publish(store, world, Branch::Ledger, "Repair what disagrees", |head| {
        let keep = &keep;
        async move {
            let repair = look(store, head.as_ref()).await?;
            let changes = repair.changes();
            keep(repair);
            Ok::<_, StoreError>(changes)
        }
    })
    .await?;
    Ok(found.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// What is wrong at a commit of the ledger, and what would become of it.
///
/// # Errors
/// When the context cannot be read.
pub async fn look(store: &dyn ContextStore, head: Option<&CommitId>) -> Result<Repair, StoreError> {
    let Some(head) = head else { return Ok(Repair::default()) };
    let files = LedgerFiles::read(store, head).await?;
    let unproven = unproven(store, head, &files).await?;
    let mut findings = verify(&files);
    without_unproven(&mut findings, &unproven);
    findings.extend(unproven);
    // Claims after the ledger: a run that ended between the two has moved its head.
    let claimed: BTreeSet<Place> = store.claims().await?.into_keys().collect();
    Ok(Repair::sort(findings, &claimed))
}

/// What is not believed tells nobody what is right; but it may go, where the rest tells that it does not belong.
fn without_unproven(findings: &mut [Finding], unproven: &[Finding]) {
    let doubted: BTreeSet<&String> = unproven.iter().map(|finding| &finding.path).collect();
    let doubtful: BTreeSet<Place> = doubted.iter().filter_map(|path| layout::writer(path)?.place()).collect();
    for finding in findings {
        let may_not = |remedy: &Remedy| {
            doubtful.contains(&remedy.writer) && !(remedy.change == Change::Remove && doubted.contains(&remedy.path))
        };
        if finding.remedy.as_ref().is_some_and(may_not) {
            finding.remedy = None;
        }
    }
}

impl Repair {
    fn sort(findings: Vec<Finding>, claimed: &BTreeSet<Place>) -> Self {
        let mut repair = Self::default();
        for finding in findings {
            match &finding.remedy {
                None => repair.unmended.push(finding),
                Some(remedy) if claimed.contains(&remedy.writer) => repair.claimed.push(finding),
                Some(_) => repair.mended.push(finding),
            }
        }
        repair
    }

    /// The places whose files change.
    pub fn places(&self) -> BTreeSet<&Place> {
        self.remedies().map(|remedy| &remedy.writer).collect()
    }

    fn changes(&self) -> Changes {
        self.remedies().map(|remedy| (remedy.path.clone(), remedy.change.clone())).collect()
    }

    fn remedies(&self) -> impl Iterator<Item = &Remedy> {
        self.mended.iter().filter_map(|finding| finding.remedy.as_ref())
    }
}
