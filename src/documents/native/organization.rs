//! The rules of the other documents of the context.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::{Document, backend, check_file_name, check_lifetime};
use crate::documents::Kind;
use crate::documents::finding::Finding;
use crate::domain::diagnostic::Pointer;
use crate::domain::organization::{ContextDocument, ImportedConnection, Proofs, Sealing, SecretReference};
use crate::domain::proof::ProofKeys;

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
        findings.extend(check_lifetime(self.limits.max_preview_ttl.as_deref(), Pointer::keys(["limits", "max-preview-ttl"])));
        findings.extend(check_proofs(self.proofs, self.proof_keys.as_ref()));
        if self.retention.runs == 0 {
            let at = Pointer::keys(["retention", "runs"]);
            findings.push(Finding::new(at, "at least one run record must be kept").help("write a number from 1"));
        }
        findings.extend(check_sealing(&self.sealing));
        findings
    }
}

/// Only public keys of age seal; a secret key here would be one that everybody has.
pub(super) fn check_sealing(sealing: &Sealing) -> impl Iterator<Item = Finding> {
    let wrong = sealing.recipients.iter().enumerate().filter(|(_, recipient)| !recipient.starts_with("age1"));
    wrong.map(|(index, _)| {
        let at = Pointer::keys(["sealing", "recipients"]).index(index);
        Finding::new(at, "this is not an age recipient").help("write a public key, `age1…`")
    })
}

/// Proofs can only be required of those whose keys are known.
fn check_proofs(proofs: Proofs, keys: Option<&ProofKeys>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let pinning = "pin those that the issuer publishes at `<issuer>/.well-known/jwks`";
    let Some(keys) = keys else {
        if proofs == Proofs::Required {
            let at = Pointer::keys(["proofs"]);
            findings.push(
                Finding::new(at, "proofs are required, and no key is pinned that they could be signed with")
                    .help("write `proof-keys: {issuer: …, audience: …, keys: […]}`; see `docs/trust.md`"),
            );
        }
        return findings;
    };
    let at = |field: &str| Pointer::keys(["proof-keys", field]);
    if keys.keys.is_empty() {
        findings.push(Finding::new(at("keys"), "at least one key must be pinned").help(pinning));
    }
    for (index, key) in keys.keys.iter().enumerate() {
        for (field, number) in [("n", &key.n), ("e", &key.e)] {
            if URL_SAFE_NO_PAD.decode(number).is_ok_and(|bytes| !bytes.is_empty()) {
                continue;
            }
            let at = at("keys").index(index).key(field);
            findings
                .push(Finding::new(at, format!("`{field}` of the key `{}` is not a number in base64url", key.kid)).help(pinning));
        }
    }
    if keys.audience.trim().is_empty() {
        let help = "write a name that no other context has, such as `tieline/acme`";
        findings.push(Finding::new(at("audience"), "the audience must have a name").help(help));
    }
    if let Some(baseline) = keys.baseline.as_deref().filter(|baseline| !is_commit(baseline)) {
        let message = format!("`{baseline}` is not the full id of a commit");
        findings
            .push(Finding::new(at("baseline"), message).help("ask for it with `git rev-parse ledger` in the context repository"));
    }
    findings
}

fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// What age begins a sealed text with.
const SEALED: &str = "-----BEGIN AGE ENCRYPTED FILE-----";

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
                SecretReference::Sealed(text) if !text.trim_start().starts_with(SEALED) => findings.push(
                    Finding::new(at.key("sealed").at_key(), format!("the value of `{name}` is not sealed"))
                        .help("seal it with `age --armor`, and write all of it; if it is the secret itself, revoke it"),
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
