//! What terraform says went wrong: its diagnostics, in JSON or as text, and the state lock's holder out of their words.

use serde::Deserialize;

use crate::domain::diagnostic::{Diagnostic, Severity};
use crate::domain::failure::FailureReason;

use super::explain::advice;

/// A diagnostic of terraform, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TfDiagnostic {
    /// How grave it is.
    pub severity: Severity,
    /// The first line.
    pub summary: String,
    /// The rest; may be empty, may have many lines.
    pub detail: String,
    /// The resource it is about.
    pub address: Option<String>,
    /// The file it points at, from the root module's folder.
    pub file: Option<String>,
    /// The line in it, from 1.
    pub line: Option<u64>,
    /// The code it points at.
    pub snippet: Option<Snippet>,
}

/// The code that a diagnostic points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    /// The block it stands in.
    pub context: Option<String>,
    /// The lines.
    pub code: String,
    /// The first line's number, from 1.
    pub start_line: u64,
    /// The expressions in it and what terraform says of their values; sensitive ones are not shown.
    pub values: Vec<(String, String)>,
}

impl Snippet {
    /// The code with its numbers, and what its expressions were.
    fn lines(&self) -> Vec<String> {
        const MOST_LINES: usize = 8;
        const LONGEST: usize = 200;
        let code = self.code.lines().zip(self.start_line..).map(|(line, number)| format!("{number} | {}", line.trim_end()));
        let values = self.values.iter().map(|(expression, value)| format!("{expression} {value}"));
        code.chain(values).take(MOST_LINES).map(|line| line.chars().take(LONGEST).collect()).collect()
    }
}

/// Who holds a state lock, in terraform's words. What the backend does not tell is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockInfo {
    /// The lock's id.
    pub id: String,
    /// User and host of the holder.
    pub who: String,
    /// What the holder does.
    pub operation: String,
    /// Since when.
    pub created: String,
    /// Further words of the holder.
    pub info: String,
    /// The state.
    pub path: String,
}

