//! Whether a connection may feed a slot (R6, R9, R17, R43). One that fails is an error, never a reason to look further (R2).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::Inputs;
use super::declaration::wanted;
use super::grants;
use super::imported;
use super::schema::Schema;
use super::taken::{Taken, shortcomings, taken};
use super::view::Placed;
use crate::domain::address::{Address, PartialAddress, Target};
use crate::domain::connection::{ConnectionRecord, ConnectionStatus, Face, Handle};
use crate::domain::deployment::{Choice, ChosenConnection, Secrets, Via};
use crate::domain::diagnostic::{Diagnostic, Origin, Problems, Segment};
use crate::domain::failure::FailureReason::{self, ContextUnavailable, ContractMismatch, InvalidDocument, UnresolvedSlot};
use crate::domain::mapping::{AttributePath, Conversion, Made};
use crate::domain::names::{Alias, AttributeName, EnvironmentName, SlotName};
use crate::domain::nearest::nearest;
use crate::domain::organization::{Permission, SecretReference};
use crate::domain::plugin::Slot;
use crate::domain::record::StateLocation;

/// The slot that asks.
pub(super) struct Ask<'a> {
    pub(super) alias: &'a Alias,
    pub(super) name: &'a SlotName,
    pub(super) slot: &'a Slot,
    pub(super) constraint: Option<&'a Schema>,
}

/// What a slot takes, and the mapping through which it does.
pub(super) type Chosen = (Choice, Option<Arc<Conversion>>);

/// One check of one connection for one slot, gathering what is wrong.
struct Check<'a> {
    inputs: &'a Inputs<'a>,
    ask: &'a Ask<'a>,
    via: Via,
    address: Address,
    origin: &'a Origin,
    /// Whether anything sensitive is read.
    reads: bool,
    withheld: Option<Box<Diagnostic>>,
    found: Problems,
}

/// Chooses the connection at `written` for the slot, unless something speaks against it.
pub(super) fn check(
    inputs: &Inputs<'_>,
    ask: &Ask<'_>,
    via: Via,
    written: &PartialAddress,
    origin: &Origin,
    problems: &mut Problems,
) -> Option<Chosen> {
    let (address, named) = (inputs.address(written), inputs.named(written));
    let mut check = Check { inputs, ask, via, address, origin, reads: false, withheld: None, found: Problems::default() };
    if check.is_in_a_preview() {
        problems.extend(check.found);
        return None;
    }
    let record = check.record();
    check.reads = check.reads_sensitive(record.as_ref());
    if named == check.address {
        check.grants(record.is_some());
    } else {
        check.moved(&named);
    }
    let choice = match record {
        None => Some((check.pending(), None)),
        Some(record) => check.record_fits(record, written.generation),
    };
    let failed = check.found.any_error();
    problems.extend(check.found);
    choice.filter(|_| !failed)
}

impl Inputs<'_> {
    /// What this deployable lacks of the grants that a connection needs.
    pub(super) fn missing_grants(&self, address: &Address, sensitive: bool) -> Vec<Permission> {
        let own = (address.workspace == self.workspace.name).then_some(self.workspace);
        let owner = own.or_else(|| self.context.workspaces.get(&address.workspace));
        grants::missing(owner, address, &self.consumer(), &self.context.kinds, sensitive)
    }

    /// This deployable, as grants know it.
    pub(super) fn consumer(&self) -> grants::Consumer {
        grants::Consumer::of(&self.place, self.base)
    }
}

