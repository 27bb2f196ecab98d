//! Where text for people and programs goes.

/// One of the two outputs of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Results.
    Out,
    /// Progress and problems.
    Err,
}

/// Writes what people and programs read. A broken pipe is not an error: the run goes on.
pub trait Console: Send + Sync {
    /// Writes `text` as it is, at once.
    fn write(&self, stream: Stream, text: &str);
    /// Whether the stream is a terminal.
    fn is_terminal(&self, stream: Stream) -> bool;
    /// The terminal's width in columns, when it is one.
    fn width(&self) -> Option<usize>;
}
