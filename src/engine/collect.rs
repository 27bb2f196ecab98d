//! From what Terraform put out and steps left to connection records (R12, R20).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::documents;
use crate::domain::address::Address;
use crate::domain::connection::{ConnectionRecord, Face, Handle, Producer};
use crate::domain::connection_type::ConnectionType;
use crate::domain::deployment::PublishedFace;
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::{Alias, AttributeName, Digest, OutputName, StepName};
use crate::domain::plugin::Plugin;
use crate::domain::record::SCHEMA_VERSION;
use crate::domain::step_record::{RecordedOutput, StepRecord};
use crate::render::names;
use crate::terraform::OutputValue;

/// What there is to publish.
pub(super) struct Values<'a> {
    /// The plugin, which says what comes from where.
    pub plugin: &'a Plugin,
    /// What Terraform put out.
    pub terraform: &'a BTreeMap<String, OutputValue>,
    /// What create steps left.
    pub steps: &'a BTreeMap<StepName, StepRecord>,
}

/// What is published of one applied plugin.
pub(super) struct Publisher<'a> {
    /// The manifest's file, for places.
    pub file: &'a str,
    /// The applied plugin.
    pub alias: &'a Alias,
    /// What made it.
    pub producer: &'a Producer,
    /// The uid of a connection that did not exist before.
    pub fresh_uid: &'a str,
}

impl Publisher<'_> {
    /// The records of all outputs, or every way in which they break their contracts.
    pub(super) fn records(
        &self,
        outputs: &BTreeMap<OutputName, Vec<PublishedFace>>,
        address: impl Fn(&OutputName) -> Address,
        values: &Values<'_>,
        before: &BTreeMap<Address, ConnectionRecord>,
    ) -> Result<Vec<ConnectionRecord>, Problems> {
        let mut problems = Problems::default();
        let mut records = Vec::new();
        for (output, published) in outputs {
            let (mut faces, mut revisions) = (Vec::new(), Vec::new());
            for (position, face) in published.iter().enumerate() {
                let mut found = Found::of(output, position, values.terraform);
                found.add_left(face, values);
                revisions.append(&mut found.revisions);
                problems.extend(self.violations(output, &face.connection_type, &found));
                faces.push(found.face(face));
            }
            let revision = values.terraform.get(&names::revision_output(output)).and_then(|value| value.value.as_ref()?.as_str());
            let revision = match (revision, revisions.is_empty()) {
                (revision, true) => revision.map(str::to_owned),
                (revision, false) => Some(Digest::of_json(&(revision, revisions)).as_str().to_owned()),
            };
            let address = address(output);
            let previous = before.get(&address);
            records.extend(self.record(address, faces, revision, previous));
        }
        if problems.any_error() { Err(problems) } else { Ok(records) }
    }

    fn record(
        &self,
        address: Address,
        mut faces: Vec<Face>,
        revision: Option<String>,
        previous: Option<&ConnectionRecord>,
    ) -> Option<ConnectionRecord> {
        let digest = ConnectionRecord::digest_of(&faces, revision.as_deref());
        let generation = match previous {
            Some(previous) if previous.digest == digest => previous.generation,
            Some(previous) => previous.generation + 1,
            None => 1,
        };
        let also = faces.split_off(1.min(faces.len()));
        let deprecation = previous.and_then(|previous| previous.deprecation.clone());
        Some(ConnectionRecord {
            schema_version: SCHEMA_VERSION,
            address,
            uid: previous.map_or_else(|| self.fresh_uid.to_owned(), |previous| previous.uid.clone()),
            face: faces.pop()?,
            also,
            sensitive_revision: revision,
            digest,
            generation,
            producer: self.producer.clone(),
            status: ConnectionRecord::well(deprecation.as_ref()),
            degraded_by: None,
            deprecation,
        })
    }

    fn violations(&self, output: &OutputName, contract: &ConnectionType, found: &Found) -> Problems {
        let place = Pointer::keys(["plugins", self.alias.as_str()]).at_key();
        let violated = |message: String| {
            Diagnostic::error(FailureReason::ContractViolated, message)
                .at(self.file, place.clone())
                .label(format!("published as `{}` {}", contract.name, contract.version))
                .note("the infrastructure exists and its state is saved; the connection's last good record, if any, stays and is degraded")
                .help("correct the plugin's outputs or its `generates`, then deploy again")
        };
        let unreadable = found.unreadable.iter().map(|(attribute, why)| {
            violated(format!("`{}.{output}` breaks its contract: attribute `{attribute}`: {why}", self.alias))
        });
        let mut problems = Problems(unreadable.collect());
        let public = Value::Object(found.public.clone());
        for problem in documents::validate_value(&public_part(contract), &public, false) {
            let at = problem.pointer.to_string();
            let attribute = if at.is_empty() { String::new() } else { format!(" attribute `{at}`:") };
            problems.push(violated(format!("`{}.{output}` breaks its contract:{attribute} {}", self.alias, problem.message)));
        }
        for name in contract.sensitive() {
            if contract.required().contains(&name) && !found.present.contains(&name) {
                problems.push(violated(format!(
                    "`{}.{output}` breaks its contract: the sensitive attribute `{name}` is missing",
                    self.alias
                )));
            }
            let declared = contract.attributes["properties"][name.as_str()]["type"].as_str();
            let actual = found.types.get(&name);
            if let (Some(declared), Some(actual)) = (declared, actual)
                && !fits(declared, actual)
            {
                problems.push(violated(format!(
                    "`{}.{output}` breaks its contract: the sensitive attribute `{name}` must be {declared}, it is {actual}",
                    self.alias
                )));
            }
        }
        problems
    }
}

