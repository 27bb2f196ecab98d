//! `docs/errors.md`.

use std::fmt::Write as _;

use tieline::domain::failure::{FailureKind, FailureReason};

const HEAD: &str = "\
# Errors

Every error starts with its reason: `error[unresolved-slot]: …`. A run that fails keeps the reason of its first cause in its run record
(`failureReason`), and the exit code follows from it. Below the message stand the lines of the document that caused it, why it was
refused, and what to do.

This page is generated from the code.
";

pub(super) fn page() -> String {
    let mut page = HEAD.to_owned();
    let code: String =
        super::sources().into_iter().filter(|(path, _)| !path.ends_with("failure.rs")).map(|(_, text)| text).collect();
    for (kind, title) in [
        (FailureKind::User, "A person has to change something"),
        (FailureKind::Runtime, "Something outside failed"),
        (FailureKind::Aborted, "The run was ended"),
        (FailureKind::Internal, "A bug"),
    ] {
        let _ = writeln!(page, "\n## {title}: exit code {}", kind.exit_code());
        for reason in FailureReason::ALL.iter().filter(|reason| reason.kind() == kind) {
            let _ = writeln!(page, "\n### {reason}\n\n{}", reason.meaning());
            if is_given(&code, *reason) {
                let _ = writeln!(page, "\nWhat to do: {}", reason.remedy());
            } else {
                page.push_str("\nReserved: nothing in this version ends with it.\n");
            }
        }
    }
    page
}

/// Whether any code names the reason.
fn is_given(code: &str, reason: FailureReason) -> bool {
    let name = format!("{reason:?}");
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(&name).any(|(start, _)| {
        !code[..start].ends_with(is_word)
            && !code[..start].ends_with("FailureKind::")
            && !code[start + name.len()..].starts_with(is_word)
    })
}
