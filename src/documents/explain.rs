//! What a JSON Schema has against a value, in words that a person can act on.

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::paths::{Location, LocationSegment};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;

use super::finding::{Finding, listed};
use super::rules::{FORMATS, rule_of};
use super::schema;
use crate::domain::diagnostic::Pointer;

/// Explains the errors of one schema.
pub(super) struct Explainer<'a> {
    pub(super) schema: &'a Value,
    /// The way to the value that the schema is for.
    pub(super) base: Pointer,
    /// Say nothing of the value itself: it may be secret.
    pub(super) hide_values: bool,
}

impl Explainer<'_> {
    /// The findings that an error stands for: several for several unknown fields, and those of the alternative that was meant.
    pub(super) fn explain(&self, error: &ValidationError) -> Vec<Finding> {
        match error.kind() {
            Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
                unexpected.iter().flat_map(|name| self.unexpected(error, name)).collect()
            }
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => self.alternatives(error, context),
            Kind::PropertyNames { error: inner } => vec![self.bad_key(error, inner)],
            _ => vec![self.single(error)],
        }
    }

    fn single(&self, error: &ValidationError) -> Finding {
        let at = self.place(error.instance_path());
        let subject = subject(&at);
        match error.kind() {
            Kind::Required { property } => self.missing_field(error, property.as_str().unwrap_or_default()),
            Kind::Type { kind } => self.wrong_type(error, &types_of(kind)),
            Kind::Constant { expected_value } => self.not_an_option(error, &[plain(expected_value)]),
            Kind::Enum { options } => {
                let options: Vec<String> = options.as_array().into_iter().flatten().map(plain).collect();
                self.not_an_option(error, &options)
            }
            Kind::Pattern { pattern } => match rule_of(pattern) {
                Some(rule) => Finding::new(at, format!("{} is not valid here: {rule}", self.value_or(error, &subject))),
                None => Finding::new(at, format!("{} does not match the pattern `{pattern}`", self.value_or(error, &subject))),
            },
            Kind::Format { format } => Finding::new(at, self.format_rule(error, format, &subject)),
            Kind::FalseSchema => Finding::new(at, format!("{subject} is not allowed")),
            Kind::OneOfMultipleValid { .. } => {
                Finding::new(at, format!("{subject} fits several alternatives where only one may fit"))
            }
            _ if self.hide_values => Finding::new(at, format!("{subject}: {}", error.masked_with("the value"))),
            _ => Finding::new(at, format!("{subject}: {error}")),
        }
    }

    /// What is wrong with an entry that the schema has no place for, and with the value of one whose name alone is wrong.
    fn unexpected(&self, error: &ValidationError, name: &str) -> Vec<Finding> {
        let at = self.place(error.instance_path());
        if self.hide_values {
            return vec![Finding::new(at.clone(), format!("{} has a field that its schema does not know", subject(&at)))];
        }
        let named = self.holder(error).get("patternProperties").and_then(Value::as_object).and_then(|all| all.iter().next());
        let Some((pattern, schema)) = named else { return vec![self.unknown_field(error, name, at)] };
        let rule = rule_of(pattern).map_or_else(|| format!("it must match `{pattern}`"), str::to_owned);
        let at = at.key(name);
        let message = format!("`{}` is not a valid name: {rule}", shortened(name));
        let mut findings = vec![Finding::new(at.clone().at_key(), message).label("not a valid name")];
        if let Some(value) = error.instance().get(name) {
            findings.extend(self.below(schema, value, at));
        }
        findings
    }

    /// What a part of this schema has against a value.
    fn below(&self, part: &Value, value: &Value, base: Pointer) -> Vec<Finding> {
        let mut schema = part.clone();
        if let (Some(fields), Some(definitions)) = (schema.as_object_mut(), self.schema.get("$defs")) {
            fields.insert("$defs".to_owned(), definitions.clone());
        }
        let Ok(validator) = schema::options().build(&schema) else { return Vec::new() };
        let explainer = Explainer { schema: &schema, base, hide_values: self.hide_values };
        validator.iter_errors(value).flat_map(|error| explainer.explain(&error)).collect()
    }

    fn unknown_field(&self, error: &ValidationError, name: &str, at: Pointer) -> Finding {
        let properties = self.holder(error).get("properties").and_then(Value::as_object);
        let known: Vec<&str> = properties.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        let place = if at.segments.is_empty() { String::new() } else { format!(" in `{at}`") };
        let message = format!("unknown field `{}`{place}", shortened(name));
        let finding = Finding::new(at.key(name).at_key(), message).label("unknown field").suggest(name, known.iter().copied());
        if known.is_empty() {
            finding.note("no fields are known here")
        } else {
            finding.note(format!("known fields: {}", listed(known)))
        }
    }

    fn missing_field(&self, error: &ValidationError, name: &str) -> Finding {
        let at = self.place(error.instance_path());
        let finding =
            Finding::new(at.clone(), format!("{} lacks the field `{name}`", subject(&at))).label(format!("`{name}` is missing"));
        match self.holder(error).pointer(&format!("/properties/{}/description", escaped(name))).and_then(Value::as_str) {
            Some(meaning) => finding.note(format!("`{name}`: {}", meaning.replace('\n', " "))),
            None => finding,
        }
    }

    fn wrong_type(&self, error: &ValidationError, expected: &[JsonType]) -> Finding {
        let at = self.place(error.instance_path());
        let mut kinds = expected.to_vec();
        kinds.sort_by_key(|kind| (*kind == JsonType::Null, *kind as u8));
        kinds.dedup();
        let wanted = kinds.into_iter().map(type_in_words).collect::<Vec<_>>().join(" or ");
        let found = JsonType::from(error.instance().as_ref());
        let found_words = if found == JsonType::Boolean { "a boolean" } else { type_in_words(found) };
        let message = format!("{} must be {wanted}, not {found_words}", subject(&at));
        let finding = Finding::new(at, message).label(format!("expected {wanted}"));
        let scalar = matches!(found, JsonType::Number | JsonType::Integer | JsonType::Boolean);
        if scalar && expected.contains(&JsonType::String) { finding.help("put it in quotes") } else { finding }
    }

    fn not_an_option(&self, error: &ValidationError, options: &[String]) -> Finding {
        let at = self.place(error.instance_path());
        let choice = if options.len() == 1 { "must be" } else { "must be one of" };
        let options = options.iter().map(String::as_str);
        let subject = subject(&at);
        let message = format!("{subject} {choice} {}", listed(options.clone()));
        if self.hide_values {
            return Finding::new(at, message);
        }
        let found = plain(error.instance());
        Finding::new(at, format!("{message}, not `{}`", shortened(&found))).suggest(&found, options)
    }

    fn bad_key(&self, error: &ValidationError, inner: &ValidationError) -> Finding {
        let at = self.place(error.instance_path());
        if self.hide_values {
            return Finding::new(at.clone(), format!("{} has a key that its schema does not allow", subject(&at)));
        }
        let name = plain(inner.instance());
        Finding::new(at.key(&name).at_key(), format!("the key `{}` is not allowed: {inner}", shortened(&name)))
    }

    fn format_rule(&self, error: &ValidationError, format: &str, subject: &str) -> String {
        let ours = FORMATS.iter().find(|known| known.name == format);
        match (ours, error.instance().as_str()) {
            (Some(known), Some(text)) if !self.hide_values => {
                (known.check)(text).err().unwrap_or_else(|| format!("{subject} is not a valid {format}"))
            }
            _ => format!("{} is not a valid {format}", self.value_or(error, subject)),
        }
    }

    /// The findings of the alternative that was most likely meant.
    fn alternatives(&self, error: &ValidationError, branches: &[Vec<ValidationError<'static>>]) -> Vec<Finding> {
        let here = |inner: &ValidationError| inner.instance_path() == error.instance_path();
        let of_type: Vec<&Vec<ValidationError>> = branches
            .iter()
            .filter(|branch| !branch.iter().any(|inner| here(inner) && matches!(inner.kind(), Kind::Type { .. })))
            .collect();
        if of_type.is_empty() {
            let types: Vec<JsonType> = branches.iter().flatten().flat_map(expected_types).collect();
            return vec![self.wrong_type(error, &types)];
        }
        let options: Option<Vec<String>> = of_type.iter().map(|branch| single_option(branch)).collect();
        if let Some(options) = options {
            return vec![self.not_an_option(error, &options)];
        }
        let shaped: Vec<_> = of_type
            .iter()
            .filter(|branch| {
                !branch
                    .iter()
                    .any(|inner| here(inner) && matches!(inner.kind(), Kind::Required { .. } | Kind::AdditionalProperties { .. }))
            })
            .collect();
        if let [branch] = shaped.as_slice() {
            return branch.iter().flat_map(|inner| self.explain(inner)).collect();
        }
        if let [branch] = of_type.as_slice() {
            return branch.iter().flat_map(|inner| self.explain(inner)).collect();
        }
        let fields: Vec<&str> = of_type.iter().flat_map(|branch| self.distinguishing_fields(branch)).collect();
        let at = self.place(error.instance_path());
        let subject = subject(&at);
        if fields.is_empty() {
            return vec![Finding::new(at, format!("{subject} fits none of the alternatives"))];
        }
        let finding =
            Finding::new(at, format!("{subject} must have exactly one of the fields {}", listed(fields.iter().copied())));
        let written = error.instance().as_object().filter(|_| !self.hide_values).into_iter().flatten().map(|(name, _)| name);
        let wrong = written.filter(|name| !fields.contains(&name.as_str()));
        vec![wrong.fold(finding, |finding, name| finding.suggest(name, fields.iter().copied()))]
    }

    /// The fields that the schema of a failed alternative requires.
    fn distinguishing_fields(&self, branch: &[ValidationError]) -> Vec<&str> {
        let holder = branch.first().map(|inner| self.holder(inner));
        let required = holder.and_then(|holder| holder.get("required")).and_then(Value::as_array);
        required.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// The part of the schema that has the keyword which failed.
    fn holder(&self, error: &ValidationError) -> &Value {
        let path = error.schema_path().as_str();
        path.rsplit_once('/').and_then(|(parent, _)| self.schema.pointer(parent)).unwrap_or(&Value::Null)
    }

    /// The way to a place, as far as it may be said: keys of a hidden value only where the schema itself names them.
    pub(super) fn place(&self, location: &Location) -> Pointer {
        let mut pointer = self.base.clone();
        let mut schema = Some(self.schema);
        for segment in location {
            match segment {
                LocationSegment::Property(name) => {
                    schema = schema.and_then(|schema| schema.get("properties")?.get(name.as_ref()));
                    if self.hide_values && schema.is_none() {
                        break;
                    }
                    pointer = pointer.key(name);
                }
                LocationSegment::Index(index) => {
                    schema = schema.and_then(|schema| schema.get("items"));
                    pointer = pointer.index(index);
                }
            }
        }
        pointer
    }

    fn value_or(&self, error: &ValidationError, subject: &str) -> String {
        if self.hide_values { subject.to_owned() } else { format!("`{}`", shortened(&plain(error.instance()))) }
    }
}

/// What a place is called in a sentence.
fn subject(at: &Pointer) -> String {
    match at.segments.last() {
        None => "the document".to_owned(),
        Some(_) => format!("`{at}`"),
    }
}

fn expected_types(error: &ValidationError) -> Vec<JsonType> {
    match error.kind() {
        Kind::Type { kind } => types_of(kind),
        _ => Vec::new(),
    }
}

fn types_of(kind: &TypeKind) -> Vec<JsonType> {
    match kind {
        TypeKind::Single(kind) => vec![*kind],
        TypeKind::Multiple(kinds) => kinds.iter().collect(),
    }
}

/// The one value that an alternative allows, if it is of that sort.
fn single_option(branch: &[ValidationError]) -> Option<String> {
    match branch {
        [only] => match only.kind() {
            Kind::Constant { expected_value } => Some(plain(expected_value)),
            _ => None,
        },
        _ => None,
    }
}

fn type_in_words(kind: JsonType) -> &'static str {
    match kind {
        JsonType::Null => "null",
        JsonType::Boolean => "true or false",
        JsonType::Integer => "a whole number",
        JsonType::Number => "a number",
        JsonType::String => "text",
        JsonType::Array => "a list",
        JsonType::Object => "a mapping",
    }
}

/// A value as people write it.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn shortened(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        Some((byte, _)) => format!("{}…", &text[..byte]),
        None => text.to_owned(),
    }
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
