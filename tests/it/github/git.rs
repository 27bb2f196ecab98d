//! The git binary on a bare repository.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A bare repository.
#[derive(Clone)]
pub(super) struct Git {
    folder: PathBuf,
}

impl Git {
    pub(super) fn create(folder: PathBuf) -> Self {
        let git = Self { folder };
        std::fs::create_dir(&git.folder).unwrap();
        git.run(&["init", "--quiet", "--bare", "--initial-branch=main"], b"").unwrap();
        git
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What git says to `input`.
    ///
    /// # Errors
    /// What it complains about.
    pub(super) fn run(&self, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
        let mut child = Command::new("git")
            .args(arguments)
            .current_dir(&self.folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1"), ("LC_ALL", "C")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A git that does not want all of it says why.
        _ = stdin.write_all(input);
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        if output.status.success() { Ok(output.stdout) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
    }

    /// The first line of what git says.
    pub(super) fn line(&self, arguments: &[&str]) -> Option<String> {
        let said = self.run(arguments, b"").ok()?;
        String::from_utf8_lossy(&said).lines().next().map(str::to_owned)
    }

    /// The full id of the object of a kind (`commit`, `tree`, `blob`) that a name leads to.
    pub(super) fn resolve(&self, name: &str, kind: &str) -> Option<String> {
        self.line(&["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{name}^{{{kind}}}")])
    }

    /// The id of what has this path (the root for an empty one) at a ref or commit, if it is of this kind (`tree`, `blob`).
    pub(super) fn at(&self, revision: &str, path: &str, kind: &str) -> Option<String> {
        let said = self.run(&["cat-file", "--batch-check"], format!("{revision}:{path}\n").as_bytes()).ok()?;
        let said = String::from_utf8_lossy(&said).into_owned();
        let [id, found, _] = said.trim_end().split(' ').collect::<Vec<_>>()[..] else { return None };
        (found == kind).then(|| id.to_owned())
    }

    /// The kind and content of the object with this full id.
    pub(super) fn object(&self, id: &str) -> Option<(String, Vec<u8>)> {
        if !is_id(id) {
            return None;
        }
        let said = self.run(&["cat-file", "--batch"], format!("{id}\n").as_bytes()).unwrap();
        let end = said.iter().position(|byte| *byte == b'\n')?;
        let header = String::from_utf8_lossy(&said[..end]).into_owned();
        let [_, kind, length] = header.split(' ').collect::<Vec<_>>()[..] else { return None };
        Some((kind.to_owned(), said[end + 1..][..length.parse().unwrap()].to_vec()))
    }

    /// The id of the object of this kind, which is there from now on.
    pub(super) fn write(&self, kind: &str, content: &[u8]) -> Result<String, String> {
        let said = self.run(&["hash-object", "-w", "-t", kind, "--stdin"], content)?;
        Ok(String::from_utf8_lossy(&said).trim().to_owned())
    }

    /// Whether nothing was ever committed.
    pub(super) fn is_empty(&self) -> bool {
        self.line(&["for-each-ref", "--count=1"]).is_none()
    }
}

/// Whether a text is a full object id.
pub(super) fn is_id(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}
