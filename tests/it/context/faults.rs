//! A GitHub server that fails on the way, or whose answers are lost: nothing is lost, and nothing is done twice.

use std::time::Duration;

use tieline::context::{ContextStore, StoreError};

use super::github::{Bench, put};
use super::{place, write};
use crate::github::Fault;

/// The ledger branch in a route.
const LEDGER: &str = "heads%2Fledger";

#[tokio::test]
async fn r16_a_failure_on_the_way_neither_loses_a_commit_nor_makes_two() {
    for what in ["POST git/trees", "POST git/commits", "PATCH git/refs"] {
        for fault in [
            Fault::Status(502),
            Fault::Cut,
            Fault::CutAfterwards,
            Fault::SecondaryLimit { status: 403, retry_after: Some(60) },
            Fault::SecondaryLimit { status: 429, retry_after: None },
            Fault::PrimaryLimit { reset_in: 600 },
        ] {
            let bench = Bench::new().await;
            bench.fail(what, fault);
            let commit = put(&bench.store(), &write(&[("a", "1")]), "ours").await.unwrap();
            assert_eq!(bench.repository.head("refs/heads/ledger").as_deref(), Some(commit.as_str()), "{what}");
            assert_eq!(bench.history("ledger"), ["ours", "Start the ledger branch"], "{what}");
        }
    }
}

#[tokio::test]
async fn r16_a_commit_whose_answer_was_lost_is_found_below_what_came_after_it() {
    let bench = Bench::new().await;
    bench.fail("PATCH git/refs", Fault::CutAfterwards);
    // The first look is before the commit, the second after the answer was lost.
    bench.fail(&format!("GET git/ref/{LEDGER}"), Fault::Slow(Duration::ZERO));
    bench.fail(&format!("GET git/ref/{LEDGER}"), Fault::Slow(Duration::ZERO));
    let repository = bench.repository.clone();
    let later = move || _ = repository.commit("ledger", &[("theirs", "")]);
    bench.fail(&format!("GET git/ref/{LEDGER}"), Fault::Meanwhile(Box::new(later)));
    put(&bench.store(), &write(&[("ours", "")]), "ours").await.unwrap();
    assert_eq!(bench.history("ledger"), ["somebody else's", "ours", "Start the ledger branch"]);
}

#[tokio::test]
async fn r16_a_head_that_moves_at_the_last_moment_is_a_conflict() {
    for fault in [None, Some(Fault::Cut)] {
        let bench = Bench::new().await;
        let answer_is_lost = fault.is_some();
        if let Some(fault) = fault {
            bench.fail("PATCH git/refs", fault);
        }
        let repository = bench.repository.clone();
        let faster = move || _ = repository.commit("ledger", &[("theirs", "")]);
        bench.fail(if answer_is_lost { "POST git/commits" } else { "PATCH git/refs" }, Fault::Meanwhile(Box::new(faster)));
        let lost = put(&bench.store(), &write(&[("ours", "")]), "ours").await;
        assert!(matches!(lost, Err(StoreError::Conflict { .. })), "{lost:?}");
        assert_eq!(bench.history("ledger"), ["somebody else's", "Start the ledger branch"]);
    }
}

#[tokio::test]
async fn r21_a_claim_whose_answer_was_lost_is_held_and_is_given_up() {
    let bench = Bench::new().await;
    let (store, shop) = (bench.store(), place("retail/staging/shop"));
    for fault in [Fault::Status(502), Fault::CutAfterwards] {
        bench.fail("POST git/refs", fault);
        let taken = store.write_claim(&shop, b"one", None).await.unwrap();
        assert_eq!(bench.store().read_claim(&shop).await.unwrap(), Some((taken.clone(), b"one".to_vec())));
        bench.fail("DELETE git/refs", Fault::CutAfterwards);
        store.delete_claim(&shop, &taken).await.unwrap();
        assert_eq!(bench.store().read_claim(&shop).await.unwrap(), None);
    }
}
