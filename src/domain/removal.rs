//! What became of previews that were to be removed: the data that reports are drawn from.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::diagnostic::Problems;
use super::names::{EnvironmentName, WorkspaceName};
use super::outcome::RunReport;
use super::preview::PullRequestId;

/// A preview by its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct PreviewName {
    /// Its workspace.
    pub workspace: WorkspaceName,
    /// Its name there.
    pub environment: EnvironmentName,
}

impl std::fmt::Display for PreviewName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.workspace, self.environment)
    }
}

/// A preview that was to be removed.
#[derive(Debug, Clone, PartialEq)]
pub struct Removed {
    /// Which one.
    pub name: PreviewName,
    /// Whose it was; none where it was made for nobody that is known any more.
    pub id: Option<PullRequestId>,
    /// The runs that destroyed its deployables, in their order.
    pub runs: Vec<RunReport>,
    /// Whether nothing of it is left.
    pub is_gone: bool,
}

/// All that was to be removed of a pull request.
#[derive(Debug, Clone, PartialEq)]
pub struct Removal {
    /// What was asked for, such as `pull request 7 of acme/shop`.
    pub asked: String,
    /// Its previews; none where they were gone already.
    pub removed: Vec<Removed>,
    /// What went wrong.
    pub problems: Problems,
}

impl Removal {
    /// Whether there was nothing to remove.
    pub fn is_skipped(&self) -> bool {
        self.removed.is_empty() && !self.problems.any_error()
    }

    /// The same with every text that came from outside put through `change`, as a redactor does.
    #[must_use]
    pub fn with_texts(mut self, change: &dyn Fn(&str) -> String) -> Self {
        self.problems = self.problems.with_texts(change);
        for removed in &mut self.removed {
            removed.runs = std::mem::take(&mut removed.runs).into_iter().map(|run| run.with_texts(change)).collect();
        }
        self
    }
}

/// What a sweep did.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    /// The previews that it looked at.
    pub swept: Vec<Swept>,
    /// Why some of them are still there that should not be, and what else went wrong.
    pub problems: Problems,
}

/// A preview that a sweep looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Swept {
    /// Which one.
    #[serde(flatten)]
    pub name: PreviewName,
    /// Its repository, for people.
    pub repository: String,
    /// Whose it is.
    #[serde(flatten)]
    pub id: Option<PullRequestId>,
    /// When its time is over.
    pub expires: Option<DateTime<Utc>>,
    /// What became of it.
    pub fate: Fate,
    /// Why, in words.
    pub because: String,
    /// What of it was left behind on purpose.
    pub retained: Vec<String>,
}

/// What became of a preview.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It is gone.
    Removed,
    /// It should be gone, and is not.
    Failed,
    /// It should be gone, and has to wait.
    Waits,
    /// It lives on, as it should.
    Lives,
    /// Nobody can tell whether it should.
    Unknown,
}

impl Fate {
    /// In a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::Failed => "not removed",
            Self::Waits => "waits",
            Self::Lives => "lives on",
            Self::Unknown => "unknown",
        }
    }
}

impl Sweep {
    /// Those that met with this.
    pub fn with(&self, fate: Fate) -> impl Iterator<Item = &Swept> {
        self.swept.iter().filter(move |swept| swept.fate == fate)
    }
}
