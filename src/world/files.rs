//! Files. One implementation, the real one: tests use temporary folders.
#![expect(clippy::disallowed_methods, reason = "this is the seam")]

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Reads and writes files.
#[derive(Debug, Clone, Copy, Default)]
pub struct Files;

/// A file that this process holds. The system lets go of it when the process ends, however that comes about.
#[derive(Debug)]
pub struct HeldFile {
    _file: fs::File,
}

/// What was found where a file was looked for below a folder that others write to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beneath {
    /// A regular file of the folder's owner, with these bytes.
    Bytes(Vec<u8>),
    /// Nothing.
    Missing,
    /// This, which is no regular file of the folder's owner.
    Other(&'static str),
    /// A larger file than was asked for.
    TooLarge,
}

/// What is known of a file without reading it. Links are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metadata {
    /// Whether it is a folder.
    pub is_folder: bool,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last changed, in nanoseconds since the Unix epoch.
    pub modified: i64,
    /// Whether its owner may execute it.
    pub executable: bool,
}

/// An entry of a folder. Links are not followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderEntry {
    /// Its name; lossy where it is not UTF-8.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
}

/// What an entry of a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A folder.
    Folder,
    /// A regular file, and whether its owner may execute it.
    File {
        /// Whether its owner may execute it.
        executable: bool,
    },
    /// A symbolic link.
    Link,
    /// A device, socket or pipe.
    Other,
}

impl Files {
    /// Reads a whole file of at most `limit` bytes.
    ///
    /// # Errors
    /// When it cannot be read, or is larger ([`io::ErrorKind::FileTooLarge`]).
    pub fn read(self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        use io::Read as _;
        let mut bytes = Vec::new();
        fs::File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("larger than {limit} bytes")));
        }
        Ok(bytes)
    }

    /// Reads a regular file of at most `limit` bytes below a folder that others write to: no link is followed on the way, nothing
    /// outside is reached, and nothing can keep us waiting.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn read_beneath(self, folder: &Path, relative: &str, limit: u64) -> io::Result<Beneath> {
        super::os::read_beneath(folder, relative, limit)
    }

    /// Gives a file or folder to another user, with that group. Only root can.
    ///
    /// # Errors
    /// When we may not.
    pub fn give(self, path: &Path, user: u32) -> io::Result<()> {
        std::os::unix::fs::chown(path, Some(user), Some(user))
    }

    /// The first `count` bytes of a file, or all of a shorter one.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn first_bytes(self, path: &Path, count: usize) -> io::Result<Vec<u8>> {
        use io::Read as _;
        let mut bytes = Vec::with_capacity(count);
        fs::File::open(path)?.take(count as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Writes a whole file, readable by its owner alone, folders above it made as needed; what stood there is replaced at once.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_private(self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.write_with_mode(path, bytes, 0o600)
    }

    /// Writes a whole file for everybody to read, folders above it made as needed; what stood there is replaced at once.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(self, path: &Path, bytes: &[u8], executable: bool) -> io::Result<()> {
        self.write_with_mode(path, bytes, if executable { 0o755 } else { 0o644 })
    }

    fn write_with_mode(self, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        self.make_folder(folder)?;
        let mut file = tempfile::Builder::new().permissions(fs::Permissions::from_mode(mode)).tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.persist(path)?;
        Ok(())
    }

    /// Writes a new file into a folder of ours; refuses to replace anything.
    ///
    /// # Errors
    /// When something stands there already or it cannot be written.
    pub fn create(self, path: &Path, bytes: &[u8], executable: bool) -> io::Result<()> {
        if let Some(folder) = path.parent() {
            self.make_folder(folder)?;
        }
        let mode = if executable { 0o755 } else { 0o644 };
        fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?.write_all(bytes)
    }

    /// Adds to the end of a file in one write; it is made where there is none.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn append(self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        fs::OpenOptions::new().append(true).create(true).open(path)?.write_all(bytes)
    }

    /// Takes hold of a file for as long as the value lives; none where another process holds it. It is made, for its owner alone,
    /// where there is none.
    ///
    /// # Errors
    /// When it cannot be opened, or its file system knows no locks.
    pub fn hold(self, path: &Path) -> io::Result<Option<HeldFile>> {
        let file = fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(HeldFile { _file: file })),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(problem)) => Err(problem),
        }
    }

    /// Makes a folder and those above it.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make_folder(self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    /// Whether files can be made in this folder, which is made where it is not there yet.
    pub fn can_write_into(self, folder: &Path) -> bool {
        self.make_folder(folder).is_ok() && tempfile::tempfile_in(folder).is_ok()
    }

    /// Makes a folder that only its owner can enter; it goes when the value is dropped.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn private_folder(self, parent: &Path, prefix: &str) -> io::Result<TempDir> {
        self.make_folder(parent)?;
        tempfile::Builder::new().prefix(prefix).permissions(fs::Permissions::from_mode(0o700)).tempdir_in(parent)
    }

    /// What is known of a file; none if there is none.
    pub fn metadata(self, path: &Path) -> Option<Metadata> {
        let found = fs::metadata(path).ok()?;
        Some(Metadata {
            is_folder: found.is_dir(),
            size: found.len(),
            modified: found.mtime().saturating_mul(1_000_000_000).saturating_add(found.mtime_nsec()),
            executable: found.permissions().mode() & 0o100 != 0,
        })
    }

    /// The entries of a folder, sorted by name.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn list(self, path: &Path) -> io::Result<Vec<FolderEntry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let kind = match entry.file_type()? {
                kind if kind.is_dir() => EntryKind::Folder,
                kind if kind.is_symlink() => EntryKind::Link,
                kind if kind.is_file() => EntryKind::File { executable: entry.metadata()?.permissions().mode() & 0o100 != 0 },
                _ => EntryKind::Other,
            };
            entries.push(FolderEntry { name: entry.file_name().to_string_lossy().into_owned(), kind });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    /// Removes a file; that there is none is fine.
    ///
    /// # Errors
    /// When it is there and cannot be removed.
    pub fn remove(self, path: &Path) -> io::Result<()> {
        match fs::remove_file(path) {
            Err(problem) if problem.kind() != io::ErrorKind::NotFound => Err(problem),
            _ => Ok(()),
        }
    }

    /// The path with every link in it resolved.
    ///
    /// # Errors
    /// When it does not exist.
    pub fn canonical(self, path: &Path) -> io::Result<PathBuf> {
        fs::canonicalize(path)
    }
}
