//! From an applied plugin and its bindings to the root module that Terraform runs. Pure: the same request yields the same bytes.
//!
//! Everything is typed JSON. The only texts that are put together are expressions, and those consist of validated names alone.

pub mod backend;
pub mod bundle;
mod escape;
mod moved;
pub mod names;
mod outputs;
mod placeholder;
mod provider;
mod states;
pub mod templates;
#[cfg(test)]
mod tests;
mod wiring;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::domain::account::Account;
use crate::domain::address::Place;
use crate::domain::canonical;
use crate::domain::deployment::PublishedFace;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::module::Module;
use crate::domain::names::{Alias, AttributeName, Digest, InputName, OutputName, SlotName};
use crate::domain::organization::Backend;
use crate::domain::plugin::Plugin;
use crate::domain::record::StateLocation;

pub use escape::escape;
pub use placeholder::placeholder;
pub use states::state_name;
pub use wiring::{Argument, wiring};

use states::States;

/// The version of what is generated here. It rises when the same request would yield something that Terraform has to apply anew.
pub const GENERATOR: u32 = 1;

/// The oldest Terraform that the generated parts work with.
const OLDEST_TERRAFORM: &str = ">= 1.5";

/// The oldest Terraform whose `s3` backend takes a role by a web-identity token.
const WITH_STATE_ROLE: &str = ">= 1.6";

/// Everything that a root module follows from.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The deployable in its environment.
    pub place: &'a Place,
    /// The applied plugin.
    pub alias: &'a Alias,
    /// Its document.
    pub plugin: &'a Plugin,
    /// What it publishes.
    pub outputs: &'a BTreeMap<OutputName, Vec<PublishedFace>>,
    /// Its module, read statically.
    pub module: &'a Module,
    /// The modules of its tree that the module calls.
    pub nested: &'a [Module],
    /// Its public inputs.
    pub inputs: &'a BTreeMap<InputName, Value>,
    /// Its sensitive inputs that have a value.
    pub sensitive_inputs: &'a BTreeSet<InputName>,
    /// Its slots; optional ones that are not wired are absent.
    pub slots: &'a BTreeMap<SlotName, BoundSlot>,
    /// Where its state is.
    pub state: &'a StateLocation,
    /// The folder that relative paths of `local` backends start from; none where there is no such folder.
    pub local_base: Option<&'a Path>,
    /// What the plugin's own create steps left, by `step.output`.
    pub made: &'a BTreeMap<String, StepValue>,
    /// The environment's account.
    pub account: Option<&'a Account>,
    /// The role that states are reached with; none where Terraform has but one identity.
    pub state_role: Option<StateRole<'a>>,
    /// Whether the environment is a preview.
    pub preview: bool,
    /// Addresses of resources and modules that were in a root module of their own, and belong into the plugin's.
    pub adopted: &'a [String],
}

/// What a create step left, as the module is handed it.
#[derive(Debug, Clone, PartialEq)]
pub enum StepValue {
    /// In clear.
    Plain(Value),
    /// In a sensitive root variable of this name, supplied by the run.
    Variable(String),
}

/// What is made by no steps.
pub static NOTHING_MADE: BTreeMap<String, StepValue> = BTreeMap::new();

/// A role for states in S3, taken by a web-identity token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateRole<'a> {
    /// Its ARN.
    pub role: &'a str,
    /// What the cloud's records call the session.
    pub session: &'a str,
    /// The file that holds the token, from the root module's folder: where that folder is must not be seen in a plan.
    pub token_file: &'a str,
}

/// What a slot is handed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BoundSlot {
    /// The public attributes, in clear.
    pub attributes: BTreeMap<AttributeName, Value>,
    /// Where the sensitive ones are; only those that the plugin asks for, or that are `unasked`, are used.
    pub sensitive: BTreeMap<AttributeName, SensitiveSource>,
    /// Those that are handed over though the plugin may not have asked: a mapping made them, and the slot's own type may call them
    /// public.
    pub unasked: BTreeSet<AttributeName>,
}

/// Where Terraform finds a sensitive attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum SensitiveSource {
    /// In the state of the applied plugin that publishes it.
    State {
        /// That state.
        location: StateLocation,
        /// The output that is bound.
        output: OutputName,
        /// Which of its faces, from 0.
        face: usize,
    },
    /// In a state that is not ours.
    ForeignState {
        /// The backend, with its key.
        backend: Backend,
        /// The state's output.
        output: String,
    },
    /// In a root variable of this name, supplied by the run.
    Variable(String),
    /// Nowhere any more: this stands in for it, in a destroy.
    Placeholder(Value),
    /// In another attribute, which is found there: all of that, or what is inside it.
    Part {
        /// Where that attribute is.
        of: Box<Self>,
        /// Its name.
        attribute: AttributeName,
        /// What is meant inside it, from the outermost on.
        inside: Vec<AttributeName>,
    },
    /// An object of such values.
    Object(BTreeMap<AttributeName, Self>),
    /// Here: it is no secret where it comes from.
    Plain(Value),
}

