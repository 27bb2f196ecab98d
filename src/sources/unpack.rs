//! Tar archives of plugins. What is unpacked comes from elsewhere and is hostile until it is a [`Tree`].

use std::io::{Cursor, Read as _};

use tar::{Archive, Builder, EntryType, Header};

use super::tree::{Intake, Tree, TreeFile, TreeProblem, is_plain_path};

/// Unpacks an archive into memory.
///
/// # Errors
/// When it holds a link, a device, a path that leads out, two paths that collide, more than the limits allow, or no tar archive.
pub fn unpack(archive: &[u8]) -> Result<Tree, TreeProblem> {
    let mut tree = Tree::default();
    let mut intake = Intake::default();
    for entry in Archive::new(Cursor::new(archive)).entries().map_err(TreeProblem::Archive)? {
        let mut entry = entry.map_err(TreeProblem::Archive)?;
        let kind = entry.header().entry_type();
        if kind == EntryType::XGlobalHeader {
            continue;
        }
        let path = String::from_utf8(entry.path_bytes().into_owned())
            .map_err(|problem| TreeProblem::Path(String::from_utf8_lossy(problem.as_bytes()).into_owned()))?;
        // `tar -c .` writes `./` before every path.
        let path = path.strip_prefix("./").unwrap_or(&path);
        match kind {
            EntryType::Directory => {
                let folder = path.trim_end_matches('/');
                // The archive's own root, or a folder; it lives on in the paths of its files.
                if !path.is_empty() && path != "." && !is_plain_path(folder) {
                    return Err(TreeProblem::Path(path.to_owned()));
                }
            }
            EntryType::Regular | EntryType::Continuous => {
                if intake.admit(path, entry.size())? {
                    let executable = entry.header().mode().map_err(TreeProblem::Archive)? & 0o100 != 0;
                    let mut bytes = Vec::new();
                    entry.read_to_end(&mut bytes).map_err(TreeProblem::Archive)?;
                    if bytes.len() as u64 != entry.size() {
                        return Err(TreeProblem::Archive(std::io::ErrorKind::UnexpectedEof.into()));
                    }
                    tree.files.insert(path.to_owned(), TreeFile { executable, bytes });
                }
            }
            EntryType::Symlink | EntryType::Link => return Err(TreeProblem::Link(path.to_owned())),
            _ => return Err(TreeProblem::Special(path.to_owned())),
        }
    }
    Ok(tree)
}

/// Packs a tree: the same tree gives the same bytes.
///
/// # Errors
/// When a path does not fit into an archive.
pub fn pack(tree: &Tree) -> std::io::Result<Vec<u8>> {
    let mut archive = Builder::new(Vec::new());
    for (path, file) in &tree.files {
        let mut header = Header::new_gnu();
        header.set_size(file.bytes.len() as u64);
        header.set_mode(if file.executable { 0o755 } else { 0o644 });
        header.set_mtime(0);
        archive.append_data(&mut header, path, file.bytes.as_slice())?;
    }
    archive.into_inner()
}
