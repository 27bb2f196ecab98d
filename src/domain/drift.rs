//! What changed outside of Terraform since it was applied.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;

use super::address::Place;
use super::change::PlannedResource;
use super::diagnostic::Problems;
use super::names::{Alias, Digest, EnvironmentName, WorkspaceName};
use super::record::ChangeCounts;

/// What was seen of everything that is applied in an environment, or of one deployable there.
#[derive(Debug, Clone, PartialEq)]
pub struct DriftReport {
    /// The workspace.
    pub workspace: WorkspaceName,
    /// The environment.
    pub environment: EnvironmentName,
    /// What was seen of each deployable, in the order of their names.
    pub places: Vec<PlaceDrift>,
    /// Why some could not be looked at, and what else went wrong.
    pub problems: Problems,
}

/// What was seen of a deployable.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaceDrift {
    /// Where it is.
    pub place: Place,
    /// What was seen.
    pub sight: Sight,
    /// What is worth saying of how it was looked at.
    pub notes: Vec<String>,
    /// The address of the issue about it, where there is one.
    pub issue: Option<String>,
}

/// What was seen of a deployable.
#[derive(Debug, Clone, PartialEq)]
pub enum Sight {
    /// Each of its applied plugins was looked at, or why not is among the problems.
    Looked(BTreeMap<Alias, Look>),
    /// A run worked on it meanwhile: what was seen may be half of a change, and says nothing.
    Busy,
    /// Nothing of it could be looked at; why is among the problems.
    Unknown,
}

/// What was seen of an applied plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "look", rename_all = "kebab-case")]
pub enum Look {
    /// Its resources were read again. The action of those that are not as they were is `update`, or `delete` where they are gone.
    Looked {
        /// Those that changed, and that a deploy would change back.
        drifted: Vec<PlannedResource>,
        /// Those of which only values are others that the plugin does not set: what a resource says of its neighbours, what a provider
        /// fills in later.
        noticed: Vec<PlannedResource>,
    },
    /// Its Terraform state is gone, or empty.
    StateMissing {
        /// How many resources it held.
        resources: u64,
        /// The state's key in its backend.
        key: String,
    },
    /// It could not be looked at; why is among the problems.
    Unknown,
}

impl Look {
    /// All is as it was applied.
    pub const SAME: Self = Self::Looked { drifted: Vec::new(), noticed: Vec::new() };

    /// Whether something changed outside.
    pub fn is_drift(&self) -> bool {
        matches!(self, Self::StateMissing { .. }) || !self.resources().is_empty()
    }

    /// The resources that changed, and that a deploy would change back.
    pub fn resources(&self) -> &[PlannedResource] {
        if let Self::Looked { drifted, .. } = self { drifted } else { &[] }
    }

    fn change_texts(&mut self, change: &dyn Fn(&str) -> String) {
        if let Self::Looked { drifted, noticed } = self {
            drifted.iter_mut().chain(noticed).for_each(|resource| resource.change_texts(change));
        }
    }

    /// The resources that changed outside. Those of a missing state count as gone.
    pub fn counts(&self) -> ChangeCounts {
        let gone = self.resources().iter().filter(|resource| resource.action == "delete").count() as u64;
        let change = self.resources().len() as u64 - gone;
        match self {
            Self::StateMissing { resources, .. } => ChangeCounts { remove: *resources, ..ChangeCounts::default() },
            _ => ChangeCounts { change, remove: gone, ..ChangeCounts::default() },
        }
    }
}

impl PlaceDrift {
    /// Each applied plugin that was looked at, or was to be.
    pub fn looks(&self) -> impl Iterator<Item = (&Alias, &Look)> {
        let looks = if let Sight::Looked(looks) = &self.sight { Some(looks) } else { None };
        looks.into_iter().flatten()
    }

    /// The applied plugins that something changed of.
    pub fn drifted(&self) -> impl Iterator<Item = (&Alias, &Look)> {
        self.looks().filter(|(_, look)| look.is_drift())
    }

    /// Whether all of it was looked at and nothing changed.
    pub fn is_same(&self) -> bool {
        matches!(self.sight, Sight::Looked(_)) && self.looks().all(|(_, look)| *look != Look::Unknown && !look.is_drift())
    }

    /// What changed, as one value: equal exactly where the same is seen again. None where nothing changed.
    pub fn digest(&self) -> Option<Digest> {
        let what = |look: &Look| if let Look::Looked { drifted, .. } = look { json!(drifted) } else { json!(look) };
        let drifted: BTreeMap<_, _> = self.drifted().map(|(alias, look)| (alias, what(look))).collect();
        (!drifted.is_empty()).then(|| Digest::of_json(&drifted))
    }
}

impl DriftReport {
    /// The applied plugins that something changed of.
    pub fn drifted(&self) -> impl Iterator<Item = (&PlaceDrift, &Alias, &Look)> {
        self.places.iter().flat_map(|place| place.drifted().map(move |(alias, look)| (place, alias, look)))
    }

    /// How many resources changed or are gone.
    pub fn counts(&self) -> ChangeCounts {
        let mut counts = ChangeCounts::default();
        self.drifted().for_each(|(_, _, look)| counts += look.counts());
        counts
    }

    /// The same with all texts from outside put through `change`.
    #[must_use]
    pub fn with_texts(mut self, change: &dyn Fn(&str) -> String) -> Self {
        for place in &mut self.places {
            place.notes.iter_mut().for_each(|note| *note = change(note));
            if let Sight::Looked(looks) = &mut place.sight {
                for look in looks.values_mut() {
                    look.change_texts(change);
                }
            }
        }
        Self { problems: self.problems.with_texts(change), ..self }
    }

    /// The same with its problems as `tell` has them.
    #[must_use]
    pub fn told(&self, tell: impl Fn(&Problems) -> Problems) -> Self {
        Self { problems: tell(&self.problems), ..self.clone() }
    }
}
