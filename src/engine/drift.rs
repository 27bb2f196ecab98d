//! What changed outside: a refresh-only plan of each applied plugin, from its record. Nothing is changed, and no state lock taken.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use tokio::sync::Semaphore;

use super::attributes::Part;
use super::{Engine, changes};
use crate::domain::diagnostic::Problems;
use crate::domain::drift::{Look, PlaceDrift, Sight};
use crate::domain::names::Alias;
use crate::terraform::PlanMode;

/// Looks at everything that is applied at a place, each plugin as `room` allows; and says what could not be looked at.
pub async fn drift(engine: &Engine, room: &Semaphore) -> (PlaceDrift, Problems) {
    let looks = join_all(engine.removed.keys().map(|alias| engine.look(alias, room)));
    let looks = engine.identified(engine.within_time(looks)).await;
    let (mut seen, mut problems) = (BTreeMap::new(), Problems::default());
    for (alias, look) in engine.removed.keys().zip(looks) {
        seen.insert(alias.clone(), look.unwrap_or_else(|of_plugin| {
            problems.extend(of_plugin);
            Look::Unknown
        }));
    }
    engine.name_stop(&mut problems);
    let place = engine.deployment.place.clone();
    (PlaceDrift { place, sight: Sight::Looked(seen), notes: engine.notes(), issue: None }, problems)
}

impl Engine {
    /// Waits for room, and looks at an applied plugin.
    async fn look(&self, alias: &Alias, room: &Semaphore) -> Result<Look, Problems> {
        // It is never closed.
        let _place = room.acquire().await;
        if self.cancel.is_cancelled() {
            return Ok(Look::Unknown);
        }
        self.look_at(alias).await.map_err(|mut problems| {
            let what = format!("what changed outside of `{}/{alias}` could not be looked at", self.deployment.place);
            problems.0.iter_mut().for_each(|problem| problem.notes.push(what.clone()));
            problems
        })
    }

    async fn look_at(&self, alias: &Alias) -> Result<Look, Problems> {
        let record = &self.removed[alias].record;
        let (root, _, plan) = self.plan_recorded(alias, PlanMode::RefreshOnly, false).await?;
        if record.resources > 0 && changes::held(&plan) == 0 {
            return Ok(Look::StateMissing { resources: record.resources, key: record.state.key.clone() });
        }
        let mut resources = changes::drifted(&plan);
        if resources.is_empty() {
            return Ok(Look::Same);
        }
        let shown = self.terraform.show_plan(&root, &self.cancel).await.map_err(|failure| self.explain(alias, failure))?;
        self.fill_attributes(&mut resources, &shown, Part::Drift);
        Ok(Look::Drifted { resources })
    }
}
