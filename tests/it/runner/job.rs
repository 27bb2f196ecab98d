//! A job: its steps one after the other on a machine, their post stages at the end.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::action::Action;
use super::container::{Container, Engine, Launch};
use super::environment::{Origin, Variables};
use super::event::Event;
use super::files::{self, SUMMARY_LIMIT};
use super::log::Log;
use super::machine::{Machine, OWNER};
use super::masks::Masks;
use super::result::{Conclusion, StepResult};
use super::stage::{Ended, PATIENCE, Stage, written};

/// The files that a stage may write to, by the start of their names.
const FILES: &[&str] = &["add_path", "set_env", "set_output", "save_state", "step_summary", "artifacts", "artifacts_list"];

/// A job on a machine.
pub(crate) struct Job<'m> {
    machine: &'m Machine,
    engine: Engine,
    event: Event,
    masks: Arc<Mutex<Masks>>,
    canaries: Vec<String>,
    environment: Variables,
    extra: Variables,
    /// What is still to be done at the end, first the step that was started last.
    posts: Vec<Post<'m>>,
    /// Containers whose client was killed.
    orphans: Vec<Container>,
}

/// A step's post stage.
struct Post<'m> {
    action: &'m Action,
    environment: Variables,
    inputs: Variables,
    state: Variables,
}

/// A step before its start.
pub(crate) struct Step<'j, 'm> {
    job: &'j mut Job<'m>,
    action: &'m Action,
    environment: Variables,
    inputs: Variables,
}

/// A step that runs.
pub(crate) struct Running<'j, 'm> {
    job: &'j mut Job<'m>,
    stage: Stage,
    id: String,
}

/// The outputs of a job that other jobs see, and why some are missing.
#[derive(Debug, Default)]
pub(crate) struct JobOutputs {
    pub(crate) outputs: BTreeMap<String, String>,
    pub(crate) warnings: Vec<String>,
}

impl<'m> Job<'m> {
    /// A job of a workflow that this event started. What earlier jobs left in the workspace is still there.
    pub(crate) fn new(machine: &'m Machine, engine: Engine, event: Event) -> Self {
        machine.empty_temporary();
        let file = machine.workflow().join("event.json");
        fs::write(&file, event.payload.to_string()).unwrap();
        chown(&file, Some(OWNER), Some(OWNER)).unwrap();
        let mut masks = Masks::new();
        masks.add(&machine.token);
        masks.add("runtime-token-of-the-job");
        Self {
            machine,
            engine,
            event,
            masks: Arc::new(Mutex::new(masks)),
            canaries: Vec::new(),
            environment: Variables::new(),
            extra: Variables::new(),
            posts: Vec::new(),
            orphans: Vec::new(),
        }
    }

    /// `env:` of the job.
    pub(crate) fn env(&mut self, name: &str, value: &str) -> &mut Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// A variable of the server's, such as `GITHUB_API_URL` of a double; overrides what is there by itself.
    pub(crate) fn server(&mut self, name: &str, value: &str) -> &mut Self {
        self.extra.insert(name.to_owned(), value.to_owned());
        self
    }

    /// A secret of the repository, which the runner masks from the start.
    pub(crate) fn secret(&mut self, value: &str) -> &mut Self {
        self.masks.lock().unwrap().add(value);
        self.canary(value)
    }

    /// A value that the runner knows nothing of and that nobody may ever see.
    pub(crate) fn canary(&mut self, value: &str) -> &mut Self {
        self.canaries.push(value.to_owned());
        self
    }

    /// A step that uses the action.
    pub(crate) fn uses(&mut self, action: &'m Action) -> Step<'_, 'm> {
        Step { environment: self.environment.clone(), inputs: Variables::new(), action, job: self }
    }

    /// What `outputs:` of the job makes of these values: other jobs do not see what a mask would change.
    pub(crate) fn outputs(&self, values: &[(&str, &str)]) -> JobOutputs {
        let masks = self.masks.lock().unwrap();
        let mut job = JobOutputs::default();
        for (name, value) in values.iter().filter(|(_, value)| !value.is_empty()) {
            if masks.apply(value) == *value {
                job.outputs.insert((*name).to_owned(), (*value).to_owned());
            } else {
                job.warnings.push(format!("Skip output '{name}' since it may contain secret."));
            }
        }
        job
    }

    /// Ends the job: runs the post stages, last step first, each in a container of its own; then nothing may be left that is not
    /// the runner's. Containers that outlived their clients are waited for.
    pub(crate) fn finish(self) -> Vec<StepResult> {
        self.finish_while(|_| {})
    }

