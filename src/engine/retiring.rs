//! Connections that go from where they are: marked, so that nobody binds to them meanwhile (R30).

use super::Engine;
use super::publication::Publication;
use crate::domain::connection::{ConnectionRecord, ConnectionStatus};
use crate::domain::diagnostic::Problems;
use crate::domain::names::RunId;

impl Engine {
    /// Marks connections as `retiring`. Whoever does so looks at the claims next: of a binding run and this one at least one sees the
    /// other.
    pub(super) async fn mark_retiring(&self, going: &[ConnectionRecord], run: &RunId) -> Result<(), Problems> {
        if going.is_empty() {
            return Ok(());
        }
        let mut publication = Publication::new(&self.deployment.place);
        for record in going {
            publication.connection(&ConnectionRecord { status: ConnectionStatus::Retiring, ..record.clone() });
        }
        let message = format!("Retire connections of {}, run {run}", self.deployment.place);
        publication.commit(&self.world, &*self.store, &message).await
    }
}
