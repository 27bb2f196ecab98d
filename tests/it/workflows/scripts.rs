//! The two scripts behind `native/action.yml` and `stage/action.yml`, as a step runs them.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::at;

/// A runner's folders, a commit of the action, and a place that releases are fetched from.
struct Runner {
    folder: TempDir,
}

impl Runner {
    fn new() -> Self {
        let runner = Self { folder: tempfile::tempdir().unwrap() };
        for folder in ["temp", "tools", "bin", "action/native", "releases/v1.2.3"] {
            fs::create_dir_all(runner.at(folder)).unwrap();
        }
        fs::copy(at("native/fetch"), runner.at("action/native/fetch")).unwrap();
        fs::write(runner.at("action/Cargo.toml"), "[package]\nname = \"tieline\"\nversion = \"1.2.3\"\n").unwrap();
        runner
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// A release of this program, with the checksum of `content` in the commit.
    fn released(&self, program: &str, content: &str) {
        let name = format!("tieline-{}-linux", std::env::consts::ARCH);
        fs::write(self.at("releases/v1.2.3").join(&name), program).unwrap();
        let digest = format!("{:x}", Sha256::digest(content));
        fs::write(self.at("action/native/SHA256SUMS"), format!("{}  tieline-sparc-linux\n{digest}  {name}\n", "0".repeat(64)))
            .unwrap();
    }

    fn step(&self, script: &Path) -> Command {
        let mut command = Command::new("bash");
        command.arg(script).env_clear().env("PATH", format!("{}:/usr/bin:/bin", self.at("bin").display()));
        command.env("RUNNER_TEMP", self.at("temp")).env("RUNNER_TOOL_CACHE", self.at("tools"));
        command
            .env("GITHUB_OUTPUT", self.at("output"))
            .env("TIELINE_RELEASES", format!("file://{}", self.at("releases").display()));
        command
    }

    fn fetch(&self) -> Output {
        self.step(&self.at("action/native/fetch")).output().unwrap()
    }

    fn stage(&self, name: &str) -> Output {
        self.step(&at("stage/stage")).env("TERRAFORM", name).output().unwrap()
    }

    /// What was set as this output, last.
    fn output(&self, name: &str) -> PathBuf {
        let text = fs::read_to_string(self.at("output")).unwrap();
        text.lines().rev().find_map(|line| line.strip_prefix(&format!("{name}="))).unwrap().into()
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

fn write_program(path: &Path, content: &[u8]) {
    fs::write(path, content).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn the_binary_of_a_release_is_fetched_once_and_checked_each_time() {
    let runner = Runner::new();
    let program = "#!/bin/sh\necho tieline\n";
    runner.released(program, program);

    let first = runner.fetch();
    assert!(first.status.success(), "{}", said(&first));
    let binary = runner.output("binary");
    assert_eq!(said(&Command::new(&binary).output().unwrap()), "tieline\n");

    fs::remove_dir_all(runner.at("releases")).unwrap();
    assert!(runner.fetch().status.success(), "it is there");

    fs::write(&binary, "#!/bin/sh\necho another\n").unwrap();
    let third = runner.fetch();
    assert_eq!(third.status.code(), Some(2), "what is there is another program, and there is no release to fetch");
}

#[test]
fn a_binary_that_is_not_the_released_one_is_refused() {
    let runner = Runner::new();
    runner.released("#!/bin/sh\necho forged\n", "#!/bin/sh\necho tieline\n");

    let fetched = runner.fetch();

    assert_eq!(fetched.status.code(), Some(2));
    assert!(said(&fetched).contains("is not the file that this release was made with"), "{}", said(&fetched));
    let left = fs::read_dir(runner.at("tools/tieline/1.2.3").join(std::env::consts::ARCH)).unwrap();
    assert_eq!(left.count(), 0, "nothing of it is left");
}

#[test]
fn a_commit_that_is_no_release_says_so() {
    let fetched = Runner::new().fetch();
    assert_eq!(fetched.status.code(), Some(2));
    assert!(
        said(&fetched).starts_with("::error title=tieline::this commit of the action is not a released one"),
        "{}",
        said(&fetched)
    );
}

#[test]
fn the_runners_terraform_is_staged_where_containers_see_it() {
    let runner = Runner::new();
    write_program(&runner.at("bin/terraform"), b"\x7fELF of terraform");

    let staged = runner.stage("terraform");

    assert!(staged.status.success(), "{}", said(&staged));
    let path = runner.output("path");
    assert!(path.starts_with(runner.at("temp")) && path.ends_with("terraform"));
    assert_eq!(fs::read(&path).unwrap(), b"\x7fELF of terraform");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o755);
}

#[test]
fn the_program_behind_a_wrapper_is_staged() {
    let runner = Runner::new();
    fs::create_dir(runner.at("setup")).unwrap();
    write_program(&runner.at("setup/terraform"), b"#!/usr/bin/env node\n");
    write_program(&runner.at("setup/terraform-bin"), b"\x7fELF of terraform");
    symlink(runner.at("setup/terraform"), runner.at("bin/terraform")).unwrap();

    assert!(runner.stage("terraform").status.success());

    assert_eq!(fs::read(runner.output("path")).unwrap(), b"\x7fELF of terraform");
}

#[test]
fn a_script_or_nothing_in_its_place_is_refused() {
    let runner = Runner::new();
    write_program(&runner.at("bin/terraform"), b"#!/bin/sh\nexec version-manager terraform\n");

    let script = runner.stage("terraform");
    assert_eq!(script.status.code(), Some(2));
    assert!(said(&script).contains("is a script, such as a version manager's"), "{}", said(&script));

    let nothing = runner.stage("tofu");
    assert_eq!(nothing.status.code(), Some(2));
    assert!(said(&nothing).contains("there is no `tofu` on this runner"), "{}", said(&nothing));
}