/// What was found for one face.
struct Found {
    public: Map<String, Value>,
    present: BTreeSet<AttributeName>,
    types: BTreeMap<AttributeName, String>,
    /// The handles of those that are not in a state.
    handles: BTreeMap<AttributeName, Handle>,
    /// The revisions of these.
    revisions: Vec<String>,
    /// What steps left that does not mean what it should.
    unreadable: Vec<(AttributeName, &'static str)>,
}

impl Found {
    fn of(output: &OutputName, position: usize, values: &BTreeMap<String, OutputValue>) -> Self {
        let object =
            |name: &str| values.get(name).and_then(|output| output.value.as_ref()?.as_object().cloned()).unwrap_or_default();
        let mut public = object(&names::public_output(output, position));
        // An optional attribute that the module leaves null is absent.
        public.retain(|_, value| !value.is_null());
        let present = object(&names::presence_output(output, position))
            .into_iter()
            .filter(|(_, present)| present == &Value::Bool(true))
            .filter_map(|(name, _)| AttributeName::new(name).ok())
            .collect();
        let types = values
            .get(&names::sensitive_output(output, position))
            .map(|output| attribute_types(&output.type_))
            .unwrap_or_default();
        let (handles, revisions, unreadable) = (BTreeMap::new(), Vec::new(), Vec::new());
        Self { public, present, types, handles, revisions, unreadable }
    }

    /// Adds what comes from create steps.
    fn add_left(&mut self, face: &PublishedFace, values: &Values<'_>) {
        for (attribute, from) in &face.from {
            let (Some(output), Some((step, name))) = (values.plugin.step_output(from), from.split_once('.')) else { continue };
            match values.steps.get(step).and_then(|step| step.outputs.get(name)) {
                Some(RecordedOutput::Plain { text }) => match output.meaning().read(text) {
                    Ok(value) => _ = self.public.insert(attribute.to_string(), value),
                    Err(why) => self.unreadable.push((attribute.clone(), why)),
                },
                Some(RecordedOutput::Sealed { sealed, recipients, revision }) => {
                    let (sealed, recipients) = (sealed.clone(), recipients.clone());
                    self.handles.insert(attribute.clone(), Handle::Sealed { sealed, recipients, kind: output.kind });
                    self.present.insert(attribute.clone());
                    self.types.extend(output.meaning().terraform_type().map(|kind| (attribute.clone(), kind.to_owned())));
                    self.revisions.push(revision.clone());
                }
                None => {}
            }
        }
    }

    fn face(self, published: &PublishedFace) -> Face {
        let contract = &published.connection_type;
        Face {
            type_name: contract.name.clone(),
            type_version: contract.version.clone(),
            attributes: self
                .public
                .into_iter()
                .filter_map(|(name, value)| Some((AttributeName::new(name).ok()?, value)))
                .collect(),
            sensitive: self
                .present
                .into_iter()
                .map(|name| (name.clone(), self.handles.get(&name).cloned().unwrap_or(Handle::STATE)))
                .collect(),
        }
    }
}

/// The types of an object's attributes, in Terraform's words, out of `["object", {…}]`.
fn attribute_types(object: &Value) -> BTreeMap<AttributeName, String> {
    let fields = object.get(1).and_then(Value::as_object);
    let named = fields.into_iter().flatten().filter_map(|(name, kind)| {
        let kind = kind.as_str().or_else(|| kind.get(0)?.as_str())?;
        Some((AttributeName::new(name.as_str()).ok()?, kind.to_owned()))
    });
    named.collect()
}

/// Whether a Terraform type can hold values of a JSON Schema type.
fn fits(declared: &str, actual: &str) -> bool {
    match declared {
        "string" => actual == "string",
        "integer" | "number" => actual == "number",
        "boolean" => actual == "bool",
        "array" => matches!(actual, "list" | "set" | "tuple"),
        "object" => matches!(actual, "object" | "map"),
        _ => true,
    }
}

/// The contract without its sensitive attributes, whose values nobody sees.
fn public_part(contract: &ConnectionType) -> Value {
    let mut schema = contract.attributes.clone();
    let sensitive = contract.sensitive();
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.retain(|name, _| !sensitive.contains(name.as_str()));
    }
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|name| name.as_str().is_none_or(|name| !sensitive.contains(name)));
    }
    if let Some(fields) = schema.as_object_mut() {
        fields.entry("additionalProperties").or_insert(Value::Bool(false));
    }
    schema
}
