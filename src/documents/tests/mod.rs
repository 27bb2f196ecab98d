mod edit;
mod good;
mod hostile;
mod schemas;
mod wrong;

use std::collections::BTreeMap;

use super::*;
use crate::domain::diagnostic::Problems;

/// The problems of a document of this kind.
fn problems(kind: Kind, file: &str, text: &[u8]) -> Problems {
    let problems = match kind {
        Kind::Manifest => manifest(file, text).err(),
        Kind::Plugin => plugin(file, text).err(),
        Kind::ConnectionInterfaceType => connection_type(file, text).err(),
        Kind::Context => context(file, text).err(),
        Kind::Catalog => catalog(file, text).err(),
        Kind::Workspace => workspace(file, text).err(),
        Kind::Environment => environment(file, text).err(),
        Kind::ImportedConnection => imported(file, text).err(),
    };
    problems.unwrap_or_default()
}

/// What a person sees of a document's problems; empty for a good one.
fn drawn(kind: Kind, file: &str, text: &[u8]) -> String {
    draw(&problems(kind, file, text), &BTreeMap::from([(file.to_owned(), text.to_vec())]), false)
}

fn manifest_text(body: &str) -> String {
    format!("apiVersion: tieline/v1\nkind: Application\nname: shop\n{body}")
}
