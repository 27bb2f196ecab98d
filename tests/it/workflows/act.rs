//! The example workflows, run whole by `act`, an emulator of the runner that others wrote, with our image.
//!
//! It differs from a runner in paths, users and signals, which `runner` has right; what it shows is that the workflows and the
//! action fit together. Needs `tests/engine`, which starts a Docker engine.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{at, read};
use crate::acceptance::{need, program};
use crate::github::GitHub;
use crate::harness::needs_terraform;

const IMAGE: &str = "tieline-act-test";

/// What a protected environment of the retail team is; the rest is the quickstart's.
const PRODUCTION: &str = "\
apiVersion: tieline/v1
kind: Environment
name: production
protected: true
backend: {type: local, config: {path: state}}
values: {domain: acme.test}
defaults: {aws-vpc-conn: platform/staging/network/vpc.vpc}
";

/// The id of the repository.
const ID: u64 = 1_000_000;

/// What GitHub says of something that happened to a pull request.
fn pull_request(action: &str) -> Value {
    let repo = json!({"id": ID, "full_name": "acme/shop"});
    let (head, base) =
        (json!({"ref": "change", "sha": "f00", "repo": repo}), json!({"ref": "main", "sha": "ba5e", "repo": repo}));
    json!({"action": action, "number": 7, "pull_request": {"number": 7, "head": head, "base": base, "labels": []}})
}

#[test]
fn tf_act_runs_the_example_workflows() {
    needs_terraform!();
    let Some(act) = need("act", Act::new()) else { return };

    let deployed = act.run("push", "deploy.yml", &[]);
    assert!(deployed.contains("staged /usr/local/bin/terraform"), "{deployed}");
    assert!(deployed.contains("| deployed to https://"), "a later step reads the connections\n{deployed}");

    let planned = act.run("pull_request", "plan.yml", &[]);
    assert!(planned.contains("[Plan/validate]") && planned.contains("[Plan/plan"), "{planned}");

    let approved = act.run("workflow_dispatch", "approved-deploy.yml", &[]);
    assert!(approved.contains("run-status=succeeded"), "{approved}");

    let ledger = act.ledger();
    for path in ["staging/shop/connections/web.web.json", "production/shop/connections/web.web.json"] {
        assert!(ledger.contains(&format!("retail/{path}\n")), "{ledger}");
    }

    let (first, place) = (act.releases().remove(0), ["deployable=shop", "environment=staging"]);
    act.edit("shop/tieline.yaml", "acme.test/shop:1.9", "acme.test/shop:2.0");
    act.run("push", "deploy.yml", &[]);
    let release = format!("release={first}");
    let back = act.run("workflow_dispatch", "rollback.yml", &[&place[..], &[&release, "allow-destroy=false"]].concat());
    assert!(back.contains("back to the release") && back.contains("run-status=succeeded"), "{back}");
    assert_eq!(act.releases().len(), 3, "{back}");

    let mistyped = ["confirm=shop2", "reason=moved away"];
    let refused = act.ran("workflow_dispatch", "destroy.yml", &[&place[..], &mistyped].concat()).unwrap_err();
    assert!(refused.contains("the typed name is not the name"), "{refused}");
    let confirmed = ["confirm=shop", "reason=moved away"];
    let gone = act.run("workflow_dispatch", "destroy.yml", &[&place[..], &confirmed].concat());
    assert!(gone.contains("run-status=succeeded"), "{gone}");
    let ledger = act.ledger();
    assert!(!ledger.contains("retail/staging/shop/connections/") && !ledger.contains("retail/staging/shop/applied/"), "{ledger}");
}

