//! As whom we run (R69).

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::fs::Access;
use rustix::process::{DumpableBehavior, Gid, Uid};
use tempfile::TempDir;

use crate::world::World;

/// The user that this process runs as from here on.
#[derive(Debug, Default)]
pub struct User {
    /// A home of the run's own, in place of one that the user may not write to. It goes with this value.
    home: Option<TempDir>,
}

impl User {
    /// The world with the home that this user has.
    pub fn at_home(&self, world: World) -> World {
        let Some(home) = &self.home else { return world };
        let home = ("HOME".to_owned(), home.path().to_string_lossy().into_owned());
        World { variables: Arc::new(world.variables.with([home])), ..world }
    }
}

/// Becomes the workspace's owner for good, where a runner started us as root in its container: what we and our children make is
/// then owned right on every way out, and the Docker socket is out of reach. Whoever we are, no process of the same user can read
/// our memory and environment from here on.
///
/// A user is a thread's own: this comes before there is a second one.
///
/// # Errors
/// When the system refuses to let us become that user. Going on as root is not an answer: nothing of what was said would hold.
pub fn become_workspace_owner() -> io::Result<User> {
    let user = match workspace_owner() {
        Some((uid, gid)) => {
            become_user(uid, gid).map_err(|why| refused(uid, gid, why))?;
            User { home: private_home()? }
        }
        None => User::default(),
    };
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(user)
}

/// The user and group to become; none outside of a runner's container, and where the workspace is root's own.
fn workspace_owner() -> Option<(Uid, Gid)> {
    variable("GITHUB_ACTIONS")?;
    let workspace = variable("GITHUB_WORKSPACE")?;
    #[expect(clippy::disallowed_methods, reason = "this is the seam")]
    let found = std::fs::metadata(workspace).ok()?;
    let (uid, gid) = (Uid::from_raw(found.uid()), Gid::from_raw(found.gid()));
    (rustix::process::geteuid().is_root() && !uid.is_root()).then_some((uid, gid))
}

/// Gives up root for good, group by group and then the user; no program that is started later can gain it again.
fn become_user(uid: Uid, gid: Gid) -> rustix::io::Result<()> {
    rustix::thread::set_thread_groups(&[])?;
    rustix::thread::set_thread_res_gid(gid, gid, gid)?;
    rustix::thread::set_thread_res_uid(uid, uid, uid)?;
    rustix::thread::set_no_new_privs(true)
}

fn refused(uid: Uid, gid: Gid, why: rustix::io::Errno) -> io::Error {
    let (uid, gid) = (uid.as_raw(), gid.as_raw());
    io::Error::other(format!(
        "cannot become the workspace's owner, user {uid} of group {gid}: {why}; start the container as that user, or as root with \
         the capabilities SETUID and SETGID"
    ))
}

/// A home for a user who may not write to the one that the variable names.
fn private_home() -> io::Result<Option<TempDir>> {
    let is_writable = |home: &PathBuf| rustix::fs::access(home, Access::WRITE_OK | Access::EXEC_OK).is_ok();
    if variable("HOME").as_ref().is_some_and(is_writable) {
        return Ok(None);
    }
    let parent = variable("TMPDIR").unwrap_or_else(|| PathBuf::from("/tmp"));
    let made = tempfile::Builder::new().prefix("tieline-home-").tempdir_in(&parent);
    made.map(Some).map_err(|why| {
        let (uid, parent) = (rustix::process::geteuid().as_raw(), parent.display());
        io::Error::other(format!(
            "user {uid} may write neither to its home nor to `{parent}`: {why}; `TMPDIR` names another folder"
        ))
    })
}

fn variable(name: &str) -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "this is the seam")]
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}
