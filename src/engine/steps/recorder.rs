//! What steps leave, recorded as soon as it is there: secrets sealed, the claim's journal written (R60).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::opening::learn;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::{Alias, StepName};
use crate::domain::record::AppliedRecord;
use crate::domain::step_record::{RecordedOutput, StepRecord};
use crate::engine::journal::Journal;
use crate::engine::{Keys, Learner, locked};
use crate::secrets::{Redactor, Secret, seal};
use crate::steps::{Direction, Recorder, StepText};
use crate::world::World;

/// Records the steps of one applied plugin.
pub(super) struct Recording {
    pub(super) world: World,
    pub(super) learn: Learner,
    pub(super) redactor: Redactor,
    pub(super) keys: Keys,
    pub(super) alias: Alias,
    pub(super) direction: Direction,
    pub(super) journal: Arc<Journal>,
    /// The record of the apply as it stands.
    pub(super) record: Mutex<AppliedRecord>,
}

#[async_trait]
impl Recorder for Recording {
    async fn record(&self, step: &StepName, left: &BTreeMap<String, StepText>) -> Result<(), Problems> {
        let secrets = left.values().filter_map(StepText::secret);
        secrets.for_each(|secret| learn(&self.learn, secret));
        if self.direction == Direction::Delete {
            // It is for the other delete steps of this run alone: the record is about to go.
            return Ok(());
        }
        let mut problems = Problems::default();
        let mut outputs = BTreeMap::new();
        for (name, text) in left {
            let gives_away = !text.is_secret() && self.redactor.redact(text.expose()) != text.expose();
            if gives_away {
                problems.push(self.gives_away(step, name));
            }
            // What gives a secret away is one: what was made has to be taken away with it all the same.
            match (text, gives_away && self.keys.recipients.is_empty()) {
                (StepText::Plain(_), true) => {}
                (StepText::Plain(text), false) if !gives_away => {
                    outputs.insert(name.clone(), RecordedOutput::Plain { text: text.clone() });
                }
                (text, _) => _ = outputs.insert(name.clone(), self.sealed(step, name, text.expose())?),
            }
        }
        let record = {
            let mut record = locked(&self.record);
            record.steps.insert(step.clone(), StepRecord { ended: self.world.clock.now(), outputs });
            record.clone()
        };
        self.journal.note(|claim| _ = claim.applied.insert(self.alias.clone(), record));
        self.journal.sync().await?;
        if problems.any_error() { Err(problems) } else { Ok(()) }
    }
}

impl Recording {
    fn sealed(&self, step: &StepName, name: &str, text: &str) -> Result<RecordedOutput, Problems> {
        let secret = Secret::new(text);
        let before = locked(&self.record).steps.get(step).and_then(|step| step.outputs.get(name)).cloned();
        let known = match &before {
            Some(RecordedOutput::Sealed { sealed, recipients, revision }) if self.holds(sealed, &secret) => {
                Some((sealed, recipients, revision))
            }
            _ => None,
        };
        let (sealed, revision) = match known {
            Some((sealed, recipients, revision)) if *recipients == self.keys.recipients => (sealed.clone(), revision.clone()),
            known => {
                // No hash of a secret: what tells its values apart is drawn anew whenever there is another one.
                let fresh = || format!("{:032x}", self.world.random.bits());
                let revision = known.map_or_else(fresh, |(.., revision)| revision.clone());
                (self.seal(step, name, &secret)?, revision)
            }
        };
        Ok(RecordedOutput::Sealed { sealed, recipients: self.keys.recipients.clone(), revision })
    }

    /// That an output that is no secret has one in it: it would be recorded, and shown, in clear.
    fn gives_away(&self, step: &StepName, name: &str) -> Diagnostic {
        let message =
            format!("what step `{step}` of `{}` left as `{name}` has a secret in it, and is not marked as one", self.alias);
        Diagnostic::error(FailureReason::ContractViolated, message)
            .note("what is not marked is recorded and published in clear")
            .help(format!("mark the output `{name}` with `sensitive: true`, or leave the secret out of it"))
    }

    /// Whether that is known to be sealed there: where nothing opens it, it counts as another one.
    fn holds(&self, sealed: &str, secret: &Secret) -> bool {
        let opened = self.keys.opener.as_ref().and_then(|opener| opener.open(sealed).ok());
        opened.is_some_and(|opened| opened.expose() == secret.expose())
    }

    fn seal(&self, step: &StepName, name: &str, secret: &Secret) -> Result<String, Problems> {
        seal(&self.keys.recipients, secret).map_err(|problem| {
            let message = format!("the output `{name}` of step `{step}` of `{}` cannot be sealed: {problem}", self.alias);
            Diagnostic::error(FailureReason::InvalidInput, message).help("correct `sealing.recipients`").into()
        })
    }
}
