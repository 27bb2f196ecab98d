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
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    // Where its path cannot be told, it is still there under this one.
    let program = std::env::current_exe().unwrap_or_else(|_| "/proc/self/exe".into());
    Host { name, process, program, is_root: rustix::process::geteuid().is_root() }
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

/// Whether a process can be looked at from here, and is there.
pub(super) fn is_alive(process: &Process) -> bool {
    process.boot == boot() && process.namespace == namespace() && started(process.id) == Some(process.started)
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

/// When a process started, in clock ticks since the boot; none where it has ended.
fn started(id: u32) -> Option<u64> {
    // A zombie is dead for our purposes.
    stat(id).filter(|stat| !stat.has_ended).map(|stat| stat.started)
}

/// Our children that ended and were not waited for yet.
pub(super) fn ended_children() -> Vec<u32> {
    let this = std::process::id();
    let all = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(|id| stat(*id).is_some_and(|stat| stat.has_ended && stat.parent == this)).collect()
}

/// What the system says of a process.
struct Stat {
    has_ended: bool,
    parent: u32,
    /// In clock ticks since the boot.
    started: u64,
}

/// Third, fourth and twenty-second field of a process's `stat`, counted behind its name, which may hold blanks and parentheses.
fn stat(id: u32) -> Option<Stat> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some(Stat { has_ended: fields.next()? == "Z", parent: fields.next()?.parse().ok()?, started: fields.nth(17)?.parse().ok()? })
}
