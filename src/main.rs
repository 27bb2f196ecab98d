//! The `tieline` program: the real world in, an exit code out.

use std::io;
use std::process::ExitCode;

use tokio_util::sync::CancellationToken;

use tieline::{app, world};

fn main() -> ExitCode {
    run().unwrap_or_else(|problem| {
        world::os::report(&problem);
        ExitCode::from(2)
    })
}

fn run() -> io::Result<ExitCode> {
    // Before the runtime, which has threads.
    let user = world::os::become_workspace_owner()?;
    tokio::runtime::Runtime::new()?.block_on(async {
        let cancel = CancellationToken::new();
        // Before anything else: a signal must find its handler.
        world::os::cancel_on_signal(&cancel);
        let arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
        let world = user.at_home(world::os::world()?);
        Ok(ExitCode::from(app::run(world, arguments, cancel).await))
    })
}
