//! What a run is given beside its documents: inputs and secrets.

use std::collections::BTreeMap;

use crate::app::load;
use crate::app::session::Session;
use crate::domain::address::AliasMember;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::InputName;
use crate::request::cli;
use crate::secrets::Secret;

/// The values of sensitive inputs, by alias and name.
pub(super) type Secrets = BTreeMap<AliasMember<InputName>, Secret>;

/// Reads the secrets; from then on no text can show them.
pub(super) fn secrets(session: &Session, values: &cli::Sensitive) -> Result<Secrets, Problems> {
    let Some(text) = &values.secrets else { return Ok(BTreeMap::new()) };
    let parsed = load::member_values("secrets", text)?;
    let secrets = parsed.into_iter().map(|(member, value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let secret = Secret::new(text);
        session.learn(&secret);
        learn_leaves(session, &value);
        (member, secret)
    });
    Ok(secrets.collect())
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
