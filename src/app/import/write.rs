//! Prints the native form of something, or writes it into a folder.

use std::path::Path;

use super::draft::Draft;
use super::{Converted, invalid};
use crate::app::load;
use crate::app::session::Session;
use crate::domain::diagnostic::Problems;
use crate::report::counted;
use crate::report::import::Document;

/// Prints the documents: one as it is, several with the name of its file before each.
pub(super) fn print(session: &Session, converted: &Converted) {
    if session.is_json() {
        let document = |draft| {
            let comments = Draft::comments(draft).collect();
            Document { file: &draft.path, text: draft.text(), comments }
        };
        session.print(&crate::report::import::json(&converted.drafts.iter().map(document).collect::<Vec<_>>()));
        return;
    }
    let several = converted.drafts.len() > 1;
    let shown = converted
        .drafts
        .iter()
        .map(|draft| if several { format!("# file: {}\n{}", draft.path, draft.text()) } else { draft.text() });
    session.print(&shown.collect::<Vec<_>>().join("---\n"));
    let module = converted.files.len();
    if module > 0 {
        session.say(&format!("its module has {module} files, which `--to <folder>` writes"));
    }
}

/// Writes everything into a folder that is empty or not there yet.
pub(super) fn write(session: &Session, folder: &Path, converted: &Converted) -> Result<(), Problems> {
    let files = session.world.files;
    let name = load::shown(session, folder);
    if let Some(found) = files.metadata(folder) {
        let is_empty = found.is_folder && files.list(folder).is_ok_and(|entries| entries.is_empty());
        if !is_empty {
            let problem = invalid(format!("`{name}` is not an empty folder, and nothing in it is to be replaced"));
            return Err(problem.help("name another folder with `--to`").into());
        }
    }
    let failed = |path: &str, problem: std::io::Error| invalid(format!("cannot write `{name}/{path}`: {problem}"));
    for draft in &converted.drafts {
        files
            .create(&folder.join(&draft.path), draft.text().as_bytes(), false)
            .map_err(|problem| failed(&draft.path, problem))?;
    }
    for (path, file) in &converted.files {
        files.create(&folder.join(path), &file.bytes, file.executable).map_err(|problem| failed(path, problem))?;
    }
    let written = converted.drafts.iter().map(|draft| &draft.path).chain(converted.files.keys());
    for path in written {
        session.print(&format!("wrote {name}/{path}"));
    }
    let decisions: Vec<&str> =
        converted.drafts.iter().flat_map(Draft::comments).filter(|text| text.starts_with("decide")).collect();
    if !decisions.is_empty() {
        session.print(&format!(
            "{} to decide, as comments say in the documents",
            counted(decisions.len(), "thing is", "things are")
        ));
    }
    Ok(())
}
