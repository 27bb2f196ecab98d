//! The order of tasks: what comes first, what is ready, what waits on what.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Nodes with what each depends on, free of cycles. The same nodes always come in the same order.
///
/// Written by hand, since what is wanted is not in petgraph: names decide among nodes that are ready together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph<K> {
    order: Vec<K>,
    dependencies: BTreeMap<K, BTreeSet<K>>,
}

/// Nodes that depend on one another in a circle; the first is repeated at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle<K>(pub Vec<K>);

impl<K: fmt::Display> fmt::Display for Cycle<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, node) in self.0.iter().enumerate() {
            write!(f, "{}{node}", if position == 0 { "" } else { " -> " })?;
        }
        Ok(())
    }
}

impl<K> Default for Graph<K> {
    fn default() -> Self {
        Self { order: Vec::new(), dependencies: BTreeMap::new() }
    }
}

impl<K: Ord + Clone> Graph<K> {
    /// Orders nodes after what they depend on, by name where that leaves a choice. What is not a node itself is no dependency.
    ///
    /// # Errors
    /// The cycle that stands in the way, as a path in which each node depends on the next.
    pub fn new(mut dependencies: BTreeMap<K, BTreeSet<K>>) -> Result<Self, Cycle<K>> {
        let nodes: BTreeSet<K> = dependencies.keys().cloned().collect();
        for needed in dependencies.values_mut() {
            needed.retain(|node| nodes.contains(node));
        }
        let mut waits: BTreeMap<&K, usize> = dependencies.iter().map(|(node, needed)| (node, needed.len())).collect();
        let dependents = turned(&dependencies);
        let mut ready: BTreeSet<&K> = waits.iter().filter(|(_, count)| **count == 0).map(|(node, _)| *node).collect();
        let mut order = Vec::with_capacity(nodes.len());
        while let Some(node) = ready.pop_first() {
            order.push(node.clone());
            for dependent in dependents.get(node).into_iter().flatten() {
                if let Some(count) = waits.get_mut(dependent) {
                    *count -= 1;
                    if *count == 0 {
                        ready.insert(dependent);
                    }
                }
            }
        }
        if order.len() < nodes.len() {
            waits.retain(|_, count| *count > 0);
            return Err(cycle_among(&waits.into_keys().collect(), &dependencies));
        }
        Ok(Self { order, dependencies })
    }

    /// Every node, after all that it depends on.
    pub fn order(&self) -> &[K] {
        &self.order
    }

    /// What `node` depends on itself.
    pub fn dependencies(&self, node: &K) -> impl Iterator<Item = &K> {
        self.dependencies.get(node).into_iter().flatten()
    }

    /// The nodes that are not done while all they depend on is, in name order. Those already started are among them.
    pub fn ready(&self, done: &BTreeSet<K>) -> Vec<K> {
        let is_ready = |(node, needed): &(&K, &BTreeSet<K>)| !done.contains(*node) && needed.is_subset(done);
        self.dependencies.iter().filter(is_ready).map(|(node, _)| node.clone()).collect()
    }

    /// Everything that depends on `node`, directly or through others.
    pub fn dependents(&self, node: &K) -> BTreeSet<K> {
        let mut found = BTreeSet::new();
        // In topological order, so one pass reaches everything.
        for later in &self.order {
            if self.dependencies(later).any(|needed| needed == node || found.contains(needed)) {
                found.insert(later.clone());
            }
        }
        found
    }

    /// The same nodes the other way round: what depended on a node now comes before it, as destroy needs it.
    #[must_use]
    pub fn reversed(&self) -> Self {
        let dependencies = turned(&self.dependencies);
        let order = self.order.iter().rev().cloned().collect();
        // Ordered anew, so that names decide here too; a reversed graph has no cycle that the graph had not.
        Self::new(dependencies.clone()).unwrap_or(Self { order, dependencies })
    }
}

fn turned<K: Ord + Clone>(dependencies: &BTreeMap<K, BTreeSet<K>>) -> BTreeMap<K, BTreeSet<K>> {
    let mut turned: BTreeMap<K, BTreeSet<K>> = dependencies.keys().map(|node| (node.clone(), BTreeSet::new())).collect();
    for (node, needed) in dependencies {
        for one in needed {
            turned.entry(one.clone()).or_default().insert(node.clone());
        }
    }
    turned
}

/// Walks from the first of the `stuck` nodes, each of which waits for another of them, until a node comes up again.
fn cycle_among<K: Ord + Clone>(stuck: &BTreeSet<&K>, dependencies: &BTreeMap<K, BTreeSet<K>>) -> Cycle<K> {
    let mut path: Vec<K> = Vec::new();
    let mut next = stuck.first().copied();
    while let Some(node) = next {
        let before = path.iter().position(|earlier| earlier == node);
        path.push(node.clone());
        if let Some(start) = before {
            path.drain(..start);
            break;
        }
        next = dependencies.get(node).into_iter().flatten().find(|needed| stuck.contains(needed));
    }
    Cycle(path)
}
