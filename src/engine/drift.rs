//! What changed outside: a refresh-only plan of each applied plugin, from its record; where that finds something, a plan that tells
//! what of it a deploy would take back. Nothing is changed, and no state lock taken.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use tokio::sync::Semaphore;

use super::attributes::Part;
use super::recorded::PlannedRecord;
use super::{Engine, Event, Removed, changes};
use crate::domain::change::PlannedResource;
use crate::domain::diagnostic::Problems;
use crate::domain::drift::{Look, PlaceDrift, Sight};
use crate::domain::names::Alias;
use crate::terraform::{PlanMode, Root};

/// Looks at everything that is applied at a place, each plugin as `room` allows; and says what could not be looked at.
pub async fn drift(engine: &Engine, room: &Semaphore) -> (PlaceDrift, Problems) {
    let looks = join_all(engine.removed.keys().map(|alias| engine.look(alias, room)));
    let looks = engine.identified(engine.within_time(looks)).await;
    let (mut seen, mut problems) = (BTreeMap::new(), Problems::default());
    for (alias, look) in engine.removed.keys().zip(looks) {
        let look = look.unwrap_or_else(|of_plugin| {
            problems.extend(of_plugin);
            Look::Unknown
        });
        seen.insert(alias.clone(), look);
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
        let looked = self.look_at(alias).await;
        self.emit(Event::Note(format!("looked at {}/{alias}", self.deployment.place)));
        looked.map_err(|mut problems| {
            let what = format!("what changed outside of `{}/{alias}` could not be looked at", self.deployment.place);
            problems.0.iter_mut().for_each(|problem| problem.notes.push(what.clone()));
            problems
        })
    }

    async fn look_at(&self, alias: &Alias) -> Result<Look, Problems> {
        let Removed { record, plugin, .. } = &self.removed[alias];
        if plugin.terraform.is_none() {
            let place = &self.deployment.place;
            self.add_note(format!("`{place}/{alias}` is made by steps, and only they know what it is: it was not looked at"));
            return Ok(Look::SAME);
        }
        let PlannedRecord { root, plan, is_real, .. } = self.plan_recorded(alias, PlanMode::RefreshOnly, false).await?;
        if record.resources > 0 && changes::held(&plan) == 0 {
            return Ok(Look::StateMissing { resources: record.resources, key: record.state.key.clone() });
        }
        let mut found = changes::drifted(&plan);
        if found.is_empty() {
            return Ok(Look::SAME);
        }
        let shown = self.terraform.show_plan(&root, &self.cancel).await.map_err(|failure| self.explain(alias, failure))?;
        self.fill_attributes(&mut found, &shown, Part::Drift);
        // What stands in for a secret would be planned as a change.
        let taken_back = if is_real { self.taken_back(alias, &root).await } else { None };
        let is_drift = |resource: &PlannedResource| {
            resource.action == "delete" || taken_back.as_ref().is_none_or(|changed| changed.contains(&resource.address))
        };
        let (drifted, noticed) = found.into_iter().partition(is_drift);
        Ok(Look::Looked { drifted, noticed })
    }

    /// What a deploy of the same would change: of what a refresh finds, much is only what a provider did not know yet at the apply
    /// (measured with AWS: the rules of a security group, empty tags). None where Terraform cannot plan it.
    async fn taken_back(&self, alias: &Alias, root: &Root) -> Option<BTreeSet<String>> {
        let plan = self.plan_once(alias, root, PlanMode::Apply, false).await.ok()?;
        Some(changes::changed(&plan))
    }
}
