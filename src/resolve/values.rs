//! Input values, layer upon layer.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Inputs;
use super::bundle;
use super::contract::{Contract, Contracts};
use super::nearest::suggest;
use super::schema::Violation;
use super::view::{Placed, View, in_document};
use crate::domain::address::AliasMember;
use crate::domain::deployment::{InputValue, Layer, ResolvedInput};
use crate::domain::diagnostic::{Diagnostic, Origin, Pointer, Problems, Segment};
use crate::domain::failure::FailureReason;
use crate::domain::foreign::PRESET;
use crate::domain::names::{Alias, InputName};

/// Every layer's value of each input of one applied plugin, strongest first.
type Layers<'a> = BTreeMap<InputName, Vec<(Layer, &'a Value)>>;

/// Where values come from: the documents around a view and the run; none of them when only the manifest is checked.
#[derive(Clone, Copy)]
struct Sources<'a> {
    view: &'a View<'a>,
    run: Option<&'a Inputs<'a>>,
}

/// Checks what the manifest itself gives, as far as that can be done without the values around it.
pub(super) fn check_offline<'a>(view: &'a View<'a>, contracts: &Contracts<'a>, problems: &mut Problems) {
    let sources = Sources { view, run: None };
    for (alias, applied) in view.deployed() {
        if let Some(contract) = contracts.of(applied) {
            sources.resolve(alias, contract, problems);
        }
    }
}

/// Checks that the run's inputs and secrets belong to something.
pub(super) fn check_names(inputs: &Inputs<'_>, view: &View<'_>, contracts: &Contracts<'_>, problems: &mut Problems) {
    let given = inputs.run_inputs.keys().map(|of| (of, "inputs")).chain(inputs.secrets.iter().map(|of| (of, "secrets")));
    for (of, through) in given {
        let Some(applied) = view.merged.plugins.get(&of.alias) else {
            let message = format!("`{of}` was given through `{through}`, but there is no applied plugin `{}`", of.alias);
            let problem = Diagnostic::error(FailureReason::InvalidInput, message);
            problems.push(suggest(problem, of.alias.as_str(), view.merged.plugins.keys().map(Alias::as_str)));
            continue;
        };
        let Some(contract) = contracts.of(applied) else { continue };
        if through == "secrets" && contract.input_names.contains(&of.member) && !contract.sensitive.contains(&of.member) {
            let message = format!("`{of}` was given through `secrets`, but it is not a sensitive input");
            problems.push(Diagnostic::error(FailureReason::InvalidInput, message).help("give it through `inputs`"));
        } else if !contract.input_names.contains(&of.member) && (through == "secrets" || contract.is_closed()) {
            let message = format!("`{of}` was given through `{through}`, but `{}` has no such input", of.alias);
            problems.push(unknown(FailureReason::InvalidInput, message, &of.member, contract));
        }
    }
}

/// The inputs of one applied plugin that have a value.
pub(super) fn resolve<'a>(
    inputs: &'a Inputs<'a>,
    view: &'a View<'a>,
    alias: &Alias,
    contract: &Contract<'a>,
    problems: &mut Problems,
) -> BTreeMap<InputName, ResolvedInput> {
    let resolved = Sources { view, run: Some(inputs) }.resolve(alias, contract, problems);
    bundle::check_immutable(inputs, view, (alias, contract), &resolved, problems);
    resolved
}

fn unknown(reason: FailureReason, message: String, name: &InputName, contract: &Contract<'_>) -> Diagnostic {
    suggest(Diagnostic::error(reason, message), name.as_str(), contract.input_names.iter().map(InputName::as_str))
}

