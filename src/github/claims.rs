//! What an identity token says of a workflow's job, and whether it may be believed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::domain::proof::{PinnedKey, ProofKeys};

/// How long after it was given, or before by a clock that is not quite right, a token still speaks for the job that shows it.
const FRESH: TimeDelta = TimeDelta::minutes(10);

/// What a token says.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct JobClaims {
    /// Who signed it.
    #[serde(rename = "iss")]
    pub issuer: String,
    /// What it was made for.
    #[serde(rename = "aud")]
    pub audience: String,
    /// When it was given, in seconds since the Unix epoch.
    #[serde(rename = "iat")]
    issued: i64,
    /// When it ends, in seconds since the Unix epoch; one that does not say so has ended.
    #[serde(rename = "exp", default)]
    expires: i64,
    /// `owner/name` of the repository whose workflow it is.
    #[serde(default)]
    pub repository: Option<String>,
    #[serde(default)]
    repository_id: Value,
    /// The GitHub environment that the job runs under, which may have asked for an approval first.
    #[serde(default)]
    pub environment: Option<String>,
}

#[derive(Deserialize)]
struct Head {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    crit: Value,
}

impl JobClaims {
    /// What a token says that came from the runner's own service; nobody's signature is looked at.
    pub fn read(token: &str) -> Option<Self> {
        decoded(token.split('.').nth(1)?)
    }

    /// What a token says that one of the pinned keys signed.
    ///
    /// # Errors
    /// Why it is not believed, in words.
    pub fn verified(token: &str, keys: &ProofKeys) -> Result<Self, String> {
        let not_one = || "its token is not one".to_owned();
        let (signed, signature) = token.rsplit_once('.').ok_or_else(not_one)?;
        let (head, claims) = signed.split_once('.').ok_or_else(not_one)?;
        let head: Head = decoded(head).ok_or_else(not_one)?;
        // The token does not choose how it is checked.
        if head.alg != "RS256" || !head.crit.is_null() {
            return Err(format!("its token is signed by `{}`, and only `RS256` is believed", head.alg));
        }
        let kid = head.kid.unwrap_or_default();
        let key = keys.keys.iter().find(|key| key.kid == kid);
        let key = key.ok_or_else(|| format!("its token is signed with the key `{kid}`, which is not pinned"))?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| not_one())?;
        if !has_signed(key, signed.as_bytes(), &signature) {
            return Err(format!("its token was not signed with the key `{kid}`"));
        }
        let claims: Self = decoded(claims).ok_or_else(not_one)?;
        if claims.issuer != keys.issuer {
            return Err(format!("its token is by `{}`, not by `{}`", claims.issuer, keys.issuer));
        }
        match key.not_after {
            Some(last) if claims.issued() > last => Err(format!("its token is from after the last day of the key `{kid}`")),
            _ => Ok(claims),
        }
    }

    /// The repository's numeric id, which the server tells as a text.
    pub fn repository_id(&self) -> Option<u64> {
        self.repository_id.as_u64().or_else(|| self.repository_id.as_str()?.parse().ok())
    }

    /// When it was given.
    pub fn issued(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.issued, 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// Whether it was given just now and has not ended. One in a proof has ended long since; one that is shown must not be found.
    pub fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        (now - self.issued()).abs() <= FRESH && now.timestamp() < self.expires
    }
}

fn has_signed(key: &PinnedKey, message: &[u8], signature: &[u8]) -> bool {
    let number = |text: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
        bytes.into_iter().skip_while(|byte| *byte == 0).collect::<Vec<_>>()
    };
    let key = RsaPublicKeyComponents { n: number(&key.n), e: number(&key.e) };
    key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
}

fn decoded<T: DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn r31_a_token_speaks_for_its_job_for_minutes_only() {
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let is_fresh = |issued: i64, expires: Option<i64>| {
            let claims =
                json!({"iss": "i", "aud": "a", "iat": now.timestamp() + issued, "exp": expires.map(|by| now.timestamp() + by)});
            let claims = claims.as_object().unwrap().iter().filter(|(_, value)| !value.is_null());
            let claims = serde_json::to_vec(&claims.collect::<std::collections::BTreeMap<_, _>>()).unwrap();
            JobClaims::read(&format!("e30.{}.", URL_SAFE_NO_PAD.encode(claims))).unwrap().is_fresh(now)
        };
        assert!(is_fresh(0, Some(300)) && is_fresh(-600, Some(1)) && is_fresh(600, Some(900)));
        assert!(!is_fresh(-601, Some(300)), "it is old");
        assert!(!is_fresh(601, Some(900)), "it is from the future");
        assert!(!is_fresh(-300, Some(0)), "it has ended");
        assert!(!is_fresh(0, None), "it never ends");
        assert!(!is_fresh(i64::MAX - now.timestamp(), Some(300)), "it is from no time at all");
    }
}
