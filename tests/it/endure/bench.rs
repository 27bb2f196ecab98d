//! A context, deployables and the program itself, in a folder of their own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use serde_json::Value;

use crate::harness::Project;

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// Waits until something is so.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "waited too long until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub(crate) const TYPE: &str = "
apiVersion: tieline/v1
kind: ConnectionInterfaceType
name: value-conn
version: 1.0.0
attributes:
  type: object
  required: [value]
  properties:
    value: {type: string}
    secret: {type: string, x-sensitive: true}
";

/// A plugin whose apply makes one resource and stands at a second until the file `go` is there; it writes the file `at` first.
pub(crate) const SLOW: &str = "
apiVersion: tieline/v1
kind: Plugin
name: slow
version: 1.0.0
inputs:
  type: object
  additionalProperties: false
  required: [gate]
  properties: {gate: {type: string}}
generates: {out: {type: value-conn, from: {value: value}}}
terraform: {}
";

pub(crate) const SLOW_MODULE: &str = r#"
variable "gate" { type = string }
resource "terraform_data" "first" { input = "first" }
resource "terraform_data" "slow" {
  input      = "slow"
  depends_on = [terraform_data.first]
  provisioner "local-exec" {
    command = "echo x >> ${var.gate}.made; touch ${var.gate}.at; n=0; while [ ! -e ${var.gate}.go ] && [ $n -lt 1800 ]; do sleep 0.05; n=$((n+1)); done"
  }
}
resource "terraform_data" "last" { input = terraform_data.slow.output }
output "value" { value = terraform_data.last.output }
"#;

/// A plugin that publishes its input, and takes any number of others by `after` or by its slot.
pub(crate) const QUICK: &str = "
apiVersion: tieline/v1
kind: Plugin
name: quick
version: 1.0.0
inputs:
  type: object
  additionalProperties: false
  properties: {value: {type: string, default: plain}}
requires: {from: {type: value-conn, optional: true}, also: {type: value-conn, optional: true}}
generates: {out: {type: value-conn, from: {value: value}}}
terraform: {}
";

pub(crate) const QUICK_MODULE: &str = r#"
variable "value" { type = string }
variable "from" { 
  type    = any
  default = null
}
variable "also" { 
  type    = any
  default = null
}
resource "terraform_data" "it" { input = var.value }
output "value" { value = terraform_data.it.output }
"#;

/// A project with the workspace `w`, its environment `e`, the plugins `slow` and `quick`, and deployables.
pub(crate) struct Bench {
    project: Project,
    started: AtomicUsize,
}

impl std::ops::Deref for Bench {
    type Target = Project;

    fn deref(&self) -> &Project {
        &self.project
    }
}

impl Bench {
    /// With states in files.
    pub(crate) fn new() -> Self {
        Self::with_backend("{type: local, config: {path: states}}")
    }

    /// With states elsewhere.
    pub(crate) fn with_backend(backend: &str) -> Self {
        let mut project = Project::empty();
        let environment = format!("apiVersion: tieline/v1\nkind: Environment\nname: e\nbackend: {backend}\n");
        project.write("context/context.yaml", "apiVersion: tieline/v1\nkind: Context\nceilings: {local-exec: true}\n");
        project.write("context/types/value-conn/1.0.0.yaml", TYPE);
        project.write("context/workspaces/w/workspace.yaml", "apiVersion: tieline/v1\nkind: Workspace\nname: w\n");
        project.write("context/workspaces/w/environments/e.yaml", &environment);
        project.plugin("plugins/slow", SLOW, SLOW_MODULE);
        project.plugin("plugins/quick", QUICK, QUICK_MODULE);
        for folder in ["logs", "bin"] {
            fs::create_dir(project.path(folder)).unwrap();
        }
        let path = format!("{}:{}", project.path("bin").display(), std::env::var("PATH").unwrap());
        project.set("PATH", &path);
        project.init_context();
        Self { project, started: AtomicUsize::new(0) }
    }

