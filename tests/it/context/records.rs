//! A small ledger that agrees with itself: a network, and a shop bound to it.

use serde_json::{Value, json};

use super::{Bench, place};
use tieline::context::ledger::{Snapshot, TreeFile, read_claim};
use tieline::context::verify::{LedgerFiles, verify};
use tieline::context::{Branch, Change, Changes, ContextStore, StoreError, layout};
use tieline::domain::address::Address;
use tieline::domain::canonical;
use tieline::domain::connection::{ConnectionRecord, Face};
use tieline::domain::names::{Digest, RunId};

const RUN: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

fn digest() -> Digest {
    Digest::of(b"a plugin")
}

pub(super) fn applied(plugin: &str, bindings: &Value) -> Value {
    let attempt = json!({"run": RUN, "fingerprint": digest()});
    json!({
        "schemaVersion": 1,
        "plugin": plugin,
        "version": "1.0.0",
        "source": {"use": format!("./plugins/{plugin}"), "digest": digest()},
        "inputs": {},
        "sensitiveInputs": [],
        "bindings": bindings,
        "state": {"backend": {"type": "local", "config": {"path": "/states"}}, "key": format!("{plugin}.tfstate")},
        "terraform": {"path": "/bin/terraform", "version": "1.11.4", "size": 1, "modified": 2},
        "generator": 1,
        "attempted": attempt,
        "applied": attempt,
        "resources": 3,
    })
}

fn connection() -> Value {
    let face = json!({"type": "vpc", "typeVersion": "1.0.0", "attributes": {"id": "vpc-1"}, "sensitive": {}});
    let face: Face = serde_json::from_value(face).unwrap();
    json!({
        "schemaVersion": 1,
        "address": "platform/staging/network/vpc.vpc",
        "uid": "u1",
        "type": "vpc",
        "typeVersion": "1.0.0",
        "attributes": face.attributes,
        "sensitive": {},
        "digest": ConnectionRecord::digest_of(&[face], None),
        "generation": 1,
        "producer": {"kind": "SharedInfra", "plugin": "vpc", "version": "1.0.0", "digest": digest(), "run": RUN, "commit": null},
        "status": "ready",
    })
}

fn binding() -> Value {
    json!({
        "address": "platform/staging/network/vpc.vpc",
        "uid": "u1",
        "generation": 1,
        "digest": digest(),
        "type": "vpc",
        "typeVersion": "1.0.0",
        "attributes": {"id": "vpc-1"},
        "sensitive": [],
    })
}

pub(super) fn run(id: &str) -> Value {
    json!({
        "schemaVersion": 1,
        "id": id,
        "type": "deploy",
        "status": "succeeded",
        "tasks": [],
        "versionTag": "v1",
        "started": "2026-01-01T00:00:00Z",
    })
}

/// The whole of it.
pub(crate) fn ledger() -> LedgerFiles {
    let entry = json!({
        "schemaVersion": 1,
        "consumer": "retail/staging/shop/api.network",
        "uid": "u1",
        "generation": 1,
        "type": "vpc",
        "typeVersion": "1.0.0",
        "attributes": ["id"],
    });
    let release = json!({"schemaVersion": 1, "versionTag": "v1", "run": RUN, "made": "2026-01-01T00:00:00Z", "manifest": {}, "plugins": {}});
    let records = [
        ("platform/staging/network/applied/vpc.json".to_owned(), applied("vpc", &json!({}))),
        ("platform/staging/network/connections/vpc.vpc.json".to_owned(), connection()),
        ("platform/staging/network/consumers/vpc.vpc/retail~staging~shop~api.network.json".to_owned(), entry),
        ("retail/staging/shop/applied/api.json".to_owned(), applied("web", &json!({"network": binding()}))),
        (format!("retail/staging/shop/releases/{RUN}.json"), release),
        (format!("retail/staging/shop/runs/{RUN}.json"), run(RUN)),
    ];
    LedgerFiles {
        records: records.map(|(path, value)| (path, canonical::to_bytes(&value))).into(),
        plugins: [digest().to_string()].into(),
    }
}

/// Commits it, with the tree of its one plugin.
async fn write(store: &dyn ContextStore) {
    let mut changes: Changes = ledger().records.into_iter().map(|(path, bytes)| (path, Change::write(bytes))).collect();
    let tree = layout::plugin_tree(&digest());
    changes.insert(format!("{tree}/main.tf"), Change::write("# nothing"));
    changes.insert(format!("{tree}/bin/go.sh"), Change::Write { bytes: b"#!".into(), executable: true });
    for millis in 1..=5 {
        let id = RunId::from_parts(millis, 0);
        changes.insert(layout::run(&place("retail/staging/shop"), &id), Change::write(canonical::to_bytes(&run(id.as_str()))));
    }
    let head = store.head(Branch::Ledger).await.unwrap();
    store.commit(Branch::Ledger, &changes, head.as_ref(), "records").await.unwrap();
}

