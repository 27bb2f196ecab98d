//! What every store must do.

use super::{Bench, place, strings, write};
use tieline::context::{Branch, Change, Changes, CommitId, ContextStore, StoreError};
use tieline::domain::fleet::PartName;
use tieline::domain::names::RunId;

/// Runs each behaviour as a test of its own for each kind of store.
macro_rules! every_store {
    ($($behaviour:ident,)*) => {
        mod local {$(
            #[tokio::test]
            async fn $behaviour() {
                let bench = super::Bench::new().await;
                super::$behaviour(&bench.local().await, &bench.local().await).await;
            }
        )*}
        mod remote {$(
            #[tokio::test]
            async fn $behaviour() {
                let bench = super::Bench::new().await;
                bench.git(&["config", "uploadpack.allowFilter", "true"]).await;
                super::$behaviour(&bench.remote("one").await, &bench.remote("two").await).await;
            }
        )*}
        mod github {$(
            #[tokio::test]
            async fn $behaviour() {
                let bench = crate::context::github::Bench::new().await;
                super::$behaviour(&bench.store(), &bench.store()).await;
            }
        )*}
        mod github_as_described {
            #[tokio::test]
            async fn acceptance_openapi_every_behaviour() {
                let Some(github) = crate::acceptance::need("openapi", crate::github::GitHub::validated()) else { return };
                $(
                    let [one, other] = crate::context::github::two_stores(&github, concat!("acme/", stringify!($behaviour))).await;
                    super::$behaviour(&one, &other).await;
                )*
            }
        }
        mod remote_that_does_not_filter {$(
            #[tokio::test]
            async fn $behaviour() {
                let bench = super::Bench::new().await;
                // Both through one cache, as two runs on one machine.
                super::$behaviour(&bench.remote("one").await, &bench.remote("one").await).await;
            }
        )*}
    };
}

every_store! {
    what_one_writes_the_other_reads,
    many_files_come_in_one_batch,
    a_listing_is_recursive_and_an_absent_folder_is_empty,
    files_are_removed_and_folders_become_files,
    names_and_contents_survive_as_they_are,
    r16_a_head_that_moved_is_a_conflict,
    a_branch_that_is_there_is_not_started_again,
    an_unknown_commit_is_not_an_empty_one,
    paths_that_break_out_are_refused,
    r21_a_claim_is_taken_by_one,
    r21_a_claim_that_was_taken_over_cannot_be_written_by_its_old_holder,
    r30_claims_are_listed_by_place,
    r21_journals_of_a_fleet_are_no_claims,
}

type Store<'a> = &'a dyn ContextStore;

async fn head(store: Store<'_>) -> CommitId {
    store.head(Branch::Ledger).await.unwrap().unwrap()
}

/// Commits onto whatever the head is.
async fn put(store: Store<'_>, changes: &Changes) -> CommitId {
    store.commit(Branch::Ledger, changes, Some(&head(store).await), "put").await.unwrap()
}

async fn listed(store: Store<'_>, at: &CommitId, folder: &str) -> Vec<String> {
    let mut found = store.list(at, &strings([folder])).await.unwrap();
    found.remove(folder).unwrap().into_iter().map(|file| file.path).collect()
}

fn is_conflict<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Conflict { .. }))
}

async fn what_one_writes_the_other_reads(one: Store<'_>, other: Store<'_>) {
    let written = put(one, &write(&[("a/b.json", "1"), ("c", "2")])).await;
    assert_eq!(head(other).await, written);
    let found = other.read(&written, &strings(["c", "a/b.json", "a", "absent"])).await.unwrap();
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [("a/b.json".into(), b"1".into()), ("c".into(), b"2".into())]);

    let next = put(other, &write(&[("c", "3")])).await;
    assert_eq!(one.read(&next, &strings(["a/b.json", "c"])).await.unwrap()["c"], b"3");
    assert_eq!(one.read(&written, &strings(["c"])).await.unwrap()["c"], b"2", "an old commit stays as it was");
}

async fn many_files_come_in_one_batch(one: Store<'_>, other: Store<'_>) {
    let changes: Changes = (0..700).map(|n| (format!("d{}/{n}", n % 7), Change::write(format!("{n}")))).collect();
    let at = put(one, &changes).await;
    let paths: Vec<_> = changes.keys().cloned().collect();
    let found = other.read(&at, &paths).await.unwrap();
    assert_eq!(found.len(), 700);
    assert_eq!(found["d1/699".replace("d1", "d6").as_str()], b"699");
}

