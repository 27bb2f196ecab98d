//! `tieline.lock`, beside the manifest: what each source that is not a folder meant when it was looked up.

use std::collections::BTreeMap;

use semver::Version;
use serde::{Deserialize, Serialize};

use super::reference::Reference;
use super::refs::is_commit;
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason::InvalidDocument;
use crate::domain::names::Digest;

/// The name of the lock file.
pub const LOCK_FILE: &str = "tieline.lock";

const HEADER: &str = "# Written by tieline; commit it. `tieline plugins update` changes it.\n";
const API_VERSION: &str = "tieline/v1";

/// A lock file: entries by the text after `use:`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    /// The entries.
    pub plugins: BTreeMap<String, LockEntry>,
}

/// What one source was when it was looked up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockEntry {
    /// The source in its normal form; for a name, what the catalog had for it.
    pub source: String,
    /// The plugin's version: at once where the catalog chose it, else when the caller has read the plugin's document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// The commit.
    pub commit: String,
    /// The digest of the tree.
    pub digest: Digest,
    /// The text of `.terraform.lock.hcl`, once an init has made one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub providers: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Document {
    api_version: String,
    kind: Kind,
    plugins: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
enum Kind {
    Lock,
}

/// As [`LockEntry`], in a list: texts after `use:` are too long for keys.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[serde(rename = "use")]
    written: String,
    source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<Version>,
    commit: String,
    digest: Digest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    providers: Option<String>,
}

impl Lock {
    /// Reads the text of the lock file that people know as `file`.
    ///
    /// # Errors
    /// Every problem of the document.
    pub fn parse(text: &str, file: &str) -> Result<Self, Problems> {
        let document: Document = serde_yaml::from_str(text).map_err(|problem| {
            let diagnostic = Diagnostic::error(InvalidDocument, format!("the lock file is malformed: {problem}"))
                .help("restore it from git; after a merge conflict take either side, then run `tieline plugins update`");
            match problem.location() {
                Some(place) => diagnostic.at_line(file, place.line(), place.column()),
                None => diagnostic.in_file(file),
            }
        })?;
        let mut lock = Self::default();
        let mut problems = Problems::default();
        let mut wrong = |index: Option<usize>, field: &str, message: String| {
            let pointer = index.map_or_else(Pointer::default, |index| Pointer::keys(["plugins"]).index(index)).key(field);
            problems.push(Diagnostic::error(InvalidDocument, message).at(file, pointer));
        };
        if document.api_version != API_VERSION {
            let message = format!("`{}` is not a version of lock files that is understood", document.api_version);
            wrong(None, "apiVersion", message);
        }
        for (index, Entry { written, source, version, commit, digest, providers }) in document.plugins.into_iter().enumerate() {
            // These become arguments of git and names of files.
            if !matches!(source.parse(), Ok(Reference::Git { .. } | Reference::GitHub { .. })) {
                wrong(Some(index), "source", "this is not a repository that a plugin can come from".to_owned());
            }
            if !is_commit(&commit) {
                wrong(Some(index), "commit", format!("`{}` is not a full commit id", commit.escape_debug()));
            }
            if !is_digest(&digest) {
                wrong(Some(index), "digest", format!("`{}` is not a SHA-256", digest.as_str().escape_debug()));
            }
            if lock.plugins.contains_key(&written) {
                wrong(Some(index), "use", format!("`{}` is locked twice", written.escape_debug()));
            }
            lock.plugins.insert(written, LockEntry { source, version, commit, digest, providers });
        }
        if problems.any_error() { Err(problems) } else { Ok(lock) }
    }

    /// The text of the lock file: the same lock gives the same text.
    pub fn to_text(&self) -> String {
        let plugins = self.plugins.iter().map(|(written, entry)| {
            let LockEntry { source, version, commit, digest, providers } = entry.clone();
            Entry { written: written.clone(), source, version, commit, digest, providers }
        });
        let document = Document { api_version: API_VERSION.to_owned(), kind: Kind::Lock, plugins: plugins.collect() };
        // Texts and lists of texts can always be written.
        format!("{HEADER}{}", serde_yaml::to_string(&document).unwrap_or_default())
    }
}

