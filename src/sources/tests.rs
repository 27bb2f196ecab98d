//! Real git on repositories in temporary folders.
#![expect(clippy::disallowed_methods, reason = "tests break things from outside")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::domain::catalog::Catalog;
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems, Severity};
use crate::domain::failure::FailureReason;
use crate::github::{Client, Identity, Server};
use crate::world::{Apart, OnCancel, ProcessSpec, Variables, World};

mod github;
mod stackspot;

/// A manifest's folder, a cache, and a remote with one plugin.
struct Place {
    folder: TempDir,
    world: World,
    lock: Lock,
    catalog: Option<Catalog>,
}

type Answer = Result<(BTreeMap<String, Fetched>, Lock, Problems), Problems>;

impl Place {
    async fn new() -> Self {
        let mut world = crate::world::os::world().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = world.variables.get("PATH").unwrap().to_owned();
        let home = folder.path().join("home").display().to_string();
        world.variables = Arc::new(Variables::new([("PATH".into(), path), ("HOME".into(), home)]));
        let place = Self { folder, world, lock: Lock::default(), catalog: None };
        for folder in ["home", "app", "remote"] {
            place.world.files.make_folder(&place.path(folder)).unwrap();
        }
        place.git("init -q -b main").await;
        place.write("remote/postgres/plugin.yaml", "version: 1.0.0\n");
        place.write("remote/postgres/main.tf", "# one\n");
        place.commit("one").await;
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        self.world.files.write(&self.path(name), text.as_bytes(), name.contains("run.sh")).unwrap();
    }

    /// The source in the remote, at a ref.
    fn source(&self, tail: &str) -> String {
        format!("git::{}{tail}", self.path("remote").display())
    }

    async fn git(&self, arguments: &str) -> String {
        let identity = [("NAME", "t"), ("EMAIL", "t@example.test")];
        let mut environment: BTreeMap<String, String> =
            self.world.variables.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        for (name, value) in identity {
            environment.insert(format!("GIT_AUTHOR_{name}"), value.to_owned());
            environment.insert(format!("GIT_COMMITTER_{name}"), value.to_owned());
        }
        let command = ProcessSpec {
            program: "git".into(),
            arguments: arguments.split(' ').map(str::to_owned).collect(),
            directory: self.path("remote"),
            environment,
            stdin: None,
            on_cancel: OnCancel::Kill,
            time_limit: None,
            apart: Apart::default(),
        };
        let done = self.world.exec.capture(&command, &CancellationToken::new()).await.unwrap();
        assert!(done.exit.success(), "git {arguments}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    /// Commits everything and gives the commit.
    async fn commit(&self, message: &str) -> String {
        self.git("add -A -f").await;
        self.git(&format!("commit -q --allow-empty -m {message}")).await;
        self.git("rev-parse HEAD").await
    }

    async fn ask(&self, mode: LockMode, uses: &[&str]) -> Answer {
        let pointer = |written: &&str| ((*written).to_owned(), Pointer::keys(["plugins", "database", "use"]));
        let terms = Terms {
            manifest_file: "tieline.yaml",
            manifest_folder: &self.path("app"),
            cache: &self.path("cache"),
            catalog: self.catalog.as_ref(),
            lock: &self.lock,
            mode,
            github: &Client::new(&self.world, &Server::default(), Identity::Anonymous),
        };
        fetch_all(&self.world, &terms, &uses.iter().map(pointer).collect()).await
    }

    /// Fetches and keeps the lock, as a command line does.
    async fn add(&mut self, written: &str) -> Fetched {
        let (mut plugins, lock, warnings) = self.ask(LockMode::Add, &[written]).await.unwrap();
        assert_eq!(warnings, Problems::default());
        self.lock = lock;
        plugins.remove(written).unwrap()
    }

    /// The only problem.
    async fn refused(&self, mode: LockMode, written: &str) -> Diagnostic {
        let mut problems = self.ask(mode, &[written]).await.unwrap_err();
        assert_eq!(problems.0.len(), 1, "{problems:?}");
        problems.0.remove(0)
    }

    /// The remote is gone.
    fn cut_off(&self) {
        std::fs::rename(self.path("remote"), self.path("gone")).unwrap();
    }
}

fn text<'a>(fetched: &'a Fetched, path: &str) -> &'a str {
    std::str::from_utf8(&fetched.tree.files[path].bytes).unwrap()
}

