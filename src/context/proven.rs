//! A store whose ledger is believed only with proofs: what it writes carries them, and who reads is told to ask for them.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::layout::Writer;
use super::trust::Trust;
use super::{Branch, Change, Changes, CommitId, ContextStore, ListedFile, StoreError, layout};
use crate::domain::address::Place;
use crate::domain::canonical;
use crate::domain::diagnostic::Diagnostic;
use crate::domain::failure::FailureReason;
use crate::domain::fleet::PartName;
use crate::domain::names::{Alias, Digest, RunId};
use crate::domain::proof::Proof;
use crate::domain::record::SCHEMA_VERSION;

/// The field of a file of the ledger that names its proof, and of a claim that is its proof.
pub(super) const PROOF: &str = "proof";

/// Where tokens of the run's own identity come from.
#[async_trait]
pub trait Signer: Send + Sync {
    /// A token for `audience`.
    ///
    /// # Errors
    /// `permission-denied` when none is given.
    async fn token(&self, audience: &str) -> Result<String, Box<Diagnostic>>;
}

/// A store with proofs.
pub struct Proven {
    store: Arc<dyn ContextStore>,
    trust: Trust,
    signer: Box<dyn Signer>,
    /// The changes that were signed last, before and after: a commit that meets a moved head is tried again with the same.
    signed: tokio::sync::Mutex<Option<(Changes, Changes)>>,
}

/// A record of the ledger, as its fields.
type Record = Map<String, Value>;

impl Proven {
    /// Writes to `store` what `signer` proves, and believes what `trust` does.
    pub fn new(store: Arc<dyn ContextStore>, trust: Trust, signer: Box<dyn Signer>) -> Self {
        Self { store, trust, signer, signed: tokio::sync::Mutex::default() }
    }

    /// The same changes with a proof for each writer that they write for.
    async fn prove(&self, changes: &Changes) -> Result<Changes, StoreError> {
        let mut signed = self.signed.lock().await;
        if let Some((before, after)) = &*signed
            && before == changes
        {
            return Ok(after.clone());
        }
        let mut proven = changes.clone();
        for (writer, records) in records_by_writer(changes) {
            proven.extend(self.prove_for(&writer, records).await?);
        }
        *signed = Some((changes.clone(), proven.clone()));
        Ok(proven)
    }

    /// The records of one writer, each naming the proof that is with them.
    async fn prove_for(&self, writer: &Writer, records: BTreeMap<String, Record>) -> Result<Changes, StoreError> {
        let id = Digest::of_json(&records);
        let written: BTreeMap<String, Vec<u8>> = records
            .into_iter()
            .map(|(path, mut record)| {
                record.insert(PROOF.to_owned(), id.as_str().into());
                (path, canonical::to_bytes(&record))
            })
            .collect();
        let files = written.iter().map(|(path, bytes)| (path.clone(), Digest::of(bytes))).collect();
        let token = self.token(writer, &written, &self.trust.keys.audience_of(&files)).await?;
        let proof = Proof { schema_version: SCHEMA_VERSION, files, token };
        let mut changes: Changes = written.into_iter().map(|(path, bytes)| (path, Change::write(bytes))).collect();
        changes.insert(layout::proof(writer, &id), Change::write(canonical::to_bytes(&proof)));
        Ok(changes)
    }

    /// A claim or another journal of a place, with a token that was made for the rest of it.
    async fn signed_journal(&self, place: &Place, content: &[u8]) -> Result<Vec<u8>, StoreError> {
        let Ok(mut claim) = serde_json::from_slice::<Record>(content) else { return Ok(content.to_vec()) };
        let writer = Writer::Place(place.clone());
        let token = self.token(&writer, &BTreeMap::new(), &self.trust.keys.audience_for(&Digest::of(content))).await?;
        claim.insert(PROOF.to_owned(), token.into());
        Ok(canonical::to_bytes(&claim))
    }

