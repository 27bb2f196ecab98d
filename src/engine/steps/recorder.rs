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
use crate::secrets::{Secret, seal};
use crate::steps::{Recorder, StepText};
use crate::world::World;

/// Records the steps of one applied plugin.
pub(super) struct Recording {
    pub(super) world: World,
    pub(super) learn: Learner,
    pub(super) keys: Keys,
    pub(super) alias: Alias,
    pub(super) journal: Arc<Journal>,
    /// The record of the apply as it stands.
    pub(super) record: Mutex<AppliedRecord>,
}

#[async_trait]
impl Recorder for Recording {
    async fn record(&self, step: &StepName, left: &BTreeMap<String, StepText>) -> Result<(), Problems> {
        let secrets = left.values().filter_map(StepText::secret);
        secrets.for_each(|secret| learn(&self.learn, secret));
        let outputs = left.iter().map(|(name, text)| Ok((name.clone(), self.recorded(step, name, text)?)));
        let outputs = outputs.collect::<Result<_, Problems>>()?;
        let record = {
            let mut record = locked(&self.record);
            record.steps.insert(step.clone(), StepRecord { ended: self.world.clock.now(), outputs });
            record.clone()
        };
        self.journal.note(|claim| _ = claim.applied.insert(self.alias.clone(), record));
        self.journal.sync().await
    }
}

impl Recording {
    fn recorded(&self, step: &StepName, name: &str, text: &StepText) -> Result<RecordedOutput, Problems> {
        let Some(secret) = text.secret() else { return Ok(RecordedOutput::Plain { text: text.expose().to_owned() }) };
        let before = locked(&self.record).steps.get(step).and_then(|step| step.outputs.get(name)).cloned();
        let known = match &before {
            Some(RecordedOutput::Sealed { sealed, recipients, revision }) if self.holds(sealed, secret) => {
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
                (self.seal(step, name, secret)?, revision)
            }
        };
        Ok(RecordedOutput::Sealed { sealed, recipients: self.keys.recipients.clone(), revision })
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
