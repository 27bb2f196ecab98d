//! This machine and its processes.
#![expect(clippy::disallowed_methods, reason = "this is the seam")]

use crate::domain::record::Process;
use crate::world::Host;

/// The process namespace of a machine itself: the kernel's number for it never changes.
const MACHINES_OWN: &str = "pid:[4026531836]";

/// This machine and this process.
pub(super) fn this() -> Host {
    let id = std::process::id();
    let process =
        Process { id, started: started(id).unwrap_or_default(), boot: boot(), namespace: namespace(), machine: machine() };
    Host { name: rustix::system::uname().nodename().to_string_lossy().into_owned(), process }
}

/// Whether a process is known to have ended: it can be looked at from here and is gone, or its machine was started again since.
/// Another container's processes, and another machine's, cannot be looked at.
pub(super) fn has_ended(process: &Process) -> bool {
    if process.boot == boot() {
        return process.namespace == namespace() && started(process.id) != Some(process.started);
    }
    // Containers may share a machine id with their image's other containers, elsewhere; machines do not.
    let is_this_machine = !process.machine.is_empty() && process.machine == machine();
    is_this_machine && process.namespace == MACHINES_OWN && namespace() == MACHINES_OWN
}

fn namespace() -> String {
    std::fs::read_link("/proc/self/ns/pid").map(|link| link.to_string_lossy().into_owned()).unwrap_or_default()
}

fn machine() -> String {
    std::fs::read_to_string("/etc/machine-id").map(|id| id.trim().to_owned()).unwrap_or_default()
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
