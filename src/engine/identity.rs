//! The run's identity in the cloud, handed to each Terraform and kept fresh while they work.

use std::collections::BTreeMap;
use std::path::Path;

use super::root::unwritable;
use super::{Engine, Event};
use crate::cloud::{Child, TOKEN_FILE};
use crate::domain::account::Account;
use crate::domain::diagnostic::Problems;
use crate::domain::names::Alias;
use crate::render::StateRole;

impl Engine {
    /// The roles for the Terraform of an applied plugin, each tried before; none where it is whoever the variables say.
    pub(super) async fn roles(&self, alias: &Alias, account: Option<&Account>) -> Result<Option<Child>, Problems> {
        let (Some(identity), Some(account)) = (&self.identity, account) else { return Ok(None) };
        identity.admit(account).await.map_err(|problems| self.at_alias(alias, problems))?;
        Ok(identity.child(account, &self.deployment.place, alias))
    }

    /// The variables that make the Terraform in this folder take its roles, and the token beside it.
    pub(super) fn hand_over_roles(
        &self,
        roles: Option<&Child>,
        folder: &Path,
    ) -> Result<BTreeMap<String, Option<String>>, Problems> {
        let (Some(identity), Some(roles)) = (&self.identity, roles) else { return Ok(BTreeMap::new()) };
        identity.hand_over(roles, folder).map_err(|problem| unwritable(&folder.join(TOKEN_FILE), &problem))
    }

    /// Waits for `work`, and keeps the identity fresh until it is done. Nobody has it afterwards.
    pub(super) async fn identified<T>(&self, work: impl Future<Output = T>) -> T {
        let Some(identity) = &self.identity else { return work.await };
        let say = |note| self.emit(Event::Note(note));
        let done = tokio::select! {
            done = work => done,
            never = identity.keep_fresh(&say) => match never {},
        };
        identity.withdraw();
        done
    }
}

/// How the states are reached with these roles.
pub(super) fn state_role(roles: Option<&Child>) -> Option<StateRole<'_>> {
    let roles = roles?;
    let role = roles.state_role.as_deref()?;
    Some(StateRole { role, session: &roles.state_session, token_file: TOKEN_FILE })
}
