//! The JSON Schema of each kind of document, drawn from the Rust types.

use std::sync::LazyLock;

use jsonschema::{Draft, ValidationOptions, Validator};
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Value, json};

use super::Kind;
use super::explain::Explainer;
use super::finding::Finding;
use super::rules::FORMATS;
use crate::domain::catalog::Catalog;
use crate::domain::connection_type::ConnectionType;
use crate::domain::diagnostic::Pointer;
use crate::domain::manifest::Manifest;
use crate::domain::organization::{ContextDocument, Environment, ImportedConnection, Workspace};
use crate::domain::plugin::Plugin;

/// What every document says as its `apiVersion`.
const API_VERSION: &str = "tieline/v1";

/// The JSON Schema of a kind, as `tieline schema` prints it.
pub fn schema(kind: Kind) -> Value {
    KINDS.get(kind as usize).map(|compiled| compiled.schema.clone()).unwrap_or_default()
}

/// Everything in `value` that the schema of its kind does not allow.
pub(super) fn findings(kind: Kind, value: &Value) -> Vec<Finding> {
    let Some(Compiled { schema, validator: Some(validator) }) = KINDS.get(kind as usize).map(|compiled| &**compiled) else {
        return Vec::new();
    };
    let explainer = Explainer { schema, base: Pointer::default(), hide_values: false };
    validator.iter_errors(value).flat_map(|error| explainer.explain(&error)).collect()
}

struct Compiled {
    schema: Value,
    /// None is a bug of ours, which a test would find.
    validator: Option<Validator>,
}

/// In the order of [`Kind::ALL`], each compiled when it is first needed.
static KINDS: [LazyLock<Compiled>; 8] = [
    LazyLock::new(|| compile::<Manifest>(Kind::Manifest)),
    LazyLock::new(|| compile::<Plugin>(Kind::Plugin)),
    LazyLock::new(|| compile::<ConnectionType>(Kind::ConnectionInterfaceType)),
    LazyLock::new(|| compile::<ContextDocument>(Kind::Context)),
    LazyLock::new(|| compile::<Catalog>(Kind::Catalog)),
    LazyLock::new(|| compile::<Workspace>(Kind::Workspace)),
    LazyLock::new(|| compile::<Environment>(Kind::Environment)),
    LazyLock::new(|| compile::<ImportedConnection>(Kind::ImportedConnection)),
];

fn compile<T: JsonSchema>(kind: Kind) -> Compiled {
    let mut schema = SchemaGenerator::default().into_root_schema_for::<T>();
    schema.insert("$id".to_owned(), json!(format!("urn:tieline:v1:{}", kind.as_str())));
    schema.insert("title".to_owned(), json!(format!("Tieline {kind}")));
    if let Some(version) = schema.pointer_mut("/properties/apiVersion") {
        *version = json!({"const": API_VERSION, "description": "The version of the format."});
    }
    let schema = schema.to_value();
    let validator = options().build(&schema).ok();
    Compiled { schema, validator }
}

/// How our own schemas are compiled.
pub(super) fn options() -> ValidationOptions<'static> {
    FORMATS.iter().fold(jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true), |options, format| {
        options.with_format(format.name, |text: &str| (format.check)(text).is_ok())
    })
}