impl TfDiagnostic {
    /// An error of ours about terraform itself.
    pub(super) fn error(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            summary: summary.into(),
            detail: detail.into(),
            address: None,
            file: None,
            line: None,
            snippet: None,
        }
    }

    /// The same as a problem of ours, with advice where there is some.
    pub fn to_problem(&self, reason: FailureReason) -> Diagnostic {
        // Some backends put all they have to say into the summary.
        let (summary, rest) = self.summary.split_once('\n').unwrap_or((&self.summary, ""));
        let message = match &self.address {
            Some(address) => format!("terraform: {summary} (`{address}`)"),
            None => format!("terraform: {summary}"),
        };
        let mut problem = Diagnostic { severity: self.severity, ..Diagnostic::error(reason, message) };
        if let Some(file) = &self.file {
            let line = self.line.and_then(|line| usize::try_from(line).ok()).unwrap_or(1);
            problem = problem.at_line(file, line, 1);
        }
        problem.notes.extend(self.snippet.iter().flat_map(Snippet::lines));
        problem.notes.extend(rest.lines().chain(self.told().lines()).filter(|line| !line.trim().is_empty()).map(str::to_owned));
        problem.help.extend(advice(self).map(str::to_owned));
        problem
    }

    /// The detail, without the lock that was asked for: people would take it for the one that is held.
    fn told(&self) -> String {
        match self.detail.split_once("Lock Info:") {
            Some((before, block)) if shows_own_lock(&self.detail) => {
                before.to_owned() + block.split_once("\n\n").map_or("", |(_, after)| after)
            }
            _ => self.detail.clone(),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct WireDiagnostic {
    severity: String,
    summary: String,
    #[serde(default)]
    detail: String,
    address: Option<String>,
    range: Option<WireRange>,
    snippet: Option<WireSnippet>,
}

#[derive(Deserialize)]
struct WireRange {
    filename: String,
    start: WirePosition,
}

#[derive(Deserialize)]
struct WirePosition {
    line: u64,
}

#[derive(Deserialize)]
struct WireSnippet {
    context: Option<String>,
    code: String,
    start_line: u64,
    #[serde(default)]
    values: Option<Vec<WireValue>>,
}

#[derive(Deserialize)]
struct WireValue {
    traversal: String,
    statement: String,
}

impl From<WireDiagnostic> for TfDiagnostic {
    fn from(wire: WireDiagnostic) -> Self {
        let (file, line) = wire.range.map(|range| (range.filename, range.start.line)).unzip();
        Self {
            severity: if wire.severity == "warning" { Severity::Warning } else { Severity::Error },
            detail: shown_detail(&wire.summary, wire.detail),
            summary: wire.summary,
            address: wire.address,
            file,
            line,
            snippet: wire.snippet.map(|snippet| Snippet {
                context: snippet.context,
                code: snippet.code,
                start_line: snippet.start_line,
                values: snippet.values.unwrap_or_default().into_iter().map(|value| (value.traversal, value.statement)).collect(),
            }),
        }
    }
}

/// Terraform quotes the command and the output of a failed provisioner whole, sensitive values and all, though it kept them out of
/// its log (measured). What may be shown of them stood there, so only how it ended is kept.
fn shown_detail(summary: &str, detail: String) -> String {
    if !summary.ends_with("provisioner error") {
        return detail;
    }
    let end = ["exit status ", "signal: "].into_iter().find_map(|kind| {
        let (_, rest) = detail.split_once(&format!("': {kind}"))?;
        let (what, _) = rest.split_once(". Output: ")?;
        what.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()).then(|| format!("{kind}{what}"))
    });
    let end = end.map(|end| format!(" with {}", end.replace(':', ""))).unwrap_or_default();
    format!("The command ended{end}; what it wrote is in the log above, where Terraform showed it.")
}

/// Reads the diagnostics out of text for people: commands without `-json` draw a box around each.
pub(super) fn from_text<'a>(lines: impl IntoIterator<Item = &'a str>) -> Vec<TfDiagnostic> {
    let mut found: Vec<TfDiagnostic> = Vec::new();
    for line in lines {
        let line = line.trim_start_matches(['│', '╷', '╵']).trim();
        let start = |label: &str| line.strip_prefix(label).map(|summary| TfDiagnostic::error(summary, ""));
        if let Some(error) = start("Error: ") {
            found.push(error);
        } else if let Some(warning) = start("Warning: ") {
            found.push(TfDiagnostic { severity: Severity::Warning, ..warning });
        } else if let Some(current) = found.last_mut() {
            match place(line) {
                Some((file, number)) if current.file.is_none() => {
                    current.file = Some(file.to_owned());
                    current.line = Some(number);
                }
                _ if line.is_empty() && current.detail.is_empty() => {}
                _ => {
                    current.detail.push_str(line);
                    current.detail.push('\n');
                }
            }
        }
    }
    for diagnostic in &mut found {
        diagnostic.detail.truncate(diagnostic.detail.trim_end().len());
    }
    found
}

/// Reads `on main.tf line 3, in resource …`.
fn place(line: &str) -> Option<(&str, u64)> {
    let (file, rest) = line.strip_prefix("on ")?.split_once(" line ")?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    Some((file, digits.parse().ok()?))
}

/// Whether the state lock could not be had because another holds it, and who. A state that cannot be read or reached fails with
/// the same summary, and is no held lock.
pub(super) fn held_lock(diagnostics: &[TfDiagnostic]) -> Option<LockInfo> {
    let text = diagnostics.iter().map(|diagnostic| format!("{}\n{}", diagnostic.summary, diagnostic.detail));
    let text = text.into_iter().find(|text| text.contains("acquiring the state lock"))?;
    let lock = lock_info(&text);
    (!lock.id.is_empty() || text.to_ascii_lowercase().contains("already locked")).then_some(lock)
}

