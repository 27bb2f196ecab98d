//! Where a state is kept: the key of each, encoded for its backend, and the blocks that say so to Terraform.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::{StateRole, escape};
use crate::domain::address::Place;
use crate::domain::canonical;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::{Alias, Digest};
use crate::domain::organization::{Backend, BackendKind};
use crate::domain::record::StateLocation;

/// `pg` cuts names at 63 bytes, without a word.
const LONGEST_SCHEMA: usize = 63;
/// A label's 63 characters, less `tfstate-default-` before them in the secret's name.
const LONGEST_SECRET_SUFFIX: usize = 63 - "tfstate-default-".len();
/// What HCP Terraform takes as the name of a workspace.
const LONGEST_WORKSPACE: usize = 90;
/// How many digits of a digest stand for what does not fit.
const DIGITS: usize = 16;

/// Where the state of an applied plugin is. No two applied plugins share a key.
pub fn state_location(backend: &Backend, place: &Place, alias: &Alias) -> StateLocation {
    let full = format!("{place}/{alias}");
    let key = match backend.kind {
        BackendKind::Pg => fit(&full, '/', LONGEST_SCHEMA),
        BackendKind::Kubernetes if !is_secret_suffix(&full) => hashed(&full, '.', LONGEST_SECRET_SUFFIX),
        BackendKind::Kubernetes => fit(&full, '.', LONGEST_SECRET_SUFFIX),
        BackendKind::Remote | BackendKind::Cloud => fit(&full, '_', LONGEST_WORKSPACE),
        // Four names of 63 are 255 characters: all of these take that.
        BackendKind::Local
        | BackendKind::S3
        | BackendKind::Gcs
        | BackendKind::Azurerm
        | BackendKind::Http
        | BackendKind::Consul => full,
    };
    StateLocation { backend: backend.clone(), key }
}

/// The key with `separator` for `/`, or hashed where that is longer than `longest`. Names hold no separator: as it is, a key has
/// three of them, hashed it has one, so neither form is ever the other's.
fn fit(full: &str, separator: char, longest: usize) -> String {
    if full.len() <= longest { full.replace('/', &separator.to_string()) } else { hashed(full, separator, longest) }
}

/// A readable start, the separator, and the first digits of the SHA-256 of the whole.
fn hashed(full: &str, separator: char, longest: usize) -> String {
    let digest = Digest::of(full.as_bytes());
    let readable: String = full.chars().map(|c| if c == '/' { '-' } else { c }).take(longest - 1 - DIGITS).collect();
    let digits: String = digest.as_str().chars().take(DIGITS).collect();
    format!("{}{separator}{digits}", readable.trim_end_matches('-'))
}

/// Kubernetes wants every part of a name to end in a letter or digit, and Terraform numbers the parts of a large state with
/// `-<number>` after the suffix.
fn is_secret_suffix(full: &str) -> bool {
    let numbered = full.rsplit_once('-').is_some_and(|(_, end)| end.bytes().all(|byte| byte.is_ascii_digit()));
    !numbered && full.split('/').all(|part| !part.ends_with('-'))
}

/// The field of Terraform's `terraform` block that keeps a state there, and what it holds: `backend`, or `cloud`.
///
/// # Errors
/// When the backend's settings already say what the key says, or a relative `local` path has nothing to start from.
pub fn backend_block(
    location: &StateLocation,
    local_base: Option<&Path>,
    role: Option<StateRole<'_>>,
) -> Result<(&'static str, Value), Problems> {
    let mut config = escape(&Value::Object(with_key(location, local_base)?));
    take_role(location.backend.kind.as_str(), &mut config, role);
    Ok(match location.backend.kind {
        BackendKind::Cloud => ("cloud", config),
        kind => ("backend", json!({ kind.as_str(): config })),
    })
}

/// The `backend` and `config` of a `terraform_remote_state` that reads the state there.
///
/// # Errors
/// As for [`backend_block`].
pub fn remote_state_config(location: &StateLocation, local_base: Option<&Path>) -> Result<(&'static str, Value), Problems> {
    Ok(readable(location.backend.kind, with_key(location, local_base)?))
}

