//! The client as a whole: on the real binary, and on scripts in its place.

mod real;
mod scripts;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::world::{Clock, Files, Variables, World};

/// A clock that does not wait.
struct NoWaiting;

#[async_trait::async_trait]
impl Clock for NoWaiting {
    fn now(&self) -> chrono::DateTime<chrono::Utc> {
        chrono::DateTime::UNIX_EPOCH
    }

    async fn sleep(&self, _: Duration) {}
}

struct Bench {
    folder: TempDir,
    terraform: Terraform,
    events: Mutex<Vec<Event>>,
    arrived: Notify,
    cancel: CancellationToken,
}

impl Bench {
    /// With the real binary; none, said aloud, where there is none. In CI that is a failure.
    async fn real() -> Option<Self> {
        let world = crate::world::os::world().unwrap();
        match locate(&world, None) {
            Ok(binary) => Some(Self::with(world, binary, tempfile::tempdir().unwrap()).await),
            Err(missing) => {
                assert_eq!(world.variables.get("CI"), None, "no terraform in CI: {missing:?}");
                #[expect(clippy::print_stderr, reason = "a skipped test is said")]
                {
                    eprintln!("skipped: no terraform on this machine");
                }
                None
            }
        }
    }

    /// With a shell script in its place; `$1` is the command.
    async fn script(body: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("terraform");
        let version = r#"if [ "$1" = version ]; then echo '{"terraform_version":"1.11.4","terraform_outdated":false}'; exit; fi"#;
        Files.write(&path, format!("#!/bin/sh\n{version}\n{body}\n").as_bytes(), true).unwrap();
        let world = crate::world::os::world().unwrap();
        let binary = locate(&world, path.to_str()).unwrap();
        Self::with(world, binary, folder).await
    }

    async fn with(world: World, binary: Binary, folder: TempDir) -> Self {
        let variables = [
            ("HOME", folder.path().to_str().unwrap()),
            ("PATH", "/usr/bin:/bin"),
            // As on machines whose file went away: no warning may come of it.
            ("TF_CLI_CONFIG_FILE", "/nonexistent/terraformrc"),
            ("TF_LOG", "TRACE"),
            ("TF_CLI_ARGS_plan", "-destroy"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let world = World { variables: Arc::new(Variables::new(variables)), clock: Arc::new(NoWaiting), ..world };
        let settings =
            Settings { plugin_cache: folder.path().join("providers"), terraform_parallelism: 10, lock_timeout: Duration::ZERO };
        let cancel = CancellationToken::new();
        let terraform = Terraform::open(&world, binary, &[], settings, &cancel).await.unwrap();
        Self { folder, terraform, events: Mutex::new(Vec::new()), arrived: Notify::new(), cancel }
    }

    fn root(&self, files: &[(&str, &str)]) -> Root {
        self.root_named("root", files)
    }

    fn root_named(&self, name: &str, files: &[(&str, &str)]) -> Root {
        let directory = self.folder.path().join(name);
        for (path, text) in files {
            Files.write(&directory.join(path), text.as_bytes(), false).unwrap();
        }
        Root { directory, environment: BTreeMap::new(), variable_file: None, providers: ProviderNeeds::new() }
    }

    fn sink(&self) -> impl Fn(Event) + Send + Sync {
        |event| {
            self.events.lock().unwrap().push(event);
            self.arrived.notify_one();
        }
    }

    fn seen(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.events.lock().unwrap().iter().filter(|event| wanted(event)).count()
    }

    async fn until(&self, wanted: impl Fn(&Event) -> bool) {
        while self.seen(&wanted) == 0 {
            self.arrived.notified().await;
        }
    }

    async fn init(&self, root: &Root) -> Result<Option<String>, Box<Failure>> {
        self.terraform.init(root, &self.sink(), &self.cancel).await
    }

    async fn plan(&self, root: &Root, mode: PlanMode) -> Result<Plan, Box<Failure>> {
        self.terraform.plan(root, mode, true, &self.sink(), &self.cancel).await
    }

    async fn apply(&self, root: &Root) -> Result<Applied, Box<Failure>> {
        self.terraform.apply(root, &self.sink(), &self.cancel).await
    }

    async fn deploy(&self, root: &Root) -> Applied {
        self.init(root).await.unwrap();
        self.plan(root, PlanMode::Apply).await.unwrap();
        self.apply(root).await.unwrap()
    }
}

fn file_text(path: &Path) -> String {
    String::from_utf8(Files.read(path, 1 << 20).unwrap()).unwrap()
}