fn update() -> LockMode {
    LockMode::Update { only: None }
}

#[tokio::test]
async fn a_tag_is_fetched_locked_and_later_needs_no_lock_change() {
    let mut place = Place::new().await;
    place.git("tag v1").await;
    let commit = place.git("rev-parse HEAD").await;
    let written = place.source("//postgres?ref=v1");
    let first = place.add(&written).await;
    assert_eq!(first.tree.files.keys().collect::<Vec<_>>(), ["main.tf", "plugin.yaml"]);
    assert_eq!((&first.source.commit, &first.source.digest), (&Some(commit.clone()), &first.tree.digest()));
    let entry = &place.lock.plugins[&written];
    assert_eq!((&entry.source, &entry.commit, &entry.digest), (&written, &commit, &first.source.digest));
    let (plugins, lock, _) = place.ask(LockMode::Frozen, &[&written]).await.unwrap();
    assert_eq!((&plugins[&written], lock), (&first, place.lock.clone()));
}

#[tokio::test]
async fn an_annotated_tag_is_locked_at_its_commit() {
    let mut place = Place::new().await;
    place.git("tag -a -m one v1").await;
    let fetched = place.add(&place.source("//postgres?ref=v1")).await;
    assert_eq!(fetched.source.commit, Some(place.git("rev-parse HEAD").await));
}

#[tokio::test]
async fn a_moved_tag_is_refused_until_it_is_updated() {
    let mut place = Place::new().await;
    place.git("tag v1").await;
    let old = place.git("rev-parse HEAD").await;
    let written = place.source("//postgres?ref=v1");
    place.add(&written).await;
    place.write("remote/postgres/main.tf", "# two\n");
    let new = place.commit("two").await;
    place.git("tag -f v1").await;
    for mode in [LockMode::Add, LockMode::Frozen] {
        let problem = place.refused(mode, &written).await;
        assert_eq!(problem.reason, FailureReason::PluginChanged);
        assert_eq!(problem.message, format!("the tag `v1` of `{}` was moved", place.path("remote").display()));
        assert_eq!(problem.notes, [format!("`tieline.lock` has commit {old}"), format!("it is now {new}")]);
        assert!(problem.help[0].contains("tieline plugins update"));
        assert!(problem.origin.is_some());
    }
    let only = LockMode::Update { only: Some([written.clone()].into()) };
    let (plugins, lock, _) = place.ask(only, &[&written]).await.unwrap();
    assert_eq!(text(&plugins[&written], "main.tf"), "# two\n");
    assert_eq!(lock.plugins[&written].commit, new);
}

#[tokio::test]
async fn a_branch_that_went_on_stays_at_its_locked_commit() {
    let mut place = Place::new().await;
    for tail in ["//postgres?ref=main", "//postgres"] {
        place.lock = Lock::default();
        let written = place.source(tail);
        place.add(&written).await;
        place.write("remote/postgres/main.tf", &format!("# later {tail}\n"));
        place.commit("later").await;
        // Without the cache too: the commit is fetched by its id, though no ref has it any more.
        std::fs::remove_dir_all(place.path("cache")).unwrap();
        let (plugins, lock, _) = place.ask(LockMode::Frozen, &[&written]).await.unwrap();
        assert_ne!(text(&plugins[&written], "main.tf"), format!("# later {tail}\n"));
        assert_eq!(lock, place.lock);
        let (plugins, ..) = place.ask(update(), &[&written]).await.unwrap();
        assert_eq!(text(&plugins[&written], "main.tf"), format!("# later {tail}\n"));
    }
}

