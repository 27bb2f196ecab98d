//! Case 8: one binds while another destroys. Never do both go through, and a retry settles it (R30).
//!
//! Real programs, claims and records; Terraform is a script that says what Terraform would, since the race is not about it.

use super::destroy_arguments;
use crate::endure::bench::{Bench, wait_until};
use crate::github::GitHub;

const PRODUCER: &str = "w/e/data";
const CONSUMER: &str = "w/e/front";
const NAME: &str = "acme/context";

/// Makes on apply and takes away on destroy one resource, and puts out one value.
const TERRAFORM: &str = r#"
resource='"resource":{"addr":"module.plugin.terraform_data.it","module":"module.plugin","resource":"terraform_data.it","implied_provider":"terraform","resource_type":"terraform_data","resource_name":"it","resource_key":null}'
case "$1" in
version) echo '{"terraform_version":"1.11.4","platform":"linux_amd64","provider_selections":{},"terraform_outdated":false}';;
plan)
  case "$*" in
  *-destroy*) action=delete; add=0; remove=1; echo "{\"type\":\"refresh_start\",\"hook\":{$resource}}";;
  *) action=create; add=1; remove=0;;
  esac
  echo $action > action
  echo "{\"type\":\"planned_change\",\"change\":{$resource,\"action\":\"$action\"}}"
  echo "{\"type\":\"change_summary\",\"changes\":{\"add\":$add,\"change\":0,\"import\":0,\"remove\":$remove,\"operation\":\"plan\"}}"
  exit 2;;
apply)
  echo "{\"type\":\"apply_complete\",\"hook\":{$resource,\"action\":\"$(cat action)\",\"elapsed_seconds\":0}}"
  echo '{"type":"change_summary","changes":{"add":1,"change":0,"import":0,"remove":0,"operation":"apply"}}'
  echo '{"type":"outputs","outputs":{"tieline_out_public":{"sensitive":false,"type":["object",{"value":"string"}],"value":{"value":"plain"}}}}';;
esac
"#;

/// A producer for the whole workspace and a consumer of it.
fn prepare(bench: &Bench) {
    bench.shim("terraform", TERRAFORM);
    let head = |kind: &str, name: &str| format!("apiVersion: tieline/v1\nkind: {kind}\nname: {name}\nworkspace: w\nplugins:\n");
    bench.write("data/tieline.yaml", &(head("SharedInfra", "data") + "  a: {use: ../plugins/quick}\n"));
    let consumer = "  b: {use: ../plugins/quick, connections: {from: data/a.out}}\n";
    bench.write("front/tieline.yaml", &(head("Application", "front") + consumer));
}

/// How a round ended.
#[derive(Debug, Default)]
struct Ended {
    bound: usize,
    destroyed: usize,
    neither: usize,
}

/// So many rounds on one context repository.
fn rounds(bench: &Bench, count: usize) {
    let deploy = |folder: &'static str| ["deploy", "-C", folder, "-e", "e"];
    let mut ended = Ended::default();
    bench.run(&deploy("data")).succeeds();
    for round in 0..count {
        let bind = || bench.start(bench.command(&deploy("front")));
        let destroy = || bench.start(bench.command(&destroy_arguments(PRODUCER, &[])));
        let (bind, destroy) = if round % 2 == 0 {
            let bind = bind();
            (bind, destroy())
        } else {
            // A destroy has more to do before it is sure: every other time it has begun when the other comes.
            let destroy = destroy();
            wait_until("the destroy has begun", || destroy.err().contains("destroys"));
            (bind(), destroy)
        };
        let (bind, destroy) = (bind.finish(), destroy.finish());
        match (bind.code, destroy.code) {
            (Some(0), Some(1)) => {
                assert!(destroy.err.contains("[consumers-exist]"), "round {round}: {}", destroy.err);
                ended.bound += 1;
                bench.run(&destroy_arguments(CONSUMER, &[])).succeeds();
            }
            (Some(1), Some(0)) => {
                let told = ["[binding-changed]", "[unresolved-slot]"].iter().any(|reason| bind.err.contains(reason));
                assert!(told, "round {round}: {}", bind.err);
                ended.destroyed += 1;
                bench.run(&deploy("data")).succeeds();
            }
            (Some(1), Some(1)) => {
                ended.neither += 1;
                bench.run(&deploy("front")).succeeds();
                bench.run(&destroy_arguments(CONSUMER, &[])).succeeds();
            }
            _ => panic!("round {round}\n{}\n{}", bind.err, destroy.err),
        }
    }
    bench.run(&destroy_arguments(PRODUCER, &[])).succeeds();
    bench.verify();
    eprintln!("{ended:?}");
    assert_eq!(ended.bound + ended.destroyed + ended.neither, count);
    assert!(ended.bound > 0 && ended.destroyed > 0, "each comes first now and then: {ended:?}");
}

#[test]
fn r30_case_8_bind_and_destroy_never_both_go_through_in_git() {
    let bench = Bench::new();
    prepare(&bench);
    rounds(&bench, 200);
}

#[test]
fn r30_case_8_bind_and_destroy_never_both_go_through_on_github() {
    let github = GitHub::start();
    github.repository(NAME);
    let mut bench = Bench::new();
    prepare(&bench);
    // A context elsewhere has no folder that a path could start from.
    let states = format!("path: {}", bench.path("states").display());
    bench.edit("context/workspaces/w/environments/e.yaml", "path: states", &states);
    bench.set("GITHUB_API_URL", &github.url());
    bench.set("TIELINE_CONTEXT", &format!("github:{NAME}"));
    bench.set("TIELINE_CONTEXT_TOKEN", &github.token(&[(NAME, &["contents=write"])]));
    bench.init_context();
    // Each of its runs takes some thirty requests.
    rounds(&bench, 60);
}
