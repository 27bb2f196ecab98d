//! The git client for plugin sources: what refs a remote has, and the files of a commit.
//!
//! Files are read as blobs, not through `git archive` or a checkout: neither attributes (`export-subst`, `export-ignore`, line
//! ends, filters) nor submodules can then make the tree other than what the commit holds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use backon::{ExponentialBuilder, Retryable as _};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::refs::Refs;
use super::remote::{Remote, RemoteProblem};
use super::tree::{Intake, Tree, TreeFile, TreeProblem, inside};
use crate::world::{Apart, OnCancel, ProcessSpec, World};

/// Variables that git may see: who we are to the remote, and how to reach it.
const PASSED: [&str; 14] = [
    "HOME",
    "PATH",
    "SSH_AUTH_SOCK",
    "GIT_SSH_COMMAND",
    "GIT_ASKPASS",
    "GIT_SSL_CAINFO",
    "http_proxy",
    "https_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
];

/// What git says when another try may help.
const PASSING: [&str; 14] = [
    "Could not resolve host",
    "Temporary failure in name resolution",
    "Failed to connect",
    "Connection refused",
    "Connection reset",
    "Connection timed out",
    "Connection closed",
    "Operation timed out",
    "early EOF",
    "unexpected disconnect",
    "RPC failed",
    "TLS connection was non-properly terminated",
    "returned error: 429",
    "returned error: 5",
];

/// What git says when the remote does not give out a commit by its id alone.
const NOT_BY_ID: [&str; 3] = ["not our ref", "unadvertised object", "couldn't find remote ref"];

/// How often a transfer is tried again.
const RETRIES: usize = 3;
const LISTING_LIMIT: Duration = Duration::from_mins(1);
const GLANCE_LIMIT: Duration = Duration::from_secs(10);
const FETCH_LIMIT: Duration = Duration::from_mins(10);
const LOCAL_LIMIT: Duration = Duration::from_mins(1);

fn may_pass(problem: &RemoteProblem) -> bool {
    matches!(problem, RemoteProblem::Git(said) if PASSING.iter().any(|words| said.contains(words)))
}

fn is_not_by_id(problem: &RemoteProblem) -> bool {
    matches!(problem, RemoteProblem::Git(said) if NOT_BY_ID.iter().any(|words| said.contains(words)))
}

/// A remote, with a private repository for what is fetched from it.
pub(super) struct Git {
    world: World,
    url: String,
    folder: TempDir,
}

impl Git {
    /// Nothing is asked of the remote yet.
    pub(super) fn new(world: World, url: String, parent: &Path) -> Result<Self, RemoteProblem> {
        let folder = world.files.private_folder(parent, "git-").map_err(RemoteProblem::Folder)?;
        Ok(Self { world, url, folder })
    }

    /// A call that talks to the remote; tried again where that may help.
    async fn transfer(&self, arguments: &[&str], limit: Duration, retries: usize) -> Result<Vec<u8>, RemoteProblem> {
        let command = self.command(arguments, limit, None);
        run_with_retries(self.world.clone(), command, hide_credentials(&self.url), retries).await
    }

    async fn local(&self, arguments: &[&str], stdin: Option<Vec<u8>>) -> Result<Vec<u8>, RemoteProblem> {
        run(self.world.clone(), self.command(arguments, LOCAL_LIMIT, stdin)).await
    }

