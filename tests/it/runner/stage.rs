//! One stage of a step: a container from its start to the reading of what it wrote.

use std::fs;
use std::io::Read;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::container::Container;
use super::log::Log;

/// From the first signal to the second, and from there to the end of the client.
const AFTER_INT: Duration = Duration::from_millis(7500);
const AFTER_TERM: Duration = Duration::from_millis(2500);
/// Longer than any stage takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A stage that runs.
pub(crate) struct Stage {
    pub(crate) container: Container,
    heard: Arc<Heard>,
    started: Instant,
}

/// How a stage ended.
pub(crate) struct Ended {
    pub(crate) log: Log,
    /// None where the client was killed.
    pub(crate) exit: Option<i32>,
    pub(crate) took: Duration,
    /// From the start to the first line.
    pub(crate) first_line: Option<Duration>,
    /// Lives on where its client was killed.
    pub(crate) container: Container,
}

/// What two threads hear of the container's streams, and the one that reads it hands on.
struct Heard {
    lines: Mutex<Lines>,
    changed: Condvar,
}

struct Lines {
    log: Option<Log>,
    /// Lines that wait, of stderr and of stdout: the runner takes those of stderr first.
    waiting: [Vec<String>; 2],
    open: usize,
    first: Option<Instant>,
    /// The client is gone: nobody listens any more, though the container may speak.
    deaf: bool,
}

impl Stage {
    /// Listens to a container that was just started.
    pub(crate) fn listen(mut container: Container, log: Log) -> Self {
        let lines = Lines { log: Some(log), waiting: [Vec::new(), Vec::new()], open: 2, first: None, deaf: false };
        let heard = Arc::new(Heard { lines: Mutex::new(lines), changed: Condvar::new() });
        let (out, err) = container.streams();
        hear(&heard, 1, out);
        hear(&heard, 0, err);
        Self { container, heard, started: Instant::now() }
    }

    /// Waits until the log, as people see it, holds a text.
    pub(crate) fn wait_for(&self, text: &str) {
        let start = Instant::now();
        let mut lines = self.heard.lines();
        loop {
            lines.take();
            let log = lines.log.as_ref().unwrap();
            if log.shown.iter().any(|line| line.contains(text)) {
                return;
            }
            assert!(lines.open > 0, "it ended without saying `{text}`:\n{}", log.shown.join("\n"));
            assert!(start.elapsed() < PATIENCE, "it never said `{text}`:\n{}", log.shown.join("\n"));
            lines = self.heard.changed.wait_timeout(lines, Duration::from_millis(200)).unwrap().0;
        }
    }

    /// Waits for its end.
    pub(crate) fn finish(mut self) -> Ended {
        let exit = self.container.wait(PATIENCE);
        if exit.is_none() {
            self.container.destroy();
        }
        let ended = self.end(exit);
        assert!(ended.exit.is_some(), "it did not end:\n{}", ended.log.shown.join("\n"));
        ended
    }

    /// Cancels as the runner does: an interrupt, a request to end, the end of the client, and each only if it is still there.
    pub(crate) fn cancel(mut self) -> Ended {
        self.container.signal(Signal::INT);
        let mut exit = self.container.wait(AFTER_INT);
        if exit.is_none() {
            self.container.signal(Signal::TERM);
            exit = self.container.wait(AFTER_TERM);
        }
        if exit.is_none() {
            self.container.kill_client();
            self.heard.lines().deaf = true;
        }
        self.end(exit)
    }

    fn end(self, exit: Option<i32>) -> Ended {
        let took = self.started.elapsed();
        let start = Instant::now();
        let mut lines = self.heard.lines();
        // What was said before the end is heard.
        while exit.is_some() && lines.open > 0 && start.elapsed() < Duration::from_secs(20) {
            lines = self.heard.changed.wait_timeout(lines, Duration::from_millis(200)).unwrap().0;
        }
        lines.take();
        let first_line = lines.first.map(|first| first - self.started);
        lines.deaf = true;
        Ended { log: lines.log.take().unwrap(), exit, took, first_line, container: self.container }
    }
}

impl Heard {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap()
    }
}

impl Lines {
    fn take(&mut self) {
        let log = self.log.as_mut().unwrap();
        for line in self.waiting.iter_mut().flat_map(std::mem::take) {
            log.line(&line);
        }
    }
}

/// Reads a stream to its end, whether somebody wants it or not: an engine does that, too.
fn hear(heard: &Arc<Heard>, which: usize, mut stream: impl Read + Send + 'static) {
    let heard = Arc::clone(heard);
    std::thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        let mut splitter = Splitter::default();
        loop {
            let count = stream.read(&mut buffer).unwrap_or(0);
            let mut found = splitter.lines(&buffer[..count]);
            let mut lines = heard.lines();
            if count == 0 {
                found.extend(splitter.rest());
                lines.open -= 1;
            }
            if !lines.deaf {
                if !found.is_empty() {
                    lines.first.get_or_insert_with(Instant::now);
                }
                lines.waiting[which].extend(found);
            }
            heard.changed.notify_all();
            if count == 0 {
                return;
            }
        }
    });
}

/// Lines end with LF, CR, or both.
#[derive(Default)]
struct Splitter {
    line: Vec<u8>,
    after_return: bool,
}

impl Splitter {
    fn lines(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut found = Vec::new();
        for byte in bytes {
            let after_return = std::mem::replace(&mut self.after_return, *byte == b'\r');
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => found.push(text(&std::mem::take(&mut self.line))),
                byte => self.line.push(*byte),
            }
        }
        found
    }

    fn rest(&mut self) -> Option<String> {
        (!self.line.is_empty()).then(|| text(&std::mem::take(&mut self.line)))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The text of a file that a step wrote, however it is encoded; none where it is gone.
pub(crate) fn written(file: &std::path::Path) -> String {
    fs::read(file).map(|bytes| text(&bytes)).unwrap_or_default()
}

#[test]
fn a_line_ends_with_either_or_both() {
    let mut splitter = Splitter::default();
    let mut found = splitter.lines(b"ok\r::error::x\na\r");
    found.extend(splitter.lines(b"\n\nb"));
    found.extend(splitter.rest());
    assert_eq!(found, ["ok", "::error::x", "a", "", "b"]);
}
