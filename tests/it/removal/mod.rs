//! How previews go: by command, by the sweep, and what stands in the way. On the command line, with our GitHub behind it.

mod asking;
mod down;
mod fork;
mod killed;
mod life;
mod sweep;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::endure::bench::{SLOW, SLOW_MODULE, TYPE, wait_until};
use crate::github::{GitHub, Hosted};
use crate::harness::{Project, Ran};

/// The repository that all pull requests here are of.
const REPOSITORY: &str = "acme/shop";

/// A project with previews, and the pull requests that they are for.
struct Scene {
    project: Project,
    github: GitHub,
    hosted: Hosted,
}

impl Scene {
    /// The deployable `shop` of the lab with the applied plugins `base` and `top`, whose previews are on top of `staging`.
    fn new() -> Self {
        let mut project = Project::lab();
        let plugins = "  base: {use: ../plugins/thing}\n  top: {use: ../plugins/thing, connections: {upstream: base.out}}\n";
        project.app("shop", &format!("{plugins}preview: {{base: staging, ttl: 72h}}\n"));
        let github = GitHub::start();
        let hosted = github.repository(REPOSITORY);
        hosted.commit("main", &[("README.md", "a shop")]);
        project.set("GITHUB_API_URL", &github.url());
        let permissions: [&str; 2] = ["pull_requests=write", "deployments=write"];
        project.set("TIELINE_GITHUB_TOKEN", &github.token(&[(REPOSITORY, &permissions)]));
        Self { project, github, hosted }
    }

    /// A scene with open pull requests that have a preview each.
    fn with_previews(count: usize) -> (Self, Vec<u64>) {
        let scene = Self::new();
        let numbers: Vec<u64> = (0..count).map(|_| scene.pull_request()).collect();
        for number in &numbers {
            scene.up(*number).succeeds();
        }
        (scene, numbers)
    }

    /// Opens a pull request.
    fn pull_request(&self) -> u64 {
        self.hosted.open_pull("main", "A change")
    }

    fn preview(&self, action: &str, number: u64, more: &[&str]) -> Ran {
        let (number, id) = (number.to_string(), self.hosted.id().to_string());
        let whose = ["--pull-request", &number, "--repository", REPOSITORY, "--repository-id", &id];
        self.project.run(&[&["preview", action], whose.as_slice(), more].concat())
    }

    fn up(&self, number: u64) -> Ran {
        self.preview("up", number, &["-C", "shop"])
    }

    fn down(&self, number: u64) -> Ran {
        self.preview("down", number, &[])
    }

    fn sweep(&self, more: &[&str]) -> Ran {
        self.project.run(&[&["preview", "sweep"], more].concat())
    }

    /// Has the time of a preview be over.
    fn expire(&self, name: &str) {
        let path = format!("lab/{name}/environment.json");
        let mut preview = self.project.ledger(&path);
        preview["expires"] = "2026-01-02T00:00:00Z".into();
        self.project.forge(&path, &preview.to_string());
    }

    /// What the ledger has of previews beside history.
    fn left(&self) -> Vec<String> {
        let is_history = |path: &String| ["/runs/", "/releases/"].iter().any(|folder| path.contains(folder));
        let paths = self.project.ledger_paths().into_iter().filter(|path| path.starts_with("lab/pr-"));
        paths.filter(|path| !is_history(path)).collect()
    }

    /// Nothing is left of any preview but history: not in states, not in the ledger, no claim.
    #[track_caller]
    fn is_swept(&self) {
        assert_eq!(self.left(), Vec::<String>::new());
        assert_eq!(self.resources("pr-"), Vec::<String>::new());
        assert_eq!(self.project.claims(), "");
        self.project.verify();
    }

    /// The resources in the states of environments whose name starts so.
    fn resources(&self, environment: &str) -> Vec<String> {
        let states = self.project.files_below(".tieline/states/lab");
        let of_environment = states.iter().filter(|path| path.contains(&format!("/lab/{environment}")));
        let keys = of_environment.filter_map(|path| path.strip_prefix(".tieline/states/")?.strip_suffix(".tfstate"));
        keys.flat_map(|key| self.project.state_resources(key).into_iter().map(move |name| format!("{key}: {name}"))).collect()
    }

    /// How many requests were made whose method and target start so.
    fn asked(&self, what: &str) -> usize {
        self.github.requests().iter().filter(|seen| seen.to_string().starts_with(what)).count()
    }
}

/// A step of a workflow that runs.
struct Running<'s> {
    scene: &'s Scene,
    child: Child,
    outputs: PathBuf,
}

/// How a step of a workflow ended.
struct Step {
    ran: Ran,
    outputs: BTreeMap<String, String>,
}

impl Scene {
    /// The same, with a plugin `slow` whose apply waits at a gate.
    fn with_gates() -> Self {
        let scene = Self::new();
        scene.project.plugin("plugins/slow", SLOW, SLOW_MODULE);
        scene.project.write("context/types/value-conn/1.0.0.yaml", TYPE);
        scene.project.write_context("context.yaml", "apiVersion: tieline/v1\nkind: Context\nceilings: {local-exec: true}\n");
        scene
    }