#[tokio::test]
async fn a_remote_that_gives_no_commit_by_its_id_is_fetched_whole() {
    let mut place = Place::new().await;
    // The first protocol gives out only what a ref names.
    place.write("home/.gitconfig", "[protocol]\nversion = 0\n");
    let written = place.source("//postgres?ref=main");
    let first = place.add(&written).await;
    place.write("remote/postgres/main.tf", "# later\n");
    place.commit("later").await;
    std::fs::remove_dir_all(place.path("cache")).unwrap();
    let (plugins, ..) = place.ask(LockMode::Frozen, &[&written]).await.unwrap();
    assert_eq!(plugins[&written], first);
}

/// A clock that does not wait.
struct NoWait;

#[async_trait::async_trait]
impl crate::world::Clock for NoWait {
    fn now(&self) -> chrono::DateTime<chrono::Utc> {
        chrono::DateTime::UNIX_EPOCH
    }
    async fn sleep(&self, _: std::time::Duration) {}
}

impl Place {
    /// Puts a program of this name and text before git; `$REAL` in it is git.
    fn shadow_git(&mut self, script: &str) {
        let path = self.world.variables.get("PATH").unwrap().to_owned();
        let real = which::which_in("git", Some(&path), "/").unwrap();
        let script = format!("#!/bin/sh\ncd {}\n{script}", self.folder.path().display());
        self.world
            .files
            .write(&self.path("bin/git"), script.replace("$REAL", &real.display().to_string()).as_bytes(), true)
            .unwrap();
        let path = format!("{}:{path}", self.path("bin").display());
        let more = [("PATH", path.as_str()), ("HOME", "/nowhere"), ("GITHUB_TOKEN", "hunter2"), ("GIT_DIR", "/elsewhere")];
        self.world.variables = Arc::new(Variables::new(more.map(|(name, value)| (name.to_owned(), value.to_owned()))));
        self.world.clock = Arc::new(NoWait);
    }

    fn seen(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }
}

#[tokio::test]
async fn r28_a_fetch_is_tried_again_only_where_that_may_help() {
    for (said, tries) in [("Could not resolve host: git.test", 4), ("Authentication failed", 1)] {
        let mut place = Place::new().await;
        place.shadow_git(&format!("echo x >> tries; echo 'fatal: {said}' >&2; exit 128"));
        let problem = place.refused(LockMode::Add, "git::https://git.test/a?ref=v1").await;
        assert_eq!(problem.message, "the repository `https://git.test/a` cannot be read");
        assert_eq!(problem.notes, [format!("git says: fatal: {said}")]);
        assert_eq!(place.seen("tries").lines().count(), tries, "{said}");
    }
}

#[tokio::test]
async fn r69_git_sees_only_the_variables_it_needs() {
    let mut place = Place::new().await;
    place.shadow_git("env > variables; printf '%s\\n' \"$@\" > arguments; exit 1");
    place.refused(LockMode::Add, "git::https://git.test/a?ref=v1").await;
    let variables = place.seen("variables");
    assert!(variables.contains("GIT_TERMINAL_PROMPT=0\n") && variables.contains("HOME=/nowhere\n"), "{variables}");
    assert!(!variables.contains("hunter2") && !variables.contains("GIT_DIR="), "{variables}");
    let arguments = place.seen("arguments");
    assert!(arguments.contains("protocol.ext.allow=never\n") && arguments.ends_with("--\nhttps://git.test/a\n"), "{arguments}");
}

