//! Tokens of a GitHub App: short-lived, for one repository, minted when they are needed.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use http::Request;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::sync::Mutex;

use super::client::Repository;
use super::error::{ApiError, Bearer};
use super::wire::Wire;
use crate::secrets::Secret;

/// The permissions that are asked for, where the app's installation has them.
const USED: [&str; 6] = ["checks", "contents", "deployments", "issues", "metadata", "pull_requests"];

/// A token that runs out sooner is not used any more.
const LEAST_LEFT: TimeDelta = TimeDelta::minutes(5);

/// An app in one repository.
pub(super) struct App {
    id: String,
    key: Secret,
    repository: Repository,
    held: Mutex<Option<Held>>,
}

struct Held {
    token: Secret,
    until: DateTime<Utc>,
}

/// The app's presence in an organization or account.
#[derive(Deserialize)]
struct Installation {
    id: u64,
    permissions: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Minted {
    token: String,
    expires_at: DateTime<Utc>,
}

impl App {
    pub(super) fn new(id: String, key: Secret, repository: Repository) -> Self {
        Self { id, key, repository, held: Mutex::default() }
    }

    /// The token in use, or a new one.
    pub(super) async fn token(&self, wire: &Wire) -> Result<Secret, ApiError> {
        let mut held = self.held.lock().await;
        if let Some(held) = held.as_ref().filter(|held| held.until - wire.world.clock.now() >= LEAST_LEFT) {
            return Ok(held.token.clone());
        }
        let new = self.mint(wire).await?;
        let token = new.token.clone();
        *held = Some(new);
        Ok(token)
    }

    /// Drops the token in use. Whether there was one.
    pub(super) async fn forget(&self) -> bool {
        self.held.lock().await.take().is_some()
    }

    async fn mint(&self, wire: &Wire) -> Result<Held, ApiError> {
        let proof = self.proof(wire.world.clock.now())?;
        (wire.learn)(&proof);
        let installation: Installation = ask(wire, &proof, "GET", &format!("{}/installation", self.repository.route()), vec![])
            .await
            .map_err(|problem| self.not_installed(problem))?;
        let permissions: BTreeMap<_, _> =
            installation.permissions.into_iter().filter(|(name, _)| USED.contains(&name.as_str())).collect();
        let scope = json!({"repositories": [self.repository.name], "permissions": permissions});
        let route = format!("/app/installations/{}/access_tokens", installation.id);
        let minted: Minted = ask(wire, &proof, "POST", &route, scope.to_string().into_bytes()).await?;
        let token = Secret::new(minted.token);
        (wire.learn)(&token);
        Ok(Held { token, until: minted.expires_at })
    }

    fn not_installed(&self, problem: ApiError) -> ApiError {
        match problem {
            ApiError::NotFound { call, bearer } => {
                let message = format!("the GitHub App `{}` is not installed on `{}`", self.id, self.repository);
                ApiError::Denied { call, permission: None, bearer, message }
            }
            problem => problem,
        }
    }

    /// What proves to the server that we are the app: a JSON Web Token, for ten minutes at most.
    fn proof(&self, now: DateTime<Utc>) -> Result<Secret, ApiError> {
        let unusable = |why: &dyn std::fmt::Display| ApiError::Denied {
            call: "sign in as the GitHub App".to_owned(),
            permission: None,
            bearer: Bearer::App,
            message: format!(
                "its private key cannot be used: {why}; it is the whole `.pem` file, with its first and last line and its line breaks"
            ),
        };
        let key = match PrivateKeyDer::from_pem_slice(self.key.expose().trim().as_bytes()) {
            Ok(PrivateKeyDer::Pkcs1(der)) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            Ok(PrivateKeyDer::Pkcs8(der)) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            Ok(_) => return Err(unusable(&"it is not an RSA key")),
            Err(_) => return Err(unusable(&"it is not PEM")),
        };
        let key = key.map_err(|problem| unusable(&problem))?;
        // Clocks differ: it is valid from a minute ago.
        let claims = json!({"iss": self.id, "iat": now.timestamp() - 60, "exp": now.timestamp() + 9 * 60});
        let encoded = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encoded(&json!({"alg": "RS256", "typ": "JWT"})), encoded(&claims));
        let mut signature = vec![0; key.public().modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|problem| unusable(&problem))?;
        Ok(Secret::new(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }
}

/// Asks as the app itself.
async fn ask<T: DeserializeOwned>(wire: &Wire, proof: &Secret, method: &str, route: &str, body: Vec<u8>) -> Result<T, ApiError> {
    let call = format!("{method} {route}");
    let unavailable = |why: String| ApiError::Unavailable { call: call.clone(), why };
    let request = Request::builder()
        .method(method)
        .uri(route)
        .header("content-type", "application/json")
        .header("x-github-api-version", "2022-11-28")
        .body(body)
        .map_err(|problem| unavailable(problem.to_string()))?;
    let answer = wire.clone().exchange(request, Some(proof.clone()), Bearer::App).await?;
    // Its text is not repeated: it may hold a token.
    serde_json::from_slice(answer.body()).map_err(|_| unavailable("the answer is not as expected".to_owned()))
}
