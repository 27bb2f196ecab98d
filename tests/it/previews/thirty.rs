//! R50: many previews at once over what they share.

use std::process::Stdio;

use super::*;
use crate::harness::needs_terraform;

/// How many previews there are, and how many processes make them at a time.
const PREVIEWS: u64 = 30;
const AT_A_TIME: usize = 6;

/// An application of one plugin: many at once are not to keep the machine busy for minutes.
const SMALL: &str = "apiVersion: tieline/v1
kind: Application
name: shop
workspace: retail
plugins:
  database: {use: ../plugins/postgres, inputs: {name: orders}}
preview: {base: staging}
";

#[test]
fn tf_r50_thirty_previews_at_once_cannot_touch_what_they_share() {
    needs_terraform!();
    let project = shop();
    project.write("shop/tieline.yaml", SMALL);
    let shared = |project: &Project| {
        let of_network = project.ledger_paths().into_iter().filter(|path| {
            path.starts_with("platform/") && !["/consumers/", "/runs/"].iter().any(|folder| path.contains(folder))
        });
        let records: Vec<String> = of_network.map(|path| project.ledger_text(&path)).collect();
        (records, std::fs::read_to_string(project.state_path("platform/staging/network/vpc")).unwrap())
    };
    let before = shared(&project);
    let arguments = |action: &'static str, number: &str| -> Vec<String> {
        let words = ["preview", action, "-C", "shop", "-w", "retail", "--pull-request", number, "--repository-id", "123"];
        words.map(str::to_owned).to_vec()
    };
    at_once(&project, |number| arguments("up", &number.to_string()));

    let listed = project.run(&["preview", "list", "-o", "json"]).succeeds().json();
    assert_eq!(listed["previews"].as_array().unwrap().len() as u64, PREVIEWS);
    let bound = project.ledger_paths().into_iter().filter(|path| path.contains("vpc.vpc/retail~pr-")).count() as u64;
    assert_eq!(bound, PREVIEWS, "each is known as a consumer of the network");
    assert!(shared(&project) == before, "what they are on top of is as it was");
    project.verify();
    assert_eq!(project.claims(), "");
    let destroying = ["destroy", "-w", "platform", "-e", "staging", "--deployable", "network"];
    project.run(&destroying).refused("consumers-exist").says("retail/pr-30/shop/database.network");

    at_once(&project, |number| arguments("down", &number.to_string()));
    project.run(&["preview", "list"]).succeeds().says("there are no previews");
    assert!(shared(&project) == before, "what they were on top of is as it was");
    let left = project.ledger_paths().into_iter().filter(|path| path.starts_with("retail/pr-"));
    assert_eq!(left.filter(|path| !path.contains("/runs/") && !path.contains("/releases/")).count(), 0, "only history is left");
    for number in 1..=PREVIEWS {
        assert_eq!(project.state_resources(&format!("retail/pr-{number}/shop/database")), [""; 0]);
    }
    // Nothing but the environment's own default is in its way any more.
    project.run(&destroying).refused("consumers-exist").says("the default `network-conn`").never_says("retail/pr-");
    project.verify();
}

/// Runs the program once for each pull request, so many at a time; all must succeed.
fn at_once(project: &Project, arguments: impl Fn(u64) -> Vec<String>) {
    let numbers: Vec<u64> = (1..=PREVIEWS).collect();
    for some in numbers.chunks(AT_A_TIME) {
        let started = some.iter().map(|number| {
            let words = arguments(*number);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            project.command(&words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        });
        let running: Vec<_> = started.collect();
        for one in running {
            project.ran(one.wait_with_output().unwrap()).succeeds();
        }
    }
}
