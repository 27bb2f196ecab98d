//! The real effects: the only files that touch the operating system.

mod beneath;
mod certificates;
mod children;
mod clock;
mod console;
mod host;
mod http;
mod process;
mod random;
mod signals;
mod user;

use std::sync::Arc;

use super::{Files, Http, Variables, World};

pub(super) use beneath::read_beneath;
pub use certificates::with_machines_certificates;
pub use console::report;
pub use signals::cancel_on_signal;
pub use user::{User, become_workspace_owner};

/// The real world, as this process finds it. From here on it waits for what falls to it, where it is process 1.
///
/// # Errors
/// When the working directory is gone.
pub fn world() -> std::io::Result<World> {
    #[expect(clippy::disallowed_methods, reason = "this is the seam")]
    let (directory, variables) = (
        std::env::current_dir()?,
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
    );
    let exec = process::OsExec::default();
    exec.children.adopt_orphans();
    Ok(World {
        exec: Arc::new(exec),
        files: Files,
        clock: Arc::new(clock::OsClock),
        variables: Arc::new(Variables::new(variables)),
        console: Arc::new(console::OsConsole),
        http: http_trusting(&[]),
        random: Arc::new(random::OsRandom),
        directory,
        host: Arc::new(host::this()),
    })
}

/// Real HTTP that trusts these certificates (PEM) beside the machine's.
pub fn http_trusting(authorities: &[u8]) -> Arc<dyn Http> {
    Arc::new(http::OsHttp::trusting(authorities))
}
