//! What reads and writes cost: processes, and never a look at the whole repository.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::records;
use super::{Bench, place, write};
use tieline::context::ledger::Snapshot;
use tieline::context::{Branch, Change, Changes, ContextStore};
use tieline::domain::record::Process;
use tieline::world::{Captured, Exec, Exit, Line, ProcessSpec, SpawnError, World};

/// Starts real processes and remembers which.
pub(crate) struct Counting {
    exec: Arc<dyn Exec>,
    started: Mutex<Vec<Vec<String>>>,
    /// What `cat-file` was asked for.
    objects: Mutex<Vec<String>>,
}

#[async_trait]
impl Exec for Counting {
    async fn capture_at_most(&self, spec: &ProcessSpec, most: u64, cancel: &CancellationToken) -> Result<Captured, SpawnError> {
        self.started.lock().unwrap().push(spec.arguments.clone());
        if spec.arguments.first().is_some_and(|command| command == "cat-file") {
            let asked = String::from_utf8_lossy(spec.stdin.as_deref().unwrap_or_default()).into_owned();
            self.objects.lock().unwrap().extend(asked.lines().map(str::to_owned));
        }
        self.exec.capture_at_most(spec, most, cancel).await
    }

    async fn stream(
        &self,
        spec: &ProcessSpec,
        lines: mpsc::Sender<Line>,
        cancel: &CancellationToken,
    ) -> Result<Exit, SpawnError> {
        self.exec.stream(spec, lines, cancel).await
    }

    fn has_ended(&self, process: &Process) -> bool {
        self.exec.has_ended(process)
    }
}

impl Counting {
    pub(crate) fn new(world: &World) -> (Arc<Self>, World) {
        let counting = Arc::new(Self { exec: world.exec.clone(), started: Mutex::default(), objects: Mutex::default() });
        (counting.clone(), World { exec: counting, ..world.clone() })
    }

    /// The files of repositories that were read since the last time, by path.
    pub(crate) fn files(&self) -> Vec<String> {
        let asked = self.objects.lock().unwrap().drain(..).collect::<Vec<_>>();
        asked.iter().filter_map(|name| Some(name.split_once(':')?.1.to_owned())).collect()
    }

    /// The git commands since the last time, by name.
    pub(crate) fn commands(&self) -> Vec<String> {
        self.started.lock().unwrap().drain(..).map(|arguments| arguments[0].clone()).collect()
    }
}

/// A ledger of 20,000 files, the places of one small deployable among them.
async fn large(bench: &Bench) {
    let store = bench.local().await;
    let mut changes: Changes = (0..20_000)
        .map(|n| (format!("w{}/staging/d{}/runs/{n}.json", n % 40, n % 1000), Change::write(format!("{n}"))))
        .collect();
    changes.extend(records::ledger().records.into_iter().map(|(path, bytes)| (path, Change::write(bytes))));
    let head = store.head(Branch::Ledger).await.unwrap();
    store.commit(Branch::Ledger, &changes, head.as_ref(), "large").await.unwrap();
}

#[tokio::test]
async fn a_read_costs_what_is_read_and_a_commit_two_processes() {
    let bench = Bench::new().await;
    large(&bench).await;
    let (counting, world) = Counting::new(&bench.world);
    let store = bench.open(&world, &bench.repository().display().to_string(), "none").await;

    let snapshot = Snapshot::newest(&store).await.unwrap();
    assert_eq!(counting.commands(), ["for-each-ref"]);
    let records = snapshot.place(&place("platform/staging/network")).await.unwrap();
    assert_eq!((records.applied.len(), records.connections.len()), (1, 1));
    for arguments in counting.started.lock().unwrap().iter().filter(|arguments| arguments[0] == "ls-tree") {
        let folders = arguments.iter().skip_while(|argument| *argument != "--").skip(1).collect::<Vec<_>>();
        assert_eq!(folders, ["platform/staging/network/applied/", "platform/staging/network/connections/"]);
    }
    assert_eq!(counting.commands(), ["ls-tree", "cat-file"]);
    store.commit(Branch::Ledger, &write(&[("a/b/c/runs/1.json", "1")]), snapshot.at(), "m").await.unwrap();
    assert_eq!(counting.commands(), ["fast-import", "update-ref"]);
}

#[tokio::test]
async fn a_remote_is_asked_once_for_a_head_its_trees_and_the_blobs_that_are_read() {
    let bench = Bench::new().await;
    large(&bench).await;
    bench.git(&["config", "uploadpack.allowFilter", "true"]).await;
    let (counting, world) = Counting::new(&bench.world);
    let url = format!("file://{}", bench.repository().display());
    let store = bench.open(&world, &url, "cache").await;
    assert_eq!(counting.commands(), ["init"]);

    let snapshot = Snapshot::newest(&store).await.unwrap();
    assert_eq!(counting.commands(), ["ls-remote"]);
    let network = place("platform/staging/network");
    let read = snapshot.place(&network).await.unwrap();
    assert_eq!(counting.commands(), ["cat-file", "fetch", "ls-tree", "ls-tree", "cat-file", "-c", "cat-file"]);
    assert_eq!(snapshot.place(&network).await.unwrap(), read);
    assert_eq!(counting.commands(), ["ls-tree", "ls-tree", "cat-file"], "what was read once is here");
    store.commit(Branch::Ledger, &write(&[("a/b/c/runs/1.json", "1")]), snapshot.at(), "m").await.unwrap();
    assert_eq!(counting.commands(), ["fast-import", "push"]);

    let cache = bench.world.files.list(&bench.path().join("cache")).unwrap().remove(0).name;
    let directory = bench.path().join("cache").join(cache);
    let objects = bench.git(&["-C", &directory.display().to_string(), "cat-file", "--batch-all-objects", "--batch-check"]).await;
    let blobs = objects.lines().filter(|line| line.contains(" blob ")).count();
    assert!(blobs < 10, "{blobs} of 20,000 contents were fetched");
}
