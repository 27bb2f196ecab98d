//! One document, from its bytes to its type.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::explain::touches;
use super::finding::{Finding, listed};
use super::locate::Locator;
use super::native::Document;
use super::{Kind, foreign, schema, yaml};
use crate::domain::connection_type::ConnectionType;
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems, Segment};
use crate::domain::failure::FailureReason::InvalidDocument;
use crate::domain::manifest::Manifest;
use crate::domain::organization::{Catalog, ContextDocument, Environment, ImportedConnection, Workspace};
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

fn read<T: Document + DeserializeOwned>(file: &str, text: &[u8]) -> Result<T, Problems> {
    let value = yaml::parse(file, text)?;
    let findings = match typed::<T>(file, &value) {
        Ok(document) => return Ok(document),
        Err(findings) => findings,
    };
    let mut problems: Vec<Diagnostic> =
        findings.into_iter().map(|finding| finding.into_diagnostic(file, InvalidDocument)).collect();
    sort_by_place(&mut problems, text);
    Err(Problems(problems))
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
    if let Some(document) = pruned(T::KIND, value, &findings).and_then(|value| serde_json::from_value::<T>(value).ok()) {
        let further = document
            .findings(file, value)
            .into_iter()
            .filter(|finding| !findings.iter().any(|known| touches(&finding.pointer.segments, &known.pointer.segments)));
        findings.extend(further.collect::<Vec<_>>());
    }
    Err(findings)
}

/// A document that is no Tieline document of this kind at all.
fn other_kind(wanted: Kind, value: &Value) -> Option<Finding> {
    if let Some(what) = foreign::recognise(value) {
        return Some(foreign::refusal(what));
    }
    let written = value.get("kind")?.as_str()?;
    let other = Kind::ALL.into_iter().find(|kind| kind.written().contains(&written))?;
    (other != wanted).then(|| {
        Finding::new(
            Pointer::keys(["kind"]),
            format!("this document is of the kind `{written}`, where {} is expected", listed(wanted.written().iter().copied())),
        )
        .label(format!("not a {wanted}"))
    })
}

/// The document without what the schema refuses; none when nothing is left that could be read.
fn pruned(kind: Kind, value: &Value, findings: &[Finding]) -> Option<Value> {
    // Taking one thing away can show another, such as a field that was required.
    const ROUNDS: usize = 6;
    let mut value = value.clone();
    let mut refused: Vec<Pointer> = findings.iter().map(|finding| finding.pointer.clone()).collect();
    for _ in 0..ROUNDS {
        for pointer in &refused {
            remove(&mut value, &pointer.segments)?;
        }
        refused = schema::findings(kind, &value).into_iter().map(|finding| finding.pointer).collect();
        if refused.is_empty() {
            return Some(value);
        }
    }
    None
}

/// Removes an entry. A list goes as a whole, so that the places of its other items stay what they are.
fn remove(value: &mut Value, way: &[Segment]) -> Option<()> {
    let Some((Segment::Key(key), rest)) = way.split_first() else { return None };
    let Some(entries) = value.as_object_mut() else { return Some(()) };
    if let (Some(Segment::Key(_)), Some(below)) = (rest.first(), entries.get_mut(key)) {
        return remove(below, rest);
    }
    entries.remove(key);
    Some(())
}

fn sort_by_place(problems: &mut [Diagnostic], text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    let locator = Locator::new(&text);
    problems.sort_by_cached_key(|problem| {
        problem.origin.as_ref().and_then(|origin| locator.spot(&origin.at)).map(|span| span.bytes.start)
    });
}
