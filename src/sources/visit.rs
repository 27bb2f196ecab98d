//! One remote: everything that is wanted of it, with one look at its refs and one fetch.

use std::collections::BTreeSet;

use semver::Version;

use super::cache::Cache;
use super::fetch::Fetched;
use super::git::{Git, hide_credentials};
use super::github::GitHub;
use super::lock::LockEntry;
use super::refs::{RefKind, Refs, is_commit};
use super::remote::{Remote, RemoteProblem};
use super::tree::Tree;
use crate::domain::diagnostic::Diagnostic;
use crate::domain::failure::FailureReason::{PluginChanged, PluginUnavailable};
use crate::domain::record::ResolvedSource;
use crate::github::{Client, Repository};
use crate::world::World;

/// A repository elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// Git reaches it at this URL.
    Git(String),
    /// The GitHub server has it.
    GitHub(Repository),
}

impl Place {
    /// As people know it.
    fn shown(&self) -> String {
        match self {
            Self::Git(url) => hide_credentials(url),
            Self::GitHub(repository) => format!("github:{repository}"),
        }
    }
}

/// A folder of a repository at some ref.
pub(super) struct Wanted {
    /// The text after `use:`.
    pub(super) written: String,
    /// The source in its normal form.
    pub(super) source: String,
    /// The folder; empty for the root.
    pub(super) path: String,
    /// Tag, branch or commit; none for the default branch.
    pub(super) reference: Option<String>,
    /// The version, where the catalog or the lock file gave one.
    pub(super) version: Option<Version>,
    /// The lock file's entry, where it is to be used.
    pub(super) locked: Option<LockEntry>,
}

impl Wanted {
    /// Whether there is a ref to look up, or one that may have moved since it was locked.
    fn needs_refs(&self) -> bool {
        match &self.reference {
            Some(reference) => !is_commit(reference),
            None => self.locked.is_none(),
        }
    }
}

/// What became of one source.
pub(super) struct Outcome {
    /// The text after `use:`.
    pub(super) written: String,
    /// The plugin and its entry in the lock file, or why not.
    pub(super) result: Result<(Fetched, LockEntry), Box<Diagnostic>>,
    /// What is to be said besides.
    pub(super) warning: Option<Diagnostic>,
}

impl Outcome {
    fn failed(written: String, problem: Diagnostic) -> Self {
        Self { written, result: Err(Box::new(problem)), warning: None }
    }
}

/// A source with its commit, and its files where they were in the cache.
struct Settled {
    wanted: Wanted,
    commit: String,
    cached: Option<Tree>,
    warning: Option<Diagnostic>,
}

/// Gets everything that is wanted of one remote.
pub(super) async fn visit(world: World, github: Client, cache: &Cache, place: Place, wanted: Vec<Wanted>) -> Vec<Outcome> {
    let shown = place.shown();
    let mut remote: Box<dyn Remote> = match place {
        Place::GitHub(repository) => Box::new(GitHub::new(github, repository)),
        Place::Git(url) => match Git::new(world, url, cache.folder()) {
            Ok(remote) => Box::new(remote),
            Err(problem) => return all_failed(wanted, unreachable(&shown, problem)),
        },
    };
    let (settled, mut outcomes) = settle_all(&*remote, cache, wanted, &shown).await;
    let (mut ready, missing): (Vec<_>, Vec<_>) = settled.into_iter().partition(|settled| settled.cached.is_some());
    let commits: BTreeSet<String> = missing.iter().map(|settled| settled.commit.clone()).collect();
    let fetched = if commits.is_empty() { Ok(()) } else { remote.fetch(&commits).await };
    match fetched {
        Ok(()) => ready.extend(missing),
        Err(problem) => {
            outcomes.extend(all_failed(missing.into_iter().map(|settled| settled.wanted), unreachable(&shown, problem)));
        }
    }
    for settled in ready {
        outcomes.push(take(&*remote, cache, settled, &shown).await);
    }
    outcomes
}

