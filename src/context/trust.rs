//! Which files of the ledger are believed where proofs are required (R41).
//!
//! A file names its proof; the proof lists the files of its commit with their digests, and holds the token that the writer's workflow
//! was given for just that list. So a file is believed if the list has it, as it is and where it is; if the list has nothing that its
//! writer may not write; and if the token is one of the owner's. Nothing is looked up anywhere: the keys and the owners are documents.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;

use super::layout::{self, Writer};
use super::{CommitId, ContextStore, StoreError};
use crate::domain::address::Place;
use crate::domain::canonical;
use crate::domain::diagnostic::Problems;
use crate::domain::names::{Digest, WorkspaceName};
use crate::domain::organization::{Owner, Workspace};
use crate::domain::preview::PullRequestId;
use crate::domain::proof::{Proof, ProofKeys};
use crate::github::JobClaims;

/// Reads a workspace's document.
type ReadWorkspace = fn(&str, &[u8]) -> Result<Workspace, Problems>;

/// A file that is not believed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Doubt {
    /// The file.
    pub path: String,
    /// Why: lower case, values in backticks, no final period.
    pub why: String,
}

/// A doubt of a file.
pub(super) struct Weighed {
    pub(super) doubt: Doubt,
    /// Whether all that is missing is who owns it: it may well be true.
    pub(super) may_be_true: bool,
}

/// A proof whose token is in order, and why its owner cannot be told, if it cannot.
type Checked = (Proof, Option<String>);

/// What it takes to be believed.
pub struct Trust {
    /// Whose tokens count.
    pub keys: ProofKeys,
    /// The commit of the documents branch that says who owns what.
    pub documents: CommitId,
    /// How a workspace's document is read.
    pub read_workspace: ReadWorkspace,
    /// Is told of each file that is not believed, once.
    pub tell: Box<dyn Fn(&Doubt) + Send + Sync>,
    told: Mutex<BTreeSet<Doubt>>,
}

/// The part of a record that names its proof.
#[derive(Deserialize)]
struct Proven {
    proof: Option<Digest>,
}

/// Files of the ledger, by path.
type Files = BTreeMap<String, Vec<u8>>;

/// Owners by workspace; none where the workspace has no document.
type Workspaces = BTreeMap<WorkspaceName, Option<Workspace>>;

impl Trust {
    /// Believes what these keys prove, as far as the owners in `documents` go.
    pub fn new(
        keys: ProofKeys,
        documents: CommitId,
        read_workspace: ReadWorkspace,
        tell: Box<dyn Fn(&Doubt) + Send + Sync>,
    ) -> Self {
        Self { keys, documents, read_workspace, tell, told: Mutex::default() }
    }

    /// Which of these files of the ledger at a commit are not believed, and why. It takes one read more, of all their proofs.
    ///
    /// # Errors
    /// When the context cannot be read.
    pub async fn doubts(
        &self,
        store: &dyn ContextStore,
        at: &CommitId,
        files: &BTreeMap<String, Vec<u8>>,
    ) -> Result<BTreeMap<String, Doubt>, StoreError> {
        let weighed = self.weighed(store, at, files).await?;
        Ok(weighed.into_iter().map(|(path, weighed)| (path, weighed.doubt)).collect())
    }

