//! What changed outside of Terraform since it was applied.

use std::collections::BTreeMap;

use serde::Serialize;

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
    /// All is as it was applied.
    Same,
    /// Resources are not as they were applied. Their action is `update`, or `delete` where they are gone.
    Drifted {
        /// Each that changed.
        resources: Vec<PlannedResource>,
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
    /// Whether something changed outside.
    pub fn is_drift(&self) -> bool {
        matches!(self, Self::Drifted { .. } | Self::StateMissing { .. })
    }

    fn change_texts(&mut self, change: &dyn Fn(&str) -> String) {
        if let Self::Drifted { resources } = self {
            resources.iter_mut().for_each(|resource| resource.change_texts(change));
        }
    }

    /// The resources that changed outside. Those of a missing state count as gone.
    pub fn counts(&self) -> ChangeCounts {
        match self {
            Self::Same | Self::Unknown => ChangeCounts::default(),
            Self::StateMissing { resources, .. } => ChangeCounts { remove: *resources, ..ChangeCounts::default() },
            Self::Drifted { resources } => {
                let remove = resources.iter().filter(|resource| resource.action == "delete").count() as u64;
                ChangeCounts { change: resources.len() as u64 - remove, remove, ..ChangeCounts::default() }
            }
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
        matches!(self.sight, Sight::Looked(_)) && self.looks().all(|(_, look)| *look == Look::Same)
    }

    /// What changed, as one value: equal exactly where the same is seen again. None where nothing changed.
    pub fn digest(&self) -> Option<Digest> {
        let drifted: BTreeMap<_, _> = self.drifted().collect();
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
                looks.values_mut().for_each(|look| look.change_texts(change));
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