#[test]
fn tf_act_runs_the_workflows_of_previews_and_drift() {
    needs_terraform!();
    let Some(act) = need("act", Act::new()) else { return };
    act.run("push", "deploy.yml", &[]);

    let looked = act.run_on_github("workflow_dispatch", "drift.yml");
    assert!(looked.contains("drifted=[]"), "{looked}");
    fs::rename(act.at("shop/.tieline/state/retail/staging/shop/web.tfstate"), act.at("web.tfstate")).unwrap();
    let looked = act.run_on_github("workflow_dispatch", "drift.yml");
    assert!(looked.contains("changed outside of Terraform, [\"retail/staging/shop/web\"]"), "{looked}");
    assert_eq!(act.github.repository("acme/shop").issues().len(), 1);
    fs::rename(act.at("web.tfstate"), act.at("shop/.tieline/state/retail/staging/shop/web.tfstate")).unwrap();

    act.edit("shop/tieline.yaml", "environment: staging\n", "environment: staging\npreview: {base: staging}\n");
    let made = act.run("pull_request", "preview.yml", &["action=opened"]);
    assert!(made.contains("run-status=succeeded"), "{made}");
    assert!(act.ledger().contains("retail/pr-7/shop/connections/web.web.json\n"), "{made}");
    let swept = act.run("workflow_dispatch", "sweep.yml", &[]);
    assert!(act.ledger().contains("retail/pr-7/environment.json\n"), "it has time left\n{swept}");
    let removed = act.run("pull_request", "preview.yml", &["action=closed"]);
    assert!(!act.ledger().contains("retail/pr-7/environment.json"), "{removed}");
}

/// A repository with the quickstart and the example workflows, and a copy of the action beside it.
struct Act {
    folder: TempDir,
    program: PathBuf,
    terraform: PathBuf,
    github: GitHub,
}

impl Act {
    /// # Errors
    /// What the machine lacks.
    fn new() -> Result<Self, String> {
        let emulator = program("act", &[]).ok_or("no `act` on PATH (tests/setup installs it)")?;
        let base =
            std::env::var("TIELINE_TEST_BASE_IMAGE").map_err(|_| "no Docker engine with our image (tests/engine starts one)")?;
        let terraform = fs::canonicalize(program("terraform", &[]).ok_or("no `terraform` on PATH")?).unwrap();
        let act = Self { folder: tempfile::tempdir().unwrap(), program: emulator, terraform, github: GitHub::start() };
        act.build(&base);
        act.check_out();
        Ok(act)
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// The image with this build and a terraform: what a step stages is out of reach of `act`'s containers.
    fn build(&self, base: &str) {
        let context = self.at("image");
        fs::create_dir(&context).unwrap();
        fs::copy(env!("CARGO_BIN_EXE_tieline"), context.join("tieline")).unwrap();
        fs::copy(&self.terraform, context.join("terraform")).unwrap();
        fs::write(context.join("Dockerfile"), format!("FROM {base}\nCOPY tieline terraform /usr/local/bin/\n")).unwrap();
        let mut docker = Command::new("docker");
        docker.env("DOCKER_BUILDKIT", "0").args(["build", "--quiet", "--pull=false", "--tag", IMAGE]).arg(context);
        succeed(&mut docker);
    }

    fn check_out(&self) {
        copy(&at("examples/quickstart"), &self.at("shop"));
        copy(&at("examples/workflows"), &self.at("shop/.github/workflows"));
        copy(&at("stage"), &self.at("action/stage"));
        // As a release does.
        let action = read("action.yml").replace("\n  image: Dockerfile\n", &format!("\n  image: docker://{IMAGE}\n"));
        fs::write(self.at("action/action.yml"), action).unwrap();
        fs::create_dir(self.at("home")).unwrap();
        fs::write(self.at("shop/context/workspaces/retail/environments/production.yaml"), PRODUCTION).unwrap();
        self.git(&["init", "--quiet", "--initial-branch=main"]);
        self.git(&["remote", "add", "origin", "https://github.com/acme/shop.git"]);
        self.git(&["add", "."]);
        self.git(&["-c", "user.name=A", "-c", "user.email=a@acme.test", "commit", "--quiet", "--message=All of it"]);
        let mut init = self.command(Path::new(env!("CARGO_BIN_EXE_tieline")));
        succeed(init.args(["context", "init", "--from", "context", "--context", ".tieline/context.git"]));
    }

    /// A program in the repository, with a home of its own.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.at("shop")).env_clear().env("PATH", std::env::var("PATH").unwrap()).env("HOME", self.at("home"));
        command
    }