    /// As [`Trust::doubts`], each with whether the file may be true all the same.
    pub(super) async fn weighed(
        &self,
        store: &dyn ContextStore,
        at: &CommitId,
        files: &BTreeMap<String, Vec<u8>>,
    ) -> Result<BTreeMap<String, Weighed>, StoreError> {
        let claimed: BTreeMap<&String, (Writer, Option<String>)> = files
            .iter()
            .filter_map(|(path, bytes)| {
                let writer = layout::writer(path)?;
                let proof = serde_json::from_slice::<Proven>(bytes).ok().and_then(|file| file.proof);
                Some((path, (writer.clone(), proof.map(|proof| layout::proof(&writer, &proof)))))
            })
            .collect();
        let writers: BTreeMap<&String, &Writer> =
            claimed.values().filter_map(|(writer, proof)| Some((proof.as_ref()?, writer))).collect();
        let paths: Vec<String> = writers.keys().map(|path| (*path).clone()).collect();
        let workspaces = self.workspaces(store, writers.values().map(|writer| writer.workspace())).await?;
        let proofs: BTreeMap<String, Result<Checked, String>> = store
            .read(at, &paths)
            .await?
            .into_iter()
            .map(|(path, bytes)| {
                let checked = self.checked((writers[&path], files), &bytes, &workspaces);
                (path, checked)
            })
            .collect();
        let why = |path: &String, proof: Option<&String>| {
            let Some(proof) = proof else { return Some(("it has no proof".to_owned(), false)) };
            match proofs.get(proof) {
                None => Some((format!("its proof `{proof}` is not there"), false)),
                Some(Err(why)) => Some((why.clone(), false)),
                Some(Ok((proof, no_owner))) => match proof.files.get(path) {
                    None => Some(("its proof is for other files".to_owned(), false)),
                    Some(digest) if *digest != Digest::of(&files[path]) => {
                        Some(("its proof is for other content".to_owned(), false))
                    }
                    Some(_) => no_owner.clone().map(|why| (why, true)),
                },
            }
        };
        let doubts = claimed.iter().filter_map(|(path, (_, proof))| {
            let (why, may_be_true) = why(path, proof.as_ref())?;
            Some(((*path).clone(), Weighed { doubt: Doubt { path: (*path).clone(), why }, may_be_true }))
        });
        self.without_baseline(store, files, doubts.collect()).await
    }

