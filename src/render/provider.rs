//! Provider settings that the environment's account implies.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Request, escape, names};
use crate::domain::account::{Account, AccountProvider};
use crate::domain::module::Module;

/// Provider blocks by local name, and where each of these providers comes from.
#[derive(Default)]
pub(super) struct ProviderSettings {
    pub(super) blocks: Map<String, Value>,
    pub(super) sources: Map<String, Value>,
}

/// Settings for every provider of the account's cloud that a module of the plugin uses, unless the plugin's own module
/// configures it.
pub(super) fn settings(request: &Request<'_>) -> ProviderSettings {
    let mut settings = ProviderSettings::default();
    let Some(account) = request.account else { return settings };
    for name in providers_of(account.provider) {
        let mut uses = std::iter::once(request.module).chain(request.nested).filter_map(|module| local_name(module, name));
        let configured = local_name(request.module, name).is_some_and(|(local, _)| request.module.configured.contains(local));
        if let Some((_, source)) = uses.next().filter(|_| !configured) {
            settings.blocks.insert((*name).to_owned(), escape(&block(request, account)));
            settings.sources.insert((*name).to_owned(), json!({"source": source}));
        }
    }
    settings
}

fn providers_of(provider: AccountProvider) -> &'static [&'static str] {
    match provider {
        AccountProvider::Aws => &["aws"],
        AccountProvider::Google => &["google", "google-beta"],
        AccountProvider::Azurerm => &["azurerm"],
    }
}

/// What a module calls the vendor's provider `name`, and its source there, with the host where one is written.
fn local_name<'a>(module: &'a Module, name: &str) -> Option<(&'a str, String)> {
    let vendor = format!("hashicorp/{name}");
    let sources = module.providers.keys().map(|local| (local.as_str(), module.provider_source(local)));
    let mut matching = sources.filter(|(_, source)| *source == vendor || source.ends_with(&format!("/{vendor}")));
    matching.next()
}

fn block(request: &Request<'_>, account: &Account) -> Value {
    let tags: BTreeMap<_, _> = names::tags(request.place, request.alias);
    let mut block = match account.provider {
        AccountProvider::Aws => json!({"allowed_account_ids": [account.id], "default_tags": {"tags": tags}}),
        AccountProvider::Google => json!({"project": account.id, "default_labels": tags}),
        AccountProvider::Azurerm => json!({"features": {}, "subscription_id": account.id}),
    };
    if let Some(region) = account.region.as_ref().filter(|_| account.provider != AccountProvider::Azurerm) {
        block["region"] = json!(region);
    }
    block
}
