//! Stand-ins: all that is used of an applied plugin, or nothing of it (R46).

use std::collections::{BTreeMap, BTreeSet};

use super::view::{Placed, View};
use super::Inputs;
use crate::domain::address::AliasMember;
use crate::domain::deployment::{Choice, ResolvedPlugin};
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason::InvalidDocument;
use crate::domain::names::Alias;

/// Checks that nothing still needs an applied plugin that a stand-in keeps from being deployed, and that none of it is there.
pub(super) fn check(
    inputs: &Inputs<'_>,
    view: &View<'_>,
    plugins: &BTreeMap<Alias, ResolvedPlugin>,
    problems: &mut Problems,
) {
    for (consumer, resolved) in plugins {
        for (slot, resolved) in &resolved.slots {
            let Choice::Link { alias, output } = &resolved.choice else { continue };
            if !view.is_stood_in(alias) {
                continue;
            }
            let message = format!("`{alias}` is stood in for, but `{consumer}.{slot}` still takes its output `{output}`");
            problems.push(
                Diagnostic::error(InvalidDocument, message)
                    .note("a stand-in covers all outputs of an applied plugin that are used, or none")
                    .help(format!("add `{alias}.{output}` under `environments.{}.stand-ins`", inputs.place.environment))
                    .placed(view.at_connection(consumer, slot)),
            );
        }
    }
    let mut told = BTreeSet::new();
    for ((alias, output), _) in view.stand_ins() {
        if !inputs.context.applied.contains_key(&alias) || !told.insert(alias.clone()) {
            continue;
        }
        let of = AliasMember { alias, member: output };
        let message = format!("`{}` is deployed in `{}`: nothing can stand in for it", of.alias, inputs.place);
        problems.push(
            Diagnostic::error(InvalidDocument, message)
                .help(format!("take `{}` out of this environment and deploy first, which destroys it; or give it up with `abandon` and a `reason`", of.alias))
                .placed(view.at_stand_in(&of)),
        );
    }
}