impl Check<'_> {
    /// Previews go with their pull requests: nothing outside of one leans on it (R50).
    fn is_in_a_preview(&mut self) -> bool {
        let is_in_one = self.address.environment.is_preview();
        if is_in_one {
            let refused =
                Diagnostic::error(InvalidDocument, self.cannot_take("it is in a preview, which goes with its pull request"));
            self.push(refused.help("name a connection of an environment that stays"));
        }
        is_in_one
    }

    fn record(&self) -> Option<ConnectionRecord> {
        match &self.address.target {
            Target::Imported(_) => {
                self.inputs.context.imported.get(&self.address).and_then(|one| imported::record(&self.address, one))
            }
            Target::Output { .. } => self.inputs.context.connections.get(&self.address).cloned(),
        }
    }

    /// What the document names was moved. Who might use it under that name may go on until the document is changed.
    fn moved(&mut self, named: &Address) {
        if !self.inputs.missing_grants(named, self.reads).is_empty() {
            return self.grants(true);
        }
        let warning = Diagnostic::warning(UnresolvedSlot, format!("`{named}` was moved: it is `{}` now", self.address))
            .help(format!("write `{}` here", self.address));
        let missing = self.inputs.missing_grants(&self.address, self.reads);
        self.push(if missing.is_empty() {
            warning
        } else {
            warning.help(format!("first {}", grants::to_add(&self.address, &self.inputs.consumer(), &missing)))
        });
    }

    fn grants(&mut self, exists: bool) {
        let place = &self.inputs.place;
        let same_environment = self.address.workspace == place.workspace && self.address.environment == *self.inputs.standing();
        let unknown_kind = self.address.producer().is_some_and(|producer| !self.inputs.context.kinds.contains_key(&producer));
        // What is not there yet may turn out to be shared infra, which needs no grant.
        if !exists && same_environment && unknown_kind {
            return;
        }
        let missing = self.inputs.missing_grants(&self.address, self.reads);
        if missing.is_empty() {
            return;
        }
        let denied = grants::denied(&self.address, place, &self.inputs.consumer(), &missing)
            .note(format!("slot `{}.{}` takes it through the {}", self.ask.alias, self.ask.name, self.via));
        if missing.contains(&Permission::Use) {
            self.push(denied);
        } else {
            // A plan can do without this task, and a deploy is refused (R43).
            self.withheld = Some(Box::new(denied.placed(self.origin.clone())));
        }
    }

    fn pending(&mut self) -> Choice {
        let message = format!(
            "slot `{}.{}` waits for `{}`, which is not published yet: a deploy would be refused",
            self.ask.alias, self.ask.name, self.address
        );
        let warning = Diagnostic::warning(UnresolvedSlot, message);
        self.push(match self.probably_meant() {
            Some(name) => warning.help(format!("did you mean `{name}`?")),
            None => warning.help("deploy its producer first"),
        });
        Choice::Pending { address: self.address.clone(), via: self.via }
    }

    fn probably_meant(&self) -> Option<String> {
        let context = self.inputs.context;
        if let Some(environments) = context.environments.get(&self.address.workspace)
            && !environments.contains(&self.address.environment)
        {
            let known = environments.iter().map(EnvironmentName::as_str);
            return nearest(self.address.environment.as_str(), known).map(str::to_owned);
        }
        let known: Vec<String> = context.connections.keys().chain(context.imported.keys()).map(Address::to_string).collect();
        nearest(&self.address.to_string(), known.iter().map(String::as_str)).map(str::to_owned)
    }

    /// Whether the slot is handed anything sensitive: what it asks for, and what is sensitive in the connection alone.
    fn reads_sensitive(&self, record: Option<&ConnectionRecord>) -> bool {
        let slot = self.ask.slot;
        let mapped = record.and_then(|record| {
            let Taken { face, conversion } = self.taken(record)?;
            let (conversion, face) = (conversion?, record.faces().nth(face)?);
            Some(!conversion.handed(slot, &conversion.of(face)).is_empty())
        });
        !slot.sensitive.is_empty() || mapped == Some(true)
    }

    fn taken(&self, record: &ConnectionRecord) -> Option<Taken> {
        taken(self.ask.slot, self.inputs.types, record.faces().map(|face| (&face.type_name, &face.type_version)))
    }

    fn record_fits(&mut self, record: ConnectionRecord, pinned: Option<u64>) -> Option<Chosen> {
        if record.address != self.address {
            let why = format!("its record is that of `{}`", record.address);
            self.refuse(ContextUnavailable, &why, Some("check the context with `context verify`"));
        }
        if let Some(pinned) = pinned.filter(|pinned| *pinned != record.generation) {
            let why = format!("generation {pinned} was asked for, and it is at {}", record.generation);
            self.refuse(ContractMismatch, &why, Some("change the number after `@`, or take it away"));
        }
        self.status(&record);
        if let Some(document) = self.inputs.context.imported.get(&self.address) {
            for why in imported::shortcomings(document, self.inputs.types) {
                self.refuse(ContractMismatch, &why, Some("correct the document of the imported connection"));
            }
        }
        let Some(Taken { face: position, conversion }) = self.taken(&record) else {
            self.unfit(&record);
            return None;
        };
        let (face, secrets) = (record.faces().nth(position)?, self.secrets());
        if let Some(conversion) = &conversion {
            self.mapped(face, conversion, &secrets);
        } else {
            self.constraint(&face.attributes);
            self.sensitive(face, &self.ask.slot.sensitive, &secrets);
        }
        let withheld = self.withheld.take();
        let chosen = ChosenConnection { via: self.via, face: position, secrets, withheld, record };
        Some((Choice::Connection(Box::new(chosen)), conversion))
    }

    /// How the secrets are reached. It follows from the address alone: nothing in a record leads to another state.
    fn secrets(&self) -> Secrets {
        if let Some(document) = self.inputs.context.imported.get(&self.address) {
            return Secrets::Imported(document.sensitive.clone());
        }
        self.state().map_or(Secrets::Unknown, Secrets::Produced)
    }

    fn state(&self) -> Option<StateLocation> {
        let Target::Output { alias, .. } = &self.address.target else { return None };
        self.inputs.context.states.get(&(self.address.producer()?, alias.clone())).cloned()
    }

    fn status(&mut self, record: &ConnectionRecord) {
        let applied = self.inputs.context.applied.get(self.ask.alias);
        let bound = applied
            .and_then(|applied| applied.bindings.get(self.ask.name))
            .is_some_and(|binding| binding.address == self.address && binding.uid == record.uid);
        if record.is_deprecated() {
            let told = record.deprecation.as_ref().map_or_else(|| "it is deprecated".to_owned(), ToString::to_string);
            if bound {
                self.warn(&told, "move to another connection before it goes");
            } else {
                self.refuse(UnresolvedSlot, &told, Some("it takes no new bindings: take another connection"));
            }
        }
        match record.status {
            ConnectionStatus::Ready | ConnectionStatus::Deprecated => {}
            ConnectionStatus::Retiring => self.refuse(UnresolvedSlot, "it is being taken out of use, or moved", None),
            ConnectionStatus::Degraded if bound || self.inputs.allow_degraded => {
                self.warn("the last apply of its producer failed", "its values are the last good ones");
            }
            ConnectionStatus::Degraded => self.refuse(
                UnresolvedSlot,
                "the last apply of its producer failed",
                Some("wait until its producer is well, or accept the last good values with `allow-degraded`"),
            ),
        }
    }

    /// Says that none of the record's faces will do.
    fn unfit(&mut self, record: &ConnectionRecord) {
        let found: Vec<String> = record.faces().map(|face| format!("`{}` {}", face.type_name, face.type_version)).collect();
        let why = format!("it needs {}, and that is a {}", wanted(self.ask.slot), found.join(" and "));
        self.refuse(ContractMismatch, &why, None);
    }

    /// Checks what a mapping makes of the connection, and how what that takes of its secrets is reached.
    fn mapped(&mut self, face: &Face, conversion: &Conversion, secrets: &Secrets) {
        let (slot, converted) = (self.ask.slot, conversion.of(face));
        for why in shortcomings(conversion, &converted, slot) {
            let help = "correct the mapping under `type-mappings` in the context's `catalog.yaml`, or name another connection";
            self.refuse(ContractMismatch, &why, Some(help));
        }
        self.constraint(&converted.attributes);
        let handed = conversion.handed(slot, &converted);
        let parts: Vec<&AttributePath> =
            handed.iter().filter_map(|name| converted.sensitive.get(name)).flat_map(Made::parts).collect();
        self.sensitive(face, &parts.iter().map(|path| path.attribute.clone()).collect(), secrets);
        let Secrets::Imported(references) = secrets else { return };
        let is_text = |path: &&&AttributePath| matches!(references.get(&path.attribute), Some(SecretReference::Env(_)));
        for path in parts.iter().filter(|path| !path.inside.is_empty()).filter(is_text) {
            let why = format!("{} takes `{path}`, and `{}` is the text of a variable", conversion.in_words(), path.attribute);
            self.refuse(ContractMismatch, &why, Some("import the secret from a state, which can hold an object"));
        }
    }

    fn constraint(&mut self, attributes: &BTreeMap<AttributeName, Value>) {
        let Some(schema) = self.ask.constraint else { return };
        let attributes = attributes.iter().map(|(name, value)| (name.as_str().to_owned(), value.clone())).collect();
        for violation in schema.violations(&Value::Object(attributes)) {
            let why = match violation.path.first() {
                Some(Segment::Key(name)) => {
                    format!("its attribute `{name}` does not satisfy `where`: {}", violation.message)
                }
                _ => format!("it does not satisfy `where`: {}", violation.message),
            };
            self.refuse(ContractMismatch, &why, None);
        }
    }

    fn sensitive(&mut self, face: &Face, asked: &BTreeSet<AttributeName>, secrets: &Secrets) {
        let lacking: Vec<&str> =
            asked.iter().filter(|name| !face.sensitive.contains_key(*name)).map(AttributeName::as_str).collect();
        if !lacking.is_empty() {
            let why = format!("it needs the sensitive `{}`, which is not published", lacking.join("`, `"));
            self.refuse(ContractMismatch, &why, None);
        }
        let in_state = asked.iter().any(|name| matches!(face.sensitive.get(name), Some(Handle::Derived { .. })));
        if in_state && *secrets == Secrets::Unknown && self.address.producer().is_some() {
            self.refuse(ContextUnavailable, "where its producer's state is was not recorded", Some("deploy its producer again"));
        }
    }

    fn refuse(&mut self, reason: FailureReason, why: &str, help: Option<&str>) {
        let mut problem = Diagnostic::error(reason, self.cannot_take(why)).label(format!("through the {}", self.via));
        problem.help.extend(help.map(str::to_owned));
        self.push(problem);
    }

    fn cannot_take(&self, why: &str) -> String {
        format!("slot `{}.{}` cannot take `{}`: {why}", self.ask.alias, self.ask.name, self.address)
    }

    fn warn(&mut self, what: &str, help: &str) {
        let message = format!("slot `{}.{}` stays with `{}`: {what}", self.ask.alias, self.ask.name, self.address);
        self.push(Diagnostic::warning(UnresolvedSlot, message).help(help));
    }

    fn push(&mut self, problem: Diagnostic) {
        self.found.push(problem.placed(self.origin.clone()));
    }
}
