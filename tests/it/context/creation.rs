//! Making and finding a context, and what people see when there is none.

use std::path::Path;

use super::{Bench, strings, write};
use tieline::context::create::{Mirrored, find, init, init_from};
use tieline::context::git::GitStore;
use tieline::context::{Branch, ContextStore, Location, RefNames, StoreError};

#[tokio::test]
async fn a_new_context_has_both_branches_and_making_it_again_changes_nothing() {
    let bench = Bench::new().await;
    let refs = bench.git(&["for-each-ref"]).await;
    assert_eq!(bench.git(&["symbolic-ref", "HEAD"]).await, "refs/heads/main");
    assert_eq!(bench.git(&["ls-tree", "-r", "--name-only", "main"]).await, "context.yaml");
    assert_eq!(bench.git(&["ls-tree", "-r", "--name-only", "ledger"]).await, "");
    init(&bench.world, &bench.repository()).await.unwrap();
    assert_eq!(bench.git(&["for-each-ref"]).await, refs);
    bench.git(&["fsck", "--strict"]).await;
}

#[tokio::test]
async fn a_folder_is_mirrored_and_mirroring_it_again_changes_nothing() {
    let bench = Bench::new().await;
    let store = bench.local().await;
    let folder = bench.path().join("documents");
    let put = |path: &str, content: &str| bench.world.files.write(&folder.join(path), content.as_bytes(), false).unwrap();
    let head = store.head(Branch::Documents).await.unwrap();
    store.commit(Branch::Documents, &write(&[(".github/owners", "x"), ("old.yaml", "")]), head.as_ref(), "m").await.unwrap();
    put("context.yaml", "kind: Context\n");
    put("types/acme/vpc/1.0.0.yaml", "name: acme/vpc\n");
    put(".hidden/x", "");

    let first = init_from(&store, &bench.world, &folder, "m").await.unwrap();
    assert!(first.commit.is_some());
    assert_eq!(first.added, ["types/acme/vpc/1.0.0.yaml"]);
    assert_eq!(first.changed, ["context.yaml"]);
    assert_eq!(first.removed, ["old.yaml"]);
    let at = store.head(Branch::Documents).await.unwrap().unwrap();
    let found = store.read(&at, &strings(["context.yaml", "old.yaml", ".github/owners", ".hidden/x"])).await.unwrap();
    assert_eq!(found.keys().collect::<Vec<_>>(), [".github/owners", "context.yaml"]);

    assert_eq!(init_from(&store, &bench.world, &folder, "m").await.unwrap(), Mirrored::default());
    assert_eq!(store.head(Branch::Documents).await.unwrap(), Some(at));
}

#[tokio::test]
async fn r70_a_link_among_the_documents_is_refused() {
    let bench = Bench::new().await;
    let folder = bench.path().join("documents");
    bench.world.files.make_folder(&folder).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", folder.join("context.yaml")).unwrap();
    let refused = init_from(&bench.local().await, &bench.world, &folder, "m").await.unwrap_err();
    assert!(refused.to_string().ends_with("context.yaml`: it is neither a file nor a folder"), "{refused}");
}

#[tokio::test]
async fn the_nearest_context_of_the_work_tree_is_found() {
    let bench = Bench::new().await;
    let root = bench.path().join("tree");
    let make = |path: &Path| bench.world.files.make_folder(path).unwrap();
    make(&root.join("apps/shop"));
    assert_eq!(find(&bench.world, &bench.path().join("nowhere")), None);
    init(&bench.world, &root.join(".tieline/context.git")).await.unwrap();
    assert_eq!(find(&bench.world, &root.join("apps/shop")), Some(root.join(".tieline/context.git")));
    make(&root.join("apps/.git"));
    assert_eq!(find(&bench.world, &root.join("apps/shop")), None, "it stops at the root of the work tree");
    init(&bench.world, &root.join("apps/.tieline/context.git")).await.unwrap();
    assert_eq!(find(&bench.world, &root.join("apps/shop")), Some(root.join("apps/.tieline/context.git")));
}

async fn open(bench: &Bench, location: &str) -> Result<GitStore, StoreError> {
    let location = Location::parse(location, bench.path())?;
    GitStore::open(&bench.world, &location, RefNames::default(), &bench.path().join("cache")).await
}

#[tokio::test]
async fn no_repository_is_said_with_the_way_out() {
    let bench = Bench::new().await;
    let problem = open(&bench, "nothing.git").await.err().unwrap().to_string();
    assert!(problem.contains("nothing.git`: there is no bare git repository; `tieline context init` makes one"), "{problem}");
    assert!(problem.contains("github:<owner>/<repository>"), "{problem}");
}

#[tokio::test]
async fn r66_a_remote_that_cannot_be_read_is_named_without_its_password() {
    let bench = Bench::new().await;
    let url = format!("file://user:hunter2@{}/none.git", bench.path().display());
    let store = open(&bench, &url).await.unwrap();
    let problem = store.head(Branch::Ledger).await.unwrap_err();
    assert!(matches!(problem, StoreError::Unavailable { .. }), "{problem:?}");
    for text in [problem.to_string(), store.describe(), format!("{:?}", problem.diagnostic())] {
        assert!(!text.contains("hunter2") && text.contains("file://***@"), "{text}");
    }
}

#[tokio::test]
async fn r69_the_address_with_its_password_is_not_written_to_the_cache() {
    let bench = Bench::new().await;
    let store = bench.remote("cache").await;
    store.read(&store.head(Branch::Documents).await.unwrap().unwrap(), &strings(["context.yaml"])).await.unwrap();
    for cache in bench.world.files.list(&bench.path().join("cache")).unwrap() {
        let config = bench.path().join("cache").join(cache.name).join("config");
        let config = String::from_utf8(bench.world.files.read(&config, 1 << 20).unwrap()).unwrap();
        assert!(!config.contains("file://"), "{config}");
    }
}

#[tokio::test]
async fn a_remote_that_refuses_is_not_a_lost_race() {
    let bench = Bench::new().await;
    let hook = b"#!/bin/sh\necho 'only the release team may push' >&2\nexit 1\n";
    bench.world.files.write(&bench.repository().join("hooks/pre-receive"), hook, true).unwrap();
    let store = bench.remote("cache").await;
    let head = store.head(Branch::Ledger).await.unwrap();
    let problem = store.commit(Branch::Ledger, &write(&[("a", "")]), head.as_ref(), "m").await.unwrap_err();
    let StoreError::Unavailable { why, .. } = &problem else { panic!("{problem:?}") };
    assert!(why.contains("[remote rejected] (pre-receive hook declined)"), "{why}");
    assert!(why.contains("only the release team may push"), "{why}");
}

#[tokio::test]
async fn a_repository_that_came_with_a_checkout_runs_no_hook_of_its_own() {
    let bench = Bench::new().await;
    let hook = format!("#!/bin/sh\ntouch {}\n", bench.path().join("ran").display());
    bench.world.files.write(&bench.repository().join("hooks/reference-transaction"), hook.as_bytes(), true).unwrap();
    let store = bench.local().await;
    let head = store.head(Branch::Ledger).await.unwrap();
    store.commit(Branch::Ledger, &write(&[("a", "")]), head.as_ref(), "m").await.unwrap();
    assert_eq!(bench.world.files.metadata(&bench.path().join("ran")), None);
}
