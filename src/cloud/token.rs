//! A web-identity token: a secret that says in its middle part who it is for, and how long it lasts.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

use crate::secrets::Secret;

/// For how long a token is taken to last that does not say so, in seconds.
const USUAL_LIFE: i64 = 300;

/// A token, and what it claims. Nobody here checks its signature: that is for those who are shown it.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) text: Secret,
    claims: Claims,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Claims {
    #[serde(default)]
    iss: Value,
    #[serde(default)]
    sub: Value,
    #[serde(default)]
    aud: Value,
    iat: Option<i64>,
    exp: Option<i64>,
}

impl Token {
    pub(super) fn read(text: Secret) -> Self {
        let payload = text.expose().split('.').nth(1).and_then(|payload| URL_SAFE_NO_PAD.decode(payload).ok());
        let claims = payload.and_then(|payload| serde_json::from_slice(&payload).ok()).unwrap_or_default();
        Self { text, claims }
    }

    /// How long after it was given a new one is to be had: half its life. Its own two times are compared, since the clock here may
    /// be another.
    pub(super) fn half_life(&self) -> Duration {
        let life = match (self.claims.iat, self.claims.exp) {
            (Some(given), Some(ends)) => ends.saturating_sub(given),
            _ => USUAL_LIFE,
        };
        Duration::from_secs(u64::try_from(life / 2).unwrap_or_default()).max(Duration::from_secs(1))
    }

    /// When it ends, where it says so.
    pub(super) fn ends(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.claims.exp?, 0)
    }

    /// Whose it is, the `sub` that trust policies are about.
    pub(super) fn subject(&self) -> String {
        said(&self.claims.sub)
    }

    /// Whom it is for.
    pub(super) fn audience(&self) -> String {
        said(&self.claims.aud)
    }

    /// Who gave it, as identity providers are named: without `https://`.
    pub(super) fn issuer(&self) -> String {
        said(&self.claims.iss).trim_start_matches("https://").to_owned()
    }
}

fn said(claim: &Value) -> String {
    match claim {
        Value::Null => "(not said)".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
