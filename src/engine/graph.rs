//! The graph of a run's tasks, and its waves.

use std::collections::{BTreeMap, BTreeSet};

use super::{Engine, publication};
use crate::domain::deployment::Deployment;
use crate::domain::names::Alias;
use crate::domain::record::AppliedRecord;

/// A task's place in the graph.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Node {
    /// What the manifest no longer has.
    Destroy(Alias),
    /// What the manifest has.
    Deploy(Alias),
}

/// Tasks and what each waits for.
pub type Graph = BTreeMap<Node, BTreeSet<Node>>;

impl Node {
    /// The applied plugin.
    pub fn alias(&self) -> &Alias {
        match self {
            Self::Destroy(alias) | Self::Deploy(alias) => alias,
        }
    }
}

impl std::fmt::Display for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.alias())
    }
}

/// The tasks of a deployment where this is applied: what goes waits for the tasks that still hold on to it (R27), links and `after` order
/// the rest.
pub fn graph(deployment: &Deployment, applied: &BTreeMap<Alias, AppliedRecord>) -> Graph {
    let node = |alias: &Alias| {
        let is_deployed = deployment.plugins.contains_key(alias);
        if is_deployed { Node::Deploy(alias.clone()) } else { Node::Destroy(alias.clone()) }
    };
    let mut graph = Graph::new();
    for (alias, plugin) in &deployment.plugins {
        graph.insert(Node::Deploy(alias.clone()), plugin.depends_on.iter().cloned().map(Node::Deploy).collect());
    }
    for going in applied.keys().filter(|alias| !deployment.plugins.contains_key(*alias)) {
        let is_it = |address| publication::is_of(address, going) && address.producer().as_ref() == Some(&deployment.place);
        let holders =
            applied.iter().filter(|(_, record)| record.after.contains(going) || record.uses().any(|(_, address)| is_it(address)));
        graph.insert(Node::Destroy(going.clone()), holders.map(|(holder, _)| node(holder)).collect());
    }
    graph
}

/// The jobs that a graph is spread over: by wave, each with its aliases. The wave of a task is the longest way to it from where nothing is
/// waited for; what is further than `waves` away is in the last of them, and what waits for each other there in one job. At most so many
/// `jobs` are in a wave.
pub fn jobs(graph: &Graph, waves: usize, jobs: usize) -> Vec<Vec<Vec<Alias>>> {
    let depths = depths(graph);
    let last = waves.saturating_sub(1);
    let mut by_wave: Vec<Vec<&Node>> = Vec::new();
    for (node, depth) in depths {
        let wave = depth.min(last);
        by_wave.resize(by_wave.len().max(wave + 1), Vec::new());
        by_wave[wave].push(node);
    }
    by_wave.into_iter().map(|wave| spread(&bound_together(graph, &wave), jobs)).collect()
}

/// How far each task is from where nothing is waited for.
fn depths(graph: &Graph) -> BTreeMap<&Node, usize> {
    let mut depths: BTreeMap<&Node, usize> = BTreeMap::new();
    for node in super::tasks::order(graph) {
        let depth = graph[&node].iter().filter_map(|need| depths.get(need)).max().map_or(0, |depth| depth + 1);
        depths.extend(graph.get_key_value(&node).map(|(node, _)| (node, depth)));
    }
    depths
}

/// The tasks of a wave, those together that wait for each other.
fn bound_together(graph: &Graph, wave: &[&Node]) -> Vec<BTreeSet<Alias>> {
    let mut groups: Vec<BTreeSet<Alias>> = Vec::new();
    for node in wave {
        let is_near = |group: &BTreeSet<Alias>| {
            let waits_for_it = |other: &Node| group.contains(other.alias()) && graph[other].contains(*node);
            graph[*node].iter().any(|need| group.contains(need.alias())) || wave.iter().any(|other| waits_for_it(other))
        };
        let (near, mut others): (Vec<_>, Vec<_>) = groups.into_iter().partition(is_near);
        let own = std::iter::once(node.alias().clone());
        others.push(near.into_iter().flatten().chain(own).collect());
        groups = others;
    }
    groups.sort();
    groups
}

/// Spreads groups evenly over at most so many jobs.
fn spread(groups: &[BTreeSet<Alias>], jobs: usize) -> Vec<Vec<Alias>> {
    let jobs = jobs.clamp(1, groups.len().max(1));
    let (each, more) = (groups.len() / jobs, groups.len() % jobs);
    let mut rest = groups;
    let mut spread = Vec::new();
    for job in 0..jobs {
        let (taken, left) = rest.split_at(each + usize::from(job < more));
        rest = left;
        let mut aliases: Vec<Alias> = taken.iter().flatten().cloned().collect();
        aliases.sort();
        spread.push(aliases);
    }
    spread
}

impl Engine {
    /// All tasks of the run, and what each waits for; those of the other jobs of a fleet too.
    pub(super) fn graph(&self) -> Graph {
        match self.adopting() {
            Some(adopting) => Graph::from([(adopting, BTreeSet::new())]),
            None => graph(&self.deployment, &self.own.applied),
        }
    }

    /// Whether an applied plugin is for this process to work on.
    pub(super) fn is_ours(&self, alias: &Alias) -> bool {
        self.settings.only.as_ref().is_none_or(|only| only.contains(alias))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(alias: &str) -> Node {
        match alias.strip_prefix('-') {
            Some(alias) => Node::Destroy(Alias::new(alias).unwrap()),
            None => Node::Deploy(Alias::new(alias).unwrap()),
        }
    }

    fn graph(edges: &[(&str, &[&str])]) -> Graph {
        edges.iter().map(|(of, needs)| (node(of), needs.iter().map(|need| node(need)).collect())).collect()
    }

    fn shown(jobs: &[Vec<Vec<Alias>>]) -> String {
        let wave = |wave: &Vec<Vec<Alias>>| wave.iter().map(|job| job.join(",")).collect::<Vec<_>>().join(" ");
        jobs.iter().map(wave).collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn r22_a_wave_waits_for_nothing_but_the_waves_before() {
        let graph = graph(&[("a", &[]), ("b", &["a"]), ("c", &["a", "b"]), ("d", &[]), ("-old", &["b"]), ("e", &["d"])]);
        assert_eq!(shown(&jobs(&graph, usize::MAX, 256)), "a d | b e | c old");
    }

    #[test]
    fn what_is_too_deep_for_the_waves_stays_together_in_the_last_one() {
        let graph = graph(&[("a", &[]), ("b", &["a"]), ("c", &["b"]), ("d", &["c"]), ("x", &["a"]), ("y", &["x"])]);
        assert_eq!(shown(&jobs(&graph, 2, 256)), "a | b,c,d x,y");
        assert_eq!(shown(&jobs(&graph, 1, 256)), "a,b,c,d,x,y");
    }

    #[test]
    fn more_aliases_than_jobs_are_spread_evenly() {
        let graph: Graph = (0..300).map(|number| (node(&format!("a{number:03}")), BTreeSet::new())).collect();
        let waves = jobs(&graph, usize::MAX, 256);
        let sizes: Vec<usize> = waves[0].iter().map(Vec::len).collect();
        assert_eq!((waves.len(), sizes.len(), sizes.iter().sum::<usize>()), (1, 256, 300));
        assert_eq!((sizes.iter().min(), sizes.iter().max()), (Some(&1), Some(&2)));
        assert!(jobs(&Graph::new(), usize::MAX, 256).is_empty());
    }
}
