//! The second half of a task: the attempt is noted, the plan file applied, what came out checked and kept.

use std::collections::{BTreeMap, BTreeSet};

use super::collect::{Publisher, Values};
use super::event::{Event, Phase};
use super::journal::Journal;
use super::prepare::{self, Basis, Prepared};
use super::publication::is_of;
use super::{Engine, changes};
use crate::context::ledger::Snapshot;
use crate::domain::address::Address;
use crate::domain::change::PlannedResource;
use crate::domain::connection::{Binding, ConnectionRecord, ConnectionStatus, Producer};
use crate::domain::deployment::ResolvedPlugin;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::{Alias, OutputName, RunId, SlotName};
use crate::domain::record::{AppliedRecord, Attempt, ChangeCounts, SCHEMA_VERSION, TerraformBuild};
use crate::terraform::{self, OutputValue};

/// What an apply left.
pub(super) struct Applied {
    /// The record to publish: there is one whenever an apply was started.
    pub(super) record: AppliedRecord,
    /// What changed.
    pub(super) changes: ChangeCounts,
    /// What was to change, each with how far it got.
    pub(super) resources: Vec<PlannedResource>,
    /// What went wrong.
    pub(super) problems: Problems,
}

impl Engine {
    /// Applies a prepared task. Nothing is applied when a bound connection changed meanwhile (R11) or the attempt cannot be noted.
    pub(super) async fn apply(&self, alias: &Alias, prepared: &Prepared, journal: &Journal) -> Result<Applied, Problems> {
        let Prepared { initialized, plan, resources } = prepared;
        let plugin = &self.deployment.plugins[alias];
        let run = journal.run();
        self.is_still_wanted().await?;
        self.recheck(alias, &initialized.basis.bindings).await?;
        let mut record = self.attempted_record(alias, &initialized.basis, &run);
        record.resources = changes::held(plan);
        let is_published = || self.has_published(alias, plugin) && self.ended_well(alias);
        if !plan.changed && plugin.plugin.steps.is_none() && is_published() {
            // Nothing to apply and nothing to learn: the record only takes note of what it was compared with.
            succeed(&mut record);
            let changes = ChangeCounts::default();
            return Ok(Applied { record, changes, resources: Vec::new(), problems: Problems::default() });
        }
        journal.note(|claim| _ = claim.applied.insert(alias.clone(), record.clone()));
        journal.secure_attempt(alias).await?;
        self.emit(Event::PhaseStarted { alias: alias.clone(), phase: Phase::Apply });
        let sink = self.terraform_sink(alias);
        let changes = changes::counts(plan);
        match self.terraform.apply(&initialized.root, &*sink, &self.cancel).await {
            Ok(applied) => {
                record.resources = (changes::held(plan) + changes.add).saturating_sub(changes.remove);
                succeed(&mut record);
                journal.note(|claim| _ = claim.applied.insert(alias.clone(), record.clone()));
                let problems = self.publish_outputs(alias, plugin, &record, &applied.outputs);
                Ok(Applied { record, changes, resources: changes::progressed(resources.clone(), None), problems })
            }
            Err(failure) => {
                let resources = changes::progressed(resources.clone(), Some(&failure.applied));
                Ok(self.failed(alias, record, failure, resources, &run))
            }
        }
    }

    fn failed(
        &self,
        alias: &Alias,
        mut record: AppliedRecord,
        failure: Box<terraform::Failure>,
        resources: Vec<PlannedResource>,
        run: &RunId,
    ) -> Applied {
        // How many resources a broken apply left is unknown; that there may be some is what matters for R33.
        record.resources = record.resources.max(failure.applied.counts.add);
        self.degrade(alias, run);
        let changes = failure.applied.counts;
        Applied { record, changes, resources, problems: self.explain(alias, failure) }
    }

    /// The records that this task is bound to must still be what the plan was made with.
    pub(super) async fn recheck(&self, alias: &Alias, bindings: &BTreeMap<SlotName, Binding>) -> Result<(), Problems> {
        let elsewhere: Vec<&Binding> = bindings.values().filter(|binding| !self.is_own(&binding.address)).collect();
        if elsewhere.is_empty() {
            return Ok(());
        }
        let now = Snapshot::newest(&*self.store).await?.connections(elsewhere.iter().map(|binding| &binding.address)).await?;
        let mut problems = Problems::default();
        for binding in elsewhere.into_iter().filter(|binding| binding.address.producer().is_some()) {
            let why = match now.get(&binding.address) {
                None => "it is gone".to_owned(),
                Some(record) if record.status == ConnectionStatus::Retiring => "it is being destroyed or moved".to_owned(),
                Some(record) if record.uid != binding.uid => "it was destroyed and created again".to_owned(),
                Some(record) if record.digest != binding.digest => {
                    format!("generation {} has become {}", binding.generation, record.generation)
                }
                Some(_) => continue,
            };
            let message = format!("the connection `{}` changed while `{alias}` was planned: {why}", binding.address);
            let diagnostic = Diagnostic::error(FailureReason::BindingChanged, message)
                .at(&self.deployment.file, self.pointer(alias))
                .help("run again: the new plan takes the change in");
            problems.push(diagnostic);
        }
        if problems.any_error() { Err(problems) } else { Ok(()) }
    }

