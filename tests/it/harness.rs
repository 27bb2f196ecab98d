//! A project in a folder of its own, and the real program run in it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;
use tieline::sources::{Tree, TreeFile};

use crate::fixtures::{LAB, SHOP};

/// A folder with a git work tree (`project`), a home and a place for temporary files, and nothing of the machine's own settings.
pub(crate) struct Project {
    /// Held for its life.
    _folder: TempDir,
    folder: PathBuf,
    variables: BTreeMap<String, String>,
}

/// What a run of the program said, with the names of this machine and this moment taken out of `stdout` and `stderr`.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// As it was said.
    pub(crate) raw: Output,
}

/// Leaves a test where there is no terraform, saying so; in automation that is a failure.
macro_rules! needs_terraform {
    () => {
        if !crate::harness::has_terraform(module_path!()) {
            return;
        }
    };
}
pub(crate) use needs_terraform;

/// Compares a text with an inline snapshot, with times, ids, digests and durations taken out.
macro_rules! assert_shown {
    ($text:expr, @$snapshot:literal) => {
        insta::with_settings!({filters => crate::harness::filters()}, {
            insta::assert_snapshot!($text, @$snapshot);
        });
    };
}
pub(crate) use assert_shown;

/// What differs from run to run.
pub(crate) fn filters() -> Vec<(&'static str, &'static str)> {
    vec![
        (r"\b[0-9A-HJKMNP-TV-Z]{26}\b", "<id>"),
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<uuid>"),
        (r"\b(sha256:)?[0-9a-f]{64}-[0-9a-f]+\b", "<fingerprint>"),
        (r"\b(sha256:)?[0-9a-f]{64}\b", "<digest>"),
        (r"\b[0-9a-f]{40}\b", "<commit>"),
        (r"\b[0-9a-f]{32}\b", "<uid>"),
        (r#""terraform": "[0-9.]+""#, r#""terraform": "<version>""#),
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| UTC)", "<time>"),
        (r"\b\d+\.\d+s\b", "<duration>"),
        (r"\b\d+s ago\b", "<age> ago"),
    ]
}

/// The terraform of this machine.
fn terraform() -> Option<PathBuf> {
    which::which("terraform").ok()
}

/// Whether tests of `module` can use a terraform; see [`needs_terraform`].
pub(crate) fn has_terraform(module: &str) -> bool {
    let found = terraform().is_some();
    assert!(found || std::env::var_os("CI").is_none(), "no terraform on the PATH, which these tests need");
    if !found {
        eprintln!("SKIPPED: a test of {module} needs terraform, and there is none on the PATH");
    }
    found
}