/// Whether the lock that is shown is the one that was asked for, not the one that is held: the PostgreSQL and HTTP backends do
/// so (measured).
fn shows_own_lock(text: &str) -> bool {
    ["Workspace is already locked", "Already locked for workspace creation", "HTTP remote state already locked"]
        .iter()
        .any(|words| text.contains(words))
}

fn lock_info(text: &str) -> LockInfo {
    let mut lock = LockInfo::default();
    let block = text.split_once("Lock Info:").filter(|_| !shows_own_lock(text)).map(|(_, block)| block).unwrap_or_default();
    for (name, value) in block.lines().filter_map(|line| line.trim().split_once(':')) {
        let field = match name {
            "ID" => &mut lock.id,
            "Who" => &mut lock.who,
            "Operation" => &mut lock.operation,
            "Created" => &mut lock.created,
            "Info" => &mut lock.info,
            "Path" => &mut lock.path,
            _ => continue,
        };
        // The first wins: what comes later is prose, or the holder's own words.
        if field.is_empty() {
            value.trim().clone_into(field);
        }
    }
    if lock.id.is_empty()
        && let Some((_, rest)) = text.split_once("ID=")
    {
        rest.split(|c: char| c.is_whitespace() || c == ',').next().unwrap_or_default().clone_into(&mut lock.id);
    }
    lock
}

/// Whether init failed at a download, in a way that may be over soon.
pub(super) fn download_failed(diagnostics: &[TfDiagnostic]) -> bool {
    const STEPS: [&str; 6] = [
        "Failed to install provider",
        "Failed to query available provider packages",
        "Error while installing",
        "Failed to download module",
        "Error accessing remote module registry",
        "Invalid provider registry host",
    ];
    const PASSING: [&str; 14] = [
        "timeout",
        "timed out",
        "deadline exceeded",
        "connection reset",
        "connection refused",
        "unexpected EOF",
        "TLS handshake",
        "temporary failure",
        "Could not resolve host",
        "429",
        " 500",
        "502",
        "503",
        "504",
    ];
    diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).any(|diagnostic| {
        STEPS.iter().any(|step| diagnostic.summary.contains(step))
            && PASSING.iter().any(|sign| diagnostic.detail.contains(sign) || diagnostic.summary.contains(sign))
    })
}

