//! What has become of the surroundings of a release since it was made: connections that moved on or are others by now (R37), providers
//! and Terraform that wrote states since (R38).

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use super::asked::Back;
use super::written::is_link;
use crate::domain::address::{AliasMember, Place};
use crate::domain::connection::Binding;
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::{Alias, SlotName};
use crate::domain::record::{AppliedRecord, Release};
use crate::resolve::{self, ContextView};
use crate::terraform;

/// Bindings that are not quite what they were, in words; one whose connection is another one by now, or none, is refused (R37).
pub(super) fn moved(
    file: &str,
    place: &Place,
    release: &Release,
    context: &ContextView,
    back: &Back<'_>,
) -> Result<Vec<String>, Problems> {
    let mut notes = Vec::new();
    let mut problems = Problems::default();
    let mut unused: BTreeSet<_> = back.rebind.keys().cloned().collect();
    for (alias, plugin) in &release.plugins {
        for (slot, binding) in &plugin.bindings {
            let member = AliasMember { alias: alias.clone(), member: slot.clone() };
            let Binding { address, generation, .. } = binding;
            unused.remove(&member);
            if let Some(instead) = back.rebind.get(&member) {
                let instead = instead.within(place);
                notes.push(if instead == *address {
                    format!("slot `{member}` takes `{instead}` as it is now")
                } else {
                    format!("slot `{member}` takes `{instead}` instead of `{address}`")
                });
                continue;
            }
            if is_link(place, release, address) {
                continue;
            }
            let here = context.redirects.get(address).unwrap_or(address);
            if here != address {
                notes.push(format!("slot `{member}`: `{address}` is `{here}` by now"));
            }
            let now = match context.imported.get(here) {
                Some(document) => resolve::imported_record(here, document),
                None => context.connections.get(here).cloned(),
            };
            match now {
                None => problems.push(refused(file, &member, binding, "is gone")),
                Some(now) if now.uid != binding.uid => {
                    problems.push(refused(file, &member, binding, "was destroyed and created again since"));
                }
                Some(now) if now.generation != *generation => notes.push(format!(
                    "slot `{member}`: `{address}` has moved on from generation {generation} to {}, and is used as it is now",
                    now.generation
                )),
                Some(now) if now.digest != binding.digest => {
                    notes.push(format!("slot `{member}`: `{address}` has other values now, and is used as it is now"));
                }
                Some(_) => {}
            }
        }
    }
    for slot in unused {
        let message = format!("`rebind` names the slot `{slot}`, which is not bound in the release");
        problems.push(Diagnostic::error(FailureReason::InvalidInput, message).help("take it out, or correct its name"));
    }
    if problems.any_error() { Err(problems) } else { Ok(notes) }
}

fn refused(file: &str, slot: &AliasMember<SlotName>, binding: &Binding, why: &str) -> Diagnostic {
    let message = format!("slot `{slot}` of the release took `{}`, which {why}", binding.address);
    Diagnostic::error(FailureReason::BindingChanged, message)
        .at(file, Pointer::keys(["plugins", slot.alias.as_str(), "bindings", slot.member.as_str()]))
        .help(format!("say what it is to take: `--rebind '{{{slot}: <address>}}'`, or `rebind` in a workflow"))
}

/// Providers and Terraform that stay at the higher version, which wrote the state, in words (R38).
pub(super) fn kept(release: &Release, applied: &BTreeMap<Alias, AppliedRecord>) -> Vec<String> {
    let mut kept: BTreeMap<(String, Version, Version), Vec<String>> = BTreeMap::new();
    let mut compare = |alias: &Alias, what: String, now: &Version, then: &Version| {
        if then.cmp_precedence(now).is_lt() {
            kept.entry((what, now.clone(), then.clone())).or_default().push(format!("`{alias}`"));
        }
    };
    for (alias, then) in &release.plugins {
        let Some(now) = applied.get(alias) else { continue };
        if let (Ok(then), Ok(now)) = (then.terraform.parse(), now.terraform.version.parse()) {
            compare(alias, "Terraform".to_owned(), &now, &then);
        }
        let versions = |lock: &Option<String>| lock.as_deref().map(terraform::locked_versions).unwrap_or_default();
        let (then, now) = (versions(&then.provider_lock), versions(&now.provider_lock));
        for (provider, version) in &then {
            if let Some(now) = now.get(provider) {
                compare(alias, format!("the provider `{provider}`"), now, version);
            }
        }
    }
    let said = |((what, now, then), aliases): ((String, Version, Version), Vec<String>)| {
        format!("{what} stays at {now} for {}: it wrote the state, and the release had {then}", aliases.join(", "))
    };
    kept.into_iter().map(said).collect()
}
