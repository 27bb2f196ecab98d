//! Imported connections, seen as the ledger would record them (R48).

use semver::Version;
use serde_json::{Map, Value};

use super::schema::{Schema, without_required};
use super::types::Types;
use crate::domain::address::Address;
use crate::domain::connection::{ConnectionRecord, ConnectionStatus, Face, Handle, Producer};
use crate::domain::diagnostic::Segment;
use crate::domain::manifest::DeployableKind;
use crate::domain::names::{Digest, PluginName, RunId};
use crate::domain::organization::{ImportedConnection, SecretReference};
use crate::domain::record::SCHEMA_VERSION;

/// The record of an imported connection: always ready, never re-created, with a digest that changes when the document does.
///
/// A sensitive attribute whose secret is in a state or a variable gets a derived handle: the document at the record's address
/// says which.
pub fn record(address: &Address, document: &ImportedConnection) -> Option<ConnectionRecord> {
    let sensitive = document.sensitive.iter().map(|(name, secret)| (name.clone(), handle(secret))).collect();
    let face = Face {
        type_name: document.type_name.clone(),
        type_version: document.version.clone(),
        attributes: document.attributes.clone(),
        sensitive,
    };
    let sensitive_revision = (!document.sensitive.is_empty()).then(|| Digest::of_json(&document.sensitive).as_str().to_owned());
    let digest = ConnectionRecord::digest_of(std::slice::from_ref(&face), sensitive_revision.as_deref());
    Some(ConnectionRecord {
        schema_version: SCHEMA_VERSION,
        address: address.clone(),
        uid: address.to_string(),
        face,
        also: Vec::new(),
        sensitive_revision,
        producer: Producer {
            kind: DeployableKind::SharedInfra,
            // Both kinds of name follow the same rule, so this is always one.
            plugin: PluginName::new(document.name.as_str()).ok()?,
            version: Version::new(0, 0, 0),
            digest: digest.clone(),
            run: RunId::from_parts(0, 0),
            commit: None,
        },
        digest,
        generation: 1,
        status: ConnectionStatus::Ready,
        degraded_by: None,
        deprecation: None,
    })
}

/// In what an imported connection falls short of its type.
pub fn shortcomings(document: &ImportedConnection, types: &Types) -> Vec<String> {
    let versions = types.versions(&document.type_name);
    let Some(own) = versions.iter().find(|one| one.version == document.version) else {
        return vec![format!("there is no type `{}` {}", document.type_name, document.version)];
    };
    let sensitive = own.sensitive();
    let mut found: Vec<String> = sensitive
        .intersection(&own.required())
        .filter(|name| !document.sensitive.contains_key(*name))
        .map(|name| format!("it lacks the sensitive `{name}`"))
        .collect();
    let attributes: Map<String, Value> =
        document.attributes.iter().map(|(name, value)| (name.as_str().to_owned(), value.clone())).collect();
    let public = document.attributes.keys().filter(|name| sensitive.contains(*name));
    found.extend(public.map(|name| format!("`{name}` is sensitive, and stands among its public attributes")));
    if own.attributes.get("additionalProperties").is_none() {
        let known = own.names();
        let unknown = document.attributes.keys().filter(|name| !known.contains(*name));
        found.extend(unknown.map(|name| format!("it has no attribute `{name}`")));
    }
    let unknown = document.sensitive.keys().filter(|name| !sensitive.contains(*name));
    found.extend(unknown.map(|name| format!("it has no sensitive attribute `{name}`")));
    // A type that is no JSON Schema is refused where it is read.
    let schema = Schema::compile(&without_required(&own.attributes, &sensitive));
    let violations = schema.iter().flat_map(|schema| schema.violations(&Value::Object(attributes.clone())));
    found.extend(violations.map(|violation| match violation.path.first() {
        Some(Segment::Key(name)) => format!("its attribute `{name}` is not what its type says: {}", violation.message),
        _ => format!("it is not what its type says: {}", violation.message),
    }));
    found
}

fn handle(secret: &SecretReference) -> Handle {
    match secret {
        SecretReference::Sealed(sealed) => Handle::Sealed { sealed: sealed.clone(), recipients: Vec::new(), kind: None },
        SecretReference::State(_) | SecretReference::Env(_) => Handle::STATE,
    }
}
