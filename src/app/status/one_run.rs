//! One run in detail.

use super::read::{Doubts, Reading};
use crate::context::layout;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::record::{Release, RunRecord};
use crate::report::status::{Detail, one_run};

/// Shows a run wherever it was: a move has a record at each of its places.
pub(super) async fn show(reading: &Reading<'_>, id: &str) -> Result<(), Problems> {
    let mut doubts = Doubts::default();
    let mut details = Vec::new();
    let places: Vec<_> = reading.index.runs.iter().filter(|(run, _)| run.as_str() == id).collect();
    for (run, place) in places {
        let found = reading.records::<RunRecord>(&[layout::run(place, run)], &mut doubts).await?;
        let is_released = reading.index.places[place].releases.contains(run);
        let release = if is_released {
            reading.records::<Release>(&[layout::release(place, run)], &mut doubts).await?.into_values().next()
        } else {
            None
        };
        details.extend(found.into_values().map(|run| Detail { place: place.clone(), run, release: release.clone(), held: None }));
    }
    for held in reading.held().await?.into_iter().filter(|held| held.claim.run.id.as_str() == id) {
        let (place, run) = (held.claim.place.clone(), held.claim.run.clone());
        if !details.iter().any(|detail: &Detail| detail.place == place) {
            details.push(Detail { place, run, release: None, held: Some(held) });
        }
    }
    if details.is_empty() {
        return Err(missing(reading, id, &doubts).into());
    }
    let (session, now) = (reading.session, reading.session.world.clock.now());
    session.print(&if session.is_json() {
        one_run::json(&details, now)
    } else {
        one_run::text(&details, now, super::width(session))
    });
    Ok(())
}

fn missing(reading: &Reading<'_>, id: &str, doubts: &Doubts) -> Diagnostic {
    let message = format!("there is no run `{id}` in the workspace `{}`", reading.scope.workspace);
    let missing = doubts.iter().fold(Diagnostic::error(FailureReason::InvalidInput, message), |missing, (path, because)| {
        missing.note(format!("`{path}` is not believed: {because}"))
    });
    missing.help("`tieline status` lists runs; old ones are let go of by `tieline context prune`")
}
