//! The files by which a step hands on outputs, state for its later stages, and a summary. What was written counts however the
//! step ends.

use std::io;
use std::path::{Path, PathBuf};

use crate::world::{Random, World};

/// The files of this step; none where the runner named none.
#[derive(Debug, Clone)]
pub struct FileCommands {
    /// Outputs of the step.
    pub output: Option<PathBuf>,
    /// State for the step's later stages.
    pub state: Option<PathBuf>,
    /// Markdown for the run's page.
    pub summary: Option<PathBuf>,
}

impl FileCommands {
    /// Sets outputs; a later value of the same name counts.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set_outputs(&self, world: &World, outputs: &[(&str, String)]) -> io::Result<()> {
        append_records(world, self.output.as_deref(), outputs)
    }

    /// Sets state, which later stages find in `STATE_<name>`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set_state(&self, world: &World, state: &[(&str, String)]) -> io::Result<()> {
        append_records(world, self.state.as_deref(), state)
    }

    /// Adds to the summary.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn add_summary(&self, world: &World, markdown: &str) -> io::Result<()> {
        append(world, self.summary.as_deref(), markdown)
    }
}

fn append_records(world: &World, file: Option<&Path>, records: &[(&str, String)]) -> io::Result<()> {
    for (name, value) in records {
        append(world, file, &record(&*world.random, name, value))?;
    }
    Ok(())
}

fn append(world: &World, file: Option<&Path>, text: &str) -> io::Result<()> {
    file.map_or(Ok(()), |file| world.files.append(file, text.as_bytes()))
}

/// A record as the runner reads it: the name, a delimiter that nobody can guess, the value, the delimiter.
pub fn record(random: &dyn Random, name: &str, value: &str) -> String {
    loop {
        let delimiter = format!("tieline-{:032x}", random.bits());
        if !value.contains(&delimiter) {
            return format!("{name}<<{delimiter}\n{value}\n{delimiter}\n");
        }
    }
}