/// Finds the commit of each source, or why it has none.
async fn settle_all(remote: &dyn Remote, cache: &Cache, wanted: Vec<Wanted>, shown: &str) -> (Vec<Settled>, Vec<Outcome>) {
    let from_cache = |wanted: Wanted| {
        let cached = wanted.locked.as_ref().and_then(|entry| cache.read(&entry.digest));
        (wanted, cached)
    };
    let wanted: Vec<_> = wanted.into_iter().map(from_cache).collect();
    let names: BTreeSet<Option<String>> =
        wanted.iter().filter(|(wanted, _)| wanted.needs_refs()).map(|(wanted, _)| wanted.reference.clone()).collect();
    let needed = wanted.iter().any(|(_, cached)| cached.is_none());
    let refs = if names.is_empty() { Ok(Refs::default()) } else { remote.refs(&names, needed).await };
    let (mut settled, mut outcomes, mut cut_off) = (Vec::new(), Vec::new(), Vec::new());
    for (wanted, cached) in wanted {
        let refs = match &refs {
            Ok(refs) => Some(refs),
            // Its content is known to be right; only whether its tag has moved stays unknown.
            Err(_) if cached.is_some() || !wanted.needs_refs() => None,
            Err(_) => {
                cut_off.push(wanted);
                continue;
            }
        };
        match settle(&wanted, refs, shown) {
            Ok((commit, warning)) => settled.push(Settled { wanted, commit, cached, warning }),
            Err(problem) => outcomes.push(Outcome::failed(wanted.written, *problem)),
        }
    }
    if let Err(problem) = refs {
        outcomes.extend(all_failed(cut_off, unreachable(shown, problem)));
    }
    (settled, outcomes)
}

/// The commit to use, and what is to be said of it. Without refs, the remote was not asked.
fn settle(wanted: &Wanted, refs: Option<&Refs>, shown: &str) -> Result<(String, Option<Diagnostic>), Box<Diagnostic>> {
    let name = wanted.reference.as_deref();
    let named = name.filter(|name| is_commit(name));
    let Some(entry) = &wanted.locked else {
        return match named.or_else(|| refs?.resolve(name).map(|(_, commit)| commit)) {
            Some(commit) => Ok((commit.to_owned(), None)),
            None => Err(no_such_ref(name, refs, shown).into()),
        };
    };
    let now = named.map(|commit| (RefKind::Tag, commit)).or_else(|| refs?.resolve(name));
    match now {
        Some((RefKind::Tag, now)) if now != entry.commit => Err(moved(wanted, &entry.commit, now, shown).into()),
        None if refs.is_some() && wanted.needs_refs() => {
            let message = format!("`{shown}` no longer has `{}`; its locked commit is used", name.unwrap_or("HEAD"));
            Ok((entry.commit.clone(), Some(Diagnostic::warning(PluginUnavailable, message))))
        }
        _ => Ok((entry.commit.clone(), None)),
    }
}

/// Reads the files, unless the cache had them, and holds them against the lock file.
async fn take(remote: &dyn Remote, cache: &Cache, settled: Settled, shown: &str) -> Outcome {
    let Settled { wanted, commit, cached, warning } = settled;
    let is_new = cached.is_none();
    let tree = match cached {
        Some(tree) => tree,
        None => match remote.tree(&commit, &wanted.path).await {
            Ok(tree) => tree,
            Err(problem) => return Outcome::failed(wanted.written, unfit(&wanted.source, &commit, shown, problem)),
        },
    };
    let digest = tree.digest();
    if let Some(entry) = wanted.locked.as_ref().filter(|entry| entry.digest != digest) {
        let message = format!("the content of `{}` is not what `tieline.lock` recorded", wanted.written);
        let problem = Diagnostic::error(PluginChanged, message)
            .note(format!("commit {commit} has the tree digest {}", digest.short()))
            .note(format!("`tieline.lock` has {}", entry.digest.short()))
            .help("find out who changed `tieline.lock`; if the content is what you want, run `tieline plugins update`");
        return Outcome::failed(wanted.written, problem);
    }
    if is_new {
        cache.keep(&digest, &tree);
    }
    let Wanted { written, source, version, locked, .. } = wanted;
    let entry =
        locked.unwrap_or_else(|| LockEntry { source, version, commit: commit.clone(), digest: digest.clone(), providers: None });
    let source = ResolvedSource { written: written.clone(), commit: Some(commit), digest };
    Outcome { written, result: Ok((Fetched { source, tree }, entry)), warning }
}

