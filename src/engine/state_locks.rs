//! Terraform's state locks: who holds one, and the end of one that nobody gives back.
//!
//! Terraform has no command that only looks. What is asked here takes the lock for a moment where it is free, and reads the refusal
//! where it is not; nothing is written. The root module says where the state is and nothing else: it needs no plugin and no provider.

use std::path::PathBuf;

use tokio_util::sync::CancellationToken;

use super::blame::problems_of;
use super::identity::state_role;
use super::root::unwritable;
use crate::cloud::{TOKEN_FILE, WebIdentity};
use crate::domain::account::Account;
use crate::domain::address::Place;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::Alias;
use crate::domain::record::{AppliedRecord, StateLocation};
use crate::domain::state_lock::{LockState, Locking, StateLock};
use crate::terraform::{LockInfo, ProviderNeeds, Root, Terraform};
use crate::world::World;
use crate::{render, terraform};

/// The file of the root module.
const ROOT_FILE: &str = "main.tf.json";

/// What state locks are looked at with.
pub struct StateLocks {
    /// The effects.
    pub world: World,
    /// The terraform.
    pub terraform: Terraform,
    /// Who Terraform is in the cloud account; none where it is whoever the variables say.
    pub identity: Option<WebIdentity>,
    /// The folder that relative paths of `local` backends start from.
    pub local_base: Option<PathBuf>,
    /// A folder of one's own.
    pub folder: PathBuf,
    /// Ends it.
    pub cancel: CancellationToken,
}

impl StateLocks {
    /// How the lock of an applied plugin's state is.
    pub async fn look(&self, place: &Place, alias: &Alias, record: &AppliedRecord, account: Option<&Account>) -> LockState {
        if record.terraform.is_none() || record.state.backend.locking() == Locking::None {
            return LockState::Unlocked;
        }
        let looked = async { self.holder(&self.open(place, alias, &record.state, account).await?).await };
        match looked.await {
            Ok(None) => LockState::Free,
            Ok(Some(lock)) => LockState::Held(lock),
            Err(problems) => {
                LockState::Unknown { because: problems.cause().map_or_else(String::new, |cause| cause.message.clone()) }
            }
        }
    }

    /// Frees the lock of this very id.
    ///
    /// # Errors
    /// `state-locked` when it is held by another id, or is still held afterwards; `invalid-input` when it is free, or of a kind that
    /// nobody can free.
    pub async fn free(
        &self,
        place: &Place,
        alias: &Alias,
        (record, account): (&AppliedRecord, Option<&Account>),
        id: &str,
    ) -> Result<StateLock, Problems> {
        refuse_endless(alias, &record.state)?;
        let root = self.open(place, alias, &record.state, account).await?;
        let Some(held) = self.holder(&root).await? else {
            return Err(Diagnostic::error(FailureReason::InvalidInput, format!("nobody holds the state lock of `{alias}`"))
                .help("run again what was refused")
                .into());
        };
        if held.id != id {
            return Err(another(alias, &held, id).into());
        }
        self.terraform.force_unlock(&root, id, &self.cancel).await.map_err(|failure| problems_of(*failure))?;
        match self.holder(&root).await? {
            Some(still) if still.id == held.id => Err(still_held(alias, &still).into()),
            _ => Ok(held),
        }
    }

    async fn holder(&self, root: &Root) -> Result<Option<StateLock>, Problems> {
        let found = self.terraform.holder_of_lock(root, &self.cancel).await.map_err(|failure| problems_of(*failure))?;
        Ok(found.map(|LockInfo { id, who, operation, created, .. }| StateLock { id, who, operation, created }))
    }

    /// A root module about this state, initialized.
    async fn open(
        &self,
        place: &Place,
        alias: &Alias,
        state: &StateLocation,
        account: Option<&Account>,
    ) -> Result<Root, Problems> {
        let roles = match (&self.identity, account) {
            (Some(identity), Some(account)) => {
                identity.admit(account).await?;
                identity.child(account, place, alias)
            }
            _ => None,
        };
        let main = render::backend::root(state, self.local_base.as_deref(), state_role(roles.as_ref()))?;
        let directory = self.folder.join(place.to_string()).join(alias.as_str());
        let file = directory.join(ROOT_FILE);
        self.world.files.write_private(&file, &main).map_err(|problem| unwritable(&file, &problem))?;
        let environment = match (&self.identity, &roles) {
            (Some(identity), Some(roles)) => {
                identity.hand_over(roles, &directory).map_err(|problem| unwritable(&directory.join(TOKEN_FILE), &problem))?
            }
            _ => std::collections::BTreeMap::new(),
        };
        let root = Root { directory, environment, variable_file: None, providers: ProviderNeeds::new() };
        self.terraform.init(&root, &|_: terraform::Event| {}, &self.cancel).await.map_err(|failure| problems_of(*failure))?;
        Ok(root)
    }
}

/// Refuses what no command frees.
fn refuse_endless(alias: &Alias, state: &StateLocation) -> Result<(), Problems> {
    let kind = state.backend.kind.as_str();
    let why = match state.backend.locking() {
        Locking::Stays => return Ok(()),
        Locking::EndsWithHolder => {
            format!("a lock of the `{kind}` backend ends with the process that holds it: where one is held, its holder lives")
        }
        Locking::None => format!("the `{kind}` backend of this environment locks nothing, as it is set up"),
    };
    Err(Diagnostic::error(FailureReason::InvalidInput, format!("there is no state lock of `{alias}` that could be freed"))
        .note(why)
        .help("wait for the holder, or end its process")
        .into())
}

fn another(alias: &Alias, held: &StateLock, id: &str) -> Diagnostic {
    let message = format!("the state lock of `{alias}` is not `{id}`");
    Diagnostic::error(FailureReason::StateLocked, message)
        .note(format!("it is {held}"))
        .help("somebody else may have taken it since: look again with `tieline status --locks`")
}

fn still_held(alias: &Alias, still: &StateLock) -> Diagnostic {
    Diagnostic::error(FailureReason::StateLocked, format!("the state lock of `{alias}` was not freed"))
        .note(format!("Terraform said that it was, and yet it is {still}"))
        .help("free it where it is kept; the backend's documentation says how")
}
