//! One document, from its bytes to its type.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::finding::Finding;
use super::foreign::ForeignKind;
use super::locate::Locator;
use super::native::Document;
use super::stackspot::{self, StackSpotCase};
use super::tree::Files;
use super::{Kind, foreign, massdriver, prune, schema, yaml};
use crate::domain::catalog::Catalog;
use crate::domain::connection_type::ConnectionType;
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason::InvalidDocument;
use crate::domain::manifest::{Manifest, PreviewPart};
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
    /// Reads a plugin, `plugin.yaml`.
    plugin -> Plugin;
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

/// Reads a manifest: `tieline.yaml`, or a StackSpot `stk.yaml`. `file` is the name that people know it by.
///
/// # Errors
/// Every problem of the document.
pub fn manifest(file: &str, text: &[u8]) -> Result<Manifest, Problems> {
    manifest_with_warnings(file, text).map(|(manifest, _)| manifest)
}

/// The same, with what of it has no effect, and why.
///
/// # Errors
/// Every problem of the document.
pub fn manifest_with_warnings(file: &str, text: &[u8]) -> Result<(Manifest, Problems), Problems> {
    let value = parsed(file, text)?;
    match foreign::recognise(&value) {
        Some(ForeignKind::StackSpotManifest) => translated(file, text, stackspot::manifest(&value)),
        _ => checked(file, text, &value).map(|manifest| (manifest, Problems::default())),
    }
}

/// Reads a test case of a StackSpot plugin, with what of it has no effect.
///
/// # Errors
/// Every problem of the document.
pub fn stackspot_case(file: &str, text: &[u8]) -> Result<(StackSpotCase, Problems), Problems> {
    let value = parsed(file, text)?;
    translated(file, text, stackspot::test_case(&value))
}

/// Reads a connection interface type, of StackSpot or Massdriver as well. `file` is the name that people know it by.
///
/// # Errors
/// Every problem of the document. One that refers to other files is refused: see [`connection_type_among`].
pub fn connection_type(file: &str, text: &[u8]) -> Result<ConnectionType, Problems> {
    connection_type_among(file, text, &Files::new()).map(|(document, _)| document)
}

/// The same, where the document may refer to others of `files`, by paths from its own; with what of it has no effect.
///
/// # Errors
/// Every problem of the document.
pub fn connection_type_among(file: &str, text: &[u8], files: &Files<'_>) -> Result<(ConnectionType, Problems), Problems> {
    let value = parsed(file, text)?;
    let read_foreign = match foreign::recognise(&value) {
        Some(ForeignKind::StackSpotType) => stackspot::connection_type(&value).map(|document| (document, Vec::new())),
        Some(ForeignKind::MassdriverType) => massdriver::resource_type_among(file, &value, files),
        _ => return checked(file, text, &value).map(|document| (document, Problems::default())),
    };
    translated(file, text, read_foreign)
}

/// Reads a Massdriver `preview.json` or `preview.yaml`, with what of it has no effect.
///
/// # Errors
/// Every problem of the document.
pub fn massdriver_preview(file: &str, text: &[u8]) -> Result<(PreviewPart, Problems), Problems> {
    let value = parsed(file, text)?;
    translated(file, text, massdriver::preview(&value))
}

/// What a reader of another system's document made of it, with places in the file.
fn translated<T>(file: &str, text: &[u8], read: Result<(T, Vec<Finding>), Vec<Finding>>) -> Result<(T, Problems), Problems> {
    match read {
        Ok((document, warnings)) => {
            let Problems(warnings) = reported(file, text, placed(file, warnings));
            Ok((document, Problems(warnings.into_iter().map(Diagnostic::as_warning).collect())))
        }
        Err(findings) => Err(reported(file, text, placed(file, findings))),
    }
}

/// How many problems of one document are reported: more would not be read, but would cost time.
const MOST_PROBLEMS: usize = 200;

fn read<T: Document + DeserializeOwned>(file: &str, text: &[u8]) -> Result<T, Problems> {
    checked(file, text, &parsed(file, text)?)
}

fn parsed(file: &str, text: &[u8]) -> Result<Value, Problems> {
    yaml::parse(file, text).map_err(|Problems(problems)| reported(file, text, problems))
}

fn checked<T: Document + DeserializeOwned>(file: &str, text: &[u8], value: &Value) -> Result<T, Problems> {
    typed::<T>(file, value).map_err(|findings| reported(file, text, placed(file, findings)))
}

fn placed(file: &str, findings: Vec<Finding>) -> Vec<Diagnostic> {
    findings.into_iter().map(|finding| finding.into_diagnostic(file, InvalidDocument)).collect()
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
