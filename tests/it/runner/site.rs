//! A repository on a machine, and jobs that deploy it with our action.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::event::REPOSITORY;
use super::job::Step;
use super::{Action, Engine, Event, Job, Machine};
use crate::endure::bench::{QUICK, QUICK_MODULE, SLOW, SLOW_MODULE, TYPE};
use crate::github::{GitHub, Hosted};

/// The context repository, as a container sees it.
pub(super) const CONTEXT: &str = "/github/workspace/.tieline/context.git";

/// What is checked out, the GitHub that it is from, and the action.
pub(super) struct Site {
    pub(super) machine: Machine,
    pub(super) github: GitHub,
    /// The newest commit of `main`.
    commit: String,
    pub(super) engine: Engine,
    action: Action,
}

impl Site {
    fn on(mut machine: Machine, engine: Engine) -> Self {
        let github = GitHub::start();
        let commit = github.repository(REPOSITORY).commit("main", &[("README.md", "a shop")]);
        let permissions = ["contents=read", "pull_requests=write", "issues=write", "deployments=write", "checks=write"];
        machine.token = github.token(&[(REPOSITORY, &permissions)]);
        Self { machine, github, commit, engine, action: Action::tieline() }
    }

    /// What GitHub shows of the repository.
    pub(super) fn hosted(&self) -> Hosted {
        self.github.repository(REPOSITORY)
    }

    /// Somebody opened a pull request.
    pub(super) fn pull_request(&self, title: &str, branch: &str) -> Event {
        Event::pull_request("opened", self.hosted().open_pull(branch, title), title, branch)
    }

    /// An example of ours.
    pub(super) fn example(name: &str, machine: Machine, engine: Engine) -> Self {
        let site = Self::on(machine, engine);
        site.machine.check_out(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name));
        site.create_context();
        site
    }

    /// The workspace `w` with its environment `e`, and the plugins `slow`, which stands at a gate, and `quick`.
    pub(super) fn bench(machine: Machine, engine: Engine, backend: &str) -> Self {
        let site = Self::on(machine, engine);
        let environment = format!("apiVersion: tieline/v1\nkind: Environment\nname: e\nbackend: {backend}\n");
        for (path, text) in [
            ("context/context.yaml", "apiVersion: tieline/v1\nkind: Context\nceilings: {local-exec: true}\n"),
            ("context/types/value-conn/1.0.0.yaml", TYPE),
            ("context/workspaces/w/workspace.yaml", "apiVersion: tieline/v1\nkind: Workspace\nname: w\n"),
            ("context/workspaces/w/environments/e.yaml", &environment),
            ("plugins/slow/plugin.yaml", SLOW),
            ("plugins/slow/main.tf", SLOW_MODULE),
            ("plugins/quick/plugin.yaml", QUICK),
            ("plugins/quick/main.tf", QUICK_MODULE),
        ] {
            site.machine.write(path, text);
        }
        site.create_context();
        site
    }

    /// With states in files.
    pub(super) fn bench_with_files(machine: Machine, engine: Engine) -> Self {
        Self::bench(machine, engine, "{type: local, config: {path: states}}")
    }

    /// Makes the context repository out of the folder `context`.
    pub(super) fn create_context(&self) {
        let folder = self.machine.workspace();
        let made = Command::new(env!("CARGO_BIN_EXE_tieline"))
            .args(["context", "init", "--from", "context", "--context", ".tieline/context.git"])
            .current_dir(&folder)
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap())
            .env("HOME", self.machine.home())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        super::machine::give(&folder);
    }

    /// Writes the manifest of the deployable `app` of the bench; `plugins` is YAML in flow form.
    pub(super) fn manifest(&self, plugins: &str) {
        let head = "apiVersion: tieline/v1\nkind: Application\nname: app\nworkspace: w\n";
        self.machine.write("app/tieline.yaml", &format!("{head}plugins: {plugins}\n"));
    }

    /// A job on this machine, with terraform staged.
    pub(super) fn job(&self, event: Event) -> Job<'_> {
        let mut job = Job::new(&self.machine, self.engine, event.at(&self.commit));
        job.server("GITHUB_API_URL", &self.github.url());
        self.machine.stage_terraform();
        job
    }

    /// A step of a job that deploys the manifest in a folder.
    pub(super) fn deploy<'j, 'm>(&'m self, job: &'j mut Job<'m>, folder: &str, environment: &str) -> Step<'j, 'm> {
        self.step(job, "deploy").with("working-directory", folder).with("environment", environment)
    }

    /// A step of a job that runs a command.
    pub(super) fn step<'j, 'm>(&'m self, job: &'j mut Job<'m>, command: &str) -> Step<'j, 'm> {
        job.uses(&self.action).with("command", command).with("context", CONTEXT)
    }

    /// What git prints about the context; none where it fails.
    fn git(&self, arguments: &[&str]) -> Option<String> {
        let repository = self.machine.workspace().join(".tieline/context.git");
        let output = Command::new("git").args(["-c", "safe.directory=*", "-C"]).arg(repository).args(arguments).output().unwrap();
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The paths of the ledger below a folder.
    pub(super) fn ledger(&self, folder: &str) -> Vec<String> {
        let listed = self.git(&["ls-tree", "-r", "--name-only", "ledger", &format!("{folder}/")]).unwrap_or_default();
        listed.lines().map(str::to_owned).collect()
    }

    /// A file of the ledger.
    pub(super) fn recorded(&self, path: &str) -> Option<Value> {
        Some(serde_json::from_str(&self.git(&["show", &format!("ledger:{path}")])?).unwrap())
    }

    /// The records of all runs of `app`, oldest first.
    pub(super) fn runs(&self) -> Vec<Value> {
        self.ledger("w/e/app/runs").iter().map(|path| self.recorded(path).unwrap()).collect()
    }

    /// The claims there are.
    pub(super) fn claims(&self) -> String {
        self.git(&["for-each-ref", "--format=%(refname)", "refs/tieline/claims"]).unwrap()
    }

    /// Opens the gate of a slow plugin.
    pub(super) fn open(&self, gate: &str) {
        self.machine.write(&format!("{gate}.go"), "");
    }

    /// An entry for the plugin `slow` in a manifest.
    pub(super) fn slow(gate: &str, after: &str) -> String {
        format!("{{use: ../plugins/slow, inputs: {{gate: /github/workspace/{gate}}}, after: [{after}]}}")
    }
}
