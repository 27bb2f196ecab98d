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
    environment
}

/// The environment for one root.
pub(super) fn for_root(shared: &BTreeMap<String, String>, root: &Root) -> BTreeMap<String, String> {
    let always = ALWAYS.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let passed = shared.iter().filter(|(name, _)| !root.environment.contains_key(*name));
    let own = root.environment.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
    passed.chain(own).map(|(name, value)| (name.clone(), value.clone())).chain(always).collect()
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;

    fn world(home: &Path, variables: &[(&str, &str)]) -> World {
        let home = [("HOME", home.to_str().unwrap())];
        let variables = home.iter().chain(variables).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        World { variables: Arc::new(Variables::new(variables)), ..crate::world::os::world().unwrap() }
    }

    fn settings() -> Settings {
        Settings { plugin_cache: "/run/providers".into(), terraform_parallelism: 1, lock_timeout: Duration::ZERO }
    }

    #[test]
    fn r69_only_what_is_allowed_gets_through() {
        let home = tempfile::tempdir().unwrap();
        let passed = [
            "PATH",
            "AWS_SECRET_ACCESS_KEY",
            "GOOGLE_CREDENTIALS",
            "ARM_CLIENT_ID",
            "AZURE_CLIENT_ID",
            "CLOUDSDK_CONFIG",
            "KUBECONFIG",
            "PGPASSWORD",
            "CONSUL_HTTP_TOKEN",
            "TF_HTTP_PASSWORD",
            "TF_TOKEN_app_example_org",
            "https_proxy",
            "NO_PROXY",
            "SSH_AUTH_SOCK",
            "GIT_SSH_COMMAND",
            "NETRC",
            "LC_ALL",
            "SSL_CERT_DIR",
        ];
        let stopped = [
            "INPUT_SECRETS",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
            "ACTIONS_RUNTIME_TOKEN",
            "GITHUB_TOKEN",
            "GH_TOKEN",
            "TF_CLI_ARGS",
            "TF_CLI_ARGS_plan",
            "TF_LOG",
            "TF_LOG_PATH",
            "TF_VAR_size",
            "TF_WORKSPACE",
            "TF_DATA_DIR",
            "RUST_BACKTRACE",
            "TIELINE_AGE_KEY",
            "LD_PRELOAD",
        ];
        let variables = passed.iter().chain(&stopped).map(|name| (*name, "value")).collect::<Vec<_>>();
        let environment = shared(&world(home.path(), &variables), &settings());
        for name in passed {
            assert!(environment.contains_key(name), "{name} is needed");
        }
        for name in stopped {
            assert!(!environment.contains_key(name), "{name} leaks");
        }
    }

    #[test]
    fn what_is_always_set_wins_and_what_is_for_one_root_beats_the_shared() {
        let shared = [("AWS_REGION", "x"), ("AWS_PROFILE", "x"), ("TF_INPUT", "1")];
        let shared = BTreeMap::from(shared.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let own = [("AWS_REGION", Some("y")), ("AWS_PROFILE", None), ("TF_IN_AUTOMATION", Some("no"))];
        let root = Root {
            directory: "/r".into(),
            environment: BTreeMap::from(own.map(|(name, value)| (name.to_owned(), value.map(str::to_owned)))),
            variable_file: None,
            providers: crate::terraform::ProviderNeeds::new(),
        };
        let all = for_root(&shared, &root).into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
        insta::assert_snapshot!(all.join("\n"), @r"
        AWS_REGION=y
        CHECKPOINT_DISABLE=1
        GIT_TERMINAL_PROMPT=0
        TF_DATA_DIR=.terraform
        TF_INPUT=0
        TF_IN_AUTOMATION=1
        ");
    }

    #[test]
    fn the_users_own_provider_folder_is_used_as_given() {
        let home = tempfile::tempdir().unwrap();
        let cache = |variables: &[(&str, &str)]| {
            shared(&world(home.path(), variables), &settings()).get("TF_PLUGIN_CACHE_DIR").map(String::as_str).map(str::to_owned)
        };
        assert_eq!(cache(&[]).as_deref(), Some("/run/providers"));
        assert_eq!(cache(&[("TF_PLUGIN_CACHE_DIR", "/mine")]).as_deref(), Some("/mine"));
        crate::world::Files.write(&home.path().join(".terraformrc"), b"plugin_cache_dir = \"/theirs\"\n", false).unwrap();
        assert_eq!(cache(&[]), None, "the variable would silently replace the file's setting");
    }

    #[test]
    fn a_configuration_file_that_is_missing_is_not_passed_on() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("cli.tfrc");
        let named = [("TF_CLI_CONFIG_FILE", file.to_str().unwrap())];
        assert!(!shared(&world(home.path(), &named), &settings()).contains_key("TF_CLI_CONFIG_FILE"));
        crate::world::Files.write(&file, b"", false).unwrap();
        assert!(shared(&world(home.path(), &named), &settings()).contains_key("TF_CLI_CONFIG_FILE"));
    }
}
