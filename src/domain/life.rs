//! Whether the run that holds a claim lives, and how that is known (R21).

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::record::Claim;

/// What is known of a claim's holder. The text says how it is known, as the end of a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "life", content = "because")]
pub enum Life {
    /// It lives, or must be taken to.
    Alive(String),
    /// It is over.
    Dead(String),
    /// Nobody can tell from here.
    Unknown(String),
}

impl Life {
    /// How it is known.
    pub fn because(&self) -> &str {
        match self {
            Self::Alive(because) | Self::Dead(because) | Self::Unknown(because) => because,
        }
    }

    /// What is known of two of which either keeps a claim alive.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::Dead(_), Self::Alive(_) | Self::Unknown(_)) | (Self::Unknown(_), Self::Alive(_)) => other,
            _ => self,
        }
    }

    /// In a word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Alive(_) => "alive",
            Self::Dead(_) => "dead",
            Self::Unknown(_) => "unknown whether alive",
        }
    }
}

/// What can be seen of a holder's process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// It runs on this machine.
    Runs,
    /// It ran on this machine and is gone.
    Gone,
    /// It cannot be looked at from here.
    OutOfSight,
}

/// What the server says of the workflow run that the holder is part of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Workflow {
    /// It is over; how, in the server's word.
    Over(String),
    /// It goes on; how far it is, in the server's word.
    GoesOn(String),
    /// Nobody said, and why.
    NotTold(String),
}

/// What is known without asking anybody; none where the workflow run has to be asked for.
///
/// A lease that is over alone says nothing: the machine may have been out of reach.
pub fn seen(claim: &Claim, process: Sight, is_recorded_as_ended: bool, now: DateTime<Utc>) -> Option<Life> {
    if is_recorded_as_ended {
        return Some(Life::Dead("the ledger has its end".to_owned()));
    }
    match process {
        Sight::Gone => Some(Life::Dead("its process on this machine is gone".to_owned())),
        Sight::Runs => Some(Life::Alive("its process runs on this machine".to_owned())),
        Sight::OutOfSight if claim.lease >= now => Some(Life::Alive("its lease is not over".to_owned())),
        Sight::OutOfSight => None,
    }
}

/// What is known once the workflow run was asked for. A container may outlive its workflow, which is why its lease must be over too.
pub fn told(workflow: &Workflow) -> Life {
    match workflow {
        Workflow::Over(how) => Life::Dead(format!("its lease is over, and so is its workflow run ({how})")),
        Workflow::GoesOn(how) => Life::Alive(format!("its workflow run goes on ({how}), although its lease is over")),
        Workflow::NotTold(why) => {
            Life::Unknown(format!("its lease is over, its process cannot be looked at from here, and {why}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r21_of_a_fleet_one_job_that_lives_is_enough() {
        let (alive, dead, unknown) = (Life::Alive("a".into()), Life::Dead("d".into()), Life::Unknown("u".into()));
        assert_eq!(dead.clone().and(alive.clone()), alive);
        assert_eq!(unknown.clone().and(alive.clone()), alive);
        assert_eq!(alive.clone().and(unknown.clone()), alive);
        assert_eq!(dead.clone().and(unknown.clone()), unknown);
        assert_eq!(unknown.clone().and(dead.clone()), unknown);
        assert_eq!(dead.clone().and(dead.clone()), dead);
    }

    #[test]
    fn r21_a_container_may_outlive_its_workflow_and_a_workflow_its_lease() {
        assert!(matches!(told(&Workflow::Over("cancelled".into())), Life::Dead(_)));
        assert!(matches!(told(&Workflow::GoesOn("in_progress".into())), Life::Alive(_)));
        assert!(matches!(told(&Workflow::NotTold("it was no workflow".into())), Life::Unknown(_)));
    }
}
