//! What is sealed, opened; and taken note of before anything can show it.

use serde_json::Value;

use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::Alias;
use crate::engine::{Engine, Learner};
use crate::secrets::{SealError, Secret};

/// Why something sealed is not open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::engine) enum Unopened {
    /// Nothing that opens it is given.
    NoIdentity,
    /// What is given does not open it.
    Sealed(SealError),
}

impl Engine {
    /// Opens what is sealed.
    ///
    /// # Errors
    /// When no identity is given, or none that opens it.
    pub(in crate::engine) fn open(&self, sealed: &str) -> Result<Secret, Unopened> {
        let opener = self.keys.opener.as_ref().ok_or(Unopened::NoIdentity)?;
        let secret = opener.open(sealed).map_err(Unopened::Sealed)?;
        learn(&self.learn, &secret);
        Ok(secret)
    }

    /// Why an applied plugin cannot be handed something, which is named as `alias.slot.attribute` or `alias.step.output`.
    pub(in crate::engine) fn unopened(&self, alias: &Alias, what: &str, why: &Unopened) -> Problems {
        unopened(what, why).at(&self.deployment.file, self.pointer(alias)).into()
    }

    /// Why an applied plugin cannot be handed something that is sealed, with what is given.
    pub(in crate::engine) fn sealed_for_good(&self, alias: &Alias, what: &str) -> Problems {
        let given = self.keys.opener.is_some();
        self.unopened(alias, what, &if given { Unopened::Sealed(SealError::ForOthers) } else { Unopened::NoIdentity })
    }
}

/// What is said of something that is sealed and cannot be opened.
pub(super) fn unopened(what: &str, why: &Unopened) -> Diagnostic {
    let give = "give an identity that it is sealed for as `age-identity`, in a workflow as a secret";
    match why {
        Unopened::NoIdentity => {
            let message = format!("`{what}` is sealed, and there is no identity to open it with");
            Diagnostic::error(FailureReason::InvalidInput, message).help(give)
        }
        Unopened::Sealed(problem @ SealError::ForOthers) => {
            Diagnostic::error(FailureReason::InvalidInput, format!("`{what}` cannot be opened: {problem}")).help(give)
        }
        Unopened::Sealed(problem) => {
            Diagnostic::error(FailureReason::ContextUnavailable, format!("`{what}` cannot be opened: {problem}"))
                .help("have its producer deployed again; of an imported connection, seal it anew with `age`")
        }
    }
}

/// Takes note of a secret, and of what is secret in one with parts (R65).
pub(super) fn learn(learner: &Learner, secret: &Secret) {
    learner(secret);
    if let Ok(value @ (Value::Array(_) | Value::Object(_))) = serde_json::from_str(secret.expose()) {
        learn_leaves(learner, &value);
    }
}

/// Takes note of every text and number in a secret with parts.
fn learn_leaves(learner: &Learner, value: &Value) {
    match value {
        Value::Array(parts) => parts.iter().for_each(|part| learn_leaves(learner, part)),
        Value::Object(parts) => parts.values().for_each(|part| learn_leaves(learner, part)),
        Value::String(text) => learner(&Secret::new(text.clone())),
        Value::Number(number) => learner(&Secret::new(number.to_string())),
        Value::Null | Value::Bool(_) => {}
    }
}
