//! Blocks, the same for both of Terraform's syntaxes.

use std::collections::{BTreeMap, BTreeSet};

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, ObjectKey, TraversalOperator};
use hcl_edit::structure::Body;
use serde_json::{Map, Value};

use super::{object_keys, references};
use crate::domain::diagnostic::{Diagnostic, Origin, Pointer, Problems, Spot};
use crate::domain::failure::FailureReason;
use crate::domain::module::Reference;

/// No Terraform file that a person wrote comes near.
const LARGEST: usize = 1024 * 1024;

/// A block with its labels.
#[derive(Debug)]
pub(super) struct Block {
    /// Its type, such as `resource`.
    pub(super) kind: String,
    /// Its labels.
    pub(super) labels: Vec<String>,
    /// Its attributes; what is not a constant is null.
    pub(super) attributes: BTreeMap<String, Value>,
    /// The names that each attribute takes its value from.
    pub(super) references: BTreeMap<String, BTreeSet<Reference>>,
    /// The keys of objects in its attributes, at any depth and wherever they stand in an expression.
    pub(super) keys: BTreeSet<String>,
    /// The blocks in it.
    pub(super) blocks: Vec<Self>,
    /// Where it stands.
    pub(super) origin: Origin,
}

impl Block {
    /// The same block so far, without content.
    fn copy(&self) -> Self {
        let (attributes, references, keys, blocks) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new(), Vec::new());
        let (kind, labels, origin) = (self.kind.clone(), self.labels.clone(), self.origin.clone());
        Self { kind, labels, attributes, references, keys, blocks, origin }
    }

    /// The label at `position`, or nothing.
    pub(super) fn label(&self, position: usize) -> &str {
        self.labels.get(position).map_or("", String::as_str)
    }

    /// The text of an attribute, where it is a plain text.
    pub(super) fn text(&self, attribute: &str) -> Option<&str> {
        self.attributes.get(attribute).and_then(Value::as_str)
    }

    /// Whether a switch may be on: it is there and not plainly off.
    pub(super) fn may_be_on(&self, attribute: &str) -> bool {
        self.attributes.get(attribute).is_some_and(|value| value != &Value::Bool(false) && value != "false")
    }

    /// The names that it takes values from, at any depth.
    pub(super) fn all_references(&self) -> BTreeSet<Reference> {
        let inside = self.blocks.iter().flat_map(Self::all_references);
        self.references.values().flatten().cloned().chain(inside).collect()
    }

    /// The blocks of this type in it.
    pub(super) fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Self> {
        self.blocks.iter().filter(move |block| block.kind == kind)
    }
}

/// Reads the top-level blocks of a file.
///
/// # Errors
/// When the file is too large, not UTF-8, or not in its syntax.
pub(super) fn blocks(file: &str, bytes: &[u8]) -> Result<Vec<Block>, Problems> {
    let malformed = |message: String| Diagnostic::error(FailureReason::InvalidDocument, message);
    if bytes.len() > LARGEST {
        return Err(malformed(format!("`{file}` is larger than 1 MiB")).in_file(file).into());
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = 1 + bytes.iter().take(error.valid_up_to()).filter(|byte| **byte == b'\n').count();
        malformed(format!("`{file}` is not UTF-8 text")).at_line(file, line, 1)
    })?;
    if has_extension(file, "json") {
        let value = super::json::parse(bytes).map_err(|error| {
            malformed(format!("`{file}` is not valid Terraform JSON: {error}")).at_line(file, error.line(), error.column().max(1))
        })?;
        let mut found = Vec::new();
        json_body(file, None, &value, &Pointer::default(), &mut found);
        Ok(found)
    } else {
        let body = hcl_edit::parser::parse_body(text).map_err(|error| {
            let place = error.location();
            malformed(format!("`{file}` is not valid Terraform: {}", error.message())).at_line(file, place.line(), place.column())
        })?;
        Ok(hcl_blocks(&body, &Lines::of(file, text)))
    }
}

/// Whether the file's name ends in `.` and `extension`.
pub(super) fn has_extension(file: &str, extension: &str) -> bool {
    file.strip_suffix(extension).is_some_and(|stem| stem.ends_with('.'))
}

/// Turns offsets into lines.
struct Lines<'a> {
    file: &'a str,
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(file: &'a str, text: &'a str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(position, _)| position + 1)).collect();
        Self { file, text, starts }
    }

    fn origin(&self, offset: usize) -> Origin {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let column = 1 + self.text.get(start..offset).map_or(0, |before| before.chars().count());
        Origin { file: self.file.to_owned(), at: Spot::Line { line, column } }
    }
}

