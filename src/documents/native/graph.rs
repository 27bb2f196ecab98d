//! Cycles of links and `after` (R4).

use std::collections::BTreeMap;

use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;

/// One cycle of each knot of the graph, as the names along it: each needs the next, the last needs the first. `needs` maps a
/// name to those it needs.
pub(super) fn cycles<'a>(needs: &BTreeMap<&'a str, Vec<&'a str>>) -> Vec<Vec<&'a str>> {
    let mut graph = DiGraph::<&str, ()>::new();
    let nodes: BTreeMap<&str, _> = needs.keys().map(|name| (*name, graph.add_node(name))).collect();
    for (from, targets) in needs {
        let ends = targets.iter().filter_map(|to| Some((*nodes.get(from)?, *nodes.get(to)?)));
        graph.extend_with_edges(ends);
    }
    let mut cycles: Vec<_> = kosaraju_scc(&graph)
        .into_iter()
        .filter(|knot| knot.len() > 1)
        .filter_map(|knot| {
            let mut knot: Vec<&str> = knot.into_iter().map(|node| graph[node]).collect();
            knot.sort_unstable();
            cycle_within(&knot, needs)
        })
        .collect();
    cycles.sort();
    cycles
}

/// Walks inside the knot until it meets itself.
fn cycle_within<'a>(knot: &[&'a str], needs: &BTreeMap<&'a str, Vec<&'a str>>) -> Option<Vec<&'a str>> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut way = Vec::new();
    let mut name = *knot.first()?;
    loop {
        if let Some(start) = places.insert(name, way.len()) {
            return Some(way.split_off(start));
        }
        way.push(name);
        name = needs.get(name)?.iter().copied().filter(|next| knot.binary_search(next).is_ok()).min()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_knot_gives_one_cycle_and_a_way_into_it_is_none() {
        let needs = BTreeMap::from([
            ("a", vec!["b"]),
            ("b", vec!["c", "d"]),
            ("c", vec!["b"]),
            ("d", vec![]),
            ("x", vec!["y"]),
            ("y", vec!["z"]),
            ("z", vec!["x"]),
        ]);
        assert_eq!(cycles(&needs), [vec!["b", "c"], vec!["x", "y", "z"]]);
    }
}
