//! The client: octocrab on top of our own [`Wire`].

use std::fmt;
use std::sync::Arc;

use http::Method;
use http::header::{ACCEPT, HeaderMap, HeaderValue};
use http_body_util::{BodyExt as _, Full};
use octocrab::{Octocrab, OctocrabBuilder};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use super::error::ApiError;
use super::wire::Wire;
use crate::secrets::Secret;
use crate::world::World;

/// A GitHub server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Where its API is, `GITHUB_API_URL` in a workflow; on a server of one's own it ends in `/api/v3`.
    pub api: String,
    /// Where people look at it, `GITHUB_SERVER_URL` in a workflow.
    pub web: String,
}

impl Default for Server {
    fn default() -> Self {
        Self::at(None, None)
    }
}

impl Server {
    /// The server at these addresses; where none is given, the public one.
    pub fn at(api: Option<&str>, web: Option<&str>) -> Self {
        let address = |given: Option<&str>, public: &str| given.unwrap_or(public).trim_end_matches('/').to_owned();
        Self { api: address(api, "https://api.github.com"), web: address(web, "https://github.com") }
    }
}

/// A repository on a server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Repository {
    /// Its owner: a user or an organization.
    pub owner: String,
    /// Its name.
    pub name: String,
}

impl Repository {
    /// The start of the routes of this repository.
    pub fn route(&self) -> String {
        format!("/repos/{}/{}", part(&self.owner), part(&self.name))
    }
}

impl std::str::FromStr for Repository {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let is_part = |part: &str| {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            !matches!(part, "" | "." | "..") && part.bytes().all(is_plain)
        };
        match text.split_once('/') {
            Some((owner, name)) if is_part(owner) && is_part(name) => Ok(Self { owner: owner.to_owned(), name: name.to_owned() }),
            _ => Err(format!("`{text}` is not a repository: write `<owner>/<repository>`")),
        }
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

/// Who asks.
#[derive(Debug, Clone)]
pub enum Identity {
    /// Whoever holds this token: a workflow, a person, an app.
    Token(Secret),
    /// A GitHub App, with tokens that are minted when they are needed.
    App {
        /// Its id, or its client id.
        id: String,
        /// Its private key, PEM.
        key: Secret,
        /// The only repository that its tokens reach.
        repository: Repository,
    },
    /// Nobody in particular, who sees what is public.
    Anonymous,
}

/// A client of one server in one identity. Cloning it is cheap, and clones share token, limits and count.
#[derive(Clone)]
pub struct Client {
    wire: Wire,
    octocrab: Octocrab,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Client {
    /// A client that has not asked anything yet. It is made inside of a Tokio runtime.
    pub fn new(world: &World, server: &Server, identity: Identity) -> Self {
        Self::on(Wire::new(world, server, identity))
    }

    /// The same client, which tells `learn` of every secret that the server gives it, before it is used.
    #[must_use]
    pub fn learning(mut self, learn: impl Fn(&Secret) + Send + Sync + 'static) -> Self {
        self.wire.learn = Arc::new(learn);
        Self::on(self.wire)
    }

    /// The same client, which waits for no limit any more once `cancel` is.
    #[must_use]
    pub fn cancelled_by(mut self, cancel: CancellationToken) -> Self {
        self.wire.cancel = cancel;
        Self::on(self.wire)
    }

    /// The same client, which tries everything once.
    #[must_use]
    pub fn impatient(mut self) -> Self {
        self.wire.retries = 0;
        Self::on(self.wire)
    }

    fn on(wire: Wire) -> Self {
        let service = tower::service_fn({
            let wire = wire.clone();
            move |request| {
                let wire = wire.clone();
                async move { wire.carry(request).await.map(|answer| answer.map(Full::from)) }
            }
        });
        let Ok(octocrab) = OctocrabBuilder::new_empty().with_service(service).with_auth(octocrab::AuthState::None).build();
        Self { wire, octocrab }
    }

    /// Reads from a route such as `/repos/acme/shop/pulls`; tried again when that may help.
    ///
    /// # Errors
    /// When the server cannot be reached, refuses, or answers something else.
    pub async fn get<T: DeserializeOwned>(&self, route: &str) -> Result<T, ApiError> {
        self.octocrab.get(route, None::<&()>).await.map_err(|problem| ApiError::from_octocrab(route, problem))
    }

    /// As [`Self::get`]; none where there is no such thing, or none that may be seen.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn find<T: DeserializeOwned>(&self, route: &str) -> Result<Option<T>, ApiError> {
        match self.get(route).await {
            Err(ApiError::NotFound { .. }) => Ok(None),
            found => found.map(Some),
        }
    }

    /// Writes. It is repeated only where the server surely did not carry it out.
    ///
    /// # Errors
    /// As [`Self::get`]. After [`ApiError::Unavailable`] it may have been carried out.
    pub async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        route: &str,
        body: &(impl Serialize + Sync),
    ) -> Result<T, ApiError> {
        let sent = async {
            let request = http::Request::builder().method(method).uri(route);
            let answer = self.octocrab.execute(self.octocrab.build_request(request, Some(body))?).await?;
            <T as octocrab::FromResponse>::from_response(answer).await
        };
        sent.await.map_err(|problem| ApiError::from_octocrab(route, problem))
    }

    /// Deletes. It is repeated only where the server surely did not carry it out.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn delete(&self, route: &str) -> Result<(), ApiError> {
        let deleted = self.octocrab._delete(route, None::<&()>).await;
        deleted.map(|_| ()).map_err(|problem| ApiError::from_octocrab(route, problem))
    }

    /// Reads bytes, such as an archive.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn bytes(&self, route: &str) -> Result<Vec<u8>, ApiError> {
        let read = async { self.octocrab._get(route).await?.into_body().collect().await };
        Ok(read.await.map_err(|problem| ApiError::from_octocrab(route, problem))?.to_bytes().to_vec())
    }

    /// How many requests were made that change something; tokens do not count.
    pub fn writes(&self) -> u64 {
        self.wire.writes()
    }

    /// The numeric id of a repository, which it keeps whatever it is called.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn id_of(&self, repository: &Repository) -> Result<u64, ApiError> {
        #[derive(serde::Deserialize)]
        struct About {
            id: u64,
        }
        Ok(self.get::<About>(&repository.route()).await?.id)
    }

    /// As [`Self::get`], for a server that asks to be told the form of its answer.
    pub(super) async fn get_as<T: DeserializeOwned>(&self, route: &str, form: &'static str) -> Result<T, ApiError> {
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(form))]);
        let answer = self.octocrab.get_with_headers(route, None::<&()>, Some(headers)).await;
        answer.map_err(|problem| ApiError::from_octocrab(route, problem))
    }
}

/// What stands for itself in a part of a path.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// `text` as one part of a route.
pub fn part(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}