/// A generated root module. It expects the plugin's tree in `./plugin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// `main.tf.json`, canonical.
    pub main: Vec<u8>,
    /// The sensitive variables that a variable file has to supply.
    pub variables: BTreeSet<String>,
    /// The providers that it configures, by local name.
    pub providers: BTreeSet<String>,
}

/// Renders the root module.
///
/// # Errors
/// Everything that keeps the module's variables, outputs or states from being wired.
pub fn root(request: &Request<'_>) -> Result<Root, Problems> {
    let mut problems = Problems::default();
    let mut states = States::new(request);
    let arguments = arguments(request, &mut states, &mut problems);
    let outputs = outputs::Published::of(request, &mut problems);
    let mut moved = moved::moved(request.plugin.terraform.as_ref().map_or(&[][..], |terraform| &terraform.moved), &mut problems);
    moved.extend(moved::adopted(request.adopted, &mut problems));
    let providers = provider::settings(request);
    let mut settings = json!({"required_version": escape(&required_version(request).into())});
    match backend::backend_block(request.state, request.local_base, request.state_role) {
        Ok((kind, block)) => settings[kind] = block,
        Err(more) => problems.extend(more),
    }
    let (data, variables, locals) = states.finish(&mut problems);
    if problems.any_error() {
        return Err(problems);
    }

    if !providers.sources.is_empty() {
        settings["required_providers"] = Value::Object(providers.sources);
    }
    let declared: Map<String, Value> =
        variables.iter().map(|name| (name.clone(), json!({"type": "any", "sensitive": true}))).collect();
    let mut main = json!({"terraform": settings, "module": {"plugin": arguments}});
    let configured = providers.blocks.keys().cloned().collect();
    for (kind, blocks) in [
        ("provider", providers.blocks),
        ("variable", declared),
        ("data", nest("terraform_remote_state", data)),
        ("resource", nest("terraform_data", outputs.revisions)),
        ("output", outputs.outputs),
    ] {
        if !blocks.is_empty() {
            main[kind] = Value::Object(blocks);
        }
    }
    if !locals.is_empty() {
        main["locals"] = Value::Object(locals);
    }
    if !moved.is_empty() {
        main["moved"] = Value::Array(moved);
    }
    Ok(Root { main: canonical::to_bytes(&main), variables, providers: configured })
}

fn required_version(request: &Request<'_>) -> String {
    let required =
        request.plugin.terraform.as_ref().and_then(|terraform| terraform.required_version.as_deref()).unwrap_or(OLDEST_TERRAFORM);
    if request.state_role.is_some() { format!("{required}, {WITH_STATE_ROLE}") } else { required.to_owned() }
}

fn nest(kind: &str, blocks: Map<String, Value>) -> Map<String, Value> {
    if blocks.is_empty() { blocks } else { Map::from_iter([(kind.to_owned(), Value::Object(blocks))]) }
}

/// The arguments of the module's call.
fn arguments(request: &Request<'_>, states: &mut States<'_>, problems: &mut Problems) -> Map<String, Value> {
    let given = request.inputs.keys().chain(request.sensitive_inputs).cloned();
    let inputs = request.plugin.input_names().into_iter().chain(given).collect();
    let wiring = match wiring(request.plugin, request.module, &inputs) {
        Ok(wiring) => wiring,
        Err(more) => {
            problems.extend(more);
            return Map::new();
        }
    };
    let mut arguments = Map::new();
    for (variable, argument) in wiring {
        match value_of(request, &argument, states) {
            Ok(Some(value)) => {
                arguments.insert(variable, value);
            }
            Ok(None) => problems.extend(unsupplied(request, &variable, &argument)),
            Err(more) => problems.extend(more),
        }
    }
    arguments.insert("source".to_owned(), json!(module_source(request.plugin.module().unwrap_or("."))));
    arguments
}

/// Where the plugin's module is, seen from the root: the plugin's tree stands in `./plugin`.
fn module_source(folder: &str) -> String {
    let inside: Vec<&str> = folder.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    std::iter::once("./plugin").chain(inside).collect::<Vec<_>>().join("/")
}

