//! The `tieline` program: the real world in, an exit code out.

use std::process::ExitCode;

use tokio_util::sync::CancellationToken;

use tieline::{app, world};

#[tokio::main]
async fn main() -> ExitCode {
    let cancel = CancellationToken::new();
    // Before anything else: a signal must find its handler.
    world::os::cancel_on_signal(&cancel);
    let arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
    match world::os::world() {
        Ok(world) => ExitCode::from(app::run(world, arguments, cancel).await),
        Err(_) => ExitCode::from(2),
    }
}
