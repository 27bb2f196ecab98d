//! What became of a stage.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::annotation::{Annotation, Kind};
use super::log::Log;

/// What the runner says of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conclusion {
    Success,
    Failure,
    Cancelled,
}

/// A stage that ended, as the runner and the people see it.
#[derive(Debug)]
pub(crate) struct StepResult {
    pub(crate) log: Log,
    /// None where the client was killed.
    pub(crate) exit: Option<i32>,
    pub(crate) conclusion: Conclusion,
    /// Masked; empty where it was too large.
    pub(crate) summary: String,
    /// What later steps get, and what is put before their path.
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) path: Vec<String>,
    pub(crate) took: Duration,
    /// From the start of the client to the first line.
    pub(crate) first_line: Option<Duration>,
}

impl StepResult {
    /// The log as a person sees it.
    pub(crate) fn shown(&self) -> String {
        self.log.shown.join("\n")
    }

    /// An output of the step.
    #[track_caller]
    pub(crate) fn output(&self, name: &str) -> &str {
        self.log.outputs.get(name).unwrap_or_else(|| panic!("there is no output `{name}`:\n{self}"))
    }

    /// `fromJSON(steps.….outputs.name)`
    #[track_caller]
    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_str(self.output(name)).unwrap_or_else(|problem| panic!("`{name}`: {problem}:\n{self}"))
    }

    /// The annotations of a kind.
    pub(crate) fn annotations(&self, kind: Kind) -> Vec<&Annotation> {
        self.log.annotations.iter().filter(|annotation| annotation.kind == kind).collect()
    }

    /// It must have succeeded.
    #[track_caller]
    pub(crate) fn succeeds(self) -> Self {
        assert_eq!(self.conclusion, Conclusion::Success, "{self}");
        self
    }

    /// It must have failed with this exit code, for this reason.
    #[track_caller]
    pub(crate) fn fails(self, code: i32, reason: &str) -> Self {
        assert_eq!((self.conclusion, self.exit), (Conclusion::Failure, Some(code)), "{self}");
        assert_eq!(self.output("failure-reason"), reason, "{self}");
        self
    }

    /// Somewhere in the log stands this text.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.shown().contains(text), "`{text}` is not in\n{self}");
        self
    }

    /// Every command that the runner obeyed is one that our program may give, in the form that it gives them; no secret was seen.
    #[track_caller]
    pub(crate) fn assert_clean(&self) {
        assert!(self.log.violations.is_empty(), "{:#?} in\n{self}", self.log.violations);
    }
}

impl fmt::Display for StepResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?}, exit code {:?}, after {:?}\n{}", self.conclusion, self.exit, self.took, self.shown())?;
        for (name, value) in &self.log.outputs {
            writeln!(f, "output {name}: {value}")?;
        }
        for problem in &self.log.errors {
            writeln!(f, "runner: {problem}")?;
        }
        write!(f, "--- summary\n{}", self.summary)
    }
}