impl Project {
    /// An empty work tree.
    pub(crate) fn empty() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        // Terraform and the program show resolved paths.
        let folder = temporary.path().canonicalize().unwrap();
        for name in ["home", "tmp", "bin", "project"] {
            std::fs::create_dir(folder.join(name)).unwrap();
        }
        std::fs::write(folder.join("terraform.rc"), "").unwrap();
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        let variables = BTreeMap::from([
            ("PATH".to_owned(), std::env::var("PATH").unwrap()),
            ("HOME".to_owned(), text(folder.join("home"))),
            ("TMPDIR".to_owned(), text(folder.join("tmp"))),
            ("TF_CLI_CONFIG_FILE".to_owned(), text(folder.join("terraform.rc"))),
            ("USER".to_owned(), "tester".to_owned()),
        ]);
        let project = Self { _folder: temporary, folder, variables };
        project.git(".", &["init", "--quiet", "--initial-branch=main"]);
        project
    }

    /// Two workspaces with an environment each. `platform/staging/network` (in `network/`) publishes a network; the application
    /// `retail/staging/shop` (in `shop/`) has a database and a service: the service is linked to the database, with its password, and
    /// gets the network by the environment's default. Nothing is deployed yet.
    pub(crate) fn shop() -> Self {
        let project = Self::empty();
        for (path, text) in SHOP {
            project.write(path, text);
        }
        project.init_context();
        project
    }

    /// The same, with the network deployed.
    pub(crate) fn shop_with_network() -> Self {
        let project = Self::shop();
        project.deploy("network").succeeds();
        project
    }

    /// The same, with everything deployed.
    pub(crate) fn deployed_shop() -> Self {
        let project = Self::shop_with_network();
        project.deploy("shop").succeeds();
        project
    }

    /// One workspace, `lab`, with the environment `staging`, a type `thing-conn` and a plugin `thing` that takes one and publishes one,
    /// for applications in whatever shape a test needs; give their plugins to [`Self::app`]. Nothing is deployed yet.
    pub(crate) fn lab() -> Self {
        let project = Self::empty();
        for (path, text) in LAB {
            project.write(path, text);
        }
        project.init_context();
        project
    }

    /// Writes the manifest of an application of the workspace `lab` into a folder of its name. `rest` is its plugins, two blanks in,
    /// and whatever else the manifest is to have.
    pub(crate) fn app(&self, name: &str, rest: &str) {
        let head = format!("apiVersion: tieline/v1\nkind: Application\nname: {name}\nworkspace: lab\nplugins:\n");
        self.write(&format!("{name}/tieline.yaml"), &(head + rest));
    }

    /// The work tree.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.join("project")
    }

    /// A path in the work tree.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    /// The folder that temporary files of the program are made in.
    pub(crate) fn temporary(&self) -> PathBuf {
        self.folder.join("tmp")
    }

    /// Writes a file of the work tree.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Reads a file of the work tree.
    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap_or_else(|problem| panic!("{path}: {problem}"))
    }

    /// Replaces text in a file; it must be there.
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "`{from}` is not in {path}:\n{text}");
        self.write(path, &text.replace(from, to));
    }

    /// Replaces text in a document of the context, and commits it.
    pub(crate) fn edit_context(&self, path: &str, from: &str, to: &str) {
        self.edit(&format!("context/{path}"), from, to);
        self.init_context();
    }

    /// Writes a document of the context, and commits it.
    pub(crate) fn write_context(&self, path: &str, text: &str) {
        self.write(&format!("context/{path}"), text);
        self.init_context();
    }

    /// Makes the context repository if there is none, and commits the folder `context` to it.
    pub(crate) fn init_context(&self) {
        self.run(&["context", "init", "--from", "context"]).succeeds();
    }

    /// Sets a variable for every run of the program.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    /// Makes the runs use terraform through a script that counts its starts; read them with [`Self::terraform_starts`].
    pub(crate) fn count_terraform(&mut self) {
        let log = self.folder.join("terraform-starts");
        self.wrap_terraform(&format!("[ \"$1\" = version ] || echo \"$1\" >> '{}'\n", log.display()));
    }

    /// Makes the runs use terraform through a shell script that does this first.
    pub(crate) fn wrap_terraform(&mut self, first: &str) {
        let script = self.folder.join("bin/wrapped-terraform");
        let text = format!("#!/bin/sh\n{first}exec '{}' \"$@\"\n", terraform().unwrap().display());
        std::fs::write(&script, text).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        self.set("TIELINE_TERRAFORM", script.to_str().unwrap());
    }

    /// The terraform commands that were started since the last call, in order.
    pub(crate) fn terraform_starts(&self) -> Vec<String> {
        let log = self.folder.join("terraform-starts");
        let starts = std::fs::read_to_string(&log).unwrap_or_default();
        let _ = std::fs::remove_file(log);
        starts.lines().map(str::to_owned).collect()
    }

    /// The program with these arguments, in the work tree, with nothing of this process's environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tieline"));
        command.args(arguments).current_dir(self.root()).env_clear().envs(&self.variables);
        command
    }

    /// A script of the work tree, in the same surroundings.
    pub(crate) fn script(&self, path: &str) -> Command {
        let mut command = Command::new(self.path(path));
        command.current_dir(self.root()).env_clear().envs(&self.variables);
        command
    }

    /// The files below a folder of the work tree, by path.
    pub(crate) fn files_below(&self, folder: &str) -> Vec<String> {
        let mut files = Vec::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(self.path(&folder)).into_iter().flatten().flatten() {
                let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
                if entry.file_type().unwrap().is_dir() { folders.push(path) } else { files.push(path) }
            }
        }
        files.sort();
        files
    }

    /// The variables that [`Self::command`] gives the program.
    pub(crate) fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// The same as a line of a shell script, with the terraform of this machine.
    pub(crate) fn shell_line(&self, arguments: &[&str]) -> String {
        let mut variables = String::new();
        for (name, value) in self.variables.iter().filter(|(name, _)| *name != "TIELINE_TERRAFORM") {
            let _ = write!(variables, "{name}='{value}' ");
        }
        format!(
            "(cd '{}' && env -i {variables}'{}' {})\n",
            self.root().display(),
            env!("CARGO_BIN_EXE_tieline"),
            arguments.join(" ")
        )
    }

    /// Runs the program.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.ran(self.command(arguments).output().unwrap())
    }

    /// What a finished command said.
    pub(crate) fn ran(&self, raw: Output) -> Ran {
        let folder = self.folder.to_str().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(folder, "<folder>");
        Ran { code: raw.status.code().unwrap_or(-1), stdout: text(&raw.stdout), stderr: text(&raw.stderr), raw }
    }

    /// `deploy` of the manifest in `folder` to staging; the ledger must agree with itself afterwards, however it ended.
    pub(crate) fn deploy(&self, folder: &str) -> Ran {
        self.deploy_with(folder, &[])
    }

    /// The same, with further arguments.
    pub(crate) fn deploy_with(&self, folder: &str, arguments: &[&str]) -> Ran {
        let ran = self.run(&[&["deploy", "-C", folder, "-e", "staging"], arguments].concat());
        self.verify();
        assert_eq!(self.claims(), "", "a run that ended holds no claim");
        ran
    }

    /// `deploy -o json`, which must succeed; the report.
    pub(crate) fn deploy_json(&self, folder: &str, arguments: &[&str]) -> Value {
        self.deploy_with(folder, &[&["-o", "json"], arguments].concat()).succeeds().json()
    }

    /// `plan` of the manifest in `folder` for staging; it must change neither ledger nor claims.
    pub(crate) fn plan(&self, folder: &str) -> Ran {
        self.plan_with(folder, &[])
    }

    /// The same, with further arguments.
    pub(crate) fn plan_with(&self, folder: &str, arguments: &[&str]) -> Ran {
        let before = self.context_refs();
        let ran = self.run(&[&["plan", "-C", folder, "-e", "staging"], arguments].concat());
        assert_eq!(before, self.context_refs(), "a plan changes nothing");
        ran
    }

    /// `plan -o json`, which must succeed; the report.
    pub(crate) fn plan_json(&self, folder: &str) -> Value {
        self.plan_with(folder, &["-o", "json"]).succeeds().json()
    }

    /// Everything in the ledger agrees with everything else.
    pub(crate) fn verify(&self) {
        self.run(&["context", "verify"]).succeeds();
    }

    /// Runs git in a folder of the work tree, as nobody in particular; gives what it printed.
    pub(crate) fn git(&self, folder: &str, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args(["-c", "user.name=tester", "-c", "user.email=tester@example.test", "-c", "commit.gpgsign=false"])
            .args(arguments)
            .current_dir(self.path(folder))
            .env_clear()
            .envs(&self.variables)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .unwrap();
        let problem = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {problem}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Every ref of the context repository with what it points at.
    pub(crate) fn context_refs(&self) -> String {
        self.git(".tieline/context.git", &["for-each-ref", "--format=%(refname) %(objectname)"])
    }

    /// The claims there are, one a line.
    pub(crate) fn claims(&self) -> String {
        self.git(".tieline/context.git", &["for-each-ref", "--format=%(refname)", "refs/tieline/claims"])
    }

    /// The files of the ledger, by path; of plugin trees only the folder.
    pub(crate) fn ledger_paths(&self) -> Vec<String> {
        let listed = self.git(".tieline/context.git", &["ls-tree", "-r", "--name-only", "ledger"]);
        let paths = listed.lines().filter(|path| !path.starts_with("plugins/"));
        paths.map(str::to_owned).collect()
    }

    /// The text of a file of the ledger.
    pub(crate) fn ledger_text(&self, path: &str) -> String {
        self.git(".tieline/context.git", &["show", &format!("ledger:{path}")])
    }

    /// A file of the ledger.
    pub(crate) fn ledger(&self, path: &str) -> Value {
        serde_json::from_str(&self.ledger_text(path)).unwrap()
    }

    /// The newest file in a folder of the ledger whose files have ids for names.
    pub(crate) fn newest(&self, folder: &str) -> Value {
        let found = self.ledger_paths().into_iter().filter(|path| path.starts_with(&format!("{folder}/"))).max();
        self.ledger(&found.unwrap_or_else(|| panic!("nothing in {folder} of the ledger")))
    }

    /// Writes a file of the ledger behind the program's back.
    pub(crate) fn forge(&self, path: &str, text: &str) {
        let copy = tempfile::tempdir_in(self.temporary()).unwrap();
        let folder = copy.path().to_str().unwrap();
        self.git(".", &["clone", "--quiet", "--branch", "ledger", ".tieline/context.git", folder]);
        let file = copy.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
        self.git(folder, &["add", "--all"]);
        self.git(folder, &["commit", "--quiet", "--message", "forged"]);
        self.git(folder, &["push", "--quiet", "origin", "ledger"]);
    }

    /// Has something applied with more in its module than its plugin in `folder` has. Of the providers that are part of Terraform none
    /// takes anything, so that what configures one could not really have been applied.
    pub(crate) fn forge_module(&self, applied: &str, folder: &str, more: &str) {
        let read = |file: &str| self.read(&format!("{folder}/{file}"));
        let plugin = [("plugin.yaml", read("plugin.yaml")), ("main.tf", read("main.tf") + more)];
        let file = |text: String| TreeFile { bytes: text.into_bytes(), executable: false };
        let files = plugin.clone().map(|(path, text)| (path.to_owned(), file(text)));
        let digest = Tree { files: files.into() }.digest();
        for (path, text) in &plugin {
            self.forge(&format!("plugins/{digest}/{path}"), text);
        }
        let before = self.ledger(applied)["source"]["digest"].as_str().unwrap().to_owned();
        self.forge(applied, &self.ledger_text(applied).replace(&before, digest.as_str()));
    }

    /// Takes a file of the ledger away behind the program's back.
    pub(crate) fn unforge(&self, path: &str) {
        let copy = tempfile::tempdir_in(self.temporary()).unwrap();
        let folder = copy.path().to_str().unwrap();
        self.git(".", &["clone", "--quiet", "--branch", "ledger", ".tieline/context.git", folder]);
        self.git(folder, &["rm", "--quiet", path]);
        self.git(folder, &["commit", "--quiet", "--message", "forged"]);
        self.git(folder, &["push", "--quiet", "origin", "ledger"]);
    }

    /// How many commits the ledger has.
    pub(crate) fn commits(&self) -> usize {
        self.git(".tieline/context.git", &["rev-list", "--count", "ledger"]).trim().parse().unwrap()
    }

    /// Runs a shell script once, at the next start of this terraform command, before it: what happens elsewhere in the middle of a run.
    pub(crate) fn meanwhile(&mut self, command: &str, script: &str) {
        let once = self.folder.join("meanwhile");
        std::fs::write(&once, script).unwrap();
        let text = format!(
            "if [ \"$1\" = {command} ] && mv '{once}' '{once}.taken' 2>/dev/null; then . '{once}.taken' >'{once}.log' 2>&1; fi\n",
            once = once.display()
        );
        self.wrap_terraform(&text);
    }

    /// What the script of [`Self::meanwhile`] said.
    pub(crate) fn said_meanwhile(&self) -> String {
        std::fs::read_to_string(self.folder.join("meanwhile.log")).unwrap_or_default()
    }

    /// The path of a state, by its key.
    pub(crate) fn state_path(&self, key: &str) -> PathBuf {
        self.path(&format!(".tieline/states/{key}.tfstate"))
    }

    /// The addresses of the resources in a state; none where there is no state.
    pub(crate) fn state_resources(&self, key: &str) -> Vec<String> {
        let Ok(text) = std::fs::read_to_string(self.state_path(key)) else { return Vec::new() };
        let state: Value = serde_json::from_str(&text).unwrap();
        let managed = state["resources"].as_array().unwrap().iter().filter(|resource| resource["mode"] == "managed");
        managed
            .map(|resource| {
                let module = resource["module"].as_str().map(|module| format!("{module}.")).unwrap_or_default();
                format!("{module}{}.{}", resource["type"].as_str().unwrap(), resource["name"].as_str().unwrap())
            })
            .collect()
    }

    /// What an applied plugin is bound to: `slot <- address`, one a line.
    pub(crate) fn bindings(&self, applied: &str) -> String {
        let record = self.ledger(applied);
        let mut text = String::new();
        for (slot, binding) in record["bindings"].as_object().unwrap() {
            let _ = writeln!(text, "{slot} <- {}", binding["address"].as_str().unwrap());
        }
        text
    }

    /// Writes a plugin: its document and its module.
    pub(crate) fn plugin(&self, folder: &str, document: &str, module: &str) {
        self.write(&format!("{folder}/plugin.yaml"), document);
        self.write(&format!("{folder}/main.tf"), module);
    }
}