#[tokio::test]
async fn one_remote_is_asked_once_and_what_is_cached_is_not_fetched() {
    let mut place = Place::new().await;
    place.git("tag v1").await;
    place.write("remote/web/main.tf", "# web\n");
    place.commit("web").await;
    place.git("tag v2").await;
    let uses = [&place.source("//postgres?ref=v1"), &place.source("//web?ref=v2"), &place.source("//postgres?ref=v2")]
        .map(|u| u.as_str().to_owned());
    let uses: Vec<&str> = uses.iter().map(String::as_str).collect();
    let script =
        r#"for word; do case $word in ls-remote|fetch|init) echo $word >> calls;; esac; done; cd "$OLDPWD"; exec $REAL "$@""#;
    place.shadow_git(script);
    let (plugins, lock, _) = place.ask(LockMode::Add, &uses).await.unwrap();
    assert_eq!(plugins.len(), 3);
    assert_eq!(place.seen("calls"), "ls-remote\ninit\nfetch\n");
    place.lock = lock;
    place.ask(LockMode::Frozen, &uses).await.unwrap();
    assert_eq!(place.seen("calls"), "ls-remote\ninit\nfetch\nls-remote\n");
}

#[tokio::test]
async fn a_commit_needs_no_look_at_refs() {
    let mut place = Place::new().await;
    let commit = place.git("rev-parse HEAD").await;
    place.commit("later").await;
    let written = place.source(&format!("//postgres?ref={commit}"));
    assert_eq!(place.add(&written).await.source.commit, Some(commit.clone()));
    place.lock.plugins.get_mut(&written).unwrap().commit = "0".repeat(40);
    let problem = place.refused(LockMode::Frozen, &written).await;
    assert_eq!(problem.reason, FailureReason::PluginChanged);
    assert!(problem.message.contains("has another commit for"), "{}", problem.message);
}

#[tokio::test]
async fn a_missing_ref_gives_the_nearest_and_a_missing_folder_those_with_plugins() {
    let place = Place::new().await;
    place.git("tag v1.4.0").await;
    place.git("tag v1.3.0").await;
    let problem = place.refused(LockMode::Add, &place.source("//postgres?ref=v1.4")).await;
    assert_eq!(problem.reason, FailureReason::PluginUnavailable);
    assert!(problem.message.ends_with("has no tag or branch `v1.4`"), "{}", problem.message);
    assert_eq!(problem.help, ["did you mean `v1.4.0` or `v1.3.0`?"]);
    let problem = place.refused(LockMode::Add, &place.source("//postgers?ref=v1.4.0")).await;
    assert_eq!(problem.help, ["it has plugins in `postgres`"]);
}

#[tokio::test]
async fn a_deleted_tag_is_warned_of_and_used_as_locked() {
    let mut place = Place::new().await;
    place.git("tag v1").await;
    let written = place.source("//postgres?ref=v1");
    place.add(&written).await;
    place.git("tag -d v1").await;
    let (plugins, _, warnings) = place.ask(LockMode::Frozen, &[&written]).await.unwrap();
    assert!(plugins.contains_key(&written));
    assert_eq!(warnings.0[0].severity, Severity::Warning);
    assert!(warnings.0[0].message.ends_with("no longer has `v1`; its locked commit is used"));
}

#[tokio::test]
async fn what_is_locked_and_cached_does_without_its_remote() {
    let mut place = Place::new().await;
    place.git("tag v1").await;
    let written = place.source("//postgres?ref=v1");
    let first = place.add(&written).await;
    place.cut_off();
    let (plugins, _, warnings) = place.ask(LockMode::Frozen, &[&written]).await.unwrap();
    assert_eq!((&plugins[&written], warnings), (&first, Problems::default()));
    std::fs::remove_dir_all(place.path("cache")).unwrap();
    let problem = place.refused(LockMode::Frozen, &written).await;
    assert_eq!(problem.reason, FailureReason::PluginUnavailable);
    assert_eq!(problem.message, format!("the repository `{}` cannot be read", place.path("remote").display()));
}

#[tokio::test]
async fn r70_a_corrupt_cache_entry_is_not_believed() {
    let mut place = Place::new().await;
    place.git("tag v1").await;
    let written = place.source("//postgres?ref=v1");
    let first = place.add(&written).await;
    let archive = place.path("cache/plugins").join(format!("{}.tar", first.source.digest));
    let mut forged = first.tree.clone();
    forged.files.get_mut("main.tf").unwrap().bytes = b"# forged\n".to_vec();
    for bytes in [pack(&forged).unwrap(), b"no archive".to_vec(), Vec::new()] {
        place.world.files.write_private(&archive, &bytes).unwrap();
        let (plugins, ..) = place.ask(LockMode::Frozen, &[&written]).await.unwrap();
        assert_eq!(plugins[&written], first);
    }
    place.cut_off();
    assert!(place.ask(LockMode::Frozen, &[&written]).await.is_ok(), "what was fetched again is kept again");
}

