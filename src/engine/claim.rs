//! The exclusive hold of a deployable in an environment (R21), and the rules by which a dead run's hold is taken over.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::context::{ClaimName, CommitId, ContextStore, StoreError, layout, ledger};
use crate::domain::canonical;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::record::{Claim, RunStatus};
use crate::world::World;

/// How long a claim is believed without a renewal.
pub const LEASE: Duration = Duration::from_secs(5 * 60);

/// How often it is renewed.
pub const RENEWAL: Duration = Duration::from_secs(60);

/// The end of a lease that begins now.
pub fn lease_from(now: DateTime<Utc>) -> DateTime<Utc> {
    now + chrono::TimeDelta::from_std(LEASE).unwrap_or_default()
}

/// A claim that was taken.
pub struct Taken {
    /// The claim's commit.
    pub commit: CommitId,
    /// The dead run's claim that stood in the way, for its journal to be folded into the ledger.
    pub dead: Option<Claim>,
}

/// Takes `claim`, in place of a dead run's where the rules allow it.
///
/// # Errors
/// `claimed`, naming the holder, when another run holds it; `context-unavailable` when the context cannot be read or written.
pub async fn take(world: &World, store: &dyn ContextStore, claim: &Claim) -> Result<Taken, Problems> {
    let name = ClaimName::of(&claim.place);
    let bytes = canonical::to_bytes(claim);
    match store.write_claim(&name, &bytes, None).await {
        Ok(commit) => return Ok(Taken { commit, dead: None }),
        Err(StoreError::Conflict { .. }) => {}
        Err(problem) => return Err(problem.into()),
    }
    let Some((commit, holder)) = store.read_claim(&name).await? else {
        // It was released between our two looks: once more, and whoever is faster has it.
        return match store.write_claim(&name, &bytes, None).await {
            Ok(commit) => Ok(Taken { commit, dead: None }),
            Err(StoreError::Conflict { .. }) => Err(claimed(format!("`{}` is claimed by another run", claim.place)).into()),
            Err(problem) => Err(problem.into()),
        };
    };
    let Ok(holder) = serde_json::from_slice::<Claim>(&holder) else {
        return Err(claimed(format!("`{}` is claimed, but its claim cannot be read", claim.place))
            .note(format!("the claim is the ref `{name}` of {}", store.describe()))
            .into());
    };
    if !is_dead(world, store, &holder).await? {
        return Err(held_by(world, &holder, &name).into());
    }
    match store.write_claim(&name, &bytes, Some(&commit)).await {
        Ok(commit) => Ok(Taken { commit, dead: Some(holder) }),
        Err(StoreError::Conflict { .. }) => Err(claimed(format!("`{}` was claimed by another run just now", claim.place)).into()),
        Err(problem) => Err(problem.into()),
    }
}

/// A claim is void when its run is recorded as ended, and dead when its process was on this host and is gone.
async fn is_dead(world: &World, store: &dyn ContextStore, holder: &Claim) -> Result<bool, Problems> {
    if holder.host == world.host.name && !world.exec.is_alive(&holder.process) {
        return Ok(true);
    }
    let Some(head) = store.head(crate::context::Branch::Ledger).await? else { return Ok(false) };
    let path = layout::run(&holder.place, &holder.run.id);
    let recorded: Option<crate::domain::record::RunRecord> = ledger::read_json(store, &head, &path).await?;
    Ok(recorded.is_some_and(|run| run.status != RunStatus::Running))
}

fn claimed(message: String) -> Diagnostic {
    Diagnostic::error(FailureReason::Claimed, message)
}

fn held_by(world: &World, holder: &Claim, name: &ClaimName) -> Diagnostic {
    let who = holder.run.actor.as_deref().unwrap_or("somebody");
    let mut diagnostic = claimed(format!("`{}` is held by run `{}`", holder.place, holder.run.id)).note(format!(
        "started {} by {who} on `{}`, process {}",
        holder.run.started.format("%Y-%m-%d %H:%M:%S UTC"),
        holder.host,
        holder.process.id
    ));
    if let Some(url) = &holder.run.run_url {
        diagnostic = diagnostic.note(format!("watch it at {url}"));
    }
    if holder.lease < world.clock.now() {
        diagnostic
            .note(format!(
                "its lease ended {}, but its process cannot be looked at from here",
                holder.lease.format("%Y-%m-%d %H:%M:%S UTC")
            ))
            .help(format!("if it is surely dead, run again on `{}`, or delete the ref `{name}` in the context repository", holder.host))
    } else {
        diagnostic.help("wait until it has ended, then run again")
    }
}
