//! A fleet with its context on a GitHub server, which counts what it is asked.

use super::{Fleet, held};
use crate::endure::bench::Bench;
use crate::github::GitHub;
use crate::harness::needs_terraform;

const NAME: &str = "acme/context";

/// How many applied plugins are in each of the two waves.
const IN_A_WAVE: usize = 4;

#[test]
fn tf_r16_a_fleet_on_github_in_few_requests() {
    needs_terraform!();
    let github = GitHub::start();
    let repository = github.repository(NAME);
    let mut bench = Bench::new();
    let states = bench.path("states").display().to_string();
    bench.edit("context/workspaces/w/environments/e.yaml", "path: states", &format!("path: {states}"));
    bench.set("GITHUB_API_URL", &github.url());
    bench.set("TIELINE_CONTEXT", &format!("github:{NAME}"));
    bench.set("TIELINE_CONTEXT_TOKEN", &github.token(&[(NAME, &["contents=write"])]));
    bench.init_context();
    let first = (0..IN_A_WAVE).map(|number| format!("a{number}: {{use: ../plugins/quick}}"));
    let second =
        (0..IN_A_WAVE).map(|number| format!("b{number}: {{use: ../plugins/quick, connections: {{from: a{number}.out}}}}"));
    bench.deployable("app", &format!("{{{}}}", first.chain(second).collect::<Vec<_>>().join(", ")));

    let fleet = Fleet::of(&bench);
    let count = |from: (usize, usize)| (github.requests().len() - from.0, github.writes() - from.1);
    let mut most = (0, 0);
    for aliases in fleet.waves.iter().flatten() {
        let before = (github.requests().len(), github.writes());
        fleet.runs(&bench, aliases);
        let (all, writes) = count(before);
        most = (most.0.max(all), most.1.max(writes));
    }
    let before = (github.requests().len(), github.writes());
    let finished = fleet.finish(&bench, &[]);
    assert_eq!(finished.code, Some(0), "{}", finished.err);
    let (all, writes) = count(before);
    eprintln!("a job: at most {most:?} requests and writes; the end of {} jobs: {:?}", 2 * IN_A_WAVE, (all, writes));
    // Two writes of its journal, three requests each; the first job takes the claim as well.
    assert!(most.0 <= 44 && most.1 <= 9, "{most:?}");
    // For each job its journal is read and taken away; the publication is one commit, whatever is in it.
    assert!(all <= 30 + 5 * 2 * IN_A_WAVE && writes <= 10 + 2 * IN_A_WAVE, "{all} requests, {writes} writes");
    assert_eq!(repository.references(), ["refs/heads/ledger", "refs/heads/main"], "neither claim nor journal is left");
    assert_eq!(held(&bench), "");
    bench.verify();
    let again = bench.deploys("app", &[]);
    assert!(again.out.contains("8 unchanged"), "{}", again.out);
}