/// The same for a state that is not ours: its settings hold its key.
///
/// # Errors
/// When a relative `local` path has nothing to start from.
pub(super) fn foreign_state_config(backend: &Backend, local_base: Option<&Path>) -> Result<(&'static str, Value), Problems> {
    let mut config = backend.config.clone();
    if backend.kind == BackendKind::Local {
        config.insert("path".to_owned(), json!(absolute(text(&config, "path"), local_base)?));
    }
    Ok(readable(backend.kind, config))
}

/// A root module that only says where a state is.
///
/// # Errors
/// As for [`backend_block`].
pub fn root(location: &StateLocation, local_base: Option<&Path>, role: Option<StateRole<'_>>) -> Result<Vec<u8>, Problems> {
    let (field, block) = backend_block(location, local_base, role)?;
    Ok(canonical::to_bytes(&json!({"terraform": {field: block}})))
}

/// A root module that only says where a state is that is not ours.
///
/// # Errors
/// When a relative `local` path has nothing to start from.
pub fn foreign_root(backend: &Backend, local_base: Option<&Path>, role: Option<StateRole<'_>>) -> Result<Vec<u8>, Problems> {
    let (kind, mut config) = foreign_state_config(backend, local_base)?;
    take_role(kind, &mut config, role);
    Ok(canonical::to_bytes(&json!({"terraform": {"backend": {kind: config}}})))
}

/// Reaches a state in S3 with this role. Settings that say one of their own keep it.
pub(super) fn take_role(kind: &str, config: &mut Value, role: Option<StateRole<'_>>) {
    let (Some(config), Some(StateRole { role, session, token_file }), "s3") = (config.as_object_mut(), role, kind) else {
        return;
    };
    let block = json!({"role_arn": role, "session_name": session, "web_identity_token_file": token_file});
    config.entry("assume_role_with_web_identity").or_insert(block);
}

/// A `cloud` block has no reader of its own: the older `remote` reads the same workspaces.
fn readable(kind: BackendKind, mut config: Map<String, Value>) -> (&'static str, Value) {
    let mut reader = kind;
    if kind == BackendKind::Cloud {
        reader = BackendKind::Remote;
        config.retain(|name, _| matches!(name.as_str(), "hostname" | "organization" | "workspaces"));
        if let Some(Value::Object(workspaces)) = config.get_mut("workspaces") {
            workspaces.retain(|name, _| name == "name");
        }
    }
    (reader.as_str(), escape(&Value::Object(config)))
}

fn text<'a>(config: &'a Map<String, Value>, name: &str) -> &'a str {
    config.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The settings with the key in the field where this backend has it.
fn with_key(location: &StateLocation, local_base: Option<&Path>) -> Result<Map<String, Value>, Problems> {
    let StateLocation { backend, key } = location;
    let mut config = backend.config.clone();
    match backend.kind {
        BackendKind::Local => {
            let folder = absolute(text(&config, "path"), local_base)?;
            config.insert("path".to_owned(), json!(format!("{}/{key}.tfstate", folder.trim_end_matches('/'))));
        }
        BackendKind::S3 | BackendKind::Azurerm => set(&mut config, backend.kind, "key", key)?,
        BackendKind::Pg => set(&mut config, backend.kind, "schema_name", key)?,
        BackendKind::Kubernetes => set(&mut config, backend.kind, "secret_suffix", key)?,
        BackendKind::Gcs => below(&mut config, "prefix", key),
        BackendKind::Consul => below(&mut config, "path", key),
        BackendKind::Http => {
            for field in ["address", "lock_address", "unlock_address"] {
                if let Some(address) = config.get(field).and_then(Value::as_str) {
                    let address = extend_url(address, key);
                    config.insert(field.to_owned(), json!(address));
                }
            }
        }
        BackendKind::Remote | BackendKind::Cloud => set_workspace(&mut config, backend.kind, key)?,
    }
    Ok(config)
}

fn set(config: &mut Map<String, Value>, kind: BackendKind, field: &str, key: &str) -> Result<(), Problems> {
    if config.contains_key(field) {
        return Err(taken(kind, field));
    }
    config.insert(field.to_owned(), json!(key));
    Ok(())
}