    /// The same, with something to happen while a post stage runs.
    pub(crate) fn finish_while(mut self, happens: impl Fn(&Stage)) -> Vec<StepResult> {
        let mut results = Vec::new();
        while let Some(post) = self.posts.pop() {
            let Some(entrypoint) = &post.action.post_entrypoint else { continue };
            let (stage, id) = self.start(post.action, entrypoint, &post.environment, &post.inputs, &post.state);
            happens(&stage);
            results.push(self.end(stage.finish(), &id, false));
        }
        let start = Instant::now();
        for container in &mut self.orphans {
            while container.is_alive() {
                assert!(start.elapsed() < PATIENCE, "a container whose client was killed lives on and on");
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        for result in &results {
            result.assert_clean();
        }
        self.assert_own_files_only();
        results
    }

    /// A later job's checkout runs as the runner's user: it must be able to remove everything.
    #[track_caller]
    fn assert_own_files_only(&self) {
        let foreign = self.machine.foreign_files();
        assert!(foreign.is_empty(), "files that are not the runner's: {foreign:#?}");
    }

    /// How many containers live on though their clients were killed.
    pub(crate) fn orphans(&mut self) -> usize {
        self.orphans.iter_mut().filter_map(|container| container.is_alive().then_some(())).count()
    }

    fn start(
        &mut self,
        action: &Action,
        entrypoint: &str,
        environment: &Variables,
        inputs: &Variables,
        state: &Variables,
    ) -> (Stage, String) {
        let id = unique();
        for file in self.files(&id) {
            fs::write(&file, "").unwrap();
            chown(&file, Some(OWNER), Some(OWNER)).unwrap();
        }
        let origin =
            Origin { machine: self.machine, action, event: &self.event, environment, state, inputs, job: &self.extra, id: &id };
        let mut mounts = vec![(self.machine.socket(), "/var/run/docker.sock")];
        mounts.extend(self.machine.mounts().into_iter().rev());
        let launch = Launch {
            name: id.clone(),
            entrypoint,
            program: &action.program,
            variables: &origin.variables(),
            mounts,
            scratch: self.machine.aside(&id),
        };
        let container = Container::start(self.engine, &launch);
        (Stage::listen(container, Log::new(Arc::clone(&self.masks), self.canaries.clone())), id)
    }

    fn files(&self, id: &str) -> Vec<PathBuf> {
        FILES.iter().map(|name| self.file(name, id)).collect()
    }

    fn file(&self, name: &str, id: &str) -> PathBuf {
        self.machine.file_commands().join(format!("{name}_{id}"))
    }

    /// Reads what the stage wrote; what it wrote before a failure or a cancel counts.
    fn end(&mut self, ended: Ended, id: &str, cancelled: bool) -> StepResult {
        let Ended { mut log, exit, took, first_line, mut container } = ended;
        let mut pairs = |name: &str| {
            let read = files::pairs(&written(&self.file(name, id)));
            if let Some(problem) = read.problem {
                log.fail(&format!("Unable to process file command '{name}' successfully. {problem}"));
            }
            read.pairs
        };
        let (environment, outputs, state) = (pairs("set_env"), pairs("set_output"), pairs("save_state"));
        let path: Vec<String> = written(&self.file("add_path", id)).lines().map(str::to_owned).collect();
        log.outputs.extend(outputs.into_iter().map(|(name, value)| (name.to_lowercase(), value)));
        log.state.extend(state);
        let summary = self.summary(&written(&self.file("step_summary", id)), &mut log);
        if container.is_alive() {
            self.orphans.push(container);
        }
        let failed = exit != Some(0) || !log.errors.is_empty();
        let conclusion = match (cancelled, failed) {
            (true, _) => Conclusion::Cancelled,
            (false, true) => Conclusion::Failure,
            (false, false) => Conclusion::Success,
        };
        self.environment.extend(environment.clone());
        StepResult { log, exit, conclusion, summary, environment, path, took, first_line }
    }

    fn summary(&self, text: &str, log: &mut Log) -> String {
        if text.len() > SUMMARY_LIMIT {
            log.fail("$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of 1024k");
            return String::new();
        }
        let shown = self.masks.lock().unwrap().apply(text);
        log.look_for_canaries(&shown);
        shown
    }
}

impl<'j, 'm> Step<'j, 'm> {
    /// `with:`
    pub(crate) fn with(mut self, input: &str, value: &str) -> Self {
        self.inputs.insert(input.to_owned(), value.to_owned());
        self
    }

    /// `env:`
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Runs the main stage; what it did must be what our program may do.
    #[track_caller]
    pub(crate) fn run(self) -> StepResult {
        let result = self.run_unchecked();
        result.assert_clean();
        result
    }

    /// The same, whatever it did.
    pub(crate) fn run_unchecked(self) -> StepResult {
        let Running { job, stage, id } = self.start();
        let result = job.end(stage.finish(), &id, false);
        job.keep_state(&result);
        result
    }

    /// Starts the main stage.
    pub(crate) fn start(self) -> Running<'j, 'm> {
        let Self { job, action, environment, inputs } = self;
        let (stage, id) = job.start(action, &action.entrypoint, &environment, &inputs, &Variables::new());
        // Registered now: it runs even if the main stage comes to nothing.
        job.posts.push(Post { action, environment, inputs, state: Variables::new() });
        Running { job, stage, id }
    }
}

impl Running<'_, '_> {
    /// Waits until the log, as people see it, holds a text.
    pub(crate) fn wait_for(&self, text: &str) {
        self.stage.wait_for(text);
    }

    /// The most memory that the program ever had, in KiB.
    pub(crate) fn most_memory(&self) -> u64 {
        self.stage.container.most_memory().unwrap()
    }

    /// Cancels the step as the runner does.
    pub(crate) fn cancel(self) -> StepResult {
        let result = self.job.end(self.stage.cancel(), &self.id, true);
        self.job.keep_state(&result);
        result
    }

    /// Waits for its end.
    pub(crate) fn finish(self) -> StepResult {
        let result = self.job.end(self.stage.finish(), &self.id, false);
        self.job.keep_state(&result);
        result
    }
}

/// What no other stage of any test is called.
fn unique() -> String {
    static STAGES: AtomicU32 = AtomicU32::new(0);
    format!("{:08x}{:04x}", std::process::id(), STAGES.fetch_add(1, Ordering::Relaxed))
}

impl Job<'_> {
    /// What a main stage saved is there in its post stage.
    fn keep_state(&mut self, result: &StepResult) {
        if let Some(post) = self.posts.last_mut() {
            post.state.extend(result.log.state.clone());
        }
    }
}