    /// Sets a variable for every run of the program.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.project.set(name, value);
    }

    /// Writes the manifest of a deployable, which is in the folder of its name; `plugins` is YAML in flow form.
    pub(crate) fn deployable(&self, name: &str, plugins: &str) {
        let head = format!("apiVersion: tieline/v1\nkind: Application\nname: {name}\nworkspace: w\n");
        self.write(&format!("{name}/tieline.yaml"), &format!("{head}plugins: {plugins}\n"));
    }

    /// An entry for the plugin `slow` in a manifest, with the gate of that name.
    pub(crate) fn slow(&self, gate: &str, after: &str) -> String {
        format!("{{use: ../plugins/slow, inputs: {{gate: '{}'}}, after: [{after}]}}", self.path(gate).display())
    }

    /// Waits until a slow plugin stands at its gate.
    pub(crate) fn wait_at(&self, gate: &str) {
        let path = self.path(&format!("{gate}.at"));
        wait_until(&format!("`{gate}` is reached"), || path.exists());
    }

    /// Opens a gate.
    pub(crate) fn open(&self, gate: &str) {
        self.write(&format!("{gate}.go"), "");
    }

    /// How often the slow resource behind a gate was begun.
    pub(crate) fn made(&self, gate: &str) -> usize {
        fs::read_to_string(self.path(&format!("{gate}.made"))).unwrap_or_default().lines().count()
    }

    /// A program in front of the `PATH`.
    pub(crate) fn shim(&self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        self.write(&format!("bin/{name}"), &format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(self.path(&format!("bin/{name}")), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A git that, once the file `hold` is there, stands before any command line that holds `words` until the file is gone; it
    /// writes the file `held` first. It ends when the one who started it does.
    pub(crate) fn holding_git(&self, words: &str) {
        let real = which::which("git").unwrap();
        let (hold, stands) = (self.path("hold"), self.path("held"));
        let (hold, stands, real) = (hold.display(), stands.display(), real.display());
        self.shim(
            "git",
            &format!(
                "case \"$*\" in *'{words}'*) if [ -e {hold} ]; then touch {stands}; fi\n\
                 while [ -e {hold} ]; do kill -0 $PPID || exit 1; sleep 0.02; done;; esac\n\
                 exec {real} \"$@\""
            ),
        );
    }

    /// Starts a command, with its outputs in files.
    pub(crate) fn start(&self, mut command: Command) -> Running {
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let (out, err) = (self.path(&format!("logs/{number}.out")), self.path(&format!("logs/{number}.err")));
        command.stdout(fs::File::create(&out).unwrap()).stderr(fs::File::create(&err).unwrap());
        Running { child: command.spawn().unwrap(), out, err }
    }

    pub(crate) fn start_deploy(&self, deployable: &str, more: &[&str]) -> Running {
        self.start(self.deploy_command(deployable, more))
    }

    pub(crate) fn deploy_command(&self, deployable: &str, more: &[&str]) -> Command {
        let arguments = ["deploy", "-C", deployable, "-e", "e", "--allow-local-exec"];
        self.command(&[&arguments, more].concat())
    }

    pub(crate) fn deploy(&self, deployable: &str, more: &[&str]) -> Ended {
        self.start_deploy(deployable, more).finish()
    }

    /// Deploys, and expects it to succeed.
    pub(crate) fn deploys(&self, deployable: &str, more: &[&str]) -> Ended {
        let ended = self.deploy(deployable, more);
        assert_eq!(ended.code, Some(0), "{}\n{}", ended.err, ended.out);
        ended
    }

    /// Deploys another manifest of the deployable first, then writes the one that counts.
    pub(crate) fn deploys_first(&self, deployable: &str, plugins: &str, manifest: &str) {
        self.deployable(deployable, plugins);
        self.deploys(deployable, &[]);
        self.write(&format!("{deployable}/tieline.yaml"), manifest);
    }

    /// What git prints about the context; none where it fails.
    pub(crate) fn ask_git(&self, arguments: &[&str]) -> Option<String> {
        let output = Command::new("git").arg("-C").arg(self.context()).args(arguments).output().unwrap();
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The context repository.
    pub(crate) fn context(&self) -> PathBuf {
        self.path(".tieline/context.git")
    }

    /// A file of the environment's ledger.
    pub(crate) fn recorded(&self, path: &str) -> Option<Value> {
        Some(serde_json::from_str(&self.ask_git(&["show", &format!("ledger:w/e/{path}")])?).unwrap())
    }

    /// The run records of a deployable, oldest first.
    pub(crate) fn runs(&self, deployable: &str) -> Vec<Value> {
        let names = self.ask_git(&["ls-tree", "--name-only", "ledger", &format!("w/e/{deployable}/runs/")]).unwrap_or_default();
        names.lines().map(|name| self.recorded(name.strip_prefix("w/e/").unwrap()).unwrap()).collect()
    }

    /// The published value of a plugin's output.
    pub(crate) fn value(&self, deployable: &str, alias: &str) -> Option<String> {
        let record = self.recorded(&format!("{deployable}/connections/{alias}.out.json"))?;
        Some(record["attributes"]["value"].as_str()?.to_owned())
    }

    /// The claim on a deployable, as it stands.
    pub(crate) fn claim(&self, deployable: &str) -> Option<Value> {
        let name = claim_ref(deployable);
        let listed = self.ask_git(&["ls-tree", "-r", "--name-only", &name])?;
        Some(serde_json::from_str(&self.ask_git(&["show", &format!("{name}:{}", listed.trim())])?).unwrap())
    }

    /// Puts a claim where a run would; `like` is the claim whose file name is taken.
    pub(crate) fn put_claim(&self, deployable: &str, claim: &Value) {
        self.put_journal(&claim_ref(deployable), claim);
    }

    /// Puts a journal at a ref.
    pub(crate) fn put_journal(&self, reference: &str, claim: &Value) {
        let repository = ".tieline/context.git";
        self.write("claim", &claim.to_string());
        let blob = self.git(repository, &["hash-object", "-w", self.path("claim").to_str().unwrap()]);
        self.write("tree", &format!("100644 blob {}\tclaim.json\n", blob.trim()));
        let made = Command::new("git")
            .arg("-C")
            .arg(self.context())
            .arg("mktree")
            .stdin(fs::File::open(self.path("tree")).unwrap())
            .output();
        let tree = String::from_utf8(made.unwrap().stdout).unwrap();
        let commit = self.git(repository, &["commit-tree", "-m", "claim", tree.trim()]);
        self.git(repository, &["update-ref", reference, commit.trim()]);
    }

    /// The Terraform state of a plugin in a file, by resource: whether it is tainted.
    pub(crate) fn resources(&self, deployable: &str, alias: &str) -> Vec<(String, bool)> {
        let Ok(text) = fs::read_to_string(self.state_path(&format!("w/e/{deployable}/{alias}"))) else { return Vec::new() };
        resources_in(&serde_json::from_str(&text).unwrap())
    }

    /// Whether nothing of the run is left where it worked.
    pub(crate) fn is_tidy(&self) -> bool {
        fs::read_dir(self.temporary()).unwrap().next().is_none()
    }

    /// The state's lock is free, the claim gone, the private folder too.
    pub(crate) fn assert_left_free(&self, deployable: &str) {
        assert_eq!(self.claim(deployable), None, "the claim is gone");
        assert!(self.is_tidy(), "the private folder is gone");
        let locks = files_below(&self.path(".tieline")).into_iter().filter(|file| file.to_string_lossy().ends_with(".lock.info"));
        assert_eq!(locks.count(), 0, "the state locks are free");
    }
}

fn claim_ref(deployable: &str) -> String {
    format!("refs/tieline/claims/w/e/{deployable}")
}

/// The plugin's own resources of a state, each with whether it is tainted.
pub(crate) fn resources_in(state: &Value) -> Vec<(String, bool)> {
    let all = state["resources"].as_array().cloned().unwrap_or_default();
    let own = all.iter().filter(|resource| resource["module"] == "module.plugin" && resource["mode"] == "managed");
    let instances = own.flat_map(|resource| {
        let name = resource["name"].as_str().unwrap().to_owned();
        resource["instances"].as_array().unwrap().iter().map(move |instance| (name.clone(), instance["status"] == "tainted"))
    });
    instances.collect()
}

/// Every file below a folder.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(files_below(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}

/// A program that runs.
pub(crate) struct Running {
    pub(crate) child: Child,
    out: PathBuf,
    err: PathBuf,
}

/// A program that ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Running {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn out(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.out).unwrap()).into_owned()
    }

    pub(crate) fn err(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.err).unwrap()).into_owned()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        rustix::process::kill_process(pid(self.child.id()), signal).unwrap();
    }

    /// Kills it, and it alone.
    pub(crate) fn kill(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.err()
    }

    pub(crate) fn finish(mut self) -> Ended {
        let mut status: Option<ExitStatus> = None;
        let start = Instant::now();
        while status.is_none() {
            if start.elapsed() > PATIENCE {
                let err = self.err();
                let _ = self.child.kill();
                panic!("it did not end:\n{err}");
            }
            status = self.child.try_wait().unwrap();
            std::thread::sleep(Duration::from_millis(5));
        }
        Ended { code: status.unwrap().code(), out: self.out(), err: self.err() }
    }
}