impl Ran {
    /// It must have succeeded.
    #[track_caller]
    pub(crate) fn succeeds(self) -> Self {
        assert_eq!(self.code, 0, "{self}");
        self
    }

    /// It must have failed with this exit code, for this reason.
    #[track_caller]
    pub(crate) fn fails(self, code: i32, reason: &str) -> Self {
        assert_eq!(self.code, code, "{self}");
        assert!(self.stderr.contains(&format!("[{reason}]")), "no [{reason}] in\n{self}");
        self
    }

    /// It must have been refused for this reason: exit code 1.
    #[track_caller]
    pub(crate) fn refused(self, reason: &str) -> Self {
        self.fails(1, reason)
    }

    /// Somewhere in what it said stands this text.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stdout.contains(text) || self.stderr.contains(text), "`{text}` is not in\n{self}");
        self
    }

    /// Nowhere in what it said stands this text.
    #[track_caller]
    pub(crate) fn never_says(self, text: &str) -> Self {
        assert!(!self.stdout.contains(text) && !self.stderr.contains(text), "`{text}` is in\n{self}");
        self
    }

    /// What it printed, as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.raw.stdout).unwrap_or_else(|problem| panic!("{problem} in\n{self}"))
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "exit code {}\n--- stdout\n{}--- stderr\n{}", self.code, self.stdout, self.stderr)
    }
}

/// How each deploy and destroy of a run's report ended: `alias: status (because)`, one a line.
pub(crate) fn tasks(report: &Value) -> String {
    let mut text = String::new();
    for task in report["run"]["tasks"].as_array().unwrap().iter().filter(|task| task["type"] != "iac") {
        let because = task["because"].as_str().map(|because| format!(" ({because})")).unwrap_or_default();
        let (alias, status) = (task["alias"].as_str().unwrap(), task["status"].as_str().unwrap());
        let _ = writeln!(text, "{alias}: {status}{because}");
    }
    text
}

/// The verdict of each task of a plan's report: `alias: verdict`, one a line.
pub(crate) fn verdicts(report: &Value) -> String {
    let mut text = String::new();
    for task in report["tasks"].as_array().unwrap() {
        let _ = writeln!(text, "{}: {}", task["alias"].as_str().unwrap(), task["verdict"].as_str().unwrap());
    }
    text
}
