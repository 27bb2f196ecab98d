//! One document, from its bytes to its type.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::finding::Finding;
use super::locate::Locator;
use super::native::Document;
use super::{Kind, foreign, prune, schema, yaml};
use crate::domain::catalog::Catalog;
use crate::domain::connection_type::ConnectionType;
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason::InvalidDocument;
use crate::domain::manifest::Manifest;
use crate::domain::organization::{ContextDocument, Environment, ImportedConnection, Workspace};
use crate::domain::plugin::Plugin;

macro_rules! readers {
    ($($(#[$doc:meta])* $name:ident -> $document:ident;)*) => {$(
        $(#[$doc])*
        /// `file` is the name that people know it by.
        ///
        /// # Errors
        /// Every problem of the document.
        pub fn $name(file: &str, text: &[u8]) -> Result<$document, Problems> {
            read(file, text)
        }
    )*};
}

readers! {
    /// Reads a manifest, `tieline.yaml`.
    manifest -> Manifest;
    /// Reads a plugin, `plugin.yaml`.
    plugin -> Plugin;
    /// Reads a connection interface type.
    connection_type -> ConnectionType;
    /// Reads `context.yaml`.
    context -> ContextDocument;
    /// Reads `catalog.yaml`.
    catalog -> Catalog;
    /// Reads a workspace.
    workspace -> Workspace;
    /// Reads an environment.
    environment -> Environment;
    /// Reads an imported connection.
    imported -> ImportedConnection;
}

/// How many problems of one document are reported: more would not be read, but would cost time.
const MOST_PROBLEMS: usize = 200;

fn read<T: Document + DeserializeOwned>(file: &str, text: &[u8]) -> Result<T, Problems> {
    let problems = match yaml::parse(file, text) {
        Ok(value) => match typed::<T>(file, &value) {
            Ok(document) => return Ok(document),
            Err(findings) => findings.into_iter().map(|finding| finding.into_diagnostic(file, InvalidDocument)).collect(),
        },
        Err(Problems(problems)) => problems,
    };
    Err(reported(file, text, problems))
}

/// The problems in the order of their places, as many as may be reported.
pub(super) fn reported(file: &str, text: &[u8], mut problems: Vec<Diagnostic>) -> Problems {
    let left_out = problems.len().saturating_sub(MOST_PROBLEMS);
    problems.truncate(MOST_PROBLEMS);
    let text = String::from_utf8_lossy(text);
    let locator = Locator::new(&text);
    problems.sort_by_cached_key(|problem| {
        problem.origin.as_ref().and_then(|origin| locator.spot(&origin.at)).map(|span| span.bytes.start)
    });
    if left_out > 0 {
        problems.push(Diagnostic::error(InvalidDocument, format!("{left_out} further problems are not listed")).in_file(file));
    }
    Problems(problems)
}

fn typed<T: Document + DeserializeOwned>(file: &str, value: &Value) -> Result<T, Vec<Finding>> {
    if let Some(finding) = other_kind(T::KIND, value).or_else(|| T::unsupported(value)) {
        return Err(vec![finding]);
    }
    let mut findings = schema::findings(T::KIND, value);
    if findings.is_empty() {
        let document: T = serde_json::from_value(value.clone())
            .map_err(|error| vec![Finding::new(Pointer::default(), format!("the {} cannot be read: {error}", T::KIND))])?;
        let findings = document.findings(file, value);
        return if findings.is_empty() { Ok(document) } else { Err(findings) };
    }
    // What the schema allows of the document is checked too, so that one reading reports everything.
    if findings.len() < MOST_PROBLEMS
        && let Some(left) = prune::pruned(T::KIND, value)
        && let Ok(document) = serde_json::from_value::<T>(left.value.clone())
    {
        let mut further: Vec<Finding> = document.findings(file, value).into_iter().map(|new| left.restored(new)).collect();
        further.retain(|new| !findings.iter().any(|known| prune::follows(new, known)));
        findings.extend(further);
    }
    Err(findings)
}

/// A document that is no Tieline document of this kind at all.
fn other_kind(wanted: Kind, value: &Value) -> Option<Finding> {
    if let Some(what) = foreign::recognise(value) {
        return Some(foreign::refusal(what, wanted));
    }
    let written = value.get("kind")?.as_str()?;
    let other = Kind::ALL.into_iter().find(|kind| kind.written().contains(&written))?;
    let expected: Vec<String> = wanted.written().iter().map(|kind| format!("`{kind}`")).collect();
    (other != wanted).then(|| {
        Finding::new(
            Pointer::keys(["kind"]),
            format!("this document is of the kind `{written}`, where {} is expected", expected.join(" or ")),
        )
        .label(format!("not a {wanted}"))
    })
}
