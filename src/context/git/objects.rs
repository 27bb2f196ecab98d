//! What is said to git's object commands and what they answer, as values: the streams of `fast-import`, `cat-file` and
//! `ls-tree`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::context::store::check_path;
use crate::context::{Change, Changes, CommitId, ListedFile, StoreError};

/// A commit stream for `git fast-import`, which answers with the new commit's id and touches no ref: the one it needs by name is
/// reset before the end.
pub(super) fn commit_stream(
    changes: &Changes,
    parent: Option<&CommitId>,
    message: &str,
    when: DateTime<Utc>,
) -> Result<Vec<u8>, StoreError> {
    let mut stream = b"feature done\ncommit refs/tieline/unborn\nmark :1\n".to_vec();
    stream.extend(format!("committer Tieline <tieline@localhost> {} +0000\n", when.timestamp()).into_bytes());
    push_data(&mut stream, message.as_bytes());
    if let Some(parent) = parent {
        stream.extend(format!("from {parent}\n").into_bytes());
    }
    for path in changes.keys() {
        check_path(path)?;
    }
    // Removals first: a file may go where a folder comes.
    for path in changes.iter().filter(|(_, change)| **change == Change::Remove).map(|(path, _)| path) {
        stream.extend(format!("D {}\n", quote(path)).into_bytes());
    }
    for (path, change) in changes {
        if let Change::Write { bytes, executable } = change {
            let mode = if *executable { "100755" } else { "100644" };
            stream.extend(format!("M {mode} inline {}\n", quote(path)).into_bytes());
            push_data(&mut stream, bytes);
        }
    }
    stream.extend(b"\nget-mark :1\nreset refs/tieline/unborn\n\ndone\n");
    Ok(stream)
}

fn push_data(stream: &mut Vec<u8>, bytes: &[u8]) {
    stream.extend(format!("data {}\n", bytes.len()).into_bytes());
    stream.extend(bytes);
    stream.push(b'\n');
}

fn quote(path: &str) -> String {
    format!("\"{}\"", path.replace('\\', "\\\\").replace('"', "\\\""))
}

/// What `git cat-file` has under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Object {
    /// A file's content.
    Blob(Vec<u8>),
    /// A tree or a commit.
    Other,
    /// Nothing.
    Missing,
}

/// The answers of `git cat-file --batch` to `names`, in their order; none where the answer is cut off.
pub(super) fn parse_objects(names: &[String], mut answer: &[u8]) -> Option<Vec<Object>> {
    let mut objects = Vec::with_capacity(names.len());
    for name in names {
        let end = answer.iter().position(|byte| *byte == b'\n')?;
        let header = std::str::from_utf8(&answer[..end]).ok()?;
        answer = &answer[end + 1..];
        if header.strip_prefix(name.as_str()) == Some(" missing") {
            objects.push(Object::Missing);
            continue;
        }
        let (head, size) = header.rsplit_once(' ')?;
        let size: usize = size.parse().ok()?;
        let content = answer.get(..size)?;
        objects.push(if head.ends_with(" blob") { Object::Blob(content.to_vec()) } else { Object::Other });
        answer = answer.get(size + 1..)?;
    }
    Some(objects)
}

/// The regular files in the answer of `git ls-tree -r -z`.
pub(super) fn parse_tree(answer: &[u8]) -> Vec<ListedFile> {
    let entries = answer.split(|byte| *byte == 0).filter_map(|entry| std::str::from_utf8(entry).ok()?.split_once('\t'));
    entries
        .filter_map(|(head, path)| {
            let mut head = head.split(' ');
            let executable = match head.next()? {
                "100644" => false,
                "100755" => true,
                _ => return None,
            };
            Some(ListedFile { path: path.to_owned(), executable, object: head.nth(1)?.to_owned() })
        })
        .collect()
}

/// Sorts listed files under the folders they were asked for.
pub(super) fn by_folder(folders: &[String], entries: &[ListedFile]) -> BTreeMap<String, Vec<ListedFile>> {
    let below = |folder: &str| -> Vec<ListedFile> {
        // A tree is listed in order of its paths, so what is below a folder stands together.
        let prefix = as_prefix(folder);
        let start = entries.partition_point(|entry| entry.path.as_str() < prefix.as_str());
        entries[start..].iter().take_while(|file| file.path.starts_with(&prefix)).cloned().collect()
    };
    folders.iter().map(|folder| (folder.clone(), below(folder))).collect()
}

/// The start of the paths of all files below a folder; the root's is empty.
pub(super) fn as_prefix(folder: &str) -> String {
    if folder.is_empty() { String::new() } else { format!("{}/", folder.trim_end_matches('/')) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_breaks_out_is_refused() {
        for bad in ["", "/a", "a//b", "a/../b", "./a", ".git/config", "a/.GIT/x", "a\nM 100644 inline b", "a\0b"] {
            let changes = Changes::from([(bad.to_owned(), Change::write("x"))]);
            let refused = commit_stream(&changes, None, "m", DateTime::UNIX_EPOCH);
            assert!(matches!(refused, Err(StoreError::Corrupt { .. })), "{bad:?}");
        }
    }

    #[test]
    fn removals_come_before_writes_and_content_is_counted_not_searched() {
        let changes = Changes::from([("a \"b\"".to_owned(), Change::write("data 1\ndone\n")), ("z".to_owned(), Change::Remove)]);
        let stream = commit_stream(&changes, None, "one", DateTime::UNIX_EPOCH).unwrap();
        insta::assert_snapshot!(String::from_utf8(stream).unwrap(), @r#"
        feature done
        commit refs/tieline/unborn
        mark :1
        committer Tieline <tieline@localhost> 0 +0000
        data 3
        one
        D "z"
        M 100644 inline "a \"b\""
        data 12
        data 1
        done


        get-mark :1
        reset refs/tieline/unborn

        done
        "#);
    }

    #[test]
    fn blobs_are_cut_by_their_size() {
        let names = ["c:a", "c:b missing", "c:d", "c:e"].map(str::to_owned);
        let answer = b"11 blob 8\nx missin\nc:b missing missing\n22 tree 2\nzz\n33 blob 0\n\n";
        let objects = parse_objects(&names, answer).unwrap();
        let blob = |bytes: &[u8]| Object::Blob(bytes.to_vec());
        assert_eq!(objects, [blob(b"x missin"), Object::Missing, Object::Other, blob(b"")]);
        assert_eq!(parse_objects(&names, b"11 blob 8\nx"), None);
    }

    #[test]
    fn a_folder_is_not_its_longer_named_neighbour() {
        let entries =
            parse_tree(b"100644 blob 11\ta/b\x00100755 blob 22\ta/c/d\x00100644 blob 33\taa/b\x00120000 blob 44\tb\x00");
        let found = by_folder(&["a".into(), "c".into(), String::new()], &entries);
        let names = |folder: &str| found[folder].iter().map(|file| file.path.as_str()).collect::<Vec<_>>();
        assert_eq!(names("a"), ["a/b", "a/c/d"]);
        assert_eq!(names("c"), Vec::<&str>::new());
        assert_eq!(names(""), ["a/b", "a/c/d", "aa/b"]);
        assert!(found["a"][1].executable);
    }
}
