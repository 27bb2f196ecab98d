//! The process's own outputs.

use std::io::{IsTerminal as _, Write as _};

use crate::world::{Console, Stream};

/// The process's own outputs.
pub(super) struct OsConsole;

impl Console for OsConsole {
    fn write(&self, stream: Stream, text: &str) {
        // A reader that went away must not end a run that touches infrastructure.
        let _ = match stream {
            Stream::Out => std::io::stdout().lock().write_all(text.as_bytes()).and_then(|()| std::io::stdout().flush()),
            Stream::Err => std::io::stderr().lock().write_all(text.as_bytes()),
        };
    }

    fn is_terminal(&self, stream: Stream) -> bool {
        match stream {
            Stream::Out => std::io::stdout().is_terminal(),
            Stream::Err => std::io::stderr().is_terminal(),
        }
    }

    fn width(&self) -> Option<usize> {
        rustix::termios::tcgetwinsize(std::io::stderr()).ok().map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0)
    }
}

/// Says why the program cannot even start.
pub fn report(problem: &std::io::Error) {
    OsConsole.write(Stream::Err, &format!("error: {problem}\n"));
}