#[tokio::test]
async fn content_that_is_not_as_locked_is_refused() {
    let mut place = Place::new().await;
    place.git("tag v1").await;
    let written = place.source("//postgres?ref=v1");
    place.add(&written).await;
    place.lock.plugins.get_mut(&written).unwrap().digest = crate::domain::names::Digest::of(b"other");
    let problem = place.refused(LockMode::Frozen, &written).await;
    assert_eq!(problem.reason, FailureReason::PluginChanged);
    assert_eq!(problem.message, format!("the content of `{written}` is not what `tieline.lock` recorded"));
}

#[tokio::test]
async fn a_workflow_refuses_what_the_lock_file_lacks() {
    let place = Place::new().await;
    let written = place.source("//postgres?ref=main");
    let problem = place.refused(LockMode::Frozen, &written).await;
    assert_eq!(problem.reason, FailureReason::PluginChanged);
    assert_eq!(problem.message, format!("`tieline.lock` has no entry for `{written}`"));
}

#[tokio::test]
async fn an_update_drops_what_nothing_uses_and_keeps_what_holds() {
    let mut place = Place::new().await;
    let (used, unused) = (place.source("//postgres?ref=main"), place.source("?ref=main"));
    place.add(&used).await;
    place.add(&unused).await;
    place.lock.plugins.get_mut(&used).unwrap().providers = Some("provider {}\n".into());
    let (_, lock, _) = place.ask(LockMode::Add, &[&used]).await.unwrap();
    assert_eq!(lock, place.lock, "an entry may be another environment's");
    let (_, lock, _) = place.ask(update(), &[&used]).await.unwrap();
    assert_eq!(lock.plugins.keys().collect::<Vec<_>>(), [&used]);
    assert_eq!(lock.plugins[&used].providers.as_deref(), Some("provider {}\n"), "same content, same providers");
    place.write("remote/postgres/main.tf", "# two\n");
    place.commit("two").await;
    let (_, lock, _) = place.ask(update(), &[&used]).await.unwrap();
    assert_eq!(lock.plugins[&used].providers, None);
}

#[tokio::test]
async fn attributes_do_not_change_what_is_read() {
    let mut place = Place::new().await;
    place.write("remote/.gitattributes", "*.tf export-subst text eol=crlf\nhidden.tf export-ignore\n");
    place.write("remote/postgres/main.tf", "# $Format:%H$\n");
    place.write("remote/postgres/hidden.tf", "# here\n");
    place.write("remote/postgres/run.sh", "#!/bin/sh\n");
    place.commit("attributes").await;
    let fetched = place.add(&place.source("//postgres")).await;
    assert_eq!(text(&fetched, "main.tf"), "# $Format:%H$\n");
    assert_eq!(text(&fetched, "hidden.tf"), "# here\n");
    assert!(fetched.tree.files["run.sh"].executable && !fetched.tree.files["main.tf"].executable);
}

#[tokio::test]
async fn r70_links_and_submodules_in_a_repository_are_refused_by_name() {
    let place = Place::new().await;
    std::os::unix::fs::symlink("/etc/passwd", place.path("remote/postgres/users")).unwrap();
    place.commit("link").await;
    let problem = place.refused(LockMode::Add, &place.source("//postgres")).await;
    assert!(problem.message.ends_with("cannot be used as a plugin: `users` is a link"), "{}", problem.message);
    place.git("rm -q postgres/users").await;
    let commit = place.git("rev-parse HEAD").await;
    place.git(&format!("update-index --add --cacheinfo 160000,{commit},postgres/vendor")).await;
    place.git("commit -q -m submodule").await;
    let problem = place.refused(LockMode::Add, &place.source("//postgres")).await;
    assert!(problem.message.contains("`vendor` is a git submodule"), "{}", problem.message);
}