async fn a_listing_is_recursive_and_an_absent_folder_is_empty(one: Store<'_>, other: Store<'_>) {
    put(one, &write(&[("w/e/b", ""), ("w/e/a/x", ""), ("w/ee/c", ""), ("top", "")])).await;
    let at = head(other).await;
    let found = other.list(&at, &strings(["w/e", "w/e/a", "none", "top"])).await.unwrap();
    let names = |folder: &str| found[folder].iter().map(|file| file.path.clone()).collect::<Vec<_>>();
    assert_eq!(names("w/e"), ["w/e/a/x", "w/e/b"]);
    assert_eq!(names("w/e/a"), ["w/e/a/x"]);
    assert_eq!(names("none"), Vec::<String>::new());
    assert_eq!(names("top"), Vec::<String>::new(), "a file is no folder");
    assert_eq!(listed(other, &at, "").await, ["top", "w/e/a/x", "w/e/b", "w/ee/c"]);
}

async fn files_are_removed_and_folders_become_files(one: Store<'_>, other: Store<'_>) {
    put(one, &write(&[("a/b", "1"), ("a/c", "2"), ("d", "3")])).await;
    let mut changes = write(&[("a", "file"), ("d/e", "folder")]);
    changes.extend(strings(["a/b", "a/c", "d", "never/was"]).into_iter().map(|path| (path, Change::Remove)));
    put(one, &changes).await;
    let at = head(other).await;
    assert_eq!(listed(other, &at, "").await, ["a", "d/e"]);
    assert_eq!(other.read(&at, &strings(["a"])).await.unwrap()["a"], b"file");
}

async fn names_and_contents_survive_as_they_are(one: Store<'_>, other: Store<'_>) {
    let files = [
        ("with blank/and \"quotes\"", "\0\r\n\u{1b}"),
        ("é/ß", ""),
        ("-n", "data 3\nabc\ndone\n"),
        ("a\\b*[x]", "x"),
        (":(glob)**", "y"),
    ];
    let mut changes = write(&files);
    changes.insert("run.sh".into(), Change::Write { bytes: b"#!".into(), executable: true });
    put(one, &changes).await;
    let at = head(other).await;
    let found = other.read(&at, &changes.keys().cloned().collect::<Vec<_>>()).await.unwrap();
    for (path, content) in files {
        assert_eq!(found[path], content.as_bytes(), "{path}");
    }
    let root = other.list(&at, &strings([""])).await.unwrap().remove("").unwrap();
    assert_eq!(root.iter().filter(|file| file.executable).map(|file| file.path.as_str()).collect::<Vec<_>>(), ["run.sh"]);
}

async fn r16_a_head_that_moved_is_a_conflict(one: Store<'_>, other: Store<'_>) {
    let before = head(one).await;
    let first = other.commit(Branch::Ledger, &write(&[("a", "1")]), Some(&before), "first").await.unwrap();
    let second = one.commit(Branch::Ledger, &write(&[("b", "2")]), Some(&before), "second").await;
    assert!(is_conflict(&second), "{second:?}");
    assert_eq!(head(one).await, first);
    assert_eq!(listed(one, &first, "").await, ["a"], "nothing of the loser is there");

    // The very same commit, made by two at once, is one's and not the other's.
    let same = other.commit(Branch::Ledger, &write(&[("a", "1")]), Some(&before), "first").await;
    assert!(is_conflict(&same), "{same:?}");
}

async fn a_branch_that_is_there_is_not_started_again(one: Store<'_>, _: Store<'_>) {
    let started = one.commit(Branch::Documents, &write(&[("a", "1")]), None, "start").await;
    assert!(is_conflict(&started), "{started:?}");
}

async fn an_unknown_commit_is_not_an_empty_one(one: Store<'_>, _: Store<'_>) {
    let unknown = CommitId::new(&"1".repeat(40)).unwrap();
    assert!(matches!(one.read(&unknown, &strings(["a"])).await, Err(StoreError::Unavailable { .. })));
    assert!(matches!(one.list(&unknown, &strings(["a"])).await, Err(StoreError::Unavailable { .. })));
}