impl Ended {
    /// Aborted for this reason, and nothing but that.
    pub(crate) fn assert_aborted(&self, reason: &str) {
        assert_eq!(self.code, Some(3), "{}\n{}", self.err, self.out);
        assert!(self.out.contains(&format!("was aborted ({reason})")), "{}\n{}", self.out, self.err);
    }
}

pub(crate) fn pid(id: u32) -> Pid {
    Pid::from_raw(i32::try_from(id).unwrap()).unwrap()
}

/// All processes that a process started, and those that they did.
pub(crate) fn descendants(id: u32) -> Vec<u32> {
    let all = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let parents: Vec<(u32, u32)> = all.filter_map(|id| Some((id, parent(id)?))).collect();
    let mut found = vec![id];
    let mut next = 0;
    while let Some(&current) = found.get(next) {
        found.extend(parents.iter().filter(|(_, parent)| *parent == current).map(|(id, _)| id));
        next += 1;
    }
    found.split_off(1)
}

/// The Terraform processes below a process that run this command.
pub(crate) fn terraforms(id: u32, command: &str) -> Vec<u32> {
    let runs = |id: &u32| {
        let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        let mut words = line.split(|byte| *byte == 0);
        words.next().is_some_and(|program| program.ends_with(b"terraform")) && words.next() == Some(command.as_bytes())
    };
    descendants(id).into_iter().filter(runs).collect()
}

fn parent(id: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// Whether a process still runs.
pub(crate) fn is_alive(id: u32) -> bool {
    fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| !stat.rsplit_once(')').unwrap().1.starts_with(" Z"))
}
