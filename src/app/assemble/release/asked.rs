//! What a person asks to go back to, and the release that is meant by it.

use std::collections::BTreeMap;

use crate::context::ledger::Snapshot;
use crate::domain::address::{AliasMember, PartialAddress, Place};
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::SlotName;
use crate::domain::record::Release;
use crate::request::cli;

/// How many releases are looked through at a time for a version tag.
const AT_A_TIME: usize = 20;

/// What a person asks to go back to.
pub(in crate::app) struct Back<'a> {
    /// A version tag or a run id.
    pub(in crate::app) to: &'a str,
    /// Connections for slots whose own is gone.
    pub(in crate::app) rebind: BTreeMap<AliasMember<SlotName>, PartialAddress>,
}

impl<'a> Back<'a> {
    /// Reads what was asked for.
    pub(in crate::app) fn read(arguments: &'a cli::Back) -> Result<Self, Problems> {
        let Some(to) = &arguments.to else {
            return Err(Diagnostic::error(FailureReason::InvalidInput, "which release to go back to is not said")
                .help("add `--to <version tag or run id>`; `tieline status` shows the releases there are")
                .into());
        };
        let mut rebind = BTreeMap::new();
        if let Some(text) = &arguments.rebind {
            let invalid = |why: String| {
                Diagnostic::error(FailureReason::InvalidInput, format!("`rebind` {why}"))
                    .help("write it as a YAML mapping of `alias.slot: address`")
            };
            let pairs: BTreeMap<String, String> =
                serde_yaml::from_str(text).map_err(|_| invalid("is not a YAML mapping of texts".to_owned()))?;
            for (slot, address) in pairs {
                let slot = slot.parse().map_err(|problem| invalid(format!("has the key `{slot}`: {problem}")))?;
                rebind.insert(slot, address.parse().map_err(|problem| invalid(format!("has `{address}`: {problem}")))?);
            }
        }
        Ok(Self { to, rebind })
    }
}

/// The release that is meant: of this run, else the newest with this version tag.
pub(super) async fn find(snapshot: &Snapshot<'_>, place: &Place, to: &str) -> Result<Release, Problems> {
    let runs = snapshot.released(place).await?;
    if let Some(run) = runs.iter().find(|run| run.as_str() == to) {
        return Ok(snapshot.releases_of(place, std::slice::from_ref(run)).await?.swap_remove(0));
    }
    let mut seen = Vec::new();
    for some in runs.chunks(AT_A_TIME) {
        for release in snapshot.releases_of(place, some).await? {
            if release.version_tag.as_str() == to {
                return Ok(release);
            }
            seen.push(release);
        }
    }
    Err(no_such_release(place, to, &seen))
}

pub(super) fn no_such_release(place: &Place, to: &str, seen: &[Release]) -> Problems {
    let message = format!("there is no release `{to}` of `{place}`");
    let mut problem = Diagnostic::error(FailureReason::InvalidInput, message);
    for release in seen.iter().take(10) {
        problem = problem.note(format!(
            "`{}`, made {} by run `{}`",
            release.version_tag,
            release.made.format("%Y-%m-%d %H:%M:%S UTC"),
            release.run
        ));
    }
    problem.help("name one that `tieline status` shows, by its version tag or its run id").into()
}
