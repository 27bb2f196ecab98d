//! What was freed.

use std::fmt::Write as _;

use serde_json::json;

use super::{SCHEMA_VERSION, one_line, to_json};
use crate::domain::address::Place;
use crate::domain::life::Life;
use crate::domain::names::{Alias, RunId};
use crate::domain::record::{Claim, Overridden};
use crate::domain::state_lock::StateLock;

/// What was freed.
pub enum Freed<'a> {
    /// What a run held.
    Claim {
        /// The run's claim.
        holder: &'a Claim,
        /// What was known of the run.
        life: &'a Life,
        /// The places that it held. None where it gave them back meanwhile.
        places: &'a [Place],
    },
    /// The lock of a state.
    Lock {
        /// Whose.
        place: &'a Place,
        /// The applied plugin.
        alias: &'a Alias,
        /// The lock.
        lock: &'a StateLock,
    },
}

/// What was freed, as text.
pub fn text(freed: &Freed<'_>, run: &RunId, set_aside: &Overridden) -> String {
    let mut text = String::new();
    match freed {
        Freed::Claim { holder, places: [], .. } => {
            let _ = writeln!(text, "run {} gave its claim back meanwhile: there was nothing to free", holder.run.id);
            return text;
        }
        Freed::Claim { holder, life, places } => {
            let places: Vec<String> = places.iter().map(Place::to_string).collect();
            let _ = writeln!(text, "freed {}, held by run {}", places.join(", "), holder.run.id);
            let _ = writeln!(text, "  that run is {}: {}", life.word(), one_line(life.because()));
            text.push_str(
                "  what it had done is noted in the ledger, and it is marked `aborted`; the next run goes on from there\n",
            );
        }
        Freed::Lock { place, alias, lock } => {
            let _ = writeln!(text, "freed the state lock of {place}/{alias}");
            let _ = writeln!(text, "  it was {}", one_line(&lock.to_string()));
        }
    }
    let _ = writeln!(text, "recorded as run {run}: {}", one_line(&set_aside.reason));
    text
}

/// What was freed, as JSON.
pub fn json(freed: &Freed<'_>, run: &RunId, set_aside: &Overridden) -> String {
    let freed = match freed {
        Freed::Claim { holder, life, places } => {
            let places: Vec<String> = places.iter().map(Place::to_string).collect();
            json!({"claim": {"run": holder.run.id, "places": places, "holder": life}})
        }
        Freed::Lock { place, alias, lock } => json!({"lock": {"place": place, "alias": alias, "holder": lock}}),
    };
    to_json(&json!({"schemaVersion": SCHEMA_VERSION, "run": run, "freed": freed, "reason": set_aside.reason}))
}
