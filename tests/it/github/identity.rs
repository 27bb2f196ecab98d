//! The identity of a workflow's job: tokens that others can check (`OpenID` Connect).

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::call::{Answer, Call, Outcome, now};
use super::jwt::Key;
use super::state::State;

/// Where a job gets its tokens.
pub(crate) struct Identity {
    /// `ACTIONS_ID_TOKEN_REQUEST_URL`
    pub(crate) url: String,
    /// `ACTIONS_ID_TOKEN_REQUEST_TOKEN`
    pub(crate) token: String,
    /// Who signs them; its keys are found as `OpenID` Connect says.
    pub(crate) issuer: String,
}

/// What GitHub says of a job.
pub(super) struct Job {
    /// What the job shows of itself when it asks.
    pub(super) token: String,
    /// Such as `repo:acme/shop:environment:staging`.
    pub(super) subject: String,
    /// How long its tokens live.
    pub(super) life: TimeDelta,
}

pub(super) fn answer(state: &State, call: &Call, parts: &[&str]) -> Outcome {
    let issuer = format!("{}/_oidc", call.base);
    match parts {
        ["token"] => token(state, call, &issuer),
        [".well-known", "openid-configuration"] => Ok(Answer::json(200, &configuration(&issuer))),
        [".well-known", "jwks"] => Ok(Answer::json(200, &json!({"keys": [key().public()]}))),
        _ => Err(Answer::not_found()),
    }
}

/// The key that its tokens are signed with, as it publishes it.
pub(super) fn public_key() -> Value {
    key().public()
}

/// A token with these claims, which the double would not give.
pub(super) fn forged(claims: &Value) -> String {
    key().sign(claims)
}

/// The claims of a token that the double gave, for tests.
pub(super) fn claims(token: &str) -> Option<Value> {
    key().verify(token)
}

fn token(state: &State, call: &Call, issuer: &str) -> Outcome {
    let job = state.jobs.iter().find(|job| call.token() == Some(job.token.as_str()));
    let job = job.ok_or_else(|| Answer::refused(401, "Unauthorized"))?;
    let repository = job.subject.split(':').nth(1).unwrap_or_default();
    let owner = repository.split('/').next().unwrap_or_default();
    let audience = call.query().get("audience").cloned().unwrap_or_else(|| format!("https://github.com/{owner}"));
    let now = now().timestamp();
    let id = state.repositories.get(&repository.to_lowercase()).map_or(0, |repository| repository.id);
    let mut claims = json!({
        "iss": issuer,
        "sub": job.subject,
        "aud": audience,
        "iat": now,
        "nbf": now - 300,
        "exp": now + job.life.num_seconds(),
        "jti": format!("{:032x}", state.seen.len()),
        "repository": repository,
        "repository_id": id.to_string(),
        "repository_owner": owner,
        "runner_environment": "self-hosted",
    });
    if let Some((_, environment)) = job.subject.split_once(":environment:") {
        claims["environment"] = environment.into();
    }
    let value = key().sign(&claims);
    Ok(Answer::json(200, &json!({"count": value.len(), "value": value})))
}

fn configuration(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/.well-known/jwks"),
        "subject_types_supported": ["public", "pairwise"],
        "response_types_supported": ["id_token"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid"],
        "claims_supported": ["sub", "aud", "exp", "iat", "iss", "jti", "nbf", "repository", "repository_owner"],
    })
}

fn key() -> Key {
    Key::read(include_str!("keys/issuer.pem"))
}