#[tokio::test]
async fn a_folder_is_read_as_it_is_and_not_locked() {
    let place = Place::new().await;
    place.write("app/plugins/web/main.tf", "# web\n");
    place.write("app/plugins/web/.terraform/x", "cached");
    place.write("beside/main.tf", "# shared\n");
    let (plugins, lock, _) = place.ask(LockMode::Frozen, &["./plugins/web", "../beside"]).await.unwrap();
    assert_eq!(plugins["./plugins/web"].tree.files.keys().collect::<Vec<_>>(), ["main.tf"]);
    assert_eq!(plugins["./plugins/web"].source.commit, None);
    assert_eq!(text(&plugins["../beside"], "main.tf"), "# shared\n");
    assert_eq!(lock, Lock::default());
}

#[tokio::test]
async fn r70_links_in_and_on_the_way_to_a_folder_are_refused() {
    let place = Place::new().await;
    place.write("app/web/main.tf", "");
    std::os::unix::fs::symlink("/etc", place.path("app/etc")).unwrap();
    std::os::unix::fs::symlink("main.tf", place.path("app/web/other.tf")).unwrap();
    let problem = place.refused(LockMode::Add, "./etc").await;
    assert_eq!(problem.message, "the plugin `./etc` cannot be read: a part of its path is a link");
    let problem = place.refused(LockMode::Add, "./web").await;
    assert_eq!(problem.message, "the plugin `./web` cannot be read: `other.tf` is a link");
}

#[tokio::test]
async fn every_problem_is_said_at_once_and_a_common_cause_once() {
    let place = Place::new().await;
    place.cut_off();
    let uses = [&place.source("//a"), &place.source("//b"), "./missing", "Bad"];
    let problems = place.ask(LockMode::Add, &uses).await.unwrap_err();
    let messages: Vec<&str> = problems.0.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(messages.len(), 3, "{messages:?}");
    assert!(messages[0].starts_with("the plugin `./missing` cannot be read"));
    assert!(messages[2].starts_with("the repository"), "{messages:?}");
    assert!(problems.0[2].notes.contains(&format!("`{}` comes from there as well", uses[1])));
}

#[tokio::test]
async fn a_name_is_looked_up_locked_and_warned_of() {
    let mut place = Place::new().await;
    place.git("tag v1.2.0").await;
    let catalog = |lines: &str| -> Option<Catalog> {
        let source = place.source("//postgres?ref=v{version}");
        let text = format!(
            "apiVersion: tieline/v1\nkind: Catalog\nplugins:\n  postgres:\n    source: {source}\n    versions: {{\"1.2.0\": {{{lines}}}}}\n"
        );
        Some(serde_yaml::from_str(&text).unwrap())
    };
    let (fine, yanked) = (catalog(""), catalog("yanked: loses data"));
    assert!(place.refused(LockMode::Add, "postgres@1").await.message.contains("has no `catalog.yaml`"));
    place.catalog = fine;
    place.add("postgres@1").await;
    let entry = &place.lock.plugins["postgres@1"];
    assert_eq!(entry.source, place.source("//postgres?ref=v1.2.0"));
    assert_eq!(entry.version.as_ref().unwrap().to_string(), "1.2.0");
    place.catalog = yanked;
    let (_, _, warnings) = place.ask(LockMode::Frozen, &["postgres@1"]).await.unwrap();
    assert_eq!(warnings.0[0].message, "`postgres` 1.2.0 was yanked: loses data");
    assert!(place.ask(update(), &["postgres@1"]).await.is_err(), "never chosen anew");
    place.catalog.as_mut().unwrap().allowed_sources = Some(vec!["github:acme/".into()]);
    let problem = place.refused(LockMode::Frozen, "postgres@1").await;
    assert!(problem.message.ends_with("is not from a source that the catalog allows"));
}