    /// A token that readers will take for the owner's of these files: one that they will not is no use later.
    async fn token(&self, writer: &Writer, files: &BTreeMap<String, Vec<u8>>, audience: &str) -> Result<String, StoreError> {
        let refused = |diagnostic: Diagnostic| StoreError::Refused(Box::new(diagnostic));
        let token = self.signer.token(audience).await.map_err(|problem| {
            refused(problem.note("the context asks for proofs of who writes it: `proofs: required` in `context.yaml`"))
        })?;
        self.trust.admits(&*self.store, (writer, files), &token, audience).await?.map_err(|why| {
            let message = format!("what this run writes for `{writer}` would not be believed: {why}");
            refused(
                Diagnostic::error(FailureReason::NotOwner, message)
                    .help("run it in a workflow of the owner, under `owners` of the workspace's document")
                    .help("where the server signs with new keys, pin them under `proof-keys` in `context.yaml`"),
            )
        })?;
        Ok(token)
    }
}

/// The records among the changes, by whose they are. Trees of plugins are named after their content, and need no proof.
fn records_by_writer(changes: &Changes) -> BTreeMap<Writer, BTreeMap<String, Record>> {
    let mut by_writer = BTreeMap::<Writer, BTreeMap<String, Record>>::new();
    for (path, change) in changes {
        if let (Change::Write { bytes, .. }, Some(writer)) = (change, layout::writer(path))
            && let Ok(record) = serde_json::from_slice(bytes)
        {
            by_writer.entry(writer).or_default().insert(path.clone(), record);
        }
    }
    by_writer
}

#[async_trait]
impl ContextStore for Proven {
    async fn head(&self, branch: Branch) -> Result<Option<CommitId>, StoreError> {
        self.store.head(branch).await
    }

    async fn read(&self, at: &CommitId, paths: &[String]) -> Result<BTreeMap<String, Vec<u8>>, StoreError> {
        self.store.read(at, paths).await
    }

    async fn list(&self, at: &CommitId, folders: &[String]) -> Result<BTreeMap<String, Vec<ListedFile>>, StoreError> {
        self.store.list(at, folders).await
    }

    async fn commit(
        &self,
        branch: Branch,
        changes: &Changes,
        expected: Option<&CommitId>,
        message: &str,
    ) -> Result<CommitId, StoreError> {
        match branch {
            Branch::Documents => self.store.commit(branch, changes, expected, message).await,
            Branch::Ledger => self.store.commit(branch, &self.prove(changes).await?, expected, message).await,
        }
    }

    async fn claims(&self) -> Result<BTreeMap<Place, CommitId>, StoreError> {
        self.store.claims().await
    }

    async fn read_claim(&self, place: &Place) -> Result<Option<(CommitId, Vec<u8>)>, StoreError> {
        self.store.read_claim(place).await
    }

    async fn write_claim(&self, place: &Place, content: &[u8], expected: Option<&CommitId>) -> Result<CommitId, StoreError> {
        self.store.write_claim(place, &self.signed_journal(place, content).await?, expected).await
    }

    async fn delete_claim(&self, place: &Place, expected: &CommitId) -> Result<(), StoreError> {
        self.store.delete_claim(place, expected).await
    }

    async fn parts(&self, fleet: &RunId) -> Result<BTreeMap<Alias, CommitId>, StoreError> {
        self.store.parts(fleet).await
    }

    async fn write_part(&self, part: &PartName, content: &[u8], expected: Option<&CommitId>) -> Result<CommitId, StoreError> {
        self.store.write_part(part, &self.signed_journal(&part.place, content).await?, expected).await
    }

    async fn delete_parts(&self, fleet: &RunId, parts: &BTreeMap<Alias, CommitId>) -> Result<(), StoreError> {
        self.store.delete_parts(fleet, parts).await
    }

    fn trust(&self) -> Option<&Trust> {
        Some(&self.trust)
    }

    fn describe(&self) -> String {
        self.store.describe()
    }
}