    fn git(&self, arguments: &[&str]) -> String {
        succeed(self.command(Path::new("git")).args(arguments))
    }

    /// The paths of the ledger.
    fn ledger(&self) -> String {
        self.git(&["--git-dir", ".tieline/context.git", "ls-tree", "-r", "--name-only", "ledger"])
    }

    /// The runs that made the shop's releases in staging, oldest first.
    fn releases(&self) -> Vec<String> {
        let ledger = self.ledger();
        let runs = ledger.lines().filter_map(|path| path.strip_prefix("retail/staging/shop/releases/")?.strip_suffix(".json"));
        runs.map(str::to_owned).collect()
    }

    /// Replaces text in a file, and commits it.
    fn edit(&self, path: &str, from: &str, to: &str) {
        let file = self.at("shop").join(path);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(file, text.replace(from, to)).unwrap();
        self.git(&["-c", "user.name=A", "-c", "user.email=a@acme.test", "commit", "--quiet", "--all", "--message=Change"]);
    }

    /// Runs a workflow, which must succeed; its log.
    fn run(&self, event: &str, workflow: &str, inputs: &[&str]) -> String {
        self.ran(event, workflow, inputs).unwrap_or_else(|said| panic!("{workflow}\n{said}"))
    }

    /// Runs a workflow with a token of a GitHub that is not the real one; its log.
    fn run_on_github(&self, event: &str, workflow: &str) -> String {
        self.github.repository("acme/shop");
        let token = format!("GITHUB_TOKEN={}", self.github.token(&[("acme/shop", &["issues=write"])]));
        let mut act = self.act(event, workflow, &[]);
        act.args(["--secret", &token, "--env", &format!("GITHUB_API_URL={}", self.github.url())]);
        succeed(&mut act)
    }

    /// The file of an event with these inputs, `name=value`; the one of a pull request is its action.
    fn event(&self, event: &str, inputs: &[&str]) -> PathBuf {
        let named: BTreeMap<&str, &str> = inputs.iter().filter_map(|input| input.split_once('=')).collect();
        let event = match event {
            "pull_request" => pull_request(named.get("action").unwrap_or(&"opened")),
            _ => json!({ "inputs": named }),
        };
        fs::write(self.at("event.json"), event.to_string()).unwrap();
        self.at("event.json")
    }

    /// Runs a workflow; its log, by whether it succeeded.
    fn ran(&self, event: &str, workflow: &str, inputs: &[&str]) -> Result<String, String> {
        let output = self.act(event, workflow, inputs).output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        if output.status.success() { Ok(said) } else { Err(said) }
    }

    /// The emulator with a workflow.
    fn act(&self, event: &str, workflow: &str, inputs: &[&str]) -> Command {
        let option = |name: &str, value: &Path| format!("{name}={}", value.display());
        let mut act = self.command(&self.program);
        act.env("DOCKER_HOST", std::env::var("DOCKER_HOST").unwrap());
        act.args([event, "--workflows", &format!(".github/workflows/{workflow}"), "--eventpath"]).arg(self.event(event, inputs));
        act.args(["--platform", &format!("self-hosted={IMAGE}"), "--pull=false", "--bind", "--network=host"]);
        act.args(["--container-daemon-socket=-", "--env", "GITHUB_REPOSITORY=acme/shop"]);
        act.args(["--env", &format!("GITHUB_REPOSITORY_ID={ID}")]);
        act.args(["--local-repository", &option("tieline/tieline@v0.1.0", &self.at("action"))]);
        act.args(["--var", &option("TIELINE_CONTEXT", &self.at("shop/.tieline/context.git"))]);
        act
    }
}

/// Runs a command, which must succeed; what it said.
fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{command:?}\n{said}");
    said
}

/// Copies a folder as git has it: what was left by a run stays behind.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    let entries = fs::read_dir(from).unwrap().map(|entry| entry.unwrap());
    for entry in entries.filter(|entry| entry.file_name() != ".tieline") {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
