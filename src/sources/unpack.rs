//! Tar archives of plugins. What is unpacked comes from elsewhere and is hostile until it is a [`Tree`].

use std::io::Read;

use tar::{Archive, Builder, EntryType, Header};

use super::tree::{Intake, MOST_ENTRIES, Tree, TreeFile, TreeProblem, is_plain_path};

/// Unpacks an archive into memory.
///
/// # Errors
/// When it holds a link, a device, a path that leads out, two paths that collide, more than the limits allow, or no tar archive.
pub fn unpack(archive: &[u8]) -> Result<Tree, TreeProblem> {
    // `tar -c .` writes `./` before every path.
    unpack_where(archive, |path| Some(path.strip_prefix("./").unwrap_or(path)))
}

/// Unpacks what `wanted` gives a path in the tree for; the rest may be whatever it is. Paths of folders may end in `/`.
pub(super) fn unpack_where(
    archive: impl Read,
    mut wanted: impl for<'a> FnMut(&'a str) -> Option<&'a str>,
) -> Result<Tree, TreeProblem> {
    let mut tree = Tree::default();
    let mut intake = Intake::default();
    for (count, entry) in Archive::new(archive).entries().map_err(TreeProblem::Archive)?.enumerate() {
        if count == MOST_ENTRIES {
            return Err(TreeProblem::TooManyEntries);
        }
        let mut entry = entry.map_err(TreeProblem::Archive)?;
        let kind = entry.header().entry_type();
        if kind == EntryType::XGlobalHeader {
            continue;
        }
        let path = String::from_utf8(entry.path_bytes().into_owned())
            .map_err(|problem| TreeProblem::Path(String::from_utf8_lossy(problem.as_bytes()).into_owned()))?;
        let Some(path) = wanted(&path) else { continue };
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// An archive of one entry whose header says exactly this, whatever a well-meaning writer would refuse.
    fn archive(name: &[u8], kind: EntryType, bytes: &[u8]) -> Vec<u8> {
        let mut header = Header::new_gnu();
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name);
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        if matches!(kind, EntryType::Symlink | EntryType::Link) {
            header.set_link_name("main.tf").unwrap();
        }
        header.set_cksum();
        let mut builder = Builder::new(Vec::new());
        builder.append(&header, bytes).unwrap();
        builder.into_inner().unwrap()
    }

    fn refused(archive: &[u8]) -> String {
        unpack(archive).unwrap_err().to_string()
    }

    #[test]
    fn r70_whatever_is_no_plain_file_is_refused() {
        for kind in [EntryType::Symlink, EntryType::Link] {
            assert_eq!(refused(&archive(b"a", kind, b"")), "`a` is a link");
        }
        for kind in [EntryType::Char, EntryType::Block, EntryType::Fifo, EntryType::GNUSparse, EntryType::new(b'Z')] {
            assert!(unpack(&archive(b"a", kind, b"")).is_err(), "{kind:?}");
        }
        assert_eq!(refused(&archive(b"a", EntryType::Fifo, b"")), "`a` is neither a file nor a folder");
    }

    #[test]
    fn r70_paths_that_lead_out_are_refused() {
        for kind in [EntryType::Regular, EntryType::Directory] {
            for name in [&b"/etc/passwd"[..], b"../a", b"a/../../b", b"a/./b", b"..", b"a\nb", b"a\xffb"] {
                let said = refused(&archive(name, kind, b""));
                assert!(said.ends_with("is not a plain path inside the plugin's folder"), "{said}");
            }
        }
    }

    #[test]
    fn r70_two_entries_of_one_path_are_refused() {
        let mut builder = Builder::new(Vec::new());
        for name in ["main.tf", "Main.tf"] {
            let mut header = Header::new_gnu();
            header.set_size(0);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, &b""[..]).unwrap();
        }
        assert_eq!(refused(&builder.into_inner().unwrap()), "`main.tf` and `Main.tf` would be one file on some systems");
    }

    #[test]
    fn r70_a_size_that_is_claimed_is_not_believed() {
        let mut header = Header::new_gnu();
        header.set_path("a").unwrap();
        header.set_mode(0o644);
        header.set_size(1 << 40);
        header.set_cksum();
        assert_eq!(refused(header.as_bytes()), "`a` is larger than 16 MiB");
        header.set_size(4096);
        header.set_cksum();
        assert!(refused(header.as_bytes()).starts_with("the archive is malformed"));
        assert!(refused(&[b'x'; 2048]).starts_with("the archive is malformed"));
    }

    #[test]
    fn what_other_programs_add_is_left_out() {
        let tree = unpack(&archive(b"./a/main.tf", EntryType::Regular, b"x")).unwrap();
        assert_eq!(tree.files.keys().collect::<Vec<_>>(), ["a/main.tf"]);
        for (name, kind) in [(&b"./"[..], EntryType::Directory), (b"a/", EntryType::Directory), (b".git/x", EntryType::Regular)] {
            assert_eq!(unpack(&archive(name, kind, b"")).unwrap(), Tree::default());
        }
    }

    proptest! {
        #[test]
        fn a_tree_survives_its_archive(
            files in prop::collection::btree_map("[a-c]{1,60}/[d-f]{1,60}/[g-i]{1,60}", (any::<bool>(), prop::collection::vec(any::<u8>(), 0..600)), 0..5)
        ) {
            let files: BTreeMap<_, _> =
                files.into_iter().map(|(path, (executable, bytes))| (path, TreeFile { executable, bytes })).collect();
            let tree = Tree { files };
            prop_assert_eq!(unpack(&pack(&tree).unwrap()).unwrap(), tree);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..2048)) {
            let _ = unpack(&bytes);
        }
    }
}