async fn paths_that_break_out_are_refused(one: Store<'_>, _: Store<'_>) {
    let before = head(one).await;
    for path in ["../a", "a/.git/config", "a\nb", ""] {
        let written = one.commit(Branch::Ledger, &write(&[(path, "x")]), Some(&before), "bad").await;
        assert!(matches!(written, Err(StoreError::Corrupt { .. })), "{path}");
        assert!(matches!(one.read(&before, &strings([path])).await, Err(StoreError::Corrupt { .. })), "{path}");
    }
    assert_eq!(head(one).await, before);
}

async fn r21_a_claim_is_taken_by_one(one: Store<'_>, other: Store<'_>) {
    let shop = place("retail/staging/shop");
    assert_eq!(one.read_claim(&shop).await.unwrap(), None);
    let taken = one.write_claim(&shop, b"one", None).await.unwrap();
    assert!(is_conflict(&other.write_claim(&shop, b"other", None).await));
    assert_eq!(other.read_claim(&shop).await.unwrap(), Some((taken.clone(), b"one".to_vec())));

    one.delete_claim(&shop, &taken).await.unwrap();
    assert!(is_conflict(&one.delete_claim(&shop, &taken).await), "it is gone");
    other.write_claim(&shop, b"other", None).await.unwrap();
    assert!(is_conflict(&one.delete_claim(&shop, &taken).await), "it is another's");
}

async fn r21_a_claim_that_was_taken_over_cannot_be_written_by_its_old_holder(one: Store<'_>, other: Store<'_>) {
    let shop = place("retail/staging/shop");
    let taken = one.write_claim(&shop, b"one", None).await.unwrap();
    let renewed = one.write_claim(&shop, b"one, renewed", Some(&taken)).await.unwrap();
    let (seen, _) = other.read_claim(&shop).await.unwrap().unwrap();
    assert_eq!(seen, renewed);
    let taken_over = other.write_claim(&shop, b"other", Some(&seen)).await.unwrap();

    assert!(is_conflict(&one.write_claim(&shop, b"one, again", Some(&renewed)).await));
    assert!(is_conflict(&one.delete_claim(&shop, &renewed).await));
    assert_eq!(one.read_claim(&shop).await.unwrap(), Some((taken_over, b"other".to_vec())));
}

async fn r30_claims_are_listed_by_place(one: Store<'_>, other: Store<'_>) {
    assert!(one.claims().await.unwrap().is_empty());
    let shop = one.write_claim(&place("retail/staging/shop"), b"1", None).await.unwrap();
    let network = one.write_claim(&place("platform/staging/network"), b"2", None).await.unwrap();
    let found = other.claims().await.unwrap();
    assert_eq!(
        found.into_iter().collect::<Vec<_>>(),
        [(place("platform/staging/network"), network), (place("retail/staging/shop"), shop)]
    );
}

async fn r21_journals_of_a_fleet_are_no_claims(one: Store<'_>, other: Store<'_>) {
    let fleet = RunId::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap();
    let part =
        |alias: &str| PartName { place: place("retail/staging/shop"), fleet: fleet.clone(), alias: alias.parse().unwrap() };
    assert!(one.parts(&fleet).await.unwrap().is_empty());
    let api = one.write_part(&part("api"), b"1", None).await.unwrap();
    assert!(is_conflict(&other.write_part(&part("api"), b"2", None).await));
    let moved = one.write_part(&part("api"), b"2", Some(&api)).await.unwrap();
    assert!(is_conflict(&other.write_part(&part("api"), b"3", Some(&api)).await));
    let web = other.write_part(&part("web"), b"4", None).await.unwrap();
    let listed = other.parts(&fleet).await.unwrap();
    assert_eq!(listed, [("api".parse().unwrap(), moved.clone()), ("web".parse().unwrap(), web)].into());
    assert_eq!(other.read_part(&moved).await.unwrap(), b"2");
    assert!(one.claims().await.unwrap().is_empty());
    assert!(one.parts(&RunId::parse("01ARZ3NDEKTSV4RRFFQ69G5FAW").unwrap()).await.unwrap().is_empty());
    one.delete_parts(&fleet, &listed).await.unwrap();
    assert!(other.parts(&fleet).await.unwrap().is_empty());
    one.delete_parts(&fleet, &listed).await.unwrap();
}
