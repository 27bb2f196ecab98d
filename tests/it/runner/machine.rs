//! A self-hosted runner's folders. They belong to the user that the runner runs as, who is not root, and outlive a job.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::event::REPOSITORY;

/// Who the runner runs as.
pub(crate) const OWNER: u32 = 1001;

/// A machine that jobs run on, one after the other.
#[derive(Debug)]
pub(crate) struct Machine {
    folder: TempDir,
    /// `github.token` of every job.
    pub(crate) token: String,
}

impl Machine {
    /// A new one.
    pub(crate) fn new() -> Self {
        let machine = Self { folder: tempfile::tempdir().unwrap(), token: "token-of-the-job".to_owned() };
        for folder in [machine.workspace(), machine.home(), machine.workflow(), machine.file_commands()] {
            fs::create_dir_all(folder).unwrap();
        }
        fs::write(machine.socket(), "").unwrap();
        give(&machine.work());
        machine
    }

    /// `_work`: everything of the runner's.
    pub(crate) fn work(&self) -> PathBuf {
        self.folder.path().join("_work")
    }

    /// Where the repository is checked out.
    pub(crate) fn workspace(&self) -> PathBuf {
        let name = REPOSITORY.split('/').next_back().unwrap();
        self.work().join(name).join(name)
    }

    /// `RUNNER_TEMP`, emptied before each job.
    pub(crate) fn temporary(&self) -> PathBuf {
        self.work().join("_temp")
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.temporary().join("_github_home")
    }

    pub(crate) fn workflow(&self) -> PathBuf {
        self.temporary().join("_github_workflow")
    }

    pub(crate) fn file_commands(&self) -> PathBuf {
        self.temporary().join("_runner_file_commands")
    }

    /// Stands in for Docker's socket, which the runner gives to every container.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("docker.sock")
    }

    /// A place for what is neither the runner's nor the container's.
    pub(crate) fn aside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What a container sees of the machine, and where: in the order in which paths are translated.
    pub(crate) fn mounts(&self) -> [(PathBuf, &'static str); 5] {
        [
            (self.workspace(), "/github/workspace"),
            (self.file_commands(), "/github/file_commands"),
            (self.workflow(), "/github/workflow"),
            (self.home(), "/github/home"),
            (self.temporary(), "/github/runner_temp"),
        ]
    }

    /// A value that is a path in what is mounted, as the container's path; any other value as it is.
    pub(crate) fn in_container(&self, value: &str) -> String {
        let translated = self.mounts().into_iter().find_map(|(host, inside)| {
            let rest = value.strip_prefix(host.to_str().unwrap())?;
            (rest.is_empty() || rest.starts_with('/')).then(|| format!("{inside}{rest}"))
        });
        translated.unwrap_or_else(|| value.to_owned())
    }

    /// Writes a file of the workspace, as the checkout does.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let file = self.workspace().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        give(&self.workspace());
    }

    /// Copies a folder into the workspace.
    pub(crate) fn check_out(&self, folder: &Path) {
        copy(folder, &self.workspace());
        give(&self.workspace());
    }

    /// Puts this machine's terraform where a step would that stages it for containers: below `RUNNER_TEMP`.
    pub(crate) fn stage_terraform(&self) {
        let folder = self.temporary().join("terraform");
        fs::create_dir_all(&folder).unwrap();
        give(&folder);
        let (real, staged) = (which::which("terraform").unwrap(), folder.join("terraform"));
        // A second name costs nothing; its owner is then that of the first, which is fine for what nobody is to write.
        if fs::hard_link(&real, &staged).is_err() {
            fs::copy(&real, &staged).unwrap();
        }
    }

    /// Empties what lives as long as a job.
    pub(crate) fn empty_temporary(&self) {
        fs::remove_dir_all(self.temporary()).unwrap();
        for folder in [self.home(), self.workflow(), self.file_commands()] {
            fs::create_dir_all(folder).unwrap();
        }
        give(&self.temporary());
    }

    /// What a later job's checkout could not remove: files in the runner's folders that are not the runner's.
    pub(crate) fn foreign_files(&self) -> Vec<String> {
        let staged = self.temporary().join("terraform/terraform");
        let all = everything_below(&self.work()).into_iter().filter(|path| *path != staged);
        let foreign = all.filter_map(|path| {
            let owner = fs::symlink_metadata(&path).ok()?.uid();
            (owner != OWNER).then(|| format!("{} belongs to user {owner}", path.strip_prefix(self.work()).unwrap().display()))
        });
        foreign.collect()
    }
}

/// Makes a folder and all in it the runner's.
pub(crate) fn give(folder: &Path) {
    for path in everything_below(folder) {
        std::os::unix::fs::lchown(&path, Some(OWNER), Some(OWNER)).unwrap();
    }
    chown(folder, Some(OWNER), Some(OWNER)).unwrap();
}

fn everything_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(everything_below(&entry.path()));
        }
        found.push(entry.path());
    }
    found
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    // What somebody's own try of an example left is not part of it.
    let entries = fs::read_dir(from).unwrap().flatten().filter(|entry| entry.file_name() != ".tieline");
    for entry in entries {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn paths_are_translated_whole_and_at_their_start_only() {
    let machine = Machine::new();
    let workspace = machine.workspace().display().to_string();
    assert_eq!(machine.in_container(&workspace), "/github/workspace");
    assert_eq!(machine.in_container(&format!("{workspace}/a")), "/github/workspace/a");
    assert_eq!(machine.in_container(&format!("{workspace}-b")), format!("{workspace}-b"));
    assert_eq!(machine.in_container(&format!("x:{workspace}")), format!("x:{workspace}"));
    let home = machine.home().display().to_string();
    assert_eq!(machine.in_container(&home), "/github/home", "not below runner_temp");
}
