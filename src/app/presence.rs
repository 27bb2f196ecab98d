//! How the post stage of a workflow's step learns what became of the main stage. Both are processes of their own, in containers of
//! their own; the one may begin while the other still works, as after a cancel.
//!
//! The main stage holds a file for its whole life, and the system lets go of it however that ends. In the file it leaves its exit
//! code as the last thing it does: no code means that it was killed. What it claimed is told by the runner's state, not by the
//! file, which others of the job could write to.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::domain::address::Place;
use crate::domain::fleet::PartName;
use crate::domain::names::RunId;
use crate::request::variables::{HOME, runner};
use crate::runner::FileCommands;
use crate::world::{HeldFile, World};

/// An exit code and a line's end.
const LONGEST: u64 = 8;

/// That the main stage lives; its end, for the post stage, is when this is dropped.
pub(super) struct Presence {
    state: FileCommands,
    file: PathBuf,
    _held: HeldFile,
}

/// What a run claimed.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Claimed {
    pub(super) places: Vec<Place>,
    pub(super) run: RunId,
}

/// What the post stage knows of the main stage.
#[derive(Debug)]
pub(super) struct MainStage {
    file: PathBuf,
    /// None where it did not come so far.
    pub(super) claimed: Option<Claimed>,
    /// The part of a fleet that it was; none where it was none.
    pub(super) part: Option<PartName>,
}

/// How the main stage is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// It works.
    Alive,
    /// It came to its end, with this exit code.
    Ended(String),
    /// It was killed.
    Dead,
}

impl Presence {
    /// Makes the main stage known; none where there is no later stage to know of it.
    pub(super) fn announce(world: &World) -> Option<Self> {
        let state = state(world)?;
        let name = format!("tieline-stage-{:032x}", world.random.bits());
        let folders = [runner::TEMP, HOME].into_iter().filter_map(|folder| world.variables.get(folder));
        let held = folders.map(|folder| Path::new(folder).join(&name)).find_map(|file| {
            let held = world.files.hold(&file).ok().flatten()?;
            Some(Self { state: state.clone(), file, _held: held })
        });
        let told = held.as_ref().map(|held| state.set_state(world, &[("HELD", held.file.display().to_string())]));
        if !matches!(told, Some(Ok(()))) {
            tracing::warn!("the step's post stage will not know of this one: no file for it can be written");
        }
        held
    }

    /// Makes known what is going to be claimed, before it is.
    pub(super) fn claims(&self, world: &World, places: &[Place], run: &RunId) {
        let claimed = Claimed { places: places.to_vec(), run: run.clone() };
        let text = serde_json::to_string(&claimed).unwrap_or_default();
        if self.state.set_state(world, &[("CLAIMED", text)]).is_err() {
            tracing::warn!("the step's post stage will not know what this one claimed: `GITHUB_STATE` cannot be written");
        }
    }

    /// Makes known which part of a fleet is going to be done, before it is.
    pub(super) fn takes_part(&self, world: &World, part: &PartName) {
        let text = serde_json::to_string(part).unwrap_or_default();
        if self.state.set_state(world, &[("PART", text)]).is_err() {
            tracing::warn!("the step's post stage will not know what this one worked on: `GITHUB_STATE` cannot be written");
        }
    }

    /// Says that the end was orderly.
    pub(super) fn ends(self, world: &World, exit_code: u8) {
        // Where this fails, the post stage finds no claim to clear up: it was given back.
        let _ = world.files.append(&self.file, format!("{exit_code}\n").as_bytes());
    }
}

impl MainStage {
    /// The main stage of this post stage; none where there was none that left word.
    pub(super) fn find(world: &World) -> Option<Self> {
        let file = PathBuf::from(world.variables.get(runner::STATE_HELD)?);
        world.files.metadata(&file)?;
        let claimed = world.variables.get(runner::STATE_CLAIMED).and_then(|text| serde_json::from_str(text).ok());
        let part = world.variables.get(runner::STATE_PART).and_then(|text| serde_json::from_str(text).ok());
        Some(Self { file, claimed, part })
    }

    /// How it is.
    pub(super) fn sign(&self, world: &World) -> Sign {
        let Ok(Some(_held)) = world.files.hold(&self.file) else { return Sign::Alive };
        match world.files.read(&self.file, LONGEST) {
            Ok(code) if !code.is_empty() => Sign::Ended(String::from_utf8_lossy(&code).trim().to_owned()),
            _ => Sign::Dead,
        }
    }

    /// Forgets it: there is nothing left to do for it.
    pub(super) fn forget(&self, world: &World) {
        let _ = world.files.remove(&self.file);
    }
}

/// The file for what later stages are to know; none where there are none.
fn state(world: &World) -> Option<FileCommands> {
    let state = Some(PathBuf::from(world.variables.get(runner::STATE)?));
    Some(FileCommands { output: None, state, summary: None })
}
