//! What a run is given beside its documents: inputs and secrets.

use std::collections::BTreeMap;

use crate::app::load;
use crate::app::session::Session;
use crate::domain::address::AliasMember;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::{Alias, AttributeName, InputName, SlotName};
use crate::domain::organization::{ContextDocument, Environment};
use crate::engine::Keys;
use crate::request::cli;
use crate::secrets::{Opener, Secret};

/// The values of sensitive inputs, by alias and name.
pub(super) type Secrets = BTreeMap<AliasMember<InputName>, Secret>;

/// The values of sensitive attributes of connections, by alias, slot and name.
pub(super) type Attributes = BTreeMap<(Alias, SlotName, AttributeName), Secret>;

/// Reads what opens sealed values; from then on no text can show it. A variable without a text stands for none.
///
/// # Errors
/// When it is no age identity.
pub(in crate::app) fn opener(session: &Session, values: &cli::Opening) -> Result<Option<Opener>, Problems> {
    let Some(text) = values.age_identity.as_deref().filter(|text| !text.trim().is_empty()) else { return Ok(None) };
    let identities = Secret::new(text);
    session.learn(&identities);
    text.lines().for_each(|line| session.learn(&Secret::new(line.trim())));
    let opener = Opener::new(&identities).map_err(|problem| {
        Diagnostic::error(FailureReason::InvalidInput, format!("`age-identity` cannot be used: {problem}"))
            .help("give what `age-keygen` made, in a workflow as a secret; several are given one a line")
    })?;
    Ok(Some(opener))
}

/// Whom secrets are sealed for in an environment, with what opens them.
pub(super) fn keys(environment: &Environment, context: Option<&ContextDocument>, opener: Option<Opener>) -> Keys {
    Keys { recipients: recipients(environment, context), opener }
}

/// Whom secrets are sealed for in an environment: whom its document names, else whom the context's does.
pub(in crate::app) fn recipients(environment: &Environment, context: Option<&ContextDocument>) -> Vec<String> {
    let own = environment.sealing.as_ref().map(|sealing| &sealing.recipients).filter(|recipients| !recipients.is_empty());
    own.or(context.map(|context| &context.sealing.recipients)).cloned().unwrap_or_default()
}

/// Reads the secrets; from then on no text can show them.
pub(super) fn secrets(session: &Session, values: &cli::Sensitive) -> Result<Secrets, Problems> {
    let Some(text) = &values.secrets else { return Ok(BTreeMap::new()) };
    let parsed = load::member_values("secrets", text)?;
    Ok(parsed.into_iter().map(|(member, value)| (member, learn(session, &value))).collect())
}

/// The same for a destroy, which also takes sensitive attributes of connections, as `alias.slot.attribute`: those whose source is
/// out of reach.
pub(super) fn secrets_to_destroy(session: &Session, values: &cli::Sensitive) -> Result<(Secrets, Attributes), Problems> {
    let (mut secrets, mut attributes) = (BTreeMap::new(), BTreeMap::new());
    let Some(text) = &values.secrets else { return Ok((secrets, attributes)) };
    for (key, value) in load::values_by_key("secrets", text)? {
        let secret = learn(session, &value);
        match (key.parse(), attribute(&key)) {
            (Ok(input), _) => _ = secrets.insert(input, secret),
            (Err(_), Some(attribute)) => _ = attributes.insert(attribute, secret),
            (Err(_), None) => {
                let message = format!("`secrets` has the key `{key}`, which is neither `alias.input` nor `alias.slot.attribute`");
                return Err(Diagnostic::error(FailureReason::InvalidInput, message).into());
            }
        }
    }
    Ok((secrets, attributes))
}

fn attribute(key: &str) -> Option<(Alias, SlotName, AttributeName)> {
    let [alias, slot, attribute] = key.split('.').collect::<Vec<_>>()[..] else { return None };
    Some((Alias::new(alias).ok()?, SlotName::new(slot).ok()?, AttributeName::new(attribute).ok()?))
}

fn learn(session: &Session, value: &serde_json::Value) -> Secret {
    let secret = Secret::new(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    session.learn(&secret);
    learn_leaves(session, value);
    secret
}

/// What is secret in a secret with parts is each of them (R65).
fn learn_leaves(session: &Session, value: &serde_json::Value) {
    match value {
        serde_json::Value::Array(parts) => parts.iter().for_each(|part| learn_leaves(session, part)),
        serde_json::Value::Object(parts) => parts.values().for_each(|part| learn_leaves(session, part)),
        serde_json::Value::String(text) => session.learn(&Secret::new(text.clone())),
        serde_json::Value::Number(number) => session.learn(&Secret::new(number.to_string())),
        serde_json::Value::Null | serde_json::Value::Bool(_) => {}
    }
}

/// Reads the inputs of this run.
pub(super) fn run_inputs(
    session: &Session,
    target: &cli::Target,
    values: &cli::Values,
) -> Result<BTreeMap<AliasMember<InputName>, serde_json::Value>, Problems> {
    let mut inputs = BTreeMap::new();
    if let Some(file) = &values.inputs_file {
        let bytes = session.world.files.read(&session.folder(target.working_directory.as_deref()).join(file), 1 << 20).map_err(
            |problem| {
                Diagnostic::error(
                    FailureReason::InvalidInput,
                    format!("cannot read the inputs file `{}`: {problem}", file.display()),
                )
            },
        )?;
        inputs.extend(load::member_values("inputs-file", &String::from_utf8_lossy(&bytes))?);
    }
    if let Some(text) = &values.inputs {
        inputs.extend(load::member_values("inputs", text)?);
    }
    Ok(inputs)
}
