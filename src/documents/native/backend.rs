//! The rules of a backend's settings.

use serde_json::{Map, Value};

use crate::documents::finding::Finding;
use crate::documents::hidden::has_password;
use crate::domain::diagnostic::Pointer;
use crate::domain::organization::{Backend, BackendKind};

/// Settings that are secrets, in any backend. They come by the environment, where each backend has its own variables.
const SECRETS: [&str; 17] = [
    "password",
    "access_key",
    "secret_key",
    "token",
    "sas_token",
    "client_secret",
    "client_certificate_password",
    "credentials",
    "access_token",
    "encryption_key",
    "sse_customer_key",
    "client_private_key_pem",
    "client_key",
    "oidc_token",
    "oidc_request_token",
    "web_identity_token",
    "connection_string",
];

/// What keeps an environment's backend from being used: a key that is Tieline's to fill, a secret, a missing folder.
pub(super) fn check_environment(backend: &Backend, at: &Pointer) -> Vec<Finding> {
    let config = at.clone().key("config");
    let mut findings = check_secrets(backend, at);
    for name in filled(backend.kind) {
        if backend.config.contains_key(*name) {
            findings.push(
                Finding::new(config.clone().key(*name).at_key(), format!("`{name}` is Tieline's to fill"))
                    .label("differs for every applied plugin")
                    .help("remove it: each state gets a key of its own, `<workspace>/<environment>/<deployable>/<alias>`"),
            );
        }
    }
    let missing = needed(backend.kind).iter().filter(|(name, _)| !backend.config.contains_key(*name));
    findings.extend(missing.map(|(name, meaning)| {
        Finding::new(config.clone(), format!("a backend `{}` needs `{name}`", backend.kind.as_str()))
            .label(format!("`{name}` is missing"))
            .note(format!("`{name}`: {meaning}"))
    }));
    findings
}

/// The secrets among a backend's settings.
pub(super) fn check_secrets(backend: &Backend, at: &Pointer) -> Vec<Finding> {
    settings(&backend.config, &at.clone().key("config"))
        .into_iter()
        .filter(|(_, name, value)| SECRETS.contains(name) && !value.is_null() || value.as_str().is_some_and(has_password))
        .map(|(at, name, _)| {
            Finding::new(at.at_key(), format!("`{name}` holds a secret, and documents hold none"))
                .label("a secret in a file")
                .help(format!("remove it, revoke the secret, and give {}", by_environment(backend.kind)))
        })
        .collect()
}

/// Every setting with its place. Some backends nest what belongs together, such as `assume_role_with_web_identity`.
fn settings<'a>(fields: &'a Map<String, Value>, at: &Pointer) -> Vec<(Pointer, &'a str, &'a Value)> {
    let setting = |(name, value): (&'a String, &'a Value)| {
        let at = at.clone().key(name);
        match value.as_object() {
            Some(below) => settings(below, &at),
            None => vec![(at, name.as_str(), value)],
        }
    };
    fields.iter().flat_map(setting).collect()
}

/// The settings that make up a state's key.
fn filled(kind: BackendKind) -> &'static [&'static str] {
    match kind {
        BackendKind::Local => &["workspace_dir"],
        BackendKind::S3 => &["key", "workspace_key_prefix"],
        BackendKind::Gcs => &["prefix"],
        BackendKind::Azurerm => &["key"],
        BackendKind::Pg => &["schema_name"],
        // Its address, lock address and unlock address are bases that the key is added to.
        BackendKind::Http => &[],
        BackendKind::Kubernetes => &["secret_suffix"],
        BackendKind::Consul => &["path"],
        BackendKind::Remote | BackendKind::Cloud => &["workspaces"],
    }
}

/// The settings without which nothing can be stored.
fn needed(kind: BackendKind) -> &'static [(&'static str, &'static str)] {
    match kind {
        BackendKind::Local => &[("path", "the folder that holds the states")],
        BackendKind::S3 | BackendKind::Gcs => &[("bucket", "the bucket that holds the states")],
        BackendKind::Http => &[("address", "the base address, which the key is added to")],
        _ => &[],
    }
}

fn by_environment(kind: BackendKind) -> &'static str {
    match kind {
        BackendKind::S3 => "the runner AWS credentials, by OIDC or `AWS_*` variables",
        BackendKind::Gcs => "the runner Google credentials, by OIDC or `GOOGLE_*` variables",
        BackendKind::Azurerm => "the runner Azure credentials, by OIDC or `ARM_*` variables",
        BackendKind::Pg => "it in `PGPASSWORD` or `PG_CONN_STR`",
        BackendKind::Http => "it in `TF_HTTP_USERNAME` and `TF_HTTP_PASSWORD`",
        BackendKind::Kubernetes => "it in `KUBE_*` variables or a kubeconfig",
        BackendKind::Consul => "it in `CONSUL_HTTP_TOKEN`",
        BackendKind::Remote | BackendKind::Cloud => "it in a `TF_TOKEN_*` variable",
        BackendKind::Local => "it by the environment",
    }
}
