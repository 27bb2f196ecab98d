//! Connections that go from where they are: marked, so that nobody binds to them meanwhile (R30).

use std::collections::BTreeSet;

use super::Engine;
use super::publication::Publication;
use crate::context::ledger;
use crate::domain::address::Place;
use crate::domain::connection::{ConnectionRecord, ConnectionStatus};
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::RunId;

impl Engine {
    /// Marks connections as `retiring`, then looks at the claims of others than `ours`: of a binding run and this one at least one
    /// sees the other.
    pub(super) async fn mark_retiring(
        &self,
        going: &[ConnectionRecord],
        run: &RunId,
        ours: &BTreeSet<Place>,
    ) -> Result<(), Problems> {
        if going.is_empty() {
            return Ok(());
        }
        let mut publication = Publication::new(&self.deployment.place);
        for record in going {
            publication.connection(&ConnectionRecord { status: ConnectionStatus::Retiring, ..record.clone() });
        }
        let message = format!("Retire connections of {}, run {run}", self.deployment.place);
        publication.commit(&self.world, &*self.store, &message).await?;
        for place in self.store.claims().await?.into_keys().filter(|place| !ours.contains(place)) {
            let Some((_, claim)) = ledger::read_claim(&*self.store, &place).await? else { continue };
            if let Some(record) = going.iter().find(|record| claim.binds.contains(&record.address.to_string())) {
                let message = format!("run `{}` of `{}` is binding to `{}` right now", claim.run.id, claim.place, record.address);
                return Err(Diagnostic::error(FailureReason::ConsumersExist, message)
                    .in_file(&self.deployment.file)
                    .help("wait until it has ended, then look at the consumers again")
                    .into());
            }
        }
        Ok(())
    }
}