    fn command(&self, arguments: &[&str], limit: Duration, stdin: Option<Vec<u8>>) -> ProcessSpec {
        let settings = ["protocol.ext.allow=never", "core.hooksPath=/dev/null", "gc.auto=0", "maintenance.auto=false"];
        let settings = settings.iter().flat_map(|setting| ["-c", setting]);
        let variables = &self.world.variables;
        let passed = PASSED.iter().filter_map(|name| Some(((*name).to_owned(), variables.get(name)?.to_owned())));
        let mut environment: BTreeMap<String, String> = BTreeMap::from(
            [
                ("GIT_TERMINAL_PROMPT", "0"),
                ("LC_ALL", "C"),
                // A host key or a passphrase must not be asked for: nobody is there to answer.
                ("GIT_SSH_COMMAND", "ssh -o BatchMode=yes"),
                // Settings of whatever repository lies around our folder are not ours.
                ("GIT_CEILING_DIRECTORIES", &self.folder.path().parent().unwrap_or(Path::new("/")).to_string_lossy()),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        environment.extend(passed);
        ProcessSpec {
            program: "git".into(),
            arguments: settings.chain(arguments.iter().copied()).map(str::to_owned).collect(),
            directory: self.folder.path().to_owned(),
            environment,
            stdin,
            on_cancel: OnCancel::Kill,
            time_limit: Some(limit),
            apart: Apart::default(),
        }
    }
}

#[async_trait]
impl Remote for Git {
    async fn refs(&self, names: &BTreeSet<Option<String>>, needed: bool) -> Result<Refs, RemoteProblem> {
        let mut arguments = vec!["ls-remote", "--quiet"];
        // The default branch has the price of every other ref there is.
        if !names.contains(&None) {
            arguments.extend(["--heads", "--tags"]);
        }
        arguments.extend(["--", &self.url]);
        let (limit, retries) = if needed { (LISTING_LIMIT, RETRIES) } else { (GLANCE_LIMIT, 0) };
        let listing = self.transfer(&arguments, limit, retries).await?;
        Ok(Refs::parse(&String::from_utf8_lossy(&listing)))
    }

    /// Each alone, without its past, where the remote gives them out by id; else every tag and branch.
    async fn fetch(&mut self, commits: &BTreeSet<String>) -> Result<(), RemoteProblem> {
        self.local(&["init", "--quiet", "--bare", "--template="], None).await?;
        let fetch = ["--git-dir=.", "fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head"];
        let commits = commits.iter().map(String::as_str);
        let alone: Vec<&str> = fetch.into_iter().chain(["--depth=1", "--", &self.url]).chain(commits).collect();
        match self.transfer(&alone, FETCH_LIMIT, RETRIES).await {
            Err(problem) if is_not_by_id(&problem) => {
                let all = ["--", &self.url, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
                let all: Vec<&str> = fetch.into_iter().chain(all).collect();
                self.transfer(&all, FETCH_LIMIT, RETRIES).await.map(|_| ())
            }
            fetched => fetched.map(|_| ()),
        }
    }

    async fn tree(&self, commit: &str, path: &str) -> Result<Tree, RemoteProblem> {
        let arguments = ["--git-dir=.", "ls-tree", "-r", "-l", "-z", "--full-tree", commit];
        let listing = self.local(&arguments, None).await?;
        let blobs = admitted(&listing, path)?;
        let wanted: String = blobs.iter().flat_map(|blob| [blob.id.as_str(), "\n"]).collect();
        let contents = self.local(&["--git-dir=.", "cat-file", "--batch"], Some(wanted.into_bytes())).await?;
        let mut rest = contents.as_slice();
        let mut tree = Tree::default();
        for blob in blobs {
            let bytes = next_blob(&mut rest, &blob.id)
                .ok_or_else(|| RemoteProblem::Git(format!("the content of `{}` is missing", blob.path)))?;
            tree.files.insert(blob.path, TreeFile { executable: blob.executable, bytes: bytes.to_vec() });
        }
        Ok(tree)
    }
}

/// Not an `async fn`: only with the type written down does the compiler see that it is `Send`.
fn run_with_retries(
    world: World,
    command: ProcessSpec,
    url: String,
    retries: usize,
) -> impl Future<Output = Result<Vec<u8>, RemoteProblem>> + Send {
    let clock = world.clock.clone();
    (move || run(world.clone(), command.clone()))
        .retry(ExponentialBuilder::default().with_jitter().with_max_times(retries))
        .sleep(move |pause| {
            let clock = clock.clone();
            async move { clock.sleep(pause).await }
        })
        .when(may_pass)
        .notify(move |problem: &RemoteProblem, pause| {
            tracing::warn!("`{url}` cannot be reached, next try in {} ms: {problem}", pause.as_millis());
        })
}

async fn run(world: World, command: ProcessSpec) -> Result<Vec<u8>, RemoteProblem> {
    let done = world.exec.capture(&command, &CancellationToken::new()).await?;
    if done.exit.success() {
        return Ok(done.stdout);
    }
    if done.exit.cancelled {
        return Err(RemoteProblem::Late);
    }
    let said = hide_credentials(String::from_utf8_lossy(&done.stderr).trim());
    Err(RemoteProblem::Git(if said.is_empty() { "nothing".to_owned() } else { said }))
}

struct Blob {
    path: String,
    id: String,
    executable: bool,
}

/// The files below `folder` in what `ls-tree -r -l -z` lists: `<mode> <type> <id> <size>\t<path>`, each with a NUL at its end.
fn admitted(listing: &[u8], folder: &str) -> Result<Vec<Blob>, RemoteProblem> {
    let mut blobs = Vec::new();
    let mut intake = Intake::default();
    let mut others = BTreeSet::new();
    for line in listing.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
        let line = String::from_utf8_lossy(line);
        let Some((facts, path)) = line.split_once('\t') else { continue };
        if let Some(folder) = path.strip_suffix("/plugin.yaml") {
            others.insert(folder.to_owned());
        }
        let Some(inside) = inside(path, folder) else { continue };
        let facts: Vec<&str> = facts.split_whitespace().collect();
        match facts[..] {
            ["120000", ..] => return Err(TreeProblem::Link(inside.to_owned()).into()),
            ["160000", ..] => return Err(TreeProblem::Submodule(inside.to_owned()).into()),
            [mode, "blob", id, size] => {
                if intake.admit(inside, size.parse().unwrap_or(u64::MAX))? {
                    blobs.push(Blob { path: inside.to_owned(), id: id.to_owned(), executable: mode == "100755" });
                }
            }
            _ => return Err(TreeProblem::Special(inside.to_owned()).into()),
        }
    }
    if blobs.is_empty() {
        return Err(RemoteProblem::no_folder(folder, others));
    }
    Ok(blobs)
}

/// Takes one blob off what `cat-file --batch` writes: `<id> blob <size>\n<content>\n`.
fn next_blob<'a>(rest: &mut &'a [u8], id: &str) -> Option<&'a [u8]> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let header = std::str::from_utf8(&rest[..end]).ok()?;
    let size: usize = header.strip_prefix(id)?.strip_prefix(" blob ")?.parse().ok()?;
    let (content, after) = rest[end + 1..].split_at_checked(size)?;
    *rest = after.strip_prefix(b"\n")?;
    Some(content)
}

