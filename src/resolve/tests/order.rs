//! The task graph (R22), determinism (R5) and speed.

use proptest::prelude::*;

use super::*;
use crate::resolve::Graph;

fn graph(edges: &[(&'static str, &[&'static str])]) -> Graph<&'static str> {
    Graph::new(edges.iter().map(|(node, needed)| (*node, needed.iter().copied().collect())).collect()).unwrap()
}

#[test]
fn r22_ready_ones_come_in_name_order() {
    let graph = graph(&[("z", &[]), ("a", &["z"]), ("m", &[]), ("b", &["a", "m", "elsewhere"])]);
    assert_eq!(graph.order(), ["m", "z", "a", "b"]);
    assert_eq!(graph.ready(&[].into()), ["m", "z"]);
    assert_eq!(graph.ready(&["z"].into()), ["a", "m"]);
    assert_eq!(graph.ready(&["a", "m", "z"].into()), ["b"]);
    assert_eq!(graph.dependencies(&"b").copied().collect::<Vec<_>>(), ["a", "m"]);
}

#[test]
fn r23_dependents_are_found_through_others() {
    let graph = graph(&[("a", &[]), ("b", &["a"]), ("c", &["b"]), ("d", &[])]);
    assert_eq!(graph.dependents(&"a"), ["b", "c"].into());
    assert_eq!(graph.dependents(&"c"), [].into());
}

#[test]
fn r32_destroy_goes_the_other_way_round() {
    let graph = graph(&[("a", &[]), ("b", &["a"]), ("c", &["a"])]).reversed();
    assert_eq!(graph.order(), ["b", "c", "a"]);
    assert_eq!(graph.dependencies(&"a").copied().collect::<Vec<_>>(), ["b", "c"]);
}

#[test]
fn r4_the_cycle_is_found_behind_what_leads_to_it() {
    let edges = [("a", "b"), ("b", "c"), ("c", "d"), ("d", "b")];
    let dependencies = edges.iter().map(|(node, needed)| (*node, [*needed].into())).collect();
    assert_eq!(Graph::new(dependencies).unwrap_err().to_string(), "b -> c -> d -> b");
    assert_eq!(Graph::new([("x", ["x"].into())].into()).unwrap_err().to_string(), "x -> x");
}

proptest! {
    #[test]
    fn r22_the_order_is_topological_and_stable(edges in proptest::collection::vec((0_u8..30, 0_u8..30), 0..120)) {
        // An edge leads from the larger to the smaller number after scrambling, so there is no cycle.
        let scramble = |node: u8| node * 7 % 30;
        let mut dependencies: BTreeMap<u8, BTreeSet<u8>> = (0..30).map(|node| (scramble(node), BTreeSet::new())).collect();
        for (one, other) in edges.into_iter().filter(|(one, other)| one != other) {
            dependencies.entry(scramble(one.max(other))).or_default().insert(scramble(one.min(other)));
        }
        let graph = Graph::new(dependencies.clone()).unwrap();
        prop_assert_eq!(&Graph::new(dependencies.clone()).unwrap(), &graph);
        let mut done = BTreeSet::new();
        for node in graph.order() {
            let ready = graph.ready(&done);
            prop_assert_eq!(ready.first(), Some(node));
            done.insert(*node);
        }
        prop_assert_eq!(done.len(), dependencies.len());
        for node in graph.order() {
            let dependents = graph.dependents(node);
            let reached = |later: &u8| dependencies[later].contains(node) || !dependencies[later].is_disjoint(&dependents);
            prop_assert!(dependents.iter().all(reached));
        }
    }
}

/// A chain of databases and their users, each a plugin of its own, which all take the network.
fn large(count: usize) -> Case {
    use std::fmt::Write as _;
    let mut plugins = String::new();
    for number in 0..count / 2 {
        let after = if number == 0 { String::new() } else { format!(", after: [web-{}]", number - 1) };
        writeln!(plugins, "  db-{number}: {{use: ./postgres{after}}}").unwrap();
        writeln!(
            plugins,
            "  web-{number}: {{use: ./web-{number}, inputs: {{size: s}}, connections: {{database: db-{number}.db}}}}"
        )
        .unwrap();
    }
    let mut case = case(&plugins);
    for number in 0..count / 2 {
        case.add_plugin(&format!("web-{number}"), "inputs: {additionalProperties: false, properties: {size: {type: string, pattern: \"^[a-z]+$\"}}}\nrequires: {database: {type: postgres-conn, sensitive: [password]}, network: {type: vpc-conn, where: {required: [id]}}}");
    }
    case.publish_vpc("retail/staging/net/vpc.vpc");
    case.environment += "defaults: {vpc-conn: net/vpc.vpc}\n";
    case
}

#[test]
fn r5_the_same_in_gives_the_same_out() {
    let case = large(20);
    assert_eq!(format!("{:?}", case.resolved()), format!("{:?}", case.resolved()));
    let mut broken = large(20);
    broken.context = ContextView::default();
    broken.environment = super::case("").environment;
    assert_eq!(broken.refused(), broken.refused());
}

#[test]
fn two_hundred_applied_plugins_resolve_in_order() {
    let resolved = large(200).resolved();
    let order: Vec<_> = resolved.graph.order().iter().map(Alias::as_str).collect();
    assert_eq!(order.len(), 200);
    assert_eq!(order[..4], ["db-0", "web-0", "db-1", "web-1"]);
}
