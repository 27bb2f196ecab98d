//! The environment of a terraform process: an allow-list over the variables we were started with, plus what is always set.
//!
//! Left out on purpose: the runner's tokens and inputs, `TF_CLI_ARGS*` (adds flags unseen), `TF_LOG*` (writes secrets), `TF_VAR_*`
//! (inputs come by documents and inputs of the command).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hcl_edit::parser::parse_body;

use crate::world::{Variables, World};

use super::{Root, Settings};

/// A CLI configuration is short; a longer one is not looked into.
const LONGEST_CONFIGURATION: u64 = 1 << 20;

const ALLOWED: &[&str] = &[
    "HOME",
    "PATH",
    "TMPDIR",
    "TMP",
    "TEMP",
    "LANG",
    "LANGUAGE",
    "TZ",
    "USER",
    "LOGNAME",
    "XDG_CONFIG_HOME",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
    "NETRC",
    "SSH_AUTH_SOCK",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "TF_CLI_CONFIG_FILE",
    "TF_PLUGIN_CACHE_DIR",
    "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE",
    "TF_REGISTRY_DISCOVERY_RETRY",
    "TF_REGISTRY_CLIENT_TIMEOUT",
    "TF_STATE_PERSIST_INTERVAL",
    "TF_ENCRYPTION",
];

/// Where credentials and settings of clouds and backends are. `KUBE` and `PG` have no common separator.
const ALLOWED_PREFIXES: &[&str] = &[
    "LC_",
    "AWS_",
    "GOOGLE_",
    "GCLOUD_",
    "CLOUDSDK_",
    "ARM_",
    "AZURE_",
    "KUBE",
    "PG",
    "CONSUL_",
    "VAULT_",
    "TF_HTTP_",
    "TF_TOKEN_",
];

/// Set for every process, over everything else.
const ALWAYS: [(&str, &str); 5] = [
    ("TF_IN_AUTOMATION", "1"),
    ("TF_INPUT", "0"),
    ("CHECKPOINT_DISABLE", "1"),
    ("GIT_TERMINAL_PROMPT", "0"),
    // Relative to the root module's folder, so that diagnostics name short paths.
    ("TF_DATA_DIR", ".terraform"),
];

/// The variables that every terraform process of a run shares.
pub(super) fn shared(world: &World, settings: &Settings) -> BTreeMap<String, String> {
    let mut environment = allowed(&world.variables);
    // Terraform warns about a file that is not there on each command, and then goes on without one.
    if let Some(file) = environment.get("TF_CLI_CONFIG_FILE")
        && world.files.metadata(&world.directory.join(file)).is_none()
    {
        environment.remove("TF_CLI_CONFIG_FILE");
    }
    if !environment.contains_key("TF_PLUGIN_CACHE_DIR") && !configuration_names_cache(world, &environment) {
        environment.insert("TF_PLUGIN_CACHE_DIR".to_owned(), settings.plugin_cache.display().to_string());
        // Without it a root with no lock entry installs the provider again, over the files that another terraform is running.
        environment.insert("TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE".to_owned(), "true".to_owned());
    }
    if let Some(file) = &settings.ca_cert {
        for name in ["SSL_CERT_FILE", "GIT_SSL_CAINFO"] {
            environment.insert(name.to_owned(), file.display().to_string());
        }
    }
    environment
}

/// The environment for one root.
pub(super) fn for_root(shared: &BTreeMap<String, String>, root: &Root) -> BTreeMap<String, String> {
    let always = ALWAYS.map(|(name, value)| (name.to_owned(), value.to_owned()));
    shared.clone().into_iter().chain(root.environment.clone()).chain(always).collect()
}

fn allowed(variables: &Variables) -> BTreeMap<String, String> {
    variables
        .iter()
        .filter(|(name, _)| ALLOWED.contains(name) || ALLOWED_PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Whether the user's own CLI configuration names a plugin cache, which the variable would silently replace.
fn configuration_names_cache(world: &World, environment: &BTreeMap<String, String>) -> bool {
    let file = match (environment.get("TF_CLI_CONFIG_FILE"), environment.get("HOME")) {
        (Some(file), _) => world.directory.join(file),
        (None, Some(home)) => PathBuf::from(home).join(".terraformrc"),
        (None, None) => return false,
    };
    names_cache(world, &file)
}

fn names_cache(world: &World, file: &Path) -> bool {
    let text = world.files.read(file, LONGEST_CONFIGURATION).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.and_then(|text| parse_body(&text).ok()).is_some_and(|body| body.get_attribute("plugin_cache_dir").is_some())
}
