//! Proofs of who wrote the ledger (R41): the identity token of a workflow's job, made for the digest of what the job writes.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::names::Digest;

/// Whose tokens are proofs: the keys that they are signed with, and what they must say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ProofKeys {
    /// Who signs them, such as `https://token.actions.githubusercontent.com`.
    pub issuer: String,
    /// What they are made for: a name that no other context and no other service has, such as `tieline/acme`.
    pub audience: String,
    /// The issuer's keys, as it publishes them at `<issuer>/.well-known/jwks`.
    pub keys: Vec<PinnedKey>,
    /// A commit of the ledger: what stands as it stood there needs no proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<String>,
}

/// A public key of the issuer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PinnedKey {
    /// Its name in the head of a token.
    pub kid: String,
    /// The modulus, in base64url.
    pub n: String,
    /// The exponent, in base64url.
    pub e: String,
    /// What kind it is.
    #[serde(default)]
    pub kty: KeyType,
    /// What it signs with.
    #[serde(default)]
    pub alg: KeyAlgorithm,
    /// What it is for.
    #[serde(default, rename = "use")]
    pub usage: KeyUse,
    /// Tokens that say to be from after this moment are not believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub not_after: Option<DateTime<Utc>>,
}

/// The kind of a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum KeyType {
    /// The only one.
    #[default]
    #[serde(rename = "RSA")]
    Rsa,
}

/// What a key signs with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum KeyAlgorithm {
    /// RSA with SHA-256, the only one.
    #[default]
    #[serde(rename = "RS256")]
    Rs256,
}

/// What a key is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum KeyUse {
    /// Signatures, the only one.
    #[default]
    #[serde(rename = "sig")]
    Signatures,
}

/// A proof: which files one commit wrote for one place, and the token that was made for just these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Proof {
    /// The format of this file, from 1.
    pub schema_version: u32,
    /// Every file, by path, with the digest of its content.
    pub files: BTreeMap<String, Digest>,
    /// The token. It lives for minutes, and nobody but Tieline takes one with its audience.
    pub token: String,
}

impl ProofKeys {
    /// The audience of a token that is made for these files.
    pub fn audience_of(&self, files: &BTreeMap<String, Digest>) -> String {
        self.audience_for(&Digest::of_json(files))
    }

    /// The audience of a token that is made for something with this digest.
    pub fn audience_for(&self, digest: &Digest) -> String {
        format!("{}:{digest}", self.audience)
    }
}