fn is_digest(digest: &Digest) -> bool {
    digest.as_str().len() == 64 && digest.as_str().bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::diagnostic::Spot;

    fn lock() -> Lock {
        let entry = |source: &str, version: Option<Version>, providers: Option<&str>| LockEntry {
            source: source.to_owned(),
            version,
            commit: "1".repeat(40),
            digest: Digest::of(b""),
            providers: providers.map(str::to_owned),
        };
        let git = "git::https://git.test/acme/plugins//web?ref=v1";
        let plugins = [
            ("postgres@^1", entry("git::https://git.test/acme/postgres?ref=1.2.0", Some(Version::new(1, 2, 0)), None)),
            (git, entry(git, None, Some("provider \"x\" {\n  version = \"1\"\n}\n"))),
        ];
        Lock { plugins: plugins.map(|(written, entry)| (written.to_owned(), entry)).into() }
    }

    #[test]
    fn the_text_is_stable_and_read_back() {
        let text = lock().to_text();
        insta::assert_snapshot!(text, @r#"
        # Written by tieline; commit it. `tieline plugins update` changes it.
        apiVersion: tieline/v1
        kind: Lock
        plugins:
        - use: git::https://git.test/acme/plugins//web?ref=v1
          source: git::https://git.test/acme/plugins//web?ref=v1
          commit: '1111111111111111111111111111111111111111'
          digest: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
          providers: |
            provider "x" {
              version = "1"
            }
        - use: postgres@^1
          source: git::https://git.test/acme/postgres?ref=1.2.0
          version: 1.2.0
          commit: '1111111111111111111111111111111111111111'
          digest: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
        "#);
        assert_eq!(Lock::parse(&text, LOCK_FILE).unwrap(), lock());
        assert_eq!(Lock::parse(&Lock::default().to_text(), LOCK_FILE).unwrap(), Lock::default());
    }

    /// `12e4` is a number to YAML.
    #[test]
    fn a_commit_that_looks_like_a_number_is_still_a_text() {
        for commit in [format!("1e{}", "2".repeat(38)), format!("{}e4", "0".repeat(38)), format!("0{}", "7".repeat(39))] {
            let mut lock = lock();
            lock.plugins.values_mut().for_each(|entry| entry.commit.clone_from(&commit));
            assert_eq!(Lock::parse(&lock.to_text(), LOCK_FILE), Ok(lock));
        }
    }

    #[test]
    fn a_merge_conflict_is_shown_where_it_is() {
        let text = lock().to_text().replace("plugins:\n", "plugins:\n<<<<<<< ours\n");
        let problem = &Lock::parse(&text, LOCK_FILE).unwrap_err().0[0];
        assert_eq!(problem.reason, InvalidDocument);
        assert!(matches!(problem.origin.as_ref().unwrap().at, Spot::Line { line, .. } if line > 1), "{problem:?}");
        assert!(problem.help[0].contains("merge conflict"));
    }

    #[test]
    fn what_would_reach_git_or_a_file_name_is_checked_and_all_is_said() {
        let text = lock()
            .to_text()
            .replace(&"1".repeat(40), "--upload-pack=x")
            .replace(Digest::of(b"").as_str(), "../../etc/passwd")
            .replace("source: git::https://git.test/acme/postgres?ref=1.2.0", "source: ./here");
        let problems = Lock::parse(&text, LOCK_FILE).unwrap_err().0;
        let said: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(said.len(), 5, "{said:?}");
        assert_eq!(said[0], "`--upload-pack=x` is not a full commit id");
        assert_eq!(said[1], "`../../etc/passwd` is not a SHA-256");
        assert_eq!(said[2], "this is not a repository that a plugin can come from");
    }

    #[test]
    fn an_entry_that_stands_twice_and_a_field_that_is_unknown_are_refused() {
        let text = lock().to_text();
        let entries = text.split_once("plugins:\n").unwrap().1;
        let problems = Lock::parse(&format!("{text}{entries}"), LOCK_FILE).unwrap_err();
        assert!(problems.0.iter().all(|problem| problem.message.ends_with("is locked twice")));
        assert!(Lock::parse(&format!("{text}more: 1\n"), LOCK_FILE).is_err());
        assert!(Lock::parse(&text.replace("tieline/v1", "tieline/v2"), LOCK_FILE).is_err());
    }
}
