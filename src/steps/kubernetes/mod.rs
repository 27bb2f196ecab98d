//! Scripts in pods of their own. The pod waits; the script and its files are written into it, the script is run in it, and what it
//! left is read out of it, all by `kubectl exec`: no secret of the cluster is made, and none stands in the pod's description. The
//! image needs `sh`, `cat`, `mkdir`, `chmod`, `dirname` and `head`, which even the smallest have.

mod pod;

use async_trait::async_trait;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::client::{Call, Client, said};
use super::executor::{Executor, LineSink, NotRead, STEP_ROOT, StepFailure, StepJob, StepLeft};
use super::outputs::LARGEST_OUTPUT;
use crate::domain::diagnostic::Diagnostic;
use crate::domain::failure::FailureReason::StepFailed;
use crate::world::{Exit, World};

/// What is read of what the client says.
const ANSWER: usize = 1 << 20;

/// How long a pod may take to start: images are pulled meanwhile.
const START: &str = "--timeout=15m";

/// Writes its input to the file `$1`, with the mode `$2`.
const WRITE: &str = r#"mkdir -p "$(dirname "$1")" && cat > "$1" && chmod "$2" "$1""#;

/// Makes the folders of files that are to be left.
const MAKE: &str = r#"for folder do mkdir -p "$folder" || exit; done"#;

/// Runs the script, which can be told to end by its number, and keeps how it ended: a lost connection looks the same to the client.
const RUN: &str = ". /tieline/env; rm -f /tieline/env; /tieline/script & echo $! > /tieline/pid; wait $!; \
                   code=$?; echo $code > /tieline/exit; exit $code";

/// Tells the script to end.
const STOP: &str = r#"kill -TERM "$(cat /tieline/pid)""#;

/// Says how the script ended.
const ENDED: &str = "cat /tieline/exit";

/// Reads the file `$1`, but no more than `$2` bytes; by its code it says what is there in place of one.
const READ: &str =
    r#"[ -L "$1" ] && exit 41; [ -e "$1" ] || exit 42; [ -d "$1" ] && exit 43; [ -f "$1" ] || exit 44; head -c "$2" "$1""#;

/// Runs scripts in pods.
pub(super) struct Kubernetes {
    pub(super) world: World,
}

#[async_trait]
impl Executor for Kubernetes {
    async fn run(&self, job: &StepJob<'_>, lines: LineSink<'_>, cancel: &CancellationToken) -> Result<StepLeft, StepFailure> {
        let name = format!("tieline-step-{:032x}", self.world.random.bits());
        let prefixes = &["KUBE", "AWS_", "GOOGLE_", "CLOUDSDK_", "AZURE_", "ARM_", "USE_GKE_"];
        let client = Client { world: &self.world, program: "kubectl", prefixes, job };
        let pod = Pod { client, name };
        let left = pod.run(lines, cancel).await;
        pod.client.tidy(pod.call(&["delete", "pod", &pod.name, "--ignore-not-found", "--grace-period=1", "--wait=false"])).await;
        left
    }
}

/// The pod of a step.
struct Pod<'a> {
    client: Client<'a>,
    name: String,
}

