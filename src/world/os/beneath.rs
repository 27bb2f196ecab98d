//! Files in a folder that somebody else writes to.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat};
use rustix::io::Errno;

use crate::world::Beneath;

/// Opens what is there itself, never what a link leads to, and never waits for the other end of a pipe.
const PLAIN: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

/// Reads a file by its path from a folder, one name after the other.
pub(in crate::world) fn read_beneath(folder: &Path, relative: &str, limit: u64) -> io::Result<Beneath> {
    let mut folder = openat(CWD, folder, PLAIN | OFlags::DIRECTORY, Mode::empty())?;
    let owner = fstat(&folder)?.st_uid;
    let names: Vec<&str> = relative.split('/').filter(|name| !name.is_empty() && *name != ".").collect();
    let Some((name, above)) = names.split_last() else { return Ok(Beneath::Other("a folder")) };
    for name in above {
        match entry(&folder, name, OFlags::DIRECTORY) {
            Ok(next) => folder = next,
            Err(Errno::NOENT) => return Ok(Beneath::Missing),
            Err(Errno::LOOP | Errno::NOTDIR) => return Ok(Beneath::Other("behind a link or below a file")),
            Err(problem) => return Err(problem.into()),
        }
    }
    let file = match entry(&folder, name, OFlags::empty()) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(Beneath::Missing),
        Err(Errno::LOOP) => return Ok(Beneath::Other("a link")),
        Err(Errno::NXIO) => return Ok(Beneath::Other("a socket or pipe")),
        Err(problem) => return Err(problem.into()),
    };
    let found = fstat(&file)?;
    match FileType::from_raw_mode(found.st_mode) {
        FileType::RegularFile if found.st_uid != owner => return Ok(Beneath::Other("somebody else's file")),
        FileType::RegularFile => {}
        FileType::Directory => return Ok(Beneath::Other("a folder")),
        _ => return Ok(Beneath::Other("a device, socket or pipe")),
    }
    let mut bytes = Vec::new();
    File::from(file).take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(if bytes.len() as u64 > limit { Beneath::TooLarge } else { Beneath::Bytes(bytes) })
}

fn entry(folder: &OwnedFd, name: &str, more: OFlags) -> rustix::io::Result<OwnedFd> {
    if name == ".." {
        return Err(Errno::LOOP);
    }
    openat(folder, name, PLAIN | more, Mode::empty())
}