/// Whether init failed because the lock file names a provider version that the root does not allow.
pub(super) fn lock_file_unfit(diagnostics: &[TfDiagnostic]) -> bool {
    diagnostics.iter().any(|diagnostic| diagnostic.detail.contains("does not match configured version constraint"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock_failure(message: &str) -> Vec<TfDiagnostic> {
        vec![TfDiagnostic::error(
            "Error acquiring the state lock",
            format!("Error message: {message}\n\nTerraform acquires a state lock"),
        )]
    }

    #[test]
    fn a_held_lock_is_told_with_all_that_the_backend_says() {
        let block = "Lock Info:\n  ID:        1234-abcd\n  Path:      bucket/key\n  Operation: OperationTypeApply\n  Who:       me@host\n  \
                     Version:   1.11.4\n  Created:   2026-11-20 18:38:33 +0000 UTC\n  Info:      run: 7\n";
        let lock = held_lock(&lock_failure(&format!("operation error S3: PutObject, 412\n{block}"))).unwrap();
        let expected = LockInfo {
            id: "1234-abcd".into(),
            who: "me@host".into(),
            operation: "OperationTypeApply".into(),
            created: "2026-11-20 18:38:33 +0000 UTC".into(),
            info: "run: 7".into(),
            path: "bucket/key".into(),
        };
        assert_eq!(lock, expected);
        let asked = "Lock Info:\n  ID:        f2586f69\n  Who:       us@here";
        let failure = lock_failure(&format!("HTTP remote state already locked: ID=75ebe9d6-9aed\n{asked}"));
        let http = held_lock(&failure).unwrap();
        assert_eq!(http, LockInfo { id: "75ebe9d6-9aed".into(), ..LockInfo::default() });
        let told = failure[0].to_problem(FailureReason::StateLocked).notes.join("\n");
        assert!(told.contains("ID=75ebe9d6-9aed\nTerraform acquires") && !told.contains("us@here"), "{told}");
    }

    #[test]
    fn r66_a_failed_provisioner_is_not_quoted() {
        let shown = |detail: &str| shown_detail("local-exec provisioner error", detail.to_owned());
        let how = |end: &str| format!("The command ended{end}; what it wrote is in the log above, where Terraform showed it.");
        assert_eq!(shown("Error running command 'login canary': exit status 7. Output: canary\n"), how(" with exit status 7"));
        assert_eq!(shown("Error running command 'login canary': signal: killed. Output: "), how(" with signal killed"));
        assert_eq!(shown("Error running command 'x': exit status canary CANARY. Output: "), how(""));
        assert_eq!(shown_detail("Unsupported argument", "as it is".to_owned()), "as it is");
    }

    #[test]
    fn r21_postgres_shows_the_id_it_asked_for_which_is_not_the_holders() {
        for words in ["Already locked for workspace creation: default", "Workspace is already locked: default"] {
            let lock = held_lock(&lock_failure(&format!("{words}\nLock Info:\n  ID:        f2586f69\n  Who:       us@here\n")));
            assert_eq!(lock, Some(LockInfo::default()));
        }
    }

    #[test]
    fn a_state_that_cannot_be_read_is_no_held_lock() {
        for message in ["2 problems:\n- Unsupported state file format", "AccessDenied: not authorized to perform s3:PutObject"] {
            assert_eq!(held_lock(&lock_failure(message)), None);
        }
    }

    #[test]
    fn diagnostics_are_read_out_of_text() {
        let text = "╷\n│ Error: Unsupported argument\n│ \n│   on plugin/main.tf line 12, in resource \"x\" \"y\":\n│   12:   nope = 1\n│ \n\
                    │ An argument named \"nope\" is not expected here.\n╵\n╷\n│ Warning: Old\n╵\n";
        let found = from_text(text.lines());
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].file.as_deref(), found[0].line), (Some("plugin/main.tf"), Some(12)));
        assert_eq!(found[0].detail, "12:   nope = 1\n\nAn argument named \"nope\" is not expected here.");
        assert_eq!(found[1].severity, Severity::Warning);
    }

    #[test]
    fn r28_only_passing_download_failures_are_worth_another_try() {
        let table = [
            ("Failed to install provider", "Error while installing hashicorp/aws v5.0.0: unexpected EOF", true),
            ("Failed to query available provider packages", "could not connect: net/http: TLS handshake timeout", true),
            ("Failed to download module", "bad response code: 503", true),
            ("Failed to query available provider packages", "no available releases match the given constraints ~> 99.0", false),
            ("Unsupported argument", "503", false),
        ];
        for (summary, detail, again) in table {
            assert_eq!(download_failed(&[TfDiagnostic::error(summary, detail)]), again, "{summary}: {detail}");
        }
    }

    #[test]
    fn a_problem_of_ours_keeps_place_reason_and_advice() {
        let diagnostic = TfDiagnostic {
            file: Some("plugin/main.tf".into()),
            line: Some(3),
            address: Some("module.plugin.aws_x.y".into()),
            ..TfDiagnostic::error("Unsupported argument", "An argument named \"nope\" is not expected here.")
        };
        let problem = diagnostic.to_problem(FailureReason::PlanFailed);
        let expected = Diagnostic::error(FailureReason::PlanFailed, "terraform: Unsupported argument (`module.plugin.aws_x.y`)")
            .at_line("plugin/main.tf", 3, 1)
            .note("An argument named \"nope\" is not expected here.")
            .help("the plugin names an argument that this resource, module or provider version does not have");
        assert_eq!(problem, expected);
    }
}