#[tokio::test]
async fn records_are_read_as_their_types() {
    let bench = Bench::new().await;
    let store = bench.local().await;
    write(&store).await;
    let snapshot = Snapshot::newest(&store).await.unwrap();
    let (network, shop) = (place("platform/staging/network"), place("retail/staging/shop"));
    let vpc = "platform/staging/network/vpc.vpc".parse().unwrap();
    let absent = "platform/staging/network/vpc.other".parse().unwrap();

    let records = snapshot.place(&network).await.unwrap();
    assert_eq!(records.applied["vpc"].plugin.as_str(), "vpc");
    let found = snapshot.connections([&vpc, &absent]).await.unwrap();
    assert_eq!(found.values().collect::<Vec<_>>(), records.connections.values().collect::<Vec<_>>());
    assert_eq!(snapshot.connection(&absent).await.unwrap(), None);

    let consumers = snapshot.consumers([&vpc, &absent]).await.unwrap();
    let (place, slot) = consumers[&vpc].bound.keys().next().unwrap();
    assert_eq!(format!("{place}/{slot}"), "retail/staging/shop/api.network");
    assert!(consumers[&absent].bound.is_empty());

    let runs = snapshot.runs(&shop, 3).await.unwrap();
    let newest: Vec<_> = [5, 4].map(|millis| RunId::from_parts(millis, 0).to_string()).into();
    assert_eq!(runs.iter().map(|run| run.id.to_string()).collect::<Vec<_>>(), [vec![RUN.to_owned()], newest].concat());
    assert_eq!(snapshot.releases(&shop, 9).await.unwrap()[0].run.as_str(), RUN);

    let tree = snapshot.plugin_tree(&digest()).await.unwrap();
    assert_eq!(tree["bin/go.sh"], TreeFile { bytes: b"#!".into(), executable: true });
    assert_eq!(tree["main.tf"], TreeFile { bytes: b"# nothing".into(), executable: false });

    let files = LedgerFiles::read(&store, snapshot.at().unwrap()).await.unwrap();
    assert_eq!(verify(&files), []);
}

#[tokio::test]
async fn r41_a_record_that_was_moved_to_another_address_is_not_believed() {
    let bench = Bench::new().await;
    let store = bench.local().await;
    let address = "retail/staging/shop/db.main".parse().unwrap();
    let moved = Changes::from([(layout::connection(&address).unwrap(), Change::write(canonical::to_bytes(&connection())))]);
    let head = store.head(Branch::Ledger).await.unwrap();
    store.commit(Branch::Ledger, &moved, head.as_ref(), "forged").await.unwrap();
    let snapshot = Snapshot::newest(&store).await.unwrap();
    for problem in
        [snapshot.connection(&address).await.unwrap_err(), snapshot.place(&place("retail/staging/shop")).await.unwrap_err()]
    {
        assert_eq!(
            problem.to_string(),
            "`retail/staging/shop/connections/db.main.json` in the context repository is not what it should be: it is the record of `platform/staging/network/vpc.vpc`"
        );
    }
}

#[tokio::test]
async fn r29_a_consumer_whose_entry_is_lost_is_not_taken_for_none() {
    let bench = Bench::new().await;
    let store = bench.local().await;
    write(&store).await;
    let vpc: Address = "platform/staging/network/vpc.vpc".parse().unwrap();
    let entry = format!("{}/retail~staging~shop~api.network.json", layout::consumers_folder(&vpc));
    // A commit of its own is small enough for its objects to be files, which can be lost.
    let head = store.head(Branch::Ledger).await.unwrap().unwrap();
    let mut content = store.read(&head, std::slice::from_ref(&entry)).await.unwrap().remove(&entry).unwrap();
    content.push(b'\n');
    store.commit(Branch::Ledger, &Changes::from([(entry.clone(), Change::write(content))]), Some(&head), "again").await.unwrap();
    let object = bench.git(&["rev-parse", &format!("ledger:{entry}")]).await;
    bench.world.files.remove(&bench.repository().join(format!("objects/{}/{}", &object[..2], &object[2..]))).unwrap();
    let snapshot = Snapshot::newest(&store).await.unwrap();
    let problem = snapshot.consumers([&vpc]).await.unwrap_err();
    assert_eq!(problem, StoreError::Corrupt { path: entry, why: "its content is lost".to_owned() });
}

#[tokio::test]
async fn a_ledger_without_a_commit_is_empty() {
    let bench = Bench::new().await;
    let store = bench.local().await;
    let snapshot = Snapshot::new(&store, None);
    let shop = place("retail/staging/shop");
    assert!(snapshot.place(&shop).await.unwrap().applied.is_empty());
    assert!(snapshot.runs(&shop, 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_claim_that_is_none_is_not_taken_for_one() {
    let bench = Bench::new().await;
    let store = bench.local().await;
    let shop = place("retail/staging/shop");
    assert!(read_claim(&store, &shop).await.unwrap().is_none());
    store.write_claim(&shop, b"{}", None).await.unwrap();
    assert!(matches!(read_claim(&store, &shop).await, Err(StoreError::Corrupt { .. })));
}