impl<'a> Sources<'a> {
    fn resolve(&self, alias: &Alias, contract: &Contract<'a>, problems: &mut Problems) -> BTreeMap<InputName, ResolvedInput> {
        let mut layers = self.layers(alias, contract);
        self.refuse_unknown(alias, contract, &mut layers, problems);
        let mut resolved = self.sensitive(alias, contract, &mut layers, problems);
        let object = layers.iter().filter_map(|(name, values)| Some((name.as_str().to_owned(), (*values.first()?.1).clone())));
        let violations = contract.inputs.as_ref().map(|schema| schema.violations(&Value::Object(object.collect())));
        for violation in violations.into_iter().flatten() {
            problems.0.extend(self.violated(alias, &violation, &layers));
        }
        for (name, values) in layers {
            let mut values = values.into_iter();
            if let Some((layer, value)) = values.next() {
                let covered = values.map(|(layer, value)| (layer, value.clone())).collect();
                resolved.insert(name, ResolvedInput { value: InputValue::Plain(value.clone()), layer, covered });
            }
        }
        resolved
    }

    fn layers(&self, alias: &Alias, contract: &Contract<'a>) -> Layers<'a> {
        let mut layers = Layers::new();
        let mut add = |name: &InputName, layer, value| layers.entry(name.clone()).or_default().push((layer, value));
        for (of, value) in self.run.iter().flat_map(|run| run.run_inputs).filter(|(of, _)| of.alias == *alias) {
            add(&of.member, Layer::Run, value);
        }
        let mut taken_away = BTreeSet::new();
        let bundle = bundle::of(contract);
        let stays_in_base =
            |name: &InputName| self.view.is_preview && bundle.is_some_and(|bundle| bundle::stays_in_base(bundle, name));
        for (part, patch) in self.view.patches(alias) {
            let of_base = part.layer == Layer::EnvironmentOverlay;
            let holds = |name: &&InputName| !(taken_away.contains(*name) || of_base && stays_in_base(name));
            for (name, value) in patch.inputs.iter().filter(|(name, _)| holds(name)).collect::<Vec<_>>() {
                if value.is_null() {
                    taken_away.insert(name);
                } else {
                    add(name, part.layer, value);
                }
            }
        }
        for (name, value) in self.view.in_base(alias).into_iter().flat_map(|applied| &applied.inputs) {
            if !taken_away.contains(name) {
                add(name, Layer::Manifest, value);
            }
        }
        for name in &contract.input_names {
            if let Some(value) = self.run.and_then(|run| run.environment.values.get(name)).filter(|_| !stays_in_base(name)) {
                add(name, Layer::Environment, value);
            }
            if let Some(value) = self.run.and_then(|run| run.workspace.values.get(name)) {
                add(name, Layer::Workspace, value);
            }
        }
        let asked = layers.get(PRESET).and_then(|values| values.first()).map(|(_, value)| *value);
        for (name, value) in bundle.into_iter().flat_map(|bundle| bundle::preset(bundle, asked)) {
            layers.entry(name).or_default().push((Layer::PluginDefault, value));
        }
        for name in &contract.input_names {
            if let Some(value) = contract.default(name) {
                layers.entry(name.clone()).or_default().push((Layer::PluginDefault, value));
            }
        }
        layers
    }

    /// Takes out what the plugin does not know. That a run gave it was said by [`check_names`].
    fn refuse_unknown(&self, alias: &Alias, contract: &Contract<'_>, layers: &mut Layers<'_>, problems: &mut Problems) {
        layers.retain(|name, values| {
            let known = contract.input_names.contains(name) || !contract.is_closed();
            for (layer, _) in values.iter().filter(|(layer, _)| !known && *layer != Layer::Run) {
                let message = format!("`{alias}` has no input `{name}`");
                let problem = unknown(FailureReason::InvalidDocument, message, name, contract);
                problems.push(Diagnostic { origin: self.origin(*layer, alias, name, None), ..problem });
            }
            known
        });
    }

    /// Takes out the sensitive inputs, whose values are never here.
    fn sensitive(
        &self,
        alias: &Alias,
        contract: &Contract<'_>,
        layers: &mut Layers<'_>,
        problems: &mut Problems,
    ) -> BTreeMap<InputName, ResolvedInput> {
        let mut resolved = BTreeMap::new();
        for name in &contract.sensitive {
            let of = AliasMember { alias: alias.clone(), member: name.clone() };
            let how = format!("give it through `secrets`: `{of}: <value>`");
            let given: BTreeSet<Layer> = layers.remove(name).into_iter().flatten().map(|(layer, _)| layer).collect();
            // A default in the plugin was refused where the plugin was read.
            for layer in given.into_iter().filter(|layer| *layer != Layer::PluginDefault) {
                let message = format!("`{of}` is sensitive: its value must not stand in {layer}");
                let problem = Diagnostic::error(reason(layer), message).help(how.clone());
                problems.push(Diagnostic { origin: self.origin(layer, alias, name, None), ..problem });
            }
            match self.run {
                Some(run) if run.secrets.contains(&of) => {
                    let input = ResolvedInput { value: InputValue::Sensitive, layer: Layer::Run, covered: Vec::new() };
                    resolved.insert(name.clone(), input);
                }
                Some(run) if contract.requires(name) => {
                    let message = format!("`{alias}` needs the sensitive input `{name}`");
                    let mut problem = Diagnostic::error(FailureReason::InvalidInput, message).help(how);
                    if let Some(base) = run.base {
                        problem = problem.note(format!("a preview takes no sensitive values from its base `{base}`"));
                    }
                    problems.push(problem.placed(self.view.at_alias(alias)));
                }
                _ => {}
            }
        }
        resolved
    }

    /// The problem that a violation is, at the layer that supplied the value. What is missing may still come where not all
    /// layers are known.
    fn violated(&self, alias: &Alias, violation: &Violation, layers: &Layers<'_>) -> Option<Diagnostic> {
        let Some((Segment::Key(first), inner)) = violation.path.split_first() else {
            let Some(missing) = &violation.missing else {
                let message = format!("the inputs of `{alias}`: {}", violation.message);
                return Some(Diagnostic::error(FailureReason::InvalidDocument, message).placed(self.view.at_inputs(alias)));
            };
            self.run?;
            let problem = Diagnostic::error(FailureReason::InvalidDocument, format!("`{alias}` needs the input `{missing}`"));
            return Some(problem.help(format!("add it under `plugins.{alias}.inputs`")).placed(self.view.at_inputs(alias)));
        };
        let (name, values) = layers.get_key_value(first.as_str())?;
        let (layer, _) = values.first()?;
        let message = format!("input `{name}` of `{alias}`: {}", violation.message);
        let problem = Diagnostic::error(reason(*layer), message);
        Some(Diagnostic { origin: self.origin(*layer, alias, name, Some(inner)), ..problem })
    }

    /// Where a layer gives an input: the part of its value at `within`, or else its key. None for what the run was given.
    fn origin(&self, layer: Layer, alias: &Alias, name: &InputName, within: Option<&[Segment]>) -> Option<Origin> {
        let value = Pointer::keys(["values", name.as_str()]);
        let (file, mut pointer) = match layer {
            Layer::Run => return None,
            Layer::PreviewOverlay | Layer::EnvironmentOverlay | Layer::Manifest => {
                (self.view.file.to_owned(), self.view.in_input(alias, name, layer))
            }
            Layer::Environment => (self.run?.environment_file(), value),
            Layer::Workspace => (self.run?.workspace_file(), value),
            Layer::PluginDefault => return Some(self.view.at_source(alias)),
        };
        match within {
            Some(path) => pointer.segments.extend_from_slice(path),
            None => pointer = pointer.at_key(),
        }
        Some(in_document(&file, pointer))
    }
}

fn reason(layer: Layer) -> FailureReason {
    if layer == Layer::Run { FailureReason::InvalidInput } else { FailureReason::InvalidDocument }
}
