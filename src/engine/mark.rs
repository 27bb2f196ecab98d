//! Runs that touch no infrastructure: they mark a connection (R40), or free what a dead run left held (R21).

use super::claim::Held;
use super::deploy::verdict;
use super::publication::Publication;
use crate::domain::connection::{ConnectionRecord, ConnectionStatus};
use crate::domain::diagnostic::Problems;

/// Writes a connection of the place whose claim is held; should the run be killed, it becomes what it was `before`.
///
/// # Errors
/// When the context cannot be written.
pub async fn mark(held: &Held, record: &ConnectionRecord, before: ConnectionStatus) -> Result<(), Problems> {
    held.note(|claim| _ = claim.retiring.insert(record.address.clone(), before));
    held.sync().await?;
    let claim = held.claim();
    let mut publication = Publication::new(&claim.place);
    publication.connection(record);
    held.publish(publication, &format!("Mark {} by run {}", record.address, claim.run.id)).await
}

/// Writes a connection as the run leaves it and how the run ended, and gives the claim back.
///
/// # Errors
/// When the context cannot be written.
pub async fn end_marking(held: &Held, record: &ConnectionRecord, problems: &Problems) -> Result<(), Problems> {
    let claim = held.claim();
    let mut run = claim.run;
    run.ended = Some(held.now());
    (run.status, run.failure_reason) = verdict(problems);
    let mut publication = Publication::new(&claim.place);
    publication.connection(record);
    publication.run(&run);
    let published = held.publish(publication, &format!("{} of {}, run {}", run.run_type, record.address, run.id)).await;
    held.release().await.and(published)
}

/// Writes how a run ended that has nothing to leave but its own record, and gives the claim back.
///
/// # Errors
/// When the context cannot be written.
pub async fn end_alone(held: &Held, problems: &Problems) -> Result<(), Problems> {
    let claim = held.claim();
    let mut run = claim.run;
    run.ended = Some(held.now());
    (run.status, run.failure_reason) = verdict(problems);
    let mut publication = Publication::new(&claim.place);
    publication.run(&run);
    let published = held.publish(publication, &format!("{} of {}, run {}", run.run_type, claim.place, run.id)).await;
    held.release().await.and(published)
}
