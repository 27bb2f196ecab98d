//! Plugin sources on a GitHub server: refs by its API, files by the archive of a commit. One archive serves all plugins of the
//! commit.
//!
//! The server makes the archive with `git archive`, so that `export-ignore` and `export-subst` of the repository's attributes
//! have their effect. Submodules leave empty folders, by which they are noticed and refused.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use async_trait::async_trait;
use flate2::read::GzDecoder;
use serde::Deserialize;

use super::refs::Refs;
use super::remote::{Remote, RemoteProblem};
use super::tree::{LARGEST_TREE, Tree, TreeProblem, inside, is_plain_path};
use super::unpack::unpack_where;
use crate::github::{ApiError, Client, Repository, part};

/// How many times its own size an archive may be unpacked: text is seldom compressed to less than a twentieth.
const MOST_RATIO: u64 = 100;

/// The most that an archive may be unpacked to, in bytes.
const LARGEST_UNPACKED: u64 = 2 << 30;

/// A repository on a GitHub server.
pub(super) struct GitHub {
    client: Client,
    repository: Repository,
    /// Fetched archives, as they came, by commit.
    archives: BTreeMap<String, Vec<u8>>,
}

#[derive(Deserialize)]
struct Commit {
    sha: String,
}

#[derive(Deserialize)]
struct GitRef {
    #[serde(rename = "ref")]
    name: String,
    object: Commit,
}

impl GitHub {
    /// Nothing is asked yet.
    pub(super) fn new(client: Client, repository: Repository) -> Self {
        Self { client, repository, archives: BTreeMap::new() }
    }

    /// What a name means: the full name and its commit. A tag comes before a branch, as git has it.
    async fn meaning(&self, client: &Client, name: Option<&str>) -> Result<Option<(String, String)>, ApiError> {
        let full_names = match name {
            None => vec!["HEAD".to_owned()],
            Some(name) if name.starts_with("refs/") => vec![name.to_owned()],
            Some(name) => vec![format!("refs/tags/{name}"), format!("refs/heads/{name}")],
        };
        for full_name in full_names {
            if let Some(commit) = self.commit(client, &full_name).await? {
                return Ok(Some((full_name, commit)));
            }
        }
        Ok(None)
    }

    /// The commit that a full name means; none where there is no such name.
    async fn commit(&self, client: &Client, name: &str) -> Result<Option<String>, ApiError> {
        let name: Vec<String> = name.strip_prefix("refs/").unwrap_or(name).split('/').map(part).collect();
        // What changed in it is not wanted, and can be large: one file of it is as few as there can be.
        match client.get::<Commit>(&format!("{}/commits/{}?per_page=1", self.repository.route(), name.join("/"))).await {
            Ok(commit) => Ok(Some(commit.sha)),
            // So it says that no commit is called that.
            Err(ApiError::Refused { status: 422, .. }) => Ok(None),
            Err(problem) => Err(problem),
        }
    }

    /// Adds every tag, so that a likely one can be named.
    async fn add_tags(&self, client: &Client, refs: &mut Refs) -> Result<(), ApiError> {
        let tags: Vec<GitRef> = client.get(&format!("{}/git/matching-refs/tags/", self.repository.route())).await?;
        for tag in &tags {
            refs.add(&tag.name, &tag.object.sha);
        }
        Ok(())
    }
}

#[async_trait]
impl Remote for GitHub {
    async fn refs(&self, names: &BTreeSet<Option<String>>, needed: bool) -> Result<Refs, RemoteProblem> {
        let client = if needed { self.client.clone() } else { self.client.clone().impatient() };
        let (mut refs, mut found) = (Refs::default(), Vec::new());
        for name in names {
            match self.meaning(&client, name.as_deref()).await? {
                Some(meaning) => found.push(meaning),
                None => self.add_tags(&client, &mut refs).await?,
            }
        }
        // Over the tags that were listed: those are not the commits that annotated tags mean.
        for (name, commit) in &found {
            refs.add(name, commit);
        }
        Ok(refs)
    }

    async fn fetch(&mut self, commits: &BTreeSet<String>) -> Result<(), RemoteProblem> {
        for commit in commits {
            let archive = self.client.bytes(&format!("{}/tarball/{commit}", self.repository.route())).await?;
            self.archives.insert(commit.clone(), archive);
        }
        Ok(())
    }

    async fn tree(&self, commit: &str, path: &str) -> Result<Tree, RemoteProblem> {
        let missing = || RemoteProblem::Tree(TreeProblem::Archive(io::ErrorKind::NotFound.into()));
        take_in(self.archives.get(commit).ok_or_else(missing)?, path)
    }
}

/// The files below `folder` in an archive as the server makes it: compressed, with everything in one folder of any name.
fn take_in(archive: &[u8], folder: &str) -> Result<Tree, RemoteProblem> {
    let most = (archive.len() as u64).saturating_mul(MOST_RATIO).clamp(LARGEST_TREE, LARGEST_UNPACKED);
    let unpacked = Bounded { rest: most, inner: GzDecoder::new(archive) };
    let (mut others, mut empty) = (BTreeSet::new(), BTreeSet::new());
    let tree = unpack_where(unpacked, |path| {
        let path = path.split_once('/')?.1;
        if let Some(folder) = path.strip_suffix("/plugin.yaml") {
            others.insert(folder.to_owned());
        }
        let inside = inside(path, folder)?;
        let parent = inside.trim_end_matches('/').rsplit_once('/').map_or("", |(parent, _)| parent);
        empty.remove(parent);
        if let Some(folder) = inside.strip_suffix('/').filter(|folder| is_plain_path(folder)) {
            empty.insert(folder.to_owned());
        }
        Some(inside)
    })?;
    match empty.pop_first() {
        // Git itself has no empty folders.
        Some(submodule) => Err(TreeProblem::Submodule(submodule).into()),
        None if tree.files.is_empty() => Err(RemoteProblem::no_folder(folder, others)),
        None => Ok(tree),
    }
}

/// Reads no more than so much.
struct Bounded<R> {
    rest: u64,
    inner: R,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.rest = self.rest.checked_sub(read as u64).ok_or_else(|| io::Error::other("it unpacks to far more than its size"))?;
        Ok(read)
    }
}
