//! An applied plugin out of its record: rendered as it was applied, whatever the manifest says by now.

use std::collections::BTreeMap;

use super::identity::state_role;
use super::out_of_reach::Handed;
use super::root::Rendering;
use super::{Engine, Removed};
use crate::cloud::Child;
use crate::domain::account::Account;
use crate::domain::diagnostic::Problems;
use crate::domain::module::Module;
use crate::domain::names::Alias;
use crate::domain::record::StateLocation;
use crate::render;

/// What its root module is rendered from.
pub(super) struct Recorded<'a> {
    alias: &'a Alias,
    removed: &'a Removed,
    pub(super) handed: Handed,
    nested: Vec<Module>,
    account: Option<Account>,
    roles: Option<Child>,
}

impl Engine {
    /// Reads a record for rendering with what it is handed, for Terraform in this account.
    pub(super) async fn recorded<'a>(
        &self,
        alias: &'a Alias,
        removed: &'a Removed,
        handed: Handed,
        account: Option<Account>,
    ) -> Result<Recorded<'a>, Problems> {
        let roles = self.roles(alias, account.as_ref()).await?;
        Ok(Recorded { alias, removed, handed, nested: removed.content.nested(), account, roles })
    }

    /// Its root module, with its state there. It publishes nothing: the record has what was published.
    pub(super) fn rendering<'r>(&'r self, recorded: &'r Recorded<'_>, state: &'r StateLocation) -> Rendering<'r> {
        let Recorded { alias, removed, handed, nested, account, roles } = recorded;
        let record = &removed.record;
        let origin = record.origin();
        Rendering {
            alias,
            folder: alias.as_str(),
            content: &removed.content,
            request: render::Request {
                place: origin.map_or(&self.deployment.place, |origin| &origin.place),
                alias: origin.map_or(alias, |origin| &origin.alias),
                plugin: &removed.plugin,
                outputs: &NOTHING,
                module: removed.content.module(),
                nested,
                inputs: &record.inputs,
                sensitive_inputs: &record.sensitive_inputs,
                slots: &handed.slots,
                state,
                local_base: self.local_base.as_deref(),
                account: account.as_ref(),
                state_role: state_role(roles.as_ref()),
                preview: self.deployment.place.environment.is_preview(),
                adopted: &[],
            },
            roles: roles.as_ref(),
            provider_lock: record.provider_lock.as_deref(),
            supplied: &handed.supplied,
        }
    }
}

/// The outputs of a root module that publishes none.
static NOTHING: BTreeMap<crate::domain::names::OutputName, Vec<crate::domain::deployment::PublishedFace>> = BTreeMap::new();