    /// An entry for the plugin `slow` in a manifest, before `after`.
    fn slow(&self, gate: &str) -> String {
        format!("{{use: ../plugins/slow, inputs: {{gate: '{}'}}}}", self.project.path(gate).display())
    }

    fn wait_at(&self, gate: &str) {
        wait_until("an apply stands at its gate", || self.project.path(&format!("{gate}.at")).exists());
    }

    fn open(&self, gate: &str) {
        self.project.write(&format!("{gate}.go"), "");
    }

    /// Pushes plugins to the pull request: what its workflow checks out.
    fn push(&self, plugins: &str) {
        self.project.app("shop", &format!("{plugins}preview: {{base: staging, ttl: 72h}}\n"));
    }

    /// The payload of an event of a pull request.
    fn event(&self, action: &str, number: u64) -> Value {
        let head = self.hosted.head("refs/heads/main").unwrap();
        let side = json!({"sha": head, "ref": "main", "repo": {"id": self.hosted.id()}});
        let pull_request = json!({"number": number, "title": "::error::<b>@everybody", "head": side, "base": side, "labels": []});
        json!({"action": action, "number": number, "pull_request": pull_request})
    }

    /// Starts a workflow's step of plain `preview` for an event.
    fn start(&self, name: &str, event: &Value) -> Running<'_> {
        self.start_with(name, event, &[])
    }

    /// The same, with further variables.
    fn start_with(&self, name: &str, event: &Value, variables: &[(&str, &str)]) -> Running<'_> {
        let folder = tempfile::tempdir_in(self.project.temporary()).unwrap().keep();
        let file = |name: &str, text: &str| {
            std::fs::write(folder.join(name), text).unwrap();
            folder.join(name).to_str().unwrap().to_owned()
        };
        let (event, outputs, summary) = (file("event.json", &event.to_string()), file("outputs", ""), file("summary", ""));
        let context = self.project.path(".tieline/context.git").to_str().unwrap().to_owned();
        let mut command: Command = self.project.command(&[]);
        command.envs([
            ("CI", "true"),
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_ACTOR", "octavia"),
            ("GITHUB_EVENT_NAME", name),
            ("GITHUB_EVENT_PATH", &event),
            ("GITHUB_OUTPUT", &outputs),
            ("GITHUB_REPOSITORY", REPOSITORY),
            ("GITHUB_REPOSITORY_ID", &self.hosted.id().to_string()),
            ("GITHUB_RUN_ID", "12"),
            ("GITHUB_STEP_SUMMARY", &summary),
            ("INPUT_ALLOW-LOCAL-EXEC", "true"),
            ("INPUT_COMMAND", "preview"),
            ("INPUT_CONTEXT", &context),
            ("INPUT_GITHUB-TOKEN", &self.project.variables()["TIELINE_GITHUB_TOKEN"]),
            ("INPUT_WORKING-DIRECTORY", "shop"),
        ]);
        command.envs(variables.iter().copied()).env_remove("TIELINE_GITHUB_TOKEN");
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Running { scene: self, child, outputs: PathBuf::from(outputs) }
    }

    /// Runs a workflow's step of plain `preview` for an event of a pull request.
    fn happens(&self, action: &str, number: u64) -> Step {
        self.start("pull_request", &self.event(action, number)).finish()
    }

    /// The last state of each deployment, oldest first.
    fn deployments(&self) -> Vec<String> {
        let last = |statuses: &Vec<Value>| statuses.last().map_or(Value::Null, |status| status["state"].clone());
        self.hosted.deployments().iter().map(|(_, statuses)| last(statuses).as_str().unwrap_or("pending").to_owned()).collect()
    }

    /// The comment of ours on a pull request, of which there is one at most.
    #[track_caller]
    fn comment(&self, number: u64) -> String {
        let comments = self.hosted.comments(number).into_iter().filter(|text| text.starts_with("<!-- tieline:"));
        let [comment] = comments.collect::<Vec<_>>().try_into().unwrap_or_else(|all| panic!("not one comment: {all:#?}"));
        comment
    }
}

impl Running<'_> {
    fn finish(self) -> Step {
        let ran = self.scene.project.ran(self.child.wait_with_output().unwrap());
        let written = std::fs::read_to_string(self.outputs).unwrap();
        let mut lines = written.lines();
        let mut outputs = BTreeMap::new();
        while let Some(line) = lines.next() {
            if let Some((name, end)) = line.split_once("<<") {
                let value: Vec<&str> = lines.by_ref().take_while(|line| *line != end).collect();
                outputs.insert(name.to_owned(), value.join("\n"));
            } else if let Some((name, value)) = line.split_once('=') {
                outputs.insert(name.to_owned(), value.to_owned());
            }
        }
        Step { ran, outputs }
    }

    /// Kills the step as the system does where memory runs out: Terraform goes on.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Step {
    /// How it must have ended.
    #[track_caller]
    fn is(self, status: &str) -> Self {
        assert_eq!(self.outputs.get("run-status").map(String::as_str), Some(status), "{}", self.ran);
        self
    }

    /// Somewhere in its log stands this text.
    #[track_caller]
    fn says(self, text: &str) -> Self {
        Self { ran: self.ran.says(text), ..self }
    }
}