/// The text without user names and passwords in URLs; git's own settings may have put some there.
pub(super) fn hide_credentials(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        shown.push_str(before);
        let authority = after.find(|c: char| c == '/' || c.is_whitespace()).unwrap_or(after.len());
        rest = match after[..authority].rfind('@') {
            Some(end) => {
                shown.push_str("***");
                &after[end..]
            }
            None => after,
        };
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_in_urls_are_hidden() {
        for (text, shown) in [
            ("fatal: 'https://me:pw@git.test/a' not found", "fatal: 'https://***@git.test/a' not found"),
            ("https://a:b@c@git.test", "https://***@git.test"),
            ("https://git.test/a@b and ssh://git@x/y", "https://git.test/a@b and ssh://***@x/y"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(hide_credentials(text), shown);
        }
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let failed = |said: &str| RemoteProblem::Git(said.to_owned());
        assert!(may_pass(&failed("fatal: unable to access 'https://x/': Could not resolve host: x")));
        assert!(may_pass(&failed("error: RPC failed; HTTP 503 curl 22 The requested URL returned error: 503")));
        assert!(!may_pass(&failed("fatal: Authentication failed for 'https://x/'")));
        assert!(!may_pass(&failed("fatal: repository 'https://x/' not found")));
        assert!(is_not_by_id(&failed("fatal: remote error: upload-pack: not our ref 1")));
    }

    #[test]
    fn a_blob_that_is_not_the_one_asked_for_is_not_taken() {
        let mut rest = &b"id1 blob 3\na\nb\nid2 missing\n"[..];
        assert_eq!(next_blob(&mut rest, "id1"), Some(&b"a\nb"[..]));
        assert_eq!(next_blob(&mut rest, "id2"), None);
        assert_eq!(next_blob(&mut &b"id1 blob 9\nshort\n"[..], "id1"), None);
    }
}