/// One problem for all: it is shown once, at the first of them.
fn all_failed(wanted: impl IntoIterator<Item = Wanted>, problem: Diagnostic) -> Vec<Outcome> {
    let mut written = wanted.into_iter().map(|wanted| wanted.written);
    let Some(first) = written.next() else {
        return Vec::new();
    };
    let problem = written.fold(problem, |problem, other| problem.note(format!("`{other}` comes from there as well")));
    vec![Outcome::failed(first, problem)]
}

fn unreachable(shown: &str, problem: RemoteProblem) -> Diagnostic {
    let diagnostic = Diagnostic::error(PluginUnavailable, format!("the repository `{shown}` cannot be read"));
    match problem {
        RemoteProblem::GitHub(problem) => {
            let Diagnostic { reason, message, notes, help, .. } = problem.diagnostic(PluginUnavailable);
            Diagnostic { reason, notes: [vec![message], notes].concat(), help, ..diagnostic }
        }
        RemoteProblem::Spawn(problem) => diagnostic.note(problem.to_string()).help("install git, or put it on the `PATH`"),
        problem => with_lines(diagnostic, &problem).help("check its address, the access to it and the network"),
    }
}

fn unfit(source: &str, commit: &str, shown: &str, problem: RemoteProblem) -> Diagnostic {
    match problem {
        RemoteProblem::NoFolder { path, others } => {
            let message = format!("`{shown}` has no folder `{path}` at {commit}");
            let diagnostic = Diagnostic::error(PluginUnavailable, message);
            let others: Vec<String> = others.iter().map(|other| format!("`{other}`")).collect();
            if others.is_empty() { diagnostic } else { diagnostic.help(format!("it has plugins in {}", others.join(", "))) }
        }
        RemoteProblem::Tree(problem) => {
            Diagnostic::error(PluginUnavailable, format!("`{source}` cannot be used as a plugin: {problem}"))
                .note(format!("at commit {commit}"))
        }
        problem => {
            let message = format!("commit {commit} of `{shown}` cannot be read");
            with_lines(Diagnostic::error(PluginUnavailable, message), &problem)
                .help("if it was removed there, run `tieline plugins update`")
        }
    }
}

/// A remote may say much.
const MOST_LINES: usize = 8;

fn with_lines(diagnostic: Diagnostic, problem: &RemoteProblem) -> Diagnostic {
    problem.to_string().lines().take(MOST_LINES).fold(diagnostic, Diagnostic::note)
}

fn no_such_ref(name: Option<&str>, refs: Option<&Refs>, shown: &str) -> Diagnostic {
    let Some(name) = name else {
        return Diagnostic::error(PluginUnavailable, format!("`{shown}` has no default branch")).help("add `?ref=`");
    };
    let diagnostic = Diagnostic::error(PluginUnavailable, format!("`{shown}` has no tag or branch `{name}`"));
    let near: Vec<String> =
        refs.map(|refs| refs.nearest(name)).unwrap_or_default().iter().map(|near| format!("`{near}`")).collect();
    if near.is_empty() {
        diagnostic.help("name a tag, a branch, or all 40 characters of a commit")
    } else {
        diagnostic.help(format!("did you mean {}?", near.join(" or ")))
    }
}

fn moved(wanted: &Wanted, locked: &str, now: &str, shown: &str) -> Diagnostic {
    let name = wanted.reference.as_deref().unwrap_or_default();
    let message = if is_commit(name) {
        format!("`tieline.lock` has another commit for `{}` than the one it names", wanted.written)
    } else {
        format!("the tag `{name}` of `{shown}` was moved")
    };
    Diagnostic::error(PluginChanged, message)
        .note(format!("`tieline.lock` has commit {locked}"))
        .note(format!("it is now {now}"))
        .help("find out why a published version changed; if the change is wanted, run `tieline plugins update`")
}
