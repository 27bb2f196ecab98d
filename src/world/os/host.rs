//! This machine and its processes.
#![expect(clippy::disallowed_methods, reason = "this is the seam")]

use crate::domain::record::Process;
use crate::world::Host;

/// This machine and this process.
pub(super) fn this() -> Host {
    let id = std::process::id();
    Host {
        name: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        process: Process { id, started: started(id).unwrap_or_default(), boot: boot() },
    }
}

/// Whether this very process still runs, and not a later one with its number.
pub(super) fn is_alive(process: &Process) -> bool {
    process.boot == boot() && started(process.id) == Some(process.started)
}

fn boot() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()).unwrap_or_default()
}

/// When a process started, in clock ticks since the boot: the twenty-second field of its `stat`, counted behind its name, which
/// may hold blanks and parentheses.
fn started(id: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    // A zombie is dead for our purposes.
    (fields.next()? != "Z").then_some(())?;
    fields.nth(18)?.parse().ok()
}
