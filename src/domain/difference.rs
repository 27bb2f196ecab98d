//! What going back to a release would change, in a word for each applied plugin: from records alone, no Terraform is asked.

use std::collections::BTreeMap;

use semver::Version;

use super::connection::Binding;
use super::names::{Alias, SlotName};
use super::record::{AppliedRecord, Release, ReleasedPlugin};

/// How an applied plugin is not as a release has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// It came later: going back takes it away.
    Since,
    /// It went since: going back brings it again, with a new state.
    Gone,
    /// It is at another version.
    Version {
        /// Now.
        now: Version,
        /// In the release.
        then: Version,
    },
    /// Its files are others, though not its version, as far as that is known.
    Files,
    /// It takes other inputs.
    Inputs,
    /// It takes other connections.
    Connections,
    /// Its last apply did not succeed.
    Unfinished,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Since => f.write_str("goes"),
            Self::Gone => f.write_str("comes back"),
            Self::Version { now, then } => write!(f, "{now} -> {then}"),
            Self::Files => f.write_str("other files"),
            Self::Inputs => f.write_str("other inputs"),
            Self::Connections => f.write_str("other connections"),
            Self::Unfinished => f.write_str("its last apply failed"),
        }
    }
}

/// In what a deployable is not as the release has it; empty where the release is what is deployed.
pub fn differences(release: &Release, applied: &BTreeMap<Alias, AppliedRecord>) -> BTreeMap<Alias, Difference> {
    let since =
        applied.keys().filter(|alias| !release.plugins.contains_key(*alias)).map(|alias| (alias.clone(), Difference::Since));
    let of_release = release.plugins.iter().filter_map(|(alias, then)| {
        let difference = applied.get(alias).map_or(Some(Difference::Gone), |now| difference(now, then))?;
        Some((alias.clone(), difference))
    });
    of_release.chain(since).collect()
}

/// The most telling difference.
fn difference(now: &AppliedRecord, then: &ReleasedPlugin) -> Option<Difference> {
    let version = then.plugin.as_ref().map(|plugin| &plugin.version).filter(|version| **version != now.version);
    if let Some(then) = version {
        return Some(Difference::Version { now: now.version.clone(), then: then.clone() });
    }
    if now.source.digest != then.source.digest {
        Some(Difference::Files)
    } else if (&now.inputs, &now.sensitive_inputs) != (&then.inputs, &then.sensitive_inputs) {
        Some(Difference::Inputs)
    } else if !bound(&now.bindings).eq(bound(&then.bindings)) {
        Some(Difference::Connections)
    } else {
        (now.applied.as_ref() != Some(&now.attempted)).then_some(Difference::Unfinished)
    }
}

/// Which connections are taken, wherever they are by now; that one has moved on since does not count.
fn bound(bindings: &BTreeMap<SlotName, Binding>) -> impl Iterator<Item = (&SlotName, &String)> {
    bindings.iter().map(|(slot, binding)| (slot, &binding.uid))
}
