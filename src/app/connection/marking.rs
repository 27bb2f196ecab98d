//! A run that marks a connection: it holds the producer's claim, as every run that writes a deployable's records does (R21).

use std::collections::BTreeMap;

use crate::app::owner;
use crate::app::perform::{new_run, plain_settings};
use crate::app::session::{Opened, Session};
use crate::context::ledger::Snapshot;
use crate::context::{Branch, layout};
use crate::documents;
use crate::domain::address::{Address, Place};
use crate::domain::connection::ConnectionRecord;
use crate::domain::diagnostic::Problems;
use crate::domain::names::RunId;
use crate::domain::record::RunType;
use crate::engine::{self, Held, Start, Wanted};

/// The run, with its claim.
pub(super) struct Marking {
    pub(super) run: RunId,
    /// The record as it was when the claim was taken.
    pub(super) record: ConnectionRecord,
    held: Held,
}

impl Marking {
    /// Claims the producer's place, and reads the record.
    ///
    /// # Errors
    /// `not-owner` when the deployable is another repository's; `claimed` when another run holds the place; `invalid-input` when there is
    /// no such connection.
    pub(super) async fn begin(
        session: &Session,
        opened: &Opened,
        (address, home): (&Address, &Place),
        run_type: RunType,
    ) -> Result<Self, Problems> {
        admit(session, opened, home).await?;
        let run = new_run(session);
        if let Some(presence) = session.workflow.as_ref().and_then(|workflow| workflow.presence.as_ref()) {
            presence.claims(&session.world, std::slice::from_ref(home), &run);
        }
        let start = Start {
            world: session.world.clone(),
            store: opened.store.clone(),
            run: run.clone(),
            settings: plain_settings(session, &run, run_type)?,
            trees: BTreeMap::new(),
        };
        let held = engine::claim_place(&start, Wanted::alone(home), &|note| session.say(&note)).await?;
        let found = async { Ok::<_, Problems>(Snapshot::newest(&*opened.store).await?.connection(address).await?) }.await;
        match found {
            Ok(Some(record)) => Ok(Self { run, record, held }),
            Ok(None) => {
                held.release().await?;
                Err(super::missing(address).into())
            }
            Err(problems) => {
                held.release().await?;
                Err(problems)
            }
        }
    }

    /// Writes the record as it is to be, before the run has come to its end.
    ///
    /// # Errors
    /// When the context cannot be written.
    pub(super) async fn write(&self, record: &ConnectionRecord) -> Result<(), Problems> {
        engine::mark(&self.held, record, self.record.status).await
    }

    /// Ends the run: writes the record as it is to be and that the run ended so, and gives the claim back.
    ///
    /// # Errors
    /// When the context cannot be written.
    pub(super) async fn end(&self, record: &ConnectionRecord, problems: &Problems) -> Result<(), Problems> {
        engine::end_marking(&self.held, record, problems).await
    }
}

/// What has an owner is marked by its workflows alone (R41).
async fn admit(session: &Session, opened: &Opened, home: &Place) -> Result<(), Problems> {
    let store = &*opened.store;
    let Some(head) = store.head(Branch::Documents).await? else { return Ok(()) };
    let path = layout::workspace(&home.workspace);
    match session.context_document(store, &head, &path, documents::workspace).await? {
        Some(workspace) => owner::admit(session, home, &workspace),
        None => Ok(()),
    }
}
