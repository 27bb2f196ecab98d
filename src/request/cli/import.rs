//! `tieline import`.

use std::path::PathBuf;

use clap::Args;

/// `tieline import`.
#[derive(Debug, Clone, Args)]
pub struct ImportDocument {
    /// A plugin's folder, a folder with a `.stk/stk.yaml`, or a document.
    pub path: PathBuf,
    /// The folder to write it into, which must be empty or not there yet [default: documents are printed].
    #[arg(long, value_name = "FOLDER", env = "TIELINE_TO")]
    pub to: Option<PathBuf>,
}
