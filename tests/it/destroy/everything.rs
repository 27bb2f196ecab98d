//! A whole environment of twelve deployables in three workspaces, taken down one by one in whatever order somebody tries.

use std::collections::{BTreeMap, BTreeSet};

use crate::harness::{Project, needs_terraform};

/// Each deployable with the one that it takes its connection from.
const DEPLOYABLES: [(&str, Option<&str>); 12] = [
    ("platform/staging/network", None),
    ("platform/staging/dns", Some("platform/staging/network")),
    ("platform/staging/cluster", Some("platform/staging/network")),
    ("platform/staging/logs", None),
    ("data/staging/orders", Some("platform/staging/network")),
    ("data/staging/queue", Some("platform/staging/cluster")),
    ("data/staging/search", Some("data/staging/orders")),
    ("data/staging/lake", Some("data/staging/search")),
    ("retail/staging/shop", Some("data/staging/orders")),
    ("retail/staging/billing", Some("data/staging/queue")),
    ("retail/staging/reports", Some("data/staging/lake")),
    ("retail/staging/front", Some("retail/staging/shop")),
];

fn environment() -> Project {
    let project = Project::lab();
    for workspace in ["platform", "data", "retail"] {
        let head = format!("apiVersion: tieline/v1\nkind: Workspace\nname: {workspace}\n");
        let grants = "grants: [{connection: '*/*/*', to: ['*/*/*'], allow: [use]}]\n";
        project.write(&format!("context/workspaces/{workspace}/workspace.yaml"), &(head + grants));
        let document = project.read("context/workspaces/lab/environments/staging.yaml");
        project.write(&format!("context/workspaces/{workspace}/environments/staging.yaml"), &document);
    }
    project.init_context();
    for (place, upstream) in DEPLOYABLES {
        let [workspace, _, name] = place.split('/').collect::<Vec<_>>()[..] else { panic!("{place}") };
        let connections = upstream.map(|upstream| format!(", connections: {{upstream: {upstream}/it.out}}")).unwrap_or_default();
        project.app(name, &format!("  it: {{use: ../plugins/thing{connections}}}\n"));
        project.edit(&format!("{name}/tieline.yaml"), "workspace: lab", &format!("workspace: {workspace}"));
        project.run(&["deploy", "-C", name, "-e", "staging"]).succeeds();
    }
    project.verify();
    project
}

/// Numbers that look random and are the same each time.
struct Shuffled(u64);

impl Shuffled {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

#[test]
fn tf_r29_twelve_deployables_of_three_workspaces_go_in_any_order_that_is_tried() {
    needs_terraform!();
    let project = environment();
    let mut left: BTreeMap<&str, Option<&str>> = DEPLOYABLES.into_iter().collect();
    let mut numbers = Shuffled(20_261_121);
    let (mut refused, mut done) = (0, 0);
    while !left.is_empty() {
        let place = *left.keys().nth(numbers.below(left.len())).unwrap();
        let needed_by: BTreeSet<&str> =
            left.iter().filter(|(_, upstream)| **upstream == Some(place)).map(|(name, _)| *name).collect();
        let ran = project.run(&super::destroy_arguments(place, &[]));
        if needed_by.is_empty() {
            ran.succeeds();
            left.remove(place);
            done += 1;
        } else {
            let ran = ran.refused("consumers-exist");
            for consumer in needed_by {
                assert!(ran.stderr.contains(&format!("`{consumer}/it.upstream` is bound to it")), "{place}: {ran}");
            }
            refused += 1;
        }
    }
    eprintln!("{done} destroyed, {refused} refused");
    assert!(done == 12 && refused > 0);
    project.verify();
    for (place, _) in DEPLOYABLES {
        project.is_gone(place, &["it"]);
    }
    let left = project.ledger_paths();
    let kept = |path: &&String| !["runs", "releases"].iter().any(|kind| path.split('/').nth(3) == Some(kind));
    assert_eq!(left.iter().filter(kept).collect::<Vec<_>>(), Vec::<&String>::new(), "nothing dangles in the ledger");
}
