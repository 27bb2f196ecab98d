//! `github:` sources, from a server that a test fills.

use std::io::Write as _;
use std::sync::Mutex;

use flate2::Compression;
use flate2::write::GzEncoder;
use http::{Request, Response};
use serde_json::json;
use tar::{Builder, EntryType, Header};

use super::*;
use crate::world::{Http, HttpError};

const ONE: &str = "1111111111111111111111111111111111111111";
const TWO: &str = "2222222222222222222222222222222222222222";

/// The repository `acme/plugins` on a server.
#[derive(Default)]
struct Hosted {
    /// Commits by `tags/…`, `heads/…` or `HEAD`; none at all where the repository cannot be seen.
    refs: Mutex<BTreeMap<String, &'static str>>,
    archives: Mutex<BTreeMap<&'static str, Vec<u8>>>,
    asked: Mutex<Vec<String>>,
}

#[async_trait::async_trait]
impl Http for Hosted {
    async fn send(&self, request: Request<Vec<u8>>, _: usize) -> Result<Response<Vec<u8>>, HttpError> {
        let path = request.uri().path().to_owned();
        let route = path.strip_prefix("/repos/acme/plugins/").unwrap_or(&path).to_owned();
        self.asked.lock().unwrap().push(route.clone());
        let refs = self.refs.lock().unwrap();
        let (status, body) = if refs.is_empty() {
            (404, b"{}".to_vec())
        } else if let Some(commit) = route.strip_prefix("tarball/") {
            self.archives.lock().unwrap().get(commit).map_or((404, b"{}".to_vec()), |archive| (200, archive.clone()))
        } else if route == "git/matching-refs/tags/" {
            let tags = refs.keys().filter(|name| name.starts_with("tags/"));
            let tags: Vec<_> = tags.map(|name| json!({"ref": format!("refs/{name}"), "object": {"sha": "tag"}})).collect();
            (200, json!(tags).to_string().into_bytes())
        } else {
            match route.strip_prefix("commits/").and_then(|name| refs.get(name)) {
                Some(commit) => (200, json!({ "sha": commit }).to_string().into_bytes()),
                None => (422, json!({"message": "No commit found"}).to_string().into_bytes()),
            }
        };
        Ok(Response::builder().status(status).body(body).unwrap())
    }
}

impl Hosted {
    fn name(&self, name: &str, commit: &'static str) {
        self.refs.lock().unwrap().insert(name.to_owned(), commit);
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

/// An entry of an archive: a folder where it ends in `/`.
fn entry(path: &str, kind: EntryType, text: &str) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(if path.contains("run.sh") { 0o775 } else { 0o664 });
    header.set_size(text.len() as u64);
    if kind == EntryType::Symlink {
        header.set_link_name("/etc/passwd").unwrap();
    }
    header.set_cksum();
    let mut builder = Builder::new(Vec::new());
    builder.append(&header, text.as_bytes()).unwrap();
    builder.into_inner().unwrap()[..512 + text.len().next_multiple_of(512)].to_vec()
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An archive as the server makes it: everything in one folder, folders first.
fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = entry("acme-plugins-1111111/", EntryType::Directory, "");
    for (path, text) in files {
        let kind = if path.ends_with('/') { EntryType::Directory } else { EntryType::Regular };
        bytes.extend(entry(&format!("acme-plugins-1111111/{path}"), kind, text));
    }
    bytes.extend([0; 1024]);
    gz(&bytes)
}

impl Place {
    /// With a server that has one commit, `ONE`, tagged `v1` and on `main`.
    async fn on_github() -> (Self, Arc<Hosted>) {
        let mut place = Self::new().await;
        let hosted = Arc::new(Hosted::default());
        for name in ["tags/v1", "heads/main", "HEAD"] {
            hosted.name(name, ONE);
        }
        let files = [
            ("postgres/", ""),
            ("postgres/plugin.yaml", "version: 1.0.0\n"),
            ("postgres/main.tf", "# one\n"),
            ("web/", ""),
            ("web/plugin.yaml", "version: 1.0.0\n"),
            ("web/run.sh", "#!/bin/sh\n"),
        ];
        hosted.archives.lock().unwrap().insert(ONE, archive(&files));
        place.world.http = hosted.clone();
        (place, hosted)
    }

