//! The names of rendered files, and the spelling of connections in links.

use std::collections::BTreeSet;

use crate::domain::foreign::Templates;

/// The longest part of a path.
const LONGEST_PART: usize = 255;

/// A rendered path, if a file may have it; none where a part of it is empty, which leaves the file out.
pub(super) fn checked(path: &str) -> Result<Option<String>, String> {
    if path.starts_with('/') {
        return Err("its path is absolute: a file stays in the module's folder".to_owned());
    }
    for part in path.split('/') {
        if part.trim().is_empty() {
            return Ok(None);
        }
        if part == ".." || part == "." {
            return Err(format!("its path has a part `{part}`: a file stays in the module's folder"));
        }
        if part.contains('\\') || part.chars().any(char::is_control) {
            return Err("its path has a backslash or a control character".to_owned());
        }
        if part.eq_ignore_ascii_case(".terraform") || part.eq_ignore_ascii_case(".git") {
            return Err(format!("its path has a part `{part}`, which is not the plugin's"));
        }
        if part.len() > LONGEST_PART {
            return Err("a part of its path is longer than 255 bytes".to_owned());
        }
    }
    Ok(Some(path.to_owned()))
}

/// Takes a path; false where it is another file's, or lies where another file is, on file systems that know no case as well.
pub(super) fn take(taken: &mut BTreeSet<String>, path: &str) -> bool {
    let path = path.to_lowercase();
    let above = path.match_indices('/').any(|(at, _)| taken.contains(&path[..at]));
    let inside = format!("{path}/");
    let below = taken.range(inside.clone()..).next().is_some_and(|other| other.starts_with(&inside));
    !above && !below && taken.insert(path)
}

/// `connections.alias-with-hyphens.attribute`, which Jinja would read as a subtraction, as it is meant.
pub(super) fn plain_aliases(text: &str, templates: &Templates) -> String {
    let mut aliases: Vec<&str> = templates.aliases.keys().map(String::as_str).filter(|alias| alias.contains('-')).collect();
    aliases.sort_by_key(|alias| std::cmp::Reverse(alias.len()));
    let mut changed = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("connections.") {
        let after = at + "connections.".len();
        let named = aliases.iter().find(|alias| {
            rest[after..]
                .strip_prefix(**alias)
                .is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '-' || next == '_'))
        });
        if let Some(alias) = named {
            changed.extend([&rest[..at], "connections[\"", alias, "\"]"]);
            rest = &rest[after + alias.len()..];
        } else {
            changed.push_str(&rest[..after]);
            rest = &rest[after..];
        }
    }
    changed + rest
}
