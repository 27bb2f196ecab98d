//! The rules of the other documents of the context.

use serde_json::Value;

use super::{Document, backend, check_file_name};
use crate::documents::Kind;
use crate::documents::finding::Finding;
use crate::domain::catalog::Catalog;
use crate::domain::diagnostic::Pointer;
use crate::domain::organization::{ContextDocument, ImportedConnection, SecretReference};

impl Document for ContextDocument {
    const KIND: Kind = Kind::Context;

    fn findings(&self, _file: &str, _value: &Value) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let Some(prefix) = &self.claims_prefix
            && !(prefix.starts_with("refs/") && prefix.ends_with('/') && prefix.len() > "refs//".len())
        {
            findings.push(
                Finding::new(Pointer::keys(["claims-prefix"]), format!("`{prefix}` is not a prefix of git refs"))
                    .help("write one such as `refs/heads/tieline-claims/`"),
            );
        }
        if self.retention.runs == 0 {
            let at = Pointer::keys(["retention", "runs"]);
            findings.push(Finding::new(at, "at least one run record must be kept").help("write a number from 1"));
        }
        for (index, recipient) in self.sealing.recipients.iter().enumerate() {
            if !["age1", "ssh-ed25519 ", "ssh-rsa "].iter().any(|start| recipient.starts_with(start)) {
                let at = Pointer::keys(["sealing", "recipients"]).index(index);
                findings.push(Finding::new(at, "this is not an age recipient").help("write a public key, `age1…`"));
            }
        }
        findings
    }
}

impl Document for Catalog {
    const KIND: Kind = Kind::Catalog;

    fn findings(&self, _file: &str, _value: &Value) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (name, plugin) in &self.plugins {
            let versions = Pointer::keys(["plugins", name.as_str(), "versions"]);
            for (version, entry) in &plugin.versions {
                let at = versions.clone().key(version);
                if let Err(error) = semver::Version::parse(version) {
                    let message = format!("`{version}` is not a version such as `1.4.0`: {error}");
                    findings.push(Finding::new(at.clone().at_key(), message));
                }
                if plugin.source.is_none() && entry.source.is_none() {
                    findings.push(
                        Finding::new(at, format!("`{name}@{version}` has no source"))
                            .help(format!("write `source` here, or once for `{name}` with `{{version}}` in it")),
                    );
                }
            }
        }
        for (alias, name) in &self.type_aliases {
            if self.type_aliases.contains_key(name) {
                findings.push(
                    Finding::new(Pointer::keys(["type-aliases", alias.as_str()]), format!("`{name}` is itself another name"))
                        .help("name the type itself"),
                );
            }
        }
        findings
    }
}

impl Document for ImportedConnection {
    const KIND: Kind = Kind::ImportedConnection;

    fn findings(&self, file: &str, _value: &Value) -> Vec<Finding> {
        let mut findings: Vec<Finding> = check_file_name(file, "imported", self.name.as_str()).into_iter().collect();
        for (name, reference) in &self.sensitive {
            let at = Pointer::keys(["sensitive", name.as_str()]);
            if self.attributes.contains_key(name) {
                findings.push(
                    Finding::new(at.clone().at_key(), format!("`{name}` is both public and sensitive"))
                        .help("keep one; if the value under `attributes` is a secret, revoke it"),
                );
            }
            match reference {
                SecretReference::State(state) => {
                    findings.extend(backend::check_secrets(&state.backend, &at.key("state").key("backend")));
                }
                SecretReference::Sealed(text) if !text.contains("age") => findings.push(
                    Finding::new(at.key("sealed").at_key(), format!("the value of `{name}` is not sealed"))
                        .help("seal it with `age`; if it is the secret itself, revoke it"),
                ),
                SecretReference::Env(variable) if !is_variable(variable) => findings.push(
                    Finding::new(at.key("env"), format!("`{variable}` is not the name of an environment variable"))
                        .help("write its name only, such as `LEGACY_DB_PASSWORD`"),
                ),
                SecretReference::Sealed(_) | SecretReference::Env(_) => {}
            }
        }
        findings
    }
}

fn is_variable(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