/// What the settings say is the folder that the key starts from.
fn below(config: &mut Map<String, Value>, field: &str, key: &str) {
    let key = match text(config, field).trim_end_matches('/') {
        "" => key.to_owned(),
        folder => format!("{folder}/{key}"),
    };
    config.insert(field.to_owned(), json!(key));
}

/// The project of a `cloud` block stays; how to find workspaces is the key's to say.
fn set_workspace(config: &mut Map<String, Value>, kind: BackendKind, key: &str) -> Result<(), Problems> {
    let mut workspaces = config.get("workspaces").and_then(Value::as_object).cloned().unwrap_or_default();
    for field in ["name", "prefix", "tags"] {
        if workspaces.contains_key(field) {
            return Err(taken(kind, &format!("workspaces.{field}")));
        }
    }
    workspaces.insert("name".to_owned(), json!(key));
    config.insert("workspaces".to_owned(), Value::Object(workspaces));
    Ok(())
}

fn taken(kind: BackendKind, field: &str) -> Problems {
    let kind = kind.as_str();
    Diagnostic::error(
        FailureReason::InvalidDocument,
        format!("the `{kind}` backend's settings set `{field}`, which says where one state is"),
    )
    .help(format!("remove `{field}` from the environment's `backend.config`: Tieline fills it in for each applied plugin"))
    .into()
}

fn extend_url(address: &str, key: &str) -> String {
    let (path, query) = match address.find('?') {
        Some(position) => address.split_at(position),
        None => (address, ""),
    };
    format!("{}/{key}{query}", path.trim_end_matches('/'))
}

fn absolute(path: &str, base: Option<&Path>) -> Result<String, Problems> {
    let refused = |why: &str| -> Problems {
        Diagnostic::error(FailureReason::InvalidDocument, format!("the `local` backend's `path` is `{path}`, {why}"))
            .help("write an absolute path that every runner has, or use a remote backend")
            .into()
    };
    if Path::new(path).is_absolute() {
        return Ok(path.to_owned());
    }
    let base = base.ok_or_else(|| refused("which is relative, and the context is not a folder of this machine"))?;
    let joined = base.join(path.trim_start_matches("./"));
    joined.to_str().map(str::to_owned).ok_or_else(|| refused("and the folder it starts from has a name that is not UTF-8"))
}

/// The environment variable that a backend's secret comes by, and whose secret it is.
pub(super) struct Credential {
    pub(super) variable: &'static str,
    pub(super) identity: Vec<String>,
}

/// What a backend needs from the environment; none where settings or the machine's own identity tell servers apart.
pub(super) fn credential(backend: &Backend) -> Option<Credential> {
    let config = &backend.config;
    let keyless = config.get("use_azuread_auth") == Some(&Value::Bool(true)) || config.contains_key("resource_group_name");
    let (variable, fields): (_, &[&str]) = match backend.kind {
        BackendKind::Pg => ("PGPASSWORD", &["conn_str"]),
        BackendKind::Http => ("TF_HTTP_PASSWORD", &["address", "username"]),
        BackendKind::Consul => ("CONSUL_HTTP_TOKEN", &["address"]),
        BackendKind::Kubernetes => ("KUBE_TOKEN", &["host"]),
        BackendKind::Azurerm if keyless => ("ARM_CLIENT_SECRET", &["tenant_id", "client_id"]),
        BackendKind::Azurerm => ("ARM_ACCESS_KEY", &["storage_account_name"]),
        BackendKind::S3 if !config.contains_key("profile") => ("AWS_SECRET_ACCESS_KEY", &["endpoint", "endpoints"]),
        BackendKind::S3 | BackendKind::Local | BackendKind::Gcs | BackendKind::Remote | BackendKind::Cloud => return None,
    };
    let identity = fields.iter().map(|field| config.get(*field).map_or_else(String::new, server)).collect();
    Some(Credential { variable, identity })
}

/// Whom a URL speaks to: what stands before its path. Other values count whole.
fn server(value: &Value) -> String {
    let Some(url) = value.as_str() else { return value.to_string() };
    let start = url.find("://").map_or(url.len(), |position| position + 3);
    let end = url[start..].find(['/', '?']).map_or(url.len(), |position| start + position);
    url[..end].to_owned()
}