fn hcl_blocks(body: &Body, lines: &Lines<'_>) -> Vec<Block> {
    body.blocks()
        .map(|block| Block {
            kind: block.ident.as_str().to_owned(),
            labels: block.labels.iter().map(|label| label.as_str().to_owned()).collect(),
            attributes: block
                .body
                .attributes()
                .map(|attribute| (attribute.key.as_str().to_owned(), hcl_attribute(attribute.key.as_str(), &attribute.value)))
                .collect(),
            references: block
                .body
                .attributes()
                .map(|attribute| (attribute.key.as_str().to_owned(), references::in_expression(&attribute.value)))
                .collect(),
            keys: block.body.attributes().flat_map(|attribute| object_keys::in_expression(&attribute.value)).collect(),
            blocks: hcl_blocks(&block.body, lines),
            origin: lines.origin(block.span().map_or(0, |span| span.start)),
        })
        .collect()
}

/// `provider = aws.west` names a provider configuration: its text is kept. Everything else counts only as a constant.
fn hcl_attribute(key: &str, expression: &Expression) -> Value {
    match expression {
        Expression::Variable(name) if key == "provider" => Value::from(name.as_str()),
        Expression::Traversal(traversal) if key == "provider" => match (&traversal.expr, traversal.operators.first()) {
            (Expression::Variable(name), Some(operator)) if matches!(operator.value(), TraversalOperator::GetAttr(_)) => {
                Value::from(name.as_str())
            }
            _ => Value::Null,
        },
        _ => constant(expression),
    }
}

fn constant(expression: &Expression) -> Value {
    match expression {
        Expression::Bool(value) => Value::Bool(*value.value()),
        Expression::String(text) => Value::from(text.as_str()),
        Expression::Object(object) => {
            let entries = object.iter().filter_map(|(key, value)| {
                let key = match key {
                    ObjectKey::Ident(name) | ObjectKey::Expression(Expression::Variable(name)) => name.as_str().to_owned(),
                    ObjectKey::Expression(Expression::String(text)) => text.as_str().to_owned(),
                    ObjectKey::Expression(_) => return None,
                };
                Some((key, constant(value.expr())))
            });
            Value::Object(entries.collect::<Map<_, _>>())
        }
        _ => Value::Null,
    }
}

/// How many labels a block of type `kind` has inside a block of type `parent`; none where it is no block that matters here.
fn labels_of(parent: Option<&str>, kind: &str) -> Option<usize> {
    match (parent, kind) {
        (None, "terraform" | "locals") | (Some("terraform"), "required_providers" | "cloud") => Some(0),
        (None, "provider" | "variable" | "output" | "module" | "check")
        | (Some("terraform"), "backend")
        | (Some("resource"), "provisioner") => Some(1),
        (None, "resource" | "data" | "ephemeral" | "action") | (Some("check"), "data") => Some(2),
        _ => None,
    }
}

fn json_body(file: &str, parent: Option<&str>, body: &Value, at: &Pointer, found: &mut Vec<Block>) {
    match body {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                json_body(file, parent, item, &at.clone().index(index), found);
            }
        }
        Value::Object(entries) => {
            for (kind, value) in entries {
                if let Some(labels) = labels_of(parent, kind) {
                    let start = Block {
                        kind: kind.clone(),
                        labels: Vec::new(),
                        attributes: BTreeMap::new(),
                        references: BTreeMap::new(),
                        keys: BTreeSet::new(),
                        blocks: Vec::new(),
                        origin: Origin { file: file.to_owned(), at: Spot::File },
                    };
                    json_block(file, start, labels, value, &at.clone().key(kind), found);
                }
            }
        }
        _ => {}
    }
}

/// Terraform's JSON nests a block's labels as keys, and any level may be a list.
fn json_block(file: &str, block: Block, labels: usize, value: &Value, at: &Pointer, found: &mut Vec<Block>) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                json_block(file, block.copy(), labels, item, &at.clone().index(index), found);
            }
        }
        Value::Object(entries) if labels > 0 => {
            for (label, item) in entries {
                let mut labelled = block.copy();
                labelled.labels.push(label.clone());
                json_block(file, labelled, labels - 1, item, &at.clone().key(label), found);
            }
        }
        Value::Object(entries) => {
            let mut block = block;
            block.origin.at = Spot::Pointer(at.clone().at_key());
            block.attributes = entries.iter().map(|(key, value)| (key.clone(), json_constant(value))).collect();
            block.references = entries.iter().map(|(key, value)| (key.clone(), references::in_json(value))).collect();
            block.keys = object_keys::in_json(value);
            json_body(file, Some(&block.kind.clone()), value, at, &mut block.blocks);
            found.push(block);
        }
        _ => {}
    }
}

fn json_constant(value: &Value) -> Value {
    match value {
        Value::String(text) if text.contains("${") || text.contains("%{") => Value::Null,
        Value::Object(entries) => Value::Object(entries.iter().map(|(key, value)| (key.clone(), json_constant(value))).collect()),
        other => other.clone(),
    }
}