    /// What is said of a plugin in an archive of these bytes.
    async fn refused_archive(archive: Vec<u8>) -> String {
        let (place, hosted) = Self::on_github().await;
        hosted.archives.lock().unwrap().insert(ONE, archive);
        place.refused(LockMode::Add, &format!("github:acme/plugins//postgres@{ONE}")).await.message
    }
}

#[tokio::test]
async fn plugins_of_one_commit_take_one_call_for_their_ref_and_one_archive() {
    let (mut place, hosted) = Place::on_github().await;
    let uses = ["github:acme/plugins//postgres@v1", "github:acme/plugins//web@v1"];
    let (plugins, lock, _) = place.ask(LockMode::Add, &uses).await.unwrap();
    assert_eq!(hosted.asked(), ["commits/tags/v1", &format!("tarball/{ONE}")]);
    assert_eq!(plugins[uses[0]].tree.files.keys().collect::<Vec<_>>(), ["main.tf", "plugin.yaml"]);
    assert!(plugins[uses[1]].tree.files["run.sh"].executable && !plugins[uses[1]].tree.files["plugin.yaml"].executable);
    let entry = &lock.plugins[uses[0]];
    assert_eq!((entry.source.as_str(), entry.commit.as_str(), &entry.digest), (uses[0], ONE, &plugins[uses[0]].tree.digest()));
    // From then on only the tag is looked at, and the files come from the cache.
    place.lock = lock;
    let (again, ..) = place.ask(LockMode::Frozen, &uses).await.unwrap();
    assert_eq!(hosted.asked(), ["commits/tags/v1"]);
    assert_eq!(again, plugins);
}

#[tokio::test]
async fn branches_commits_and_the_default_branch_are_found_as_well() {
    let (place, hosted) = Place::on_github().await;
    for (tail, asked) in [("@main", vec!["commits/tags/main", "commits/heads/main"]), ("", vec!["commits/HEAD"])] {
        place.ask(update(), &[&format!("github:acme/plugins//postgres{tail}")]).await.unwrap();
        assert_eq!(hosted.asked()[..asked.len()], asked);
    }
    place.ask(update(), &[&format!("github:acme/plugins//postgres@{ONE}")]).await.unwrap();
    assert_eq!(hosted.asked(), [format!("tarball/{ONE}")]);
}

#[tokio::test]
async fn a_moved_tag_of_a_server_is_refused_and_a_branch_may_go_on() {
    let (mut place, hosted) = Place::on_github().await;
    let (tag, branch) = ("github:acme/plugins//postgres@v1", "github:acme/plugins//postgres@main");
    place.lock = place.ask(LockMode::Add, &[tag, branch]).await.unwrap().1;
    hosted.name("tags/v1", TWO);
    hosted.name("heads/main", TWO);
    let problem = place.refused(LockMode::Frozen, tag).await;
    assert_eq!(
        (problem.reason, problem.message.as_str()),
        (FailureReason::PluginChanged, "the tag `v1` of `github:acme/plugins` was moved")
    );
    let (plugins, ..) = place.ask(LockMode::Frozen, &[branch]).await.unwrap();
    assert_eq!(plugins[branch].source.commit.as_deref(), Some(ONE));
}

#[tokio::test]
async fn what_was_fetched_before_needs_no_server() {
    let (mut place, hosted) = Place::on_github().await;
    let written = "github:acme/plugins//postgres@v1";
    let first = place.add(written).await;
    hosted.refs.lock().unwrap().clear();
    let (plugins, ..) = place.ask(LockMode::Frozen, &[written]).await.unwrap();
    assert_eq!(plugins[written], first);
}

#[tokio::test]
async fn content_that_is_not_the_locked_one_is_refused() {
    let (mut place, hosted) = Place::on_github().await;
    let written = "github:acme/plugins//postgres@v1";
    place.add(written).await;
    std::fs::remove_dir_all(place.path("cache")).unwrap();
    hosted.archives.lock().unwrap().insert(ONE, archive(&[("postgres/", ""), ("postgres/main.tf", "# another\n")]));
    let problem = place.refused(LockMode::Frozen, written).await;
    assert_eq!(problem.reason, FailureReason::PluginChanged);
    assert_eq!(problem.message, format!("the content of `{written}` is not what `tieline.lock` recorded"));
}

#[tokio::test]
async fn what_a_server_does_not_have_is_said_with_what_it_has() {
    let (place, hosted) = Place::on_github().await;
    let problem = place.refused(LockMode::Add, "github:acme/plugins//postgres@v11").await;
    assert_eq!(problem.message, "`github:acme/plugins` has no tag or branch `v11`");
    assert_eq!(problem.help, ["did you mean `v1`?"]);
    let problem = place.refused(LockMode::Add, "github:acme/plugins//mysql@v1").await;
    assert_eq!(problem.message, format!("`github:acme/plugins` has no folder `mysql` at {ONE}"));
    assert_eq!(problem.help, ["it has plugins in `postgres`, `web`"]);
    hosted.refs.lock().unwrap().clear();
    let problem = place.refused(LockMode::Add, "github:acme/plugins//postgres@v1").await;
    assert_eq!(problem.message, "the repository `github:acme/plugins` cannot be read");
    assert_eq!(problem.notes[0], "`acme/plugins` does not have it, or it is not seen without a token");
    assert!(problem.help.iter().any(|help| help.contains("`github-token`")), "{problem:?}");
}

#[tokio::test]
async fn r70_hostile_archives_are_refused() {
    let top = "acme-plugins-1111111";
    let said = |entries: Vec<u8>| async move { Place::refused_archive(gz(&[entries, vec![0; 1024]].concat())).await };
    for (path, kind, why) in [
        ("postgres/key", EntryType::Symlink, "`key` is a link"),
        ("postgres/pipe", EntryType::Fifo, "`pipe` is neither a file nor a folder"),
        ("postgres/../../x", EntryType::Regular, "`../../x` is not a plain path inside the plugin's folder"),
        ("postgres//etc/passwd", EntryType::Regular, "`/etc/passwd` is not a plain path inside the plugin's folder"),
    ] {
        let said = said(entry(&format!("{top}/{path}"), kind, "")).await;
        assert!(said.ends_with(why), "{said}");
    }
    let twice = ["main.tf", "Main.tf"].map(|name| entry(&format!("{top}/postgres/{name}"), EntryType::Regular, "x"));
    assert!(said(twice.concat()).await.ends_with("would be one file on some systems"));
    let submodule = [
        entry(&format!("{top}/postgres/main.tf"), EntryType::Regular, ""),
        entry(&format!("{top}/postgres/sub/"), EntryType::Directory, ""),
    ];
    assert!(said(submodule.concat()).await.contains("`sub` is a git submodule"));
    assert!(Place::refused_archive(b"no archive".to_vec()).await.contains("the archive is malformed"));
    // Outside of the plugin's folder anything may be.
    let link = entry(&format!("{top}/latest"), EntryType::Symlink, "");
    let (place, hosted) = Place::on_github().await;
    let plugin = entry(&format!("{top}/postgres/main.tf"), EntryType::Regular, "");
    hosted.archives.lock().unwrap().insert(ONE, gz(&[link, plugin, vec![0; 1024]].concat()));
    place.ask(LockMode::Add, &["github:acme/plugins//postgres@v1"]).await.unwrap();
}

#[tokio::test]
async fn r70_an_archive_that_grows_without_end_is_cut_off() {
    let mut header = Header::new_gnu();
    header.set_path("acme-plugins-1111111/large").unwrap();
    header.set_size(1 << 40);
    header.set_cksum();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(header.as_bytes()).unwrap();
    for _ in 0..100 {
        encoder.write_all(&vec![0; 1 << 20]).unwrap();
    }
    let said = Place::refused_archive(encoder.finish().unwrap()).await;
    assert!(said.contains("it unpacks to far more than its size"), "{said}");
}
