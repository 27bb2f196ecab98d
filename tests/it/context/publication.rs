//! Many writers, one branch.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::{Bench, write};
use tieline::context::publish::{PublishError, Published, publish};
use tieline::context::{Branch, Changes, CommitId, ContextStore, StoreError};
use tieline::domain::failure::FailureReason;
use tieline::world::{Clock, World};

/// Lets a publisher go on each of these stores, all at once; returns how many attempts all of them needed.
pub(super) async fn publish_at_once(world: &World, stores: Vec<Arc<dyn ContextStore>>) -> usize {
    let mut tasks = tokio::task::JoinSet::new();
    for (number, store) in stores.into_iter().enumerate() {
        let world = world.clone();
        tasks.spawn(async move {
            let store = &*store;
            publish(store, &world, Branch::Ledger, &format!("run {number}"), |head| async move {
                // What was there is still there: nobody's commit is dropped.
                let count = store.list(&head.unwrap(), &[String::new()]).await?.remove("").unwrap_or_default().len();
                Ok::<_, StoreError>(write(&[(&format!("w/e/d{number}/runs/1.json"), &format!("{count}"))]))
            })
            .await
            .map(|published| published.attempts)
        });
    }
    tasks.join_all().await.into_iter().map(Result::unwrap).sum()
}

/// All landed, and each saw all that came before it: there is one commit of each, on top of one another.
pub(super) async fn assert_all_landed(store: &dyn ContextStore, count: usize) {
    let head = store.head(Branch::Ledger).await.unwrap().unwrap();
    let files = store.list(&head, &[String::new()]).await.unwrap().remove("").unwrap();
    let paths: Vec<_> = files.into_iter().map(|file| file.path).collect();
    let contents = store.read(&head, &paths).await.unwrap();
    let seen: BTreeSet<usize> = contents.values().map(|bytes| String::from_utf8_lossy(bytes).parse().unwrap()).collect();
    assert_eq!(seen, (0..count).collect());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r16_sixty_four_publishers_all_land() {
    let bench = Bench::new().await;
    let mut stores: Vec<Arc<dyn ContextStore>> = Vec::new();
    for _ in 0..64 {
        stores.push(Arc::new(bench.local().await));
    }
    let attempts = publish_at_once(&bench.world, stores).await;
    assert!(attempts >= 64, "{attempts}");
    assert_all_landed(&bench.local().await, 64).await;
    assert_eq!(bench.git(&["rev-list", "--count", "refs/heads/ledger"]).await, "65");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r16_publishers_to_a_remote_all_land_through_one_cache() {
    let bench = Bench::new().await;
    let mut stores: Vec<Arc<dyn ContextStore>> = Vec::new();
    for _ in 0..6 {
        stores.push(Arc::new(bench.remote("cache").await));
    }
    publish_at_once(&bench.world, stores).await;
    assert_all_landed(&bench.local().await, 6).await;
    assert_eq!(bench.git(&["rev-list", "--count", "refs/heads/ledger"]).await, "7");
}

#[tokio::test]
async fn r16_after_a_conflict_the_changes_are_made_anew_on_the_new_head() {
    let bench = Bench::new().await;
    let (store, other) = (bench.local().await, bench.local().await);
    let (store, other): (&dyn ContextStore, &dyn ContextStore) = (&store, &other);
    let mut heads: Vec<Option<CommitId>> = Vec::new();
    let published = publish(store, &bench.world, Branch::Ledger, "m", |head| {
        heads.push(head.clone());
        let is_first = heads.len() == 1;
        async move {
            if is_first {
                other.commit(Branch::Ledger, &write(&[("other", "")]), head.as_ref(), "other").await?;
            }
            Ok::<_, StoreError>(write(&[("mine", "")]))
        }
    })
    .await
    .unwrap();
    assert_eq!(published.attempts, 2);
    assert_ne!(heads[0], heads[1]);
    let files = store.list(&published.commit.unwrap(), &[String::new()]).await.unwrap().remove("").unwrap();
    assert_eq!(files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["mine", "other"]);
}

#[tokio::test]
async fn nothing_to_change_makes_no_commit_and_a_refusal_ends_it() {
    let bench = Bench::new().await;
    let store = bench.local().await;
    let before = store.head(Branch::Ledger).await.unwrap();
    let nothing = publish(&store, &bench.world, Branch::Ledger, "m", |_| async { Ok::<_, String>(Changes::new()) }).await;
    assert_eq!(nothing.unwrap(), Published { commit: None, attempts: 1 });
    let refused = publish(&store, &bench.world, Branch::Ledger, "m", |_| async { Err("no") }).await;
    assert!(matches!(refused, Err(PublishError::Rebuild("no"))));
    assert_eq!(store.head(Branch::Ledger).await.unwrap(), before);
}

/// A clock on which every wait takes an hour.
struct Hourly(AtomicI64);

#[async_trait]
impl Clock for Hourly {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(self.0.load(Ordering::SeqCst))
    }

    async fn sleep(&self, _: Duration) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn r28_publication_gives_up_in_the_end_and_says_what_is_in_the_way() {
    let bench = Bench::new().await;
    let world = World { clock: Arc::new(Hourly(AtomicI64::new(0))), ..bench.world.clone() };
    // What a git that was killed leaves behind.
    bench.world.files.write(&bench.repository().join("refs/heads/ledger.lock"), b"", false).unwrap();
    let store = bench.local().await;
    let rebuild = |_| async { Ok::<_, String>(write(&[("a", "")])) };
    let given_up = publish(&store, &world, Branch::Ledger, "m", rebuild).await;
    let Err(PublishError::Store(problem @ StoreError::Conflict { .. })) = given_up else { panic!("{given_up:?}") };
    let text = problem.to_string();
    assert!(text.contains("gave up after 2 attempts in 3600 seconds"), "{text}");
    assert!(text.contains("ledger.lock': File exists"), "{text}");
    assert_eq!(problem.diagnostic().reason, FailureReason::PublishConflict);
}
