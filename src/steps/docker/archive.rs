//! Archives: what goes into a container and what comes out of it.

use std::collections::BTreeMap;
use std::io::{self, Read as _};

use tar::{Archive, Builder, EntryType, Header};

use crate::steps::executor::NotRead;
use crate::steps::outputs::LARGEST_OUTPUT;
use crate::steps::text::StepText;

/// A script, files, and folders that anybody may write to, all by absolute path. Whoever runs in the image can read them. Folders
/// above them are made by whoever unpacks; those that are there stay as they are.
pub(super) fn packed(path: &str, script: &str, files: &BTreeMap<String, StepText>, folders: &[&str]) -> io::Result<Vec<u8>> {
    let mut builder = Builder::new(Vec::new());
    for folder in folders {
        let mut header = header(EntryType::Directory, 0, 0o777);
        builder.append_data(&mut header, format!("{}/", relative(folder)), io::empty())?;
    }
    let script = std::iter::once((path, script, 0o555));
    let files = files.iter().map(|(path, text)| (path.as_str(), text.expose(), 0o444));
    for (path, text, mode) in script.chain(files) {
        let mut header = header(EntryType::Regular, text.len() as u64, mode);
        builder.append_data(&mut header, relative(path), text.as_bytes())?;
    }
    builder.into_inner()
}

fn header(kind: EntryType, size: u64, mode: u32) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(mode);
    header
}

fn relative(path: &str) -> &str {
    path.trim_start_matches('/')
}

/// The regular file that an archive begins with. The archive may have been cut off.
pub(super) fn only_file(bytes: &[u8]) -> Result<Vec<u8>, NotRead> {
    let unreadable = |why: io::Error| NotRead::Unreadable(why.to_string());
    let mut archive = Archive::new(bytes);
    let mut entry = archive.entries().map_err(unreadable)?.next().ok_or(NotRead::Missing)?.map_err(unreadable)?;
    match entry.header().entry_type() {
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {}
        EntryType::Symlink | EntryType::Link => return Err(NotRead::NotRegular("a link")),
        EntryType::Directory => return Err(NotRead::NotRegular("a folder")),
        _ => return Err(NotRead::NotRegular("a device or pipe")),
    }
    let size = entry.size();
    if size > LARGEST_OUTPUT as u64 {
        return Err(NotRead::TooLarge);
    }
    let mut text = Vec::new();
    entry.by_ref().take(LARGEST_OUTPUT as u64 + 1).read_to_end(&mut text).map_err(unreadable)?;
    if (text.len() as u64) < size { Err(NotRead::Unreadable("it was cut off on the way".to_owned())) } else { Ok(text) }
}
