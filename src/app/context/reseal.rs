//! `tieline context reseal`: every sealed value of the ledger, sealed anew for today's recipients.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use crate::app::assemble;
use crate::app::load::Organization;
use crate::app::owner;
use crate::app::session::Session;
use crate::context::layout::{self, LedgerFile};
use crate::context::ledger::Snapshot;
use crate::context::publish::publish;
use crate::context::verify::LedgerFiles;
use crate::context::{Branch, Change, Changes, CommitId, ContextStore};
use crate::documents;
use crate::domain::address::Place;
use crate::domain::canonical;
use crate::domain::connection::{ConnectionRecord, Handle};
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::{EnvironmentName, WorkspaceName};
use crate::domain::record::AppliedRecord;
use crate::domain::step_record::RecordedOutput;
use crate::report::reseal::{self as shown, Resealed};
use crate::request::cli::{ContextTarget, Opening};
use crate::secrets::{Opener, seal};

/// Whom to seal for, by workspace and environment.
type Recipients = BTreeMap<(WorkspaceName, EnvironmentName), Vec<String>>;

/// Seals everything anew, in one commit.
pub(super) async fn run(session: &Session, opening: &Opening, target: &ContextTarget) -> Result<(), Problems> {
    let Some(opener) = assemble::opener(session, opening)? else {
        return Err(Diagnostic::error(FailureReason::InvalidInput, "`age-identity` is missing")
            .note("what is sealed has to be opened to be sealed anew")
            .help("give an identity that it is sealed for, in a workflow as a secret")
            .into());
    };
    let folder = session.folder(target.working_directory.as_deref());
    let opened = session.open_context(&target.context, &folder, &folder).await?;
    owner::admit_upkeep(session, &opened)?;
    let store = &*opened.store;
    let organization = session.organization(store, &[]).await?;
    let found = Mutex::new(Resealed::default());
    publish(store, &session.world, Branch::Ledger, "Seal for today's recipients", |head| {
        let work = Work { session, store, organization: &organization, opener: &opener };
        let found = &found;
        async move {
            let (changes, resealed) = work.at(head.as_ref()).await?;
            *found.lock().unwrap_or_else(PoisonError::into_inner) = resealed;
            Ok::<_, Problems>(changes)
        }
    })
    .await
    .map_err(Problems::from)?;
    let resealed = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    session.print(&if session.is_json() { shown::json(&resealed) } else { shown::text(&resealed) });
    Ok(())
}

struct Work<'a> {
    session: &'a Session,
    store: &'a dyn ContextStore,
    organization: &'a Organization,
    opener: &'a Opener,
}

impl Work<'_> {
    /// What is to change at a head of the ledger. All that cannot be opened is said at once, and then nothing changes.
    async fn at(&self, head: Option<&CommitId>) -> Result<(Changes, Resealed), Problems> {
        let (mut changes, mut resealed, mut problems) = (Changes::new(), Resealed::default(), Problems::default());
        let Some(at) = head else { return Ok((changes, resealed)) };
        let files = LedgerFiles::read(self.store, at).await?;
        // Claims after the ledger: a run that ended between the two has moved its head.
        let claimed: BTreeSet<Place> = self.store.claims().await?.into_keys().collect();
        let mut recipients = Recipients::new();
        for (path, bytes) in &files.records {
            let Some(place) = place_of(path) else { continue };
            let now = self.recipients(&mut recipients, &place, at).await?;
            let mut sealer = Sealer { opener: self.opener, now: &now, path, count: 0, problems: Problems::default() };
            let Some(rewritten) = sealer.rewritten(path, bytes) else { continue };
            problems.extend(sealer.problems);
            match sealer.count {
                0 => {}
                count if claimed.contains(&place) => *resealed.claimed.entry(place).or_default() += count,
                count => {
                    *resealed.places.entry(place).or_default() += count;
                    changes.insert(path.clone(), Change::Write { bytes: rewritten, executable: false });
                }
            }
        }
        if problems.any_error() { Err(problems) } else { Ok((changes, resealed)) }
    }

    async fn recipients(&self, known: &mut Recipients, place: &Place, at: &CommitId) -> Result<Vec<String>, Problems> {
        let key = (place.workspace.clone(), place.environment.clone());
        if let Some(known) = known.get(&key) {
            return Ok(known.clone());
        }
        let preview = Snapshot::new(self.store, Some(at.clone())).preview(&key.0, &key.1).await?;
        let environment = match (preview, &self.organization.head) {
            (Some(preview), _) => Some(preview.environment),
            (None, Some(head)) => {
                let path = layout::environment(&key.0, &key.1);
                self.session.context_document(self.store, head, &path, documents::environment).await?
            }
            (None, None) => None,
        };
        let context = self.organization.context.as_ref();
        let found = match environment {
            Some(environment) => assemble::recipients(&environment, context),
            None => context.map(|context| context.sealing.recipients.clone()).unwrap_or_default(),
        };
        known.insert(key, found.clone());
        Ok(found)
    }
}

/// The place whose secrets a file may hold.
fn place_of(path: &str) -> Option<Place> {
    match LedgerFile::parse(path)? {
        LedgerFile::Applied(place, _) => Some(place),
        LedgerFile::Connection(address) => address.producer(),
        _ => None,
    }
}

/// Seals what one file holds.
struct Sealer<'a> {
    opener: &'a Opener,
    now: &'a [String],
    path: &'a str,
    count: usize,
    problems: Problems,
}

impl Sealer<'_> {
    /// The file with everything sealed anew; none where it is no record that can be read.
    fn rewritten(&mut self, path: &str, bytes: &[u8]) -> Option<Vec<u8>> {
        if matches!(LedgerFile::parse(path), Some(LedgerFile::Applied(..))) {
            let mut record: AppliedRecord = serde_json::from_slice(bytes).ok()?;
            for (step, left) in &mut record.steps {
                for (name, output) in &mut left.outputs {
                    if let RecordedOutput::Sealed { sealed, recipients, .. } = output {
                        self.seal(&format!("{step}.{name}"), sealed, recipients);
                    }
                }
            }
            return Some(canonical::to_bytes(&record));
        }
        let mut record: ConnectionRecord = serde_json::from_slice(bytes).ok()?;
        for face in std::iter::once(&mut record.face).chain(&mut record.also) {
            for (name, handle) in &mut face.sensitive {
                if let Handle::Sealed { sealed, recipients, .. } = handle {
                    self.seal(name.as_str(), sealed, recipients);
                }
            }
        }
        Some(canonical::to_bytes(&record))
    }

    fn seal(&mut self, name: &str, sealed: &mut String, recipients: &mut Vec<String>) {
        let as_set = |recipients: &[String]| recipients.iter().cloned().collect::<BTreeSet<_>>();
        if as_set(recipients) == as_set(self.now) {
            return;
        }
        match self.opener.open(sealed).and_then(|secret| seal(self.now, &secret)) {
            Ok(anew) => {
                (*sealed, *recipients) = (anew, self.now.to_vec());
                self.count += 1;
            }
            Err(why) => {
                let message = format!("`{name}` in `{}` cannot be sealed anew: {why}", self.path);
                self.problems.push(
                    Diagnostic::error(FailureReason::InvalidInput, message)
                        .help("give all identities that the ledger's values are sealed for, one a line; nothing was changed"),
                );
            }
        }
    }
}
