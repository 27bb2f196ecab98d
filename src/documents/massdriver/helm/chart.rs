//! The files of a chart, as a part of the script that installs it.

use std::fmt::Write as _;

use base64::Engine as _;

use super::super::steps::Step;
use super::script::quoted;
use crate::documents::finding::Finding;
use crate::documents::tree::Files;

/// The largest chart, in bytes.
const LARGEST: usize = 256 * 1024;

/// Lines that write the files of the step's folder.
pub(super) fn written(step: &Step, files: &Files<'_>) -> Result<String, Box<Finding>> {
    let folder = format!("{}/", step.path);
    let mut lines = String::new();
    let mut size = 0;
    for (path, bytes) in files {
        let Some(name) = path.strip_prefix(&folder) else { continue };
        size += bytes.len();
        if size > LARGEST {
            return Err(Box::new(
                Finding::new(
                    step.at.clone().key("path"),
                    format!("the chart in `{}` is larger than {} KiB", step.path, LARGEST / 1024),
                )
                .help("publish the chart, and name it under `config.chart`"),
            ));
        }
        _ = writeln!(lines, "chart_file {} <<'END'", quoted(name));
        let encoded = base64::engine::general_purpose::STANDARD.encode(bytes);
        let mut rest = encoded.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_at(rest.len().min(100));
            lines.push_str(line);
            lines.push('\n');
            rest = after;
        }
        lines.push_str("END\n");
    }
    Ok(lines)
}
