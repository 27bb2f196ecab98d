//! The GitHub App there is: its installations, and the tokens it gets.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::access::Token;
use super::call::{Answer, Call, Outcome, now, stamp};
use super::jwt::Key;
use super::people::person;
use super::state::State;

const ID: u64 = 4711;
/// The longest life of what an app proves itself with.
const LONGEST: i64 = 10 * 60;

/// What a person has who set the app up.
pub(crate) struct App {
    pub(crate) id: String,
    /// The private key, PEM.
    pub(crate) key: &'static str,
}

impl App {
    pub(super) fn new() -> Self {
        Self { id: ID.to_string(), key: include_str!("keys/app.pem") }
    }
}

/// The app in an organization.
pub(super) struct Installation {
    owner: String,
    /// Names without their owner.
    repositories: Vec<String>,
    permissions: BTreeMap<String, String>,
}

impl Installation {
    pub(super) fn new(repositories: &[&str], permissions: &[&str]) -> Self {
        let parts = |name: &&str| name.split_once('/').map(|(owner, name)| (owner.to_owned(), name.to_owned())).unwrap();
        let (owners, repositories): (Vec<_>, Vec<_>) = repositories.iter().map(parts).unzip();
        let permissions = permissions.iter().map(|permission| permission.split_once('=').unwrap());
        Self {
            owner: owners[0].clone(),
            repositories,
            permissions: permissions.map(|(name, level)| (name.to_owned(), level.to_owned())).collect(),
        }
    }

    fn has(&self, owner: &str, name: &str) -> bool {
        self.owner.eq_ignore_ascii_case(owner) && self.repositories.iter().any(|own| own.eq_ignore_ascii_case(name))
    }

    fn grants(&self, name: &str, level: &str) -> bool {
        self.permissions.get(name).is_some_and(|granted| granted == level || granted == "write")
    }
}

/// The installation in a repository.
pub(super) fn find(state: &State, call: &Call, owner: &str, name: &str) -> Outcome {
    authenticate(call)?;
    let index =
        state.installations.iter().position(|installation| installation.has(owner, name)).ok_or_else(Answer::not_found)?;
    let installation = &state.installations[index];
    let (base, id) = (&call.base, index + 1);
    let shown = json!({
        "id": id,
        "app_id": ID,
        "app_slug": "double",
        "client_id": "Iv1.double",
        "account": person(base, &installation.owner, "Organization"),
        "target_id": 1,
        "target_type": "Organization",
        "single_file_name": null,
        "repository_selection": "selected",
        "access_tokens_url": format!("{base}/app/installations/{id}/access_tokens"),
        "repositories_url": format!("{base}/installation/repositories"),
        "html_url": format!("https://github.com/organizations/{}/settings/installations/{id}", installation.owner),
        "permissions": installation.permissions,
        "events": [],
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
        "suspended_by": null,
        "suspended_at": null,
    });
    Ok(Answer::json(200, &shown))
}

/// A token of an installation: for the repositories and with the permissions that are asked for, or all.
pub(super) fn mint(state: &mut State, call: &Call, id: &str) -> Outcome {
    authenticate(call)?;
    let index: Option<usize> = id.parse().ok();
    let installation = index.and_then(|id| state.installations.get(id.checked_sub(1)?)).ok_or_else(Answer::not_found)?;
    let asked = if call.body.is_empty() { json!({}) } else { call.json()? };
    let names: Vec<String> = match &asked["repositories"] {
        Value::Array(names) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => installation.repositories.clone(),
    };
    if !names.iter().all(|name| installation.has(&installation.owner, name)) {
        let message = "There is at least one repository that does not exist or is not accessible to the parent installation.";
        return Err(Answer::refused(422, message));
    }
    let permissions: BTreeMap<String, String> = match &asked["permissions"] {
        Value::Object(asked) => {
            asked.iter().map(|(name, level)| (name.clone(), level.as_str().unwrap_or_default().to_owned())).collect()
        }
        _ => installation.permissions.clone(),
    };
    if !permissions.iter().all(|(name, level)| installation.grants(name, level)) {
        return Err(Answer::refused(422, "The permissions requested are not granted to this installation."));
    }
    let granted: Vec<String> = permissions.iter().map(|(name, level)| format!("{name}={level}")).collect();
    let granted: Vec<&str> = granted.iter().map(String::as_str).collect();
    let names: Vec<String> = names.iter().map(|name| format!("{}/{name}", installation.owner)).collect();
    let grants: Vec<(&str, &[&str])> = names.iter().map(|name| (name.as_str(), granted.as_slice())).collect();
    let expires = now() + state.token_life;
    let token = state.add_token(Token::new(&grants).until(expires));
    let shown = json!({
        "token": token,
        "expires_at": stamp(expires),
        "permissions": permissions,
        "repository_selection": "selected",
    });
    Ok(Answer::json(201, &shown))
}

/// Refuses a caller that is not the app itself.
fn authenticate(call: &Call) -> Result<(), Answer> {
    let refused = |message: &str| Answer::refused(401, message);
    let claims = call.token().and_then(|token| Key::read(App::new().key).verify(token));
    let claims = claims.ok_or_else(|| refused("A JSON web token could not be decoded"))?;
    let is_us = claims["iss"] == ID.to_string().as_str() || claims["iss"] == ID || claims["iss"] == "Iv1.double";
    let (issued, expires) = (claims["iat"].as_i64(), claims["exp"].as_i64());
    let now = now().timestamp();
    if !is_us {
        return Err(refused("Integration must be found for the issuer ('iss') claim"));
    }
    if issued.is_none_or(|issued| issued > now) {
        let message = "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued";
        return Err(refused(message));
    }
    match expires {
        Some(expires) if expires > now + LONGEST => Err(refused("'Expiration time' claim ('exp') is too far in the future")),
        Some(expires) if expires > now => Ok(()),
        _ => {
            let message = "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires";
            Err(refused(message))
        }
    }
}

/// How long a token of an installation lives.
pub(super) const TOKEN_LIFE: TimeDelta = TimeDelta::hours(1);