    /// Tells of what is not believed, each once.
    pub fn tell<'a>(&self, doubts: impl IntoIterator<Item = &'a Doubt>) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        for doubt in doubts {
            if told.insert(doubt.clone()) {
                (self.tell)(doubt);
            }
        }
    }

    /// Why the journal in a claim is not believed; none if it is. Its token was made for the rest of it.
    pub(super) async fn doubt_of_claim(
        &self,
        store: &dyn ContextStore,
        place: &Place,
        bytes: &[u8],
    ) -> Result<Option<String>, StoreError> {
        let Ok(serde_json::Value::Object(mut claim)) = serde_json::from_slice(bytes) else { return Ok(None) };
        let Some(serde_json::Value::String(token)) = claim.remove(super::proven::PROOF) else {
            return Ok(Some("it has no proof".to_owned()));
        };
        if claim.get("place").and_then(|of| Place::deserialize(of).ok()).as_ref() != Some(place) {
            return Ok(Some("it is the claim of another place".to_owned()));
        }
        let audience = self.keys.audience_for(&Digest::of(&canonical::to_bytes(&claim)));
        Ok(self.admits(store, (&Writer::Place(place.clone()), &Files::new()), &token, &audience).await?.err())
    }

    /// Whether a token is one of who may write these files as `writer`, made for `audience`.
    pub(super) async fn admits(
        &self,
        store: &dyn ContextStore,
        (writer, files): (&Writer, &Files),
        token: &str,
        audience: &str,
    ) -> Result<Result<(), String>, StoreError> {
        let workspaces = self.workspaces(store, [writer.workspace()]).await?;
        Ok(self.claims_of(token, audience).and_then(|claims| match writer {
            Writer::Place(place) => written_by(&claims, owner(place, &workspaces)?, place),
            Writer::Preview(..) => of_preview(&claims, writer, files),
        }))
    }

    /// The proof in a file, if it is one of files that `writer` may write.
    fn checked(&self, (writer, files): (&Writer, &Files), bytes: &[u8], workspaces: &Workspaces) -> Result<Checked, String> {
        let proof: Proof = serde_json::from_slice(bytes).map_err(|_| "its proof cannot be read".to_owned())?;
        if let Some(path) = proof.files.keys().find(|path| layout::writer(path).as_ref() != Some(writer)) {
            return Err(format!("its proof is also for `{path}`, which is not for `{writer}` to write"));
        }
        let claims = self.claims_of(&proof.token, &self.keys.audience_of(&proof.files))?;
        let Writer::Place(place) = writer else {
            return of_preview(&claims, writer, files).map(|()| (proof, None));
        };
        match owner(place, workspaces) {
            Err(why) => Ok((proof, Some(why))),
            Ok(owner) => written_by(&claims, owner, place).map(|()| (proof, None)),
        }
    }

    /// What a token says that was made for `audience`.
    fn claims_of(&self, token: &str, audience: &str) -> Result<JobClaims, String> {
        let claims = JobClaims::verified(token, &self.keys)?;
        if claims.audience == audience { Ok(claims) } else { Err("its token was made for something else".to_owned()) }
    }

    async fn workspaces<'a>(
        &self,
        store: &dyn ContextStore,
        names: impl IntoIterator<Item = &'a WorkspaceName>,
    ) -> Result<Workspaces, StoreError> {
        let names: BTreeSet<_> = names.into_iter().collect();
        let paths: Vec<String> = names.iter().map(|name| layout::workspace(name)).collect();
        let found = store.read(&self.documents, &paths).await?;
        let parsed = names.into_iter().map(|name| {
            let path = layout::workspace(name);
            (name.clone(), found.get(&path).and_then(|bytes| (self.read_workspace)(&path, bytes).ok()))
        });
        Ok(parsed.collect())
    }

    /// The doubts that are left when what stands as it stood at the baseline is believed.
    async fn without_baseline(
        &self,
        store: &dyn ContextStore,
        files: &BTreeMap<String, Vec<u8>>,
        mut doubts: BTreeMap<String, Weighed>,
    ) -> Result<BTreeMap<String, Weighed>, StoreError> {
        let Some(baseline) = self.keys.baseline.as_deref().and_then(CommitId::new).filter(|_| !doubts.is_empty()) else {
            return Ok(doubts);
        };
        let then = store.read(&baseline, &doubts.keys().cloned().collect::<Vec<_>>()).await?;
        doubts.retain(|path, _| then.get(path) != files.get(path));
        Ok(doubts)
    }
}

/// Whether what a preview was made from is from the repository that it names.
fn of_preview(claims: &JobClaims, writer: &Writer, files: &Files) -> Result<(), String> {
    let made = files.iter().find(|(path, _)| layout::writer(path).as_ref() == Some(writer));
    let named = made.and_then(|(_, bytes)| serde_json::from_slice::<PullRequestId>(bytes).ok()).map(|id| id.repository_id);
    if named.is_some() && claims.repository_id() == named {
        return Ok(());
    }
    let of = claims.repository.as_deref().unwrap_or("a repository without a name");
    Err(format!("its token is of a workflow of `{of}`, and `{writer}` is a preview of another repository"))
}

fn owner<'a>(place: &Place, workspaces: &'a Workspaces) -> Result<&'a Owner, String> {
    let workspace = workspaces.get(&place.workspace).and_then(Option::as_ref);
    let owner = workspace.and_then(|workspace| workspace.owners.get(&place.deployable));
    owner.ok_or_else(|| format!("`{}` has no owner in the document of workspace `{}`", place.deployable, place.workspace))
}

fn written_by(claims: &JobClaims, owner: &Owner, place: &Place) -> Result<(), String> {
    if claims.repository_id().is_some_and(|id| owner.was(id, claims.issued())) {
        return Ok(());
    }
    let of = claims.repository.as_deref().unwrap_or("a repository without a name");
    Err(format!("its token is of a workflow of `{of}`, and `{}` owns `{}`", owner.repository, place.deployable))
}
