//! The routes of the Git data API that a store uses, each as a function.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use http::Method;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::messages::{Blob, CommitAnswer, Listing, MadeFile, NewEntry, Object, Reference};
use crate::context::{CommitId, StoreError};
use crate::domain::failure::FailureReason;
use crate::github::{ApiError, Client, Repository, part};
use crate::world::{Clock, World};

/// So many requests are under way at once.
const AT_ONCE: usize = 8;

/// What the server says of a repository without a commit.
const EMPTY: u16 = 409;

/// One repository on the server. Clones share what they know.
#[derive(Clone)]
pub(super) struct Api {
    client: Client,
    clock: Arc<dyn Clock>,
    /// What its routes start with.
    route: Arc<str>,
    /// Where the context is, for messages.
    what: Arc<str>,
    known: Arc<Known>,
}

/// What never changes, and was read.
#[derive(Default)]
struct Known {
    /// Set once the repository was seen: only then does a 404 mean that what was asked for is not in it.
    repository: OnceCell<()>,
    commits: Mutex<BTreeMap<CommitId, Commit>>,
    files: Mutex<BTreeMap<String, Arc<Vec<u8>>>>,
}

/// What is at a ref.
pub(super) enum Look {
    At(CommitId),
    Nothing,
    /// There is no commit in the whole repository.
    EmptyRepository,
}

impl Look {
    pub(super) fn commit(&self) -> Option<&CommitId> {
        if let Self::At(commit) = self { Some(commit) } else { None }
    }

    pub(super) fn into_commit(self) -> Option<CommitId> {
        if let Self::At(commit) = self { Some(commit) } else { None }
    }
}

