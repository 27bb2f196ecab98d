//! What people are shown of what goes on and what is there, and how what a dead run left held is freed.

mod cost;
mod locks;
mod page;
mod shown;
mod unlocking;

use serde_json::{Value, json};
use tieline::world::os;

/// A run id that sorts after all that begin now.
const RUN: &str = "7ZZZZZZZZZ0000000000000000";

/// Where the run of a claim is.
#[derive(Clone, Copy)]
enum Holder {
    /// In a process that lives: this one.
    Alive,
    /// In a process of this machine that is gone.
    Dead,
    /// On a machine that cannot be looked at, with a lease till then.
    Elsewhere(&'static str),
}

/// A claim on a deployable by a run that had one task in hand.
fn claim(place: (&str, &str, &str), holder: Holder, run_url: Option<&str>) -> Value {
    let mut process = json!(os::world().unwrap().host.process);
    let lease = match holder {
        Holder::Alive => "2999-01-01T00:00:00Z",
        Holder::Dead => {
            process["started"] = json!(1);
            "2999-01-01T00:00:00Z"
        }
        Holder::Elsewhere(lease) => {
            process["boot"] = json!("another");
            process["machine"] = json!("another");
            lease
        }
    };
    let (workspace, environment, deployable) = place;
    json!({
        "schemaVersion": 1, "place": {"workspace": workspace, "environment": environment, "deployable": deployable},
        "host": "runner-7", "process": process, "lease": lease, "binds": [], "applied": {},
        "run": {
            "schemaVersion": 1, "id": RUN, "type": "deploy", "status": "running", "versionTag": "v9", "actor": "mallory",
            "started": "2026-01-01T10:00:00Z", "runUrl": run_url,
            "tasks": [{"id": "deploy:a", "alias": "a", "type": "deploy", "status": "running", "started": "2026-01-01T10:00:01Z"}],
        },
    })
}
