//! `tieline.lock`, beside the manifest: what each source that is not a folder meant when it was looked up.

use std::collections::BTreeMap;

use semver::Version;
use serde::{Deserialize, Serialize};

use super::git::is_commit;
use super::reference::Reference;
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