/// What becomes of a ref.
#[derive(Clone, Copy)]
pub(super) enum Move<'a> {
    Create(&'a CommitId),
    /// To a commit that stands on the one it is at.
    Forward(&'a CommitId),
    Delete,
}

/// What a commit consists of.
#[derive(Debug, Clone)]
pub(super) struct Commit {
    pub(super) tree: String,
    pub(super) parents: Vec<CommitId>,
}

impl Api {
    pub(super) fn new(world: &World, client: Client, repository: &Repository, what: String) -> Self {
        let route = repository.route().into();
        Self { client, clock: world.clock.clone(), route, what: what.into(), known: Arc::default() }
    }

    pub(super) fn what(&self) -> &str {
        &self.what
    }

    pub(super) async fn sleep(&self, duration: Duration) {
        self.clock.sleep(duration).await;
    }

    /// Where a ref is, now.
    pub(super) async fn look(&self, name: &str) -> Result<Look, StoreError> {
        match self.client.find::<Reference>(&self.route("git/ref", short(name))).await {
            Ok(Some(reference)) => {
                _ = self.known.repository.set(());
                Ok(Look::At(self.commit_id(&reference.object.id)?))
            }
            Ok(None) => {
                // A repository that is not there, or may not be seen, answers 404 too; a listing tells the two apart.
                self.known.repository.get_or_try_init(|| async { self.references(name).await.map(drop) }).await?;
                Ok(Look::Nothing)
            }
            Err(ApiError::Refused { status: EMPTY, .. }) => Ok(Look::EmptyRepository),
            Err(problem) => Err(self.failed(&problem)),
        }
    }

    /// The refs whose names start with `prefix`, and maybe some others.
    pub(super) async fn references(&self, prefix: &str) -> Result<BTreeMap<String, CommitId>, StoreError> {
        let route = self.route("git/matching-refs", short(prefix.trim_end_matches('/')));
        match self.client.get::<Vec<Reference>>(&route).await {
            Ok(found) => found.into_iter().map(|found| Ok((found.name, self.commit_id(&found.object.id)?))).collect(),
            Err(ApiError::Refused { status: EMPTY, .. }) => Ok(BTreeMap::new()),
            Err(problem) => Err(self.failed(&problem)),
        }
    }

    /// Changes a ref, if the server lets it.
    pub(super) async fn set_reference(&self, name: &str, change: Move<'_>) -> Result<(), ApiError> {
        let route = self.route("git/refs", short(name));
        match change {
            Move::Create(commit) => {
                let body = json!({"ref": name, "sha": commit.as_str()});
                self.client.send::<IgnoredAny>(Method::POST, &format!("{}/git/refs", self.route), &body).await?;
            }
            Move::Forward(commit) => {
                let body = json!({"sha": commit.as_str(), "force": false});
                self.client.send::<IgnoredAny>(Method::PATCH, &route, &body).await?;
            }
            Move::Delete => self.client.delete(&route).await?,
        }
        Ok(())
    }

    /// A commit.
    pub(super) async fn commit(&self, id: &CommitId) -> Result<Commit, StoreError> {
        if let Some(commit) = locked(&self.known.commits).get(id) {
            return Ok(commit.clone());
        }
        match self.client.get(&self.route("git/commits", id.as_str())).await {
            Ok(answer) => Ok(self.learn_commit(answer)?.1),
            Err(ApiError::NotFound { .. }) => Err(self.unavailable(&format!("there is no commit `{id}`"))),
            Err(problem) => Err(self.failed(&problem)),
        }
    }

    /// What is in a tree; `to_the_bottom` also all that is below it.
    pub(super) async fn tree(&self, id: &str, to_the_bottom: bool) -> Result<Listing, StoreError> {
        let route = self.route("git/trees", id);
        let route = if to_the_bottom { format!("{route}?recursive=1") } else { route };
        self.client.get(&route).await.map_err(|problem| self.failed(&problem))
    }

    /// The content of a file.
    pub(super) async fn file(&self, id: &str) -> Result<Arc<Vec<u8>>, StoreError> {
        if let Some(bytes) = locked(&self.known.files).get(id) {
            return Ok(bytes.clone());
        }
        let blob: Blob = self.client.get(&self.route("git/blobs", id)).await.map_err(|problem| self.failed(&problem))?;
        let bytes = match blob.encoding.as_str() {
            "base64" => STANDARD.decode(blob.content.replace(['\n', '\r'], "")).ok(),
            "utf-8" => Some(blob.content.into_bytes()),
            _ => None,
        };
        let bytes = Arc::new(bytes.ok_or_else(|| self.unavailable(&format!("the content of `{id}` cannot be read")))?);
        locked(&self.known.files).insert(id.to_owned(), bytes.clone());
        Ok(bytes)
    }

    /// Makes a file's content.
    pub(super) async fn make_blob(&self, bytes: &[u8]) -> Result<String, StoreError> {
        let blob: Object = self.make("blobs", &json!({"content": STANDARD.encode(bytes), "encoding": "base64"})).await?;
        Ok(blob.id)
    }

    /// Makes a tree that differs from `base` in these entries.
    pub(super) async fn make_tree(&self, base: Option<&str>, entries: &[NewEntry]) -> Result<String, StoreError> {
        let mut body = json!({"tree": entries});
        if let Some(base) = base {
            body["base_tree"] = base.into();
        }
        let tree: Object = self.make("trees", &body).await?;
        Ok(tree.id)
    }

    /// Makes a commit. Its author is who the server takes us for.
    pub(super) async fn make_commit(&self, tree: &str, parent: Option<&CommitId>, message: &str) -> Result<CommitId, StoreError> {
        let parents: Vec<_> = parent.into_iter().map(CommitId::as_str).collect();
        let answer = self.make("commits", &json!({"message": message, "tree": tree, "parents": parents})).await?;
        Ok(self.learn_commit(answer)?.0)
    }

    /// Makes a file that must not be there, in a commit of its own. It is the only way to the first commit of a repository.
    pub(super) async fn make_first_file(
        &self,
        branch: &str,
        path: &str,
        bytes: &[u8],
        message: &str,
    ) -> Result<CommitId, StoreError> {
        let body = json!({"message": message, "content": STANDARD.encode(bytes), "branch": branch});
        match self.client.send::<MadeFile>(Method::PUT, &self.route("contents", path), &body).await {
            Ok(made) => self.commit_id(&made.commit.id),
            // The file is there by now.
            Err(ApiError::Refused { message: why, .. }) => Err(StoreError::Conflict { what: branch.to_owned(), why }),
            Err(problem) => Err(self.failed(&problem)),
        }
    }

    /// What a failure means for the store.
    pub(super) fn failed(&self, problem: &ApiError) -> StoreError {
        match problem {
            ApiError::Denied { .. } | ApiError::NotFound { .. } => {
                let diagnostic = problem.diagnostic(FailureReason::ContextUnavailable);
                StoreError::Refused(Box::new(diagnostic.note(format!("the context repository is {}", self.what))))
            }
            ApiError::Refused { .. } | ApiError::Unavailable { .. } => self.unavailable(&problem.to_string()),
        }
    }

    /// It cannot be used because of `why`.
    pub(super) fn unavailable(&self, why: &str) -> StoreError {
        StoreError::Unavailable { what: self.what.to_string(), why: why.to_owned() }
    }

    /// The route of something in the repository.
    fn route(&self, kind: &str, name: &str) -> String {
        format!("{}/{kind}/{}", self.route, part(name))
    }

    /// Makes an object. Nobody sees it before a ref names it, and the same one is made if an answer is lost and it is made again.
    async fn make<T: DeserializeOwned>(&self, kind: &str, body: &Value) -> Result<T, StoreError> {
        let route = format!("{}/git/{kind}", self.route);
        let mut delays = ExponentialBuilder::default().with_jitter().with_max_times(2).build();
        loop {
            match (self.client.send(Method::POST, &route, body).await, delays.next()) {
                (Err(problem @ ApiError::Unavailable { .. }), Some(delay)) => {
                    tracing::warn!("{problem}; trying again in {} ms", delay.as_millis());
                    self.sleep(delay).await;
                }
                (made, _) => return made.map_err(|problem| self.failed(&problem)),
            }
        }
    }

    fn learn_commit(&self, answer: CommitAnswer) -> Result<(CommitId, Commit), StoreError> {
        let id = self.commit_id(&answer.id)?;
        let parents = answer.parents.iter().map(|parent| self.commit_id(&parent.id)).collect::<Result<_, _>>()?;
        let commit = Commit { tree: answer.tree.id, parents };
        locked(&self.known.commits).insert(id.clone(), commit.clone());
        Ok((id, commit))
    }

    fn commit_id(&self, text: &str) -> Result<CommitId, StoreError> {
        CommitId::new(text).ok_or_else(|| self.unavailable(&format!("`{text}`, which it answers with, is no id of a commit")))
    }
}

/// Waits for all, so many at a time; the first failure ends it.
pub(super) fn in_parallel<T, F>(asked: Vec<F>) -> impl Future<Output = Result<Vec<T>, StoreError>>
where
    F: Future<Output = Result<T, StoreError>>,
{
    stream::iter(asked).buffer_unordered(AT_ONCE).try_collect()
}

/// A ref's name as the API has it in its routes.
fn short(name: &str) -> &str {
    name.strip_prefix("refs/").unwrap_or(name)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What they hold is whole after every statement, so a panic elsewhere does not spoil it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