fn value_of(request: &Request<'_>, argument: &Argument, states: &mut States<'_>) -> Result<Option<Value>, Problems> {
    match argument {
        Argument::Tieline => Ok(Some(tieline(request))),
        Argument::Metadata => Ok(Some(metadata(request))),
        Argument::Input(input) if request.sensitive_inputs.contains(input) => {
            states.variable(&names::input_variable(input)).map(Some)
        }
        Argument::Input(input) => Ok(request.inputs.get(input).map(escape)),
        Argument::Step(output) => match request.made.get(output) {
            Some(StepValue::Plain(value)) => Ok(Some(escape(value))),
            Some(StepValue::Variable(name)) => states.variable(name).map(Some),
            None => Ok(None),
        },
        Argument::Slot(slot) => {
            let Some(bound) = request.slots.get(slot) else { return Ok(None) };
            let mut object: Map<String, Value> =
                bound.attributes.iter().map(|(name, value)| (name.to_string(), escape(value))).collect();
            for (attribute, source) in &bound.sensitive {
                if is_handed(request.plugin, slot, attribute, bound) {
                    object.insert(attribute.to_string(), states.reference(slot, attribute, source)?);
                }
            }
            Ok(Some(Value::Object(object)))
        }
        Argument::Attribute(slot, attribute) => {
            let Some(bound) = request.slots.get(slot) else { return Ok(None) };
            match bound.sensitive.get(attribute) {
                Some(source) if is_handed(request.plugin, slot, attribute, bound) => {
                    states.reference(slot, attribute, source).map(Some)
                }
                Some(_) => Err(Diagnostic::error(
                    FailureReason::InvalidDocument,
                    format!("`{slot}.{attribute}` is sensitive, and the plugin does not ask for it"),
                )
                .help(format!("add `{attribute}` to `sensitive` of the slot `{slot}`"))
                .into()),
                None => Ok(bound.attributes.get(attribute).map(escape)),
            }
        }
    }
}

fn is_handed(plugin: &Plugin, slot: &SlotName, attribute: &AttributeName, bound: &BoundSlot) -> bool {
    bound.unasked.contains(attribute) || plugin.requires.get(slot).is_some_and(|slot| slot.sensitive.contains(attribute))
}

/// A variable without a default needs a value; one with a default is left to it.
fn unsupplied(request: &Request<'_>, variable: &str, argument: &Argument) -> Problems {
    let Some(declared) = request.module.variables.get(variable).filter(|declared| declared.required) else {
        return Problems::default();
    };
    let why = match argument {
        Argument::Input(input) => format!("the input `{input}` has no value"),
        Argument::Slot(slot) => format!("the slot `{slot}` is not wired"),
        Argument::Attribute(slot, _) if !request.slots.contains_key(slot) => format!("the slot `{slot}` is not wired"),
        Argument::Attribute(slot, attribute) => format!("the connection of slot `{slot}` has no attribute `{attribute}`"),
        Argument::Step(output) => format!("no step has left `{output}`"),
        Argument::Tieline | Argument::Metadata => return Problems::default(),
    };
    let problem = Diagnostic::error(FailureReason::InvalidDocument, format!("variable `{variable}` needs a value, and {why}"))
        .help(format!("supply it in the manifest of `{}`, or give the variable a default in the module", request.alias));
    Diagnostic { origin: Some(declared.origin.clone()), ..problem }.into()
}

/// What a module that declares `variable "tieline"` is told.
fn tieline(request: &Request<'_>) -> Value {
    let place = request.place;
    json!({
        "workspace": place.workspace,
        "environment": place.environment,
        "deployable": place.deployable,
        "alias": request.alias,
        "name_prefix": names::name_prefix(place, request.alias),
        "tags": names::tags(place, request.alias),
        "preview": request.preview,
    })
}

/// What a module of a Massdriver bundle is told. Nothing in it is of one run, or each plan would differ from the one before.
fn metadata(request: &Request<'_>) -> Value {
    let place = request.place;
    let alias = crate::domain::sequence::main_of(request.alias, request.plugin);
    let prefix = names::name_prefix(place, &alias);
    json!({
        "name_prefix": prefix,
        "default_tags": {
            "managed-by": "tieline",
            "md-project": place.deployable,
            "md-target": place.environment,
            "md-manifest": alias,
            "md-package": prefix,
        },
        "deployment": {"id": Digest::of(format!("{place}/{alias}").as_bytes()).short()},
        "observability": {"alarm_webhook_url": ""},
        "package": {
            "created_at": LONG_AGO, "updated_at": LONG_AGO, "deployment_enqueued_at": LONG_AGO, "previous_status": "PROVISIONED",
        },
        "target": {"contact_email": ""},
    })
}

/// The time of what has no time that a plan could be made with.
const LONG_AGO: &str = "1970-01-01T00:00:00Z";
