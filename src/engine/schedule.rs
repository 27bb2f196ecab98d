//! Runs the tasks of a graph: ready ones in name order, a bounded number at a time (R22), failures isolated (R23).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::future::Future;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub(super) use crate::domain::fleet::End;

/// Runs `perform` for every node after those it depends on, but for nodes whose end is known. Nothing new is started once `stop` is
/// cancelled.
pub(super) async fn run<K, F, Fut>(
    dependencies: &BTreeMap<K, BTreeSet<K>>,
    known: BTreeMap<K, End>,
    parallelism: usize,
    stop: &CancellationToken,
    perform: F,
) -> BTreeMap<K, End>
where
    K: Ord + Clone + Display + Send + 'static,
    F: Fn(K) -> Fut,
    Fut: Future<Output = bool> + Send + 'static,
{
    let mut ends = known;
    let mut started: BTreeSet<K> = BTreeSet::new();
    let mut running = JoinSet::new();
    loop {
        skip_behind_failures(dependencies, &started, &mut ends);
        for (node, needs) in dependencies {
            let is_ready = !started.contains(node)
                && !ends.contains_key(node)
                && needs.iter().all(|need| ends.get(need) == Some(&End::Done));
            if is_ready && running.len() < parallelism && !stop.is_cancelled() {
                started.insert(node.clone());
                let (node, task) = (node.clone(), perform(node.clone()));
                running.spawn(async move { (node, task.await) });
            }
        }
        match running.join_next().await {
            Some(Ok((node, succeeded))) => {
                ends.insert(node, if succeeded { End::Done } else { End::Failed });
            }
            // A task that panicked has no name here; it is found below, started and without an end.
            Some(Err(_)) => {}
            None => break,
        }
    }
    for node in dependencies.keys() {
        let end = if started.contains(node) { End::Failed } else { End::Cancelled };
        ends.entry(node.clone()).or_insert(end);
    }
    ends
}

fn skip_behind_failures<K: Ord + Clone + Display>(
    dependencies: &BTreeMap<K, BTreeSet<K>>,
    started: &BTreeSet<K>,
    ends: &mut BTreeMap<K, End>,
) {
    loop {
        let skipped = dependencies.iter().filter(|(node, _)| !started.contains(*node) && !ends.contains_key(*node)).find_map(
            |(node, needs)| {
                needs.iter().find_map(|need| match ends.get(need)? {
                    End::Failed => Some((node.clone(), need.to_string())),
                    End::Skipped { because } => Some((node.clone(), because.clone())),
                    End::Done | End::Cancelled => None,
                })
            },
        );
        match skipped {
            Some((node, because)) => ends.insert(node, End::Skipped { because }),
            None => return,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    fn graph(edges: &[(&str, &[&str])]) -> BTreeMap<String, BTreeSet<String>> {
        edges.iter().map(|(node, needs)| ((*node).to_owned(), needs.iter().map(|need| (*need).to_owned()).collect())).collect()
    }

    #[tokio::test]
    async fn r22_ready_tasks_start_in_name_order_within_the_bound() {
        let order = Arc::new(Mutex::new(Vec::new()));
        let nodes = graph(&[("c", &[]), ("a", &[]), ("b", &["a"]), ("d", &["c", "b"])]);
        let ends = run(&nodes, BTreeMap::new(), 1, &CancellationToken::new(), |node| {
            let order = order.clone();
            async move {
                order.lock().unwrap().push(node);
                true
            }
        })
        .await;
        assert_eq!(*order.lock().unwrap(), ["a", "b", "c", "d"]);
        assert!(ends.values().all(|end| *end == End::Done));
    }

    #[tokio::test]
    async fn r23_a_failure_skips_its_dependents_with_the_cause_and_nothing_else() {
        let nodes = graph(&[("a", &[]), ("b", &["a"]), ("c", &["b"]), ("d", &[])]);
        let ends = run(&nodes, BTreeMap::new(), 4, &CancellationToken::new(), |node| async move { node != "a" }).await;
        let because = || End::Skipped { because: "a".into() };
        assert_eq!(ends.into_values().collect::<Vec<_>>(), [End::Failed, because(), because(), End::Done]);
    }

    #[tokio::test]
    async fn r23_what_ended_elsewhere_counts_as_if_it_had_ended_here() {
        let nodes = graph(&[("c", &["a"]), ("d", &["b"]), ("e", &["x"]), ("f", &["c"])]);
        let skipped = |because: &str| End::Skipped { because: because.into() };
        let known = [("a", End::Done), ("b", End::Failed), ("x", skipped("b"))].map(|(node, end)| (node.to_owned(), end));
        let ends = run(&nodes, known.into(), 4, &CancellationToken::new(), |_| async { true }).await;
        let of = |node: &str| ends[node].clone();
        assert_eq!(["c", "d", "e", "f"].map(of), [End::Done, skipped("b"), skipped("b"), End::Done]);
    }

    #[tokio::test]
    async fn nothing_new_starts_after_a_stop() {
        let stop = CancellationToken::new();
        let nodes = graph(&[("a", &[]), ("b", &["a"])]);
        let ends = run(&nodes, BTreeMap::new(), 4, &stop, |_| {
            let stop = stop.clone();
            async move {
                stop.cancel();
                true
            }
        })
        .await;
        assert_eq!(ends.into_values().collect::<Vec<_>>(), [End::Done, End::Cancelled]);
    }
}