    /// The record of an apply that is about to be started; how many resources there are is as before.
    pub(super) fn attempted_record(&self, alias: &Alias, basis: &Basis, run: &RunId) -> AppliedRecord {
        let plugin = &self.deployment.plugins[alias];
        let before = self.own.applied.get(alias);
        let written = self.deployment.manifest.plugins.get(alias);
        AppliedRecord {
            schema_version: SCHEMA_VERSION,
            plugin: plugin.plugin.name.clone(),
            version: plugin.plugin.version.clone(),
            source: plugin.source.clone(),
            inputs: prepare::public_inputs(plugin),
            sensitive_inputs: prepare::sensitive_inputs(plugin),
            bindings: basis.bindings.clone(),
            held: before.map(|before| held(before, &basis.bindings)).unwrap_or_default(),
            after: written.map(|applied| applied.after.iter().cloned().collect()).unwrap_or_default(),
            state: basis.state.clone(),
            provider_lock: basis.provider_lock.clone(),
            terraform: plugin.plugin.terraform.as_ref().map_or(TerraformBuild::NONE, |_| self.terraform.build().clone()),
            account: self.deployment.environment.account.clone(),
            generator: crate::render::GENERATOR,
            attempted: Attempt { run: run.clone(), fingerprint: basis.fingerprint.clone() },
            applied: before.and_then(|before| before.applied.clone()),
            resources: before.map_or(0, |before| before.resources),
            steps: basis.steps.clone(),
            formerly: before.map(|before| before.formerly.clone()).unwrap_or_default(),
        }
    }

    /// Whether the last apply that was started came to a good end: one that did not may have put out what nobody collected.
    fn ended_well(&self, alias: &Alias) -> bool {
        self.own.applied.get(alias).is_some_and(|before| before.applied.as_ref() == Some(&before.attempted))
    }

    /// Whether the ledger has every output already, as this version of the plugin publishes it.
    pub(super) fn has_published(&self, alias: &Alias, plugin: &ResolvedPlugin) -> bool {
        let records = self.records();
        plugin.outputs.iter().all(|(output, published)| {
            let record = records.get(&self.deployment.place.output(alias, output));
            record.is_some_and(|record| {
                let types = record.faces().map(|face| (&face.type_name, &face.type_version));
                let wanted = published.iter().map(|face| (&face.connection_type.name, &face.connection_type.version));
                record.status == ConnectionRecord::well(record.deprecation.as_ref())
                    && record.producer.digest == plugin.source.digest
                    && types.eq(wanted)
            })
        })
    }

    /// Checks what Terraform put out and steps left against the contracts; all outputs of the plugin become records, or none do (R12, R16).
    pub(super) fn publish_outputs(
        &self,
        alias: &Alias,
        plugin: &ResolvedPlugin,
        record: &AppliedRecord,
        terraform: &BTreeMap<String, OutputValue>,
    ) -> Problems {
        let producer = Producer {
            kind: self.deployment.kind,
            plugin: plugin.plugin.name.clone(),
            version: plugin.plugin.version.clone(),
            digest: plugin.source.digest.clone(),
            run: record.attempted.run.clone(),
            commit: self.settings.commit.clone(),
        };
        let fresh_uid = format!("{:032x}", self.world.random.bits());
        let publisher = Publisher { file: &self.deployment.file, alias, producer: &producer, fresh_uid: &fresh_uid };
        let address = |output: &OutputName| self.deployment.place.output(alias, output);
        let values = Values { plugin: &plugin.plugin, terraform, steps: &record.steps };
        let records = publisher.records(&plugin.outputs, address, &values, &self.records());
        match records {
            Ok(records) => {
                self.records().extend(records.into_iter().map(|record| (record.address.clone(), record)));
                Problems::default()
            }
            Err(problems) => {
                self.degrade(alias, &record.attempted.run);
                problems
            }
        }
    }

    /// The last good records stay, marked (R17).
    pub(super) fn degrade(&self, alias: &Alias, run: &RunId) {
        for record in self.records().values_mut().filter(|record| is_of(&record.address, alias)) {
            record.status = ConnectionStatus::Degraded;
            record.degraded_by = Some(run.clone());
        }
    }
}

/// What an apply that was started before may use and this one no longer binds (R47).
fn held(before: &AppliedRecord, bindings: &BTreeMap<SlotName, Binding>) -> BTreeMap<SlotName, BTreeSet<Address>> {
    let mut held: BTreeMap<SlotName, BTreeSet<Address>> = BTreeMap::new();
    for (slot, address) in before.uses() {
        if bindings.get(slot).is_none_or(|binding| binding.address != *address) {
            held.entry(slot.clone()).or_default().insert(address.clone());
        }
    }
    held
}

/// Takes note that the apply that was started came to a good end.
pub(super) fn succeed(record: &mut AppliedRecord) {
    record.applied = Some(record.attempted.clone());
    record.held.clear();
}
