//! What `$ref`s of bundles and resource types lead to.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::documents::yaml;
use crate::domain::names::TypeName;

/// Gives the document of a file by its path; none where there is no such file.
pub(in crate::documents) type Lookup<'a> = &'a dyn Fn(&str) -> Option<Value>;

/// Finds documents among the files of a bundle.
pub(super) fn among<'a>(files: &'a BTreeMap<&'a str, &'a [u8]>) -> impl Fn(&str) -> Option<Value> + 'a {
    move |path| yaml::parse(path, files.get(path)?).ok()
}

/// A reference as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reference<'a> {
    /// Inside of the same document: what follows `#`.
    Here(&'a str),
    /// A file, by its path from the folder that the reference was written in, and what follows `#`.
    File(&'a str, &'a str),
    /// Somewhere on the net.
    Url(&'a str),
    /// A resource type, by name.
    Type(&'a str),
}

/// Reads a reference.
pub(super) fn reference(written: &str) -> Reference<'_> {
    let (path, fragment) = written.split_once('#').unwrap_or((written, ""));
    let ending = path.rsplit('/').next().unwrap_or(path);
    if path.is_empty() {
        Reference::Here(fragment)
    } else if path.contains("://") {
        Reference::Url(path)
    } else if path.starts_with('.') || [".json", ".yaml", ".yml"].iter().any(|one| ending.ends_with(one)) {
        Reference::File(path, fragment)
    } else {
        Reference::Type(path)
    }
}

/// The path that `written` means in a file of `folder`, without `.` and, where that can be, `..`.
pub(super) fn joined(file: &str, written: &str) -> String {
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(written.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => _ = parts.pop(),
            other => parts.push(other),
        }
    }
    parts.join("/")
}

/// What a fragment such as `/definitions/owner` leads to.
pub(super) fn inside<'a>(document: &'a Value, fragment: &str) -> Option<&'a Value> {
    if fragment.is_empty() { Some(document) } else { document.pointer(fragment) }
}

/// The resource type that a slot or an artifact refers to, and the file that it is in where that is one of the bundle.
pub(super) fn type_name(written: &str, lookup: Lookup<'_>) -> Result<(TypeName, Option<String>), String> {
    let named = |name: &str| TypeName::new(name).map_err(|error| error.to_string());
    match reference(written) {
        Reference::Type(name) => Ok((named(name)?, None)),
        Reference::Url(path) => Ok((named(stem(path))?, None)),
        Reference::File(path, _) => {
            let path = joined("massdriver.yaml", path);
            let said = lookup(&path).and_then(|document| {
                let name = document.pointer("/$md/name").or_else(|| document.get("name"))?;
                Some(name.as_str()?.to_owned())
            });
            let known = said.is_some();
            Ok((named(said.as_deref().unwrap_or_else(|| stem(&path)))?, known.then_some(path)))
        }
        Reference::Here(_) => Err("a reference into the bundle itself names no resource type".to_owned()),
    }
}

/// The name in a path: that of the file without its ending, or of the folder of a `massdriver.yaml`.
pub(super) fn stem(path: &str) -> &str {
    let mut parts = path.rsplit('/');
    let last = parts.next().unwrap_or(path);
    let name = last.rsplit_once('.').map_or(last, |(name, _)| name);
    if name == "massdriver" { parts.next().unwrap_or(name) } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_name_types_in_every_way_they_are_written() {
        let nothing = |_: &str| None;
        for (written, expected) in [
            ("massdriver/aws-vpc", "massdriver/aws-vpc"),
            ("aws-vpc", "aws-vpc"),
            ("../definitions/backup-store.json", "backup-store"),
            ("../resource-types/ledger/massdriver.yaml", "ledger"),
            ("https://host.example.test/definitions/artifacts/aws-iam-role.json", "aws-iam-role"),
        ] {
            assert_eq!(type_name(written, &nothing).unwrap().0.as_str(), expected);
        }
        assert!(type_name("#/definitions/x", &nothing).is_err());
        assert!(type_name("Not A Name", &nothing).is_err());
    }

    #[test]
    fn paths_are_joined_from_the_file_that_names_them() {
        assert_eq!(joined("types/a.json", "../parts/./b.json"), "parts/b.json");
        assert_eq!(joined("massdriver.yaml", "../x.json"), "../x.json");
    }
}
