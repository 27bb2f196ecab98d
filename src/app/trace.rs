//! What the modules say while they work, such as that a fetch is tried again: a line each on the error output.

use std::io;
use std::sync::Arc;

use tracing::Level;
use tracing_subscriber::fmt::MakeWriter;

use super::session::Session;
use crate::request::cli::LogLevel;
use crate::secrets::Redactor;
use crate::world::{Console, Stream};

/// Shows what is said from now on, as far as the session's log level lets it.
pub(super) fn start(session: &Session) {
    let lines = Lines { console: Arc::clone(&session.world.console), redactor: session.redactor.clone() };
    let shown = tracing_subscriber::fmt()
        .with_max_level(level(session.display.log_level))
        .with_writer(lines)
        .with_ansi(false)
        .without_time()
        .with_target(false);
    // A process that embeds us may listen already.
    _ = shown.try_init();
}

fn level(level: LogLevel) -> Level {
    match level {
        LogLevel::Error => Level::ERROR,
        LogLevel::Warn => Level::WARN,
        LogLevel::Info => Level::INFO,
        LogLevel::Debug => Level::DEBUG,
    }
}

/// Each event is written whole, through the redactor.
#[derive(Clone)]
struct Lines {
    console: Arc<dyn Console>,
    redactor: Redactor,
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.console.write(Stream::Err, &self.redactor.redact(&String::from_utf8_lossy(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