impl Pod<'_> {
    async fn run(&self, lines: LineSink<'_>, cancel: &CancellationToken) -> Result<StepLeft, StepFailure> {
        self.create(cancel).await?;
        self.fill(cancel).await?;
        let stop = async {
            self.client.tidy(self.exec(STOP, &[], false)).await;
        };
        let call = self.exec(RUN, &[], false);
        let exit = match self.client.follow(call, lines, cancel, stop).await? {
            exit if exit.success() => exit,
            _ => self.ended(cancel).await?,
        };
        let mut left = StepLeft { exit, outputs: [].into() };
        if exit.success() {
            for path in &self.client.job.outputs {
                left.outputs.insert(path.clone(), self.take(path, cancel).await?);
            }
        }
        Ok(left)
    }

    /// A call in the pod's namespace.
    fn call(&self, arguments: &[&str]) -> Call {
        let namespace = self.client.job.runner.namespace.as_deref();
        let namespace = namespace.map(|namespace| format!("--namespace={namespace}"));
        Call::new(namespace.as_deref().into_iter().chain(arguments.iter().copied()))
    }

    /// A shell script in the pod, with arguments that are no secrets.
    fn exec(&self, script: &str, arguments: &[&str], reads: bool) -> Call {
        let input = if reads { &["--stdin"][..] } else { &[] };
        let fixed = [&self.name, "--container=main", "--", "sh", "-c", script, "sh"];
        self.call(&[&["exec"], input, &fixed, arguments].concat())
    }

    async fn create(&self, cancel: &CancellationToken) -> Result<(), StepFailure> {
        let pod = pod::described(&self.name, self.client.job).map_err(|why| {
            let problem = format!("step `{}` cannot be run in a pod: {why}", self.client.job.step);
            StepFailure::from(Diagnostic::error(StepFailed, problem).help("correct `podTemplateOverlay`"))
        })?;
        let made = self.client.call(self.call(&["create", "--filename=-"]).with_input(pod), ANSWER, cancel).await?;
        if !made.exit.success() {
            let help = "see that `kubectl` reaches the cluster, and that the run may make pods in that namespace";
            return Err(self.client.failed("its pod cannot be made", &made, help));
        }
        let pod = format!("pod/{}", self.name);
        let ready = self.client.call(self.call(&["wait", "--for=condition=Ready", &pod, START]), ANSWER, cancel).await?;
        if ready.exit.success() {
            return Ok(());
        }
        let found = self.client.call(self.call(&["get", &pod, "--output=json"]), ANSWER, cancel).await?;
        let what = match pod::waits_for(&serde_json::from_slice(&found.stdout).unwrap_or(Value::Null)) {
            Some(why) => format!("its pod does not start: {why}"),
            None => "its pod does not start".to_owned(),
        };
        Err(self.client.failed(&what, &ready, "see that the image can be pulled and has `sh`, and that the cluster has room"))
    }

    /// Writes the script, the variables and the files, and makes the folders that its outputs go to.
    async fn fill(&self, cancel: &CancellationToken) -> Result<(), StepFailure> {
        let job = self.client.job;
        let variables =
            std::iter::once((STEP_ROOT, "")).chain(job.env.iter().map(|(name, value)| (name.as_str(), value.expose())));
        let variables: String = variables.map(|(name, value)| format!("export {name}={}\n", pod::quoted(value))).collect();
        let own = [("/tieline/script", job.script, "0555"), ("/tieline/env", variables.as_str(), "0444")];
        let files = job.files.iter().map(|(path, text)| (path.as_str(), text.expose(), "0444"));
        for (path, text, mode) in own.into_iter().chain(files) {
            let call = self.exec(WRITE, &[path, mode], true).with_input(text.as_bytes().to_vec());
            let written = self.client.call(call, ANSWER, cancel).await?;
            if !written.exit.success() {
                let what = format!("`{path}` cannot be written in its pod");
                return Err(self.client.failed(
                    &what,
                    &written,
                    "use a folder that the image's user may write to, such as `/tmp`",
                ));
            }
        }
        let folders: Vec<&str> = job.outputs.iter().filter_map(|path| Some(path.rsplit_once('/')?.0)).collect();
        let folders: Vec<&str> = folders.into_iter().filter(|folder| !folder.is_empty()).collect();
        if !folders.is_empty() {
            // Where that fails the script may still make them, as somebody else or elsewhere.
            self.client.call(self.exec(MAKE, &folders, false), ANSWER, cancel).await?;
        }
        Ok(())
    }

    /// How the script ended that the client did not see end well.
    async fn ended(&self, cancel: &CancellationToken) -> Result<Exit, StepFailure> {
        let said = self.client.call(self.exec(ENDED, &[], false), ANSWER, cancel).await?;
        match String::from_utf8_lossy(&said.stdout).trim().parse() {
            Ok(code) => Ok(Exit { code: Some(code), signal: None, cancelled: false }),
            Err(_) => Err(self.client.failed(
                "the connection to its pod was lost while it ran",
                &said,
                "run again; where a proxy ends connections on which nothing is said, let the script say something now and then",
            )),
        }
    }

    /// What is in a file of the pod.
    async fn take(&self, path: &str, cancel: &CancellationToken) -> Result<Result<Vec<u8>, NotRead>, StepFailure> {
        let most = LARGEST_OUTPUT + 1;
        let captured = self.client.call(self.exec(READ, &[path, &most.to_string()], false), most, cancel).await?;
        Ok(match captured.exit.code {
            _ if captured.stdout.len() > LARGEST_OUTPUT => Err(NotRead::TooLarge),
            Some(0) => Ok(captured.stdout),
            Some(41) => Err(NotRead::NotRegular("a link")),
            Some(42) => Err(NotRead::Missing),
            Some(43) => Err(NotRead::NotRegular("a folder")),
            Some(44) => Err(NotRead::NotRegular("a device, socket or pipe")),
            _ => Err(NotRead::Unreadable(said(&captured))),
        })
    }
}
