//! Safeguards that a person sets aside: explicit, one by one, with a reason (R31).

use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::organization::Override;
use crate::domain::record::Overridden;
use crate::request::cli;

/// What is asked to be set aside.
///
/// # Errors
/// When no reason is given.
pub(super) fn asked(arguments: &cli::Overrides) -> Result<Vec<Overridden>, Problems> {
    let asked = [(Override::BreakConsumers, &arguments.break_consumers)];
    let mut overrides = Vec::new();
    for (what, subjects) in asked.into_iter().filter(|(_, subjects)| !subjects.is_empty()) {
        let Some(reason) = arguments.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty()) else {
            return Err(Diagnostic::error(FailureReason::InvalidInput, "setting a safeguard aside needs a reason")
                .help("add `--reason <text>`: it is recorded with the run")
                .into());
        };
        overrides.push(Overridden { what, subjects: subjects.iter().cloned().collect(), reason: reason.to_owned() });
    }
    Ok(overrides)
}
