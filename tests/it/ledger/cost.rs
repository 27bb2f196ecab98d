//! What is read of a large context: what is needed, and no more.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::context::cost::Counting;
use crate::harness::{Project, needs_terraform};
use tieline::context::git::GitStore;
use tieline::context::{Branch, Change, Changes, ContextStore, Location, RefNames};
use tieline::domain::canonical;
use tieline::domain::connection::{ConnectionRecord, Face};
use tieline::domain::names::Digest;
use tieline::world::{Console, Stream, Variables, World, os};

/// How many connections there are, with three consumers each.
const MANY: usize = 10_000;

const RUN: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

/// Keeps what was said.
#[derive(Default)]
struct Heard(Mutex<String>);

impl Console for Heard {
    fn write(&self, _: Stream, text: &str) {
        self.0.lock().unwrap().push_str(text);
    }

    fn is_terminal(&self, _: Stream) -> bool {
        false
    }

    fn width(&self) -> Option<usize> {
        None
    }
}

pub(crate) fn connection(number: usize) -> Value {
    let face = json!({"type": "thing-conn", "typeVersion": "1.0.0", "attributes": {"name": "thing"}, "sensitive": {}});
    let face: Face = serde_json::from_value(face).unwrap();
    json!({
        "schemaVersion": 1, "address": format!("lab/staging/many{number}/d.out"), "uid": "u", "type": "thing-conn", "typeVersion": "1.0.0",
        "attributes": face.attributes, "sensitive": {}, "digest": ConnectionRecord::digest_of(&[face], None), "generation": 1,
        "producer": {
            "kind": "SharedInfra", "plugin": "thing", "version": "1.0.0", "digest": Digest::of(b"plugin"), "run": RUN, "commit": null,
        },
        "status": "ready",
    })
}

pub(crate) fn entry(consumer: &str) -> Value {
    json!({
        "schemaVersion": 1, "consumer": consumer, "uid": "u", "generation": 1, "type": "thing-conn", "typeVersion": "1.0.0",
        "attributes": ["name"],
    })
}

/// Adds many connections with their consumers to the ledger of a project.
async fn fill(world: &World, project: &Project) {
    let location = Location::parse(&project.path(".tieline/context.git").display().to_string(), &project.root()).unwrap();
    let store = GitStore::open(world, &location, RefNames::default(), &project.temporary()).await.unwrap();
    let mut changes = Changes::new();
    let mut write = |path: String, value: &Value| changes.insert(path, Change::write(canonical::to_bytes(value)));
    for number in 0..MANY {
        let folder = format!("lab/staging/many{number}");
        write(format!("{folder}/connections/d.out.json"), &connection(number));
        for slot in ["s", "t", "u"] {
            let path = format!("{folder}/consumers/d.out/lab~staging~user{number}~x.{slot}.json");
            write(path, &entry(&format!("lab/staging/user{number}/x.{slot}")));
        }
    }
    let head = store.head(Branch::Ledger).await.unwrap();
    store.commit(Branch::Ledger, &changes, head.as_ref(), "many").await.unwrap();
}

/// Runs the program in this process, and gives what it said and which files of the context it read.
pub(crate) async fn run(world: &World, arguments: &[&str]) -> (String, Vec<String>) {
    let heard = Arc::new(Heard::default());
    let (counting, world) = Counting::new(&World { console: heard.clone(), ..world.clone() });
    let arguments = [&["tieline"], arguments].concat().into_iter().map(str::to_owned).collect();
    let start = Instant::now();
    let code = tieline::app::run(world, arguments, CancellationToken::new()).await;
    let said = heard.0.lock().unwrap().clone();
    assert_eq!(code, 0, "{said}");
    let files = counting.files();
    eprintln!(
        "{} files of the context in {:.2} s, {} git commands",
        files.len(),
        start.elapsed().as_secs_f64(),
        counting.commands().len()
    );
    (said, files)
}

#[tokio::test]
async fn tf_r29_of_ten_thousand_connections_only_those_are_read_that_matter() {
    needs_terraform!();
    let project = Project::lab();
    let mut world = os::world().unwrap();
    world.directory = project.root();
    world.variables = Arc::new(Variables::new(project.variables().iter().map(|(name, value)| (name.clone(), value.clone()))));
    fill(&world, &project).await;
    project.app("app", "  b: {use: ../plugins/thing, connections: {upstream: lab/staging/many7/d.out}}\n");
    project.run(&["deploy", "-C", "app", "-e", "staging"]).succeeds();

    let (said, read) = run(&world, &["connection", "show", "lab/staging/many7/d.out"]).await;
    assert!(said.contains("4 consumers") && said.contains("needed by lab/staging/user7/x.u"), "{said}");
    let many7 = read.iter().filter(|path| path.starts_with("lab/staging/many7/")).count();
    assert_eq!((many7, read.len()), (5, 7), "the record, its consumers, and what people wrote: {read:?}");

    let (said, read) = run(&world, &["plan", "-C", "app", "-e", "staging"]).await;
    assert!(said.contains("unchanged"), "{said}");
    let foreign: Vec<&String> =
        read.iter().filter(|path| path.starts_with("lab/") && !path.starts_with("lab/staging/app/")).collect();
    assert_eq!(foreign, ["lab/staging/many7/connections/d.out.json"]);
    assert_eq!(read.len(), 10, "its own records, and what people wrote: {read:?}");
}
