//! What keeps something from being taken away (R29), and what to do about it. Asked before anything is decided, and again once what
//! goes is marked (R30).

use std::collections::{BTreeMap, BTreeSet};

use super::{Engine, Event};
use crate::context::ledger::{self, Snapshot};
use crate::domain::address::{Address, PartialAddress, Place, Target};
use crate::domain::blocker::{Blocker, BlockerKind};
use crate::domain::connection::ConsumerEntry;
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::WorkspaceName;
use crate::domain::organization::Override;
use crate::domain::record::RunType;

/// The consumers of connections.
pub(super) type Consumers = BTreeMap<Address, Vec<ConsumerEntry>>;

/// So many deployables are looked at to find out in which order they can go.
const MOST_PLACES: usize = 100;

impl Engine {
    /// The connections that would go: with their applied plugins, or because these no longer generate them.
    pub(super) fn going(&self) -> impl Iterator<Item = &Address> + Clone {
        self.own.connections.keys().filter(|address| self.is_going(address))
    }

    pub(super) fn is_going(&self, address: &Address) -> bool {
        let Target::Output { alias, output, .. } = &address.target else { return false };
        let no_longer_generates =
            || self.deployment.plugins.get(alias).is_some_and(|plugin| !plugin.outputs.contains_key(output));
        self.removed.contains_key(alias) || no_longer_generates()
    }

    /// What is known of `consumers`, environments and the place itself that keeps something from going.
    pub(super) fn blockers(&self, consumers: &Consumers) -> Vec<Blocker> {
        let mut blockers = Vec::new();
        if self.settings.run_type == RunType::Destroy && self.deployment.environment.protected {
            blockers.push(protected(&self.deployment.place));
        }
        for address in self.going() {
            blockers.extend(self.consumers_elsewhere(address, consumers));
            blockers.extend(self.declared_elsewhere(address));
            let former = self.own.former.iter().filter(|(_, now)| *now == address).map(|(old, _)| old);
            blockers.extend(std::iter::once(address).chain(former).flat_map(|name| self.defaults_that_name(name)));
        }
        blockers
    }

    /// Consumers inside this deployable go as well, or are bound anew in this very run.
    fn consumers_elsewhere<'a>(&'a self, address: &'a Address, consumers: &'a Consumers) -> impl Iterator<Item = Blocker> + 'a {
        let entries = consumers.get(address).into_iter().flatten();
        let named = entries.map(|entry| (&entry.consumer, place_of(&entry.consumer)));
        let elsewhere = named.filter(|(_, place)| place.as_ref() != Some(&self.deployment.place));
        let standing = elsewhere.filter(|(consumer, _)| !self.is_overridden(Override::BreakConsumers, consumer));
        standing.map(move |(consumer, place)| Blocker {
            kind: if place.as_ref().is_some_and(|place| place.environment.is_preview()) {
                BlockerKind::Preview
            } else {
                BlockerKind::Consumer
            },
            id: consumer.clone(),
            connection: Some(address.clone()),
            message: format!("the connection `{address}` would go, and `{consumer}` is bound to it"),
            place,
        })
    }

    /// References and stand-ins that name a connection, though nothing is bound through them.
    fn declared_elsewhere<'a>(&'a self, address: &'a Address) -> impl Iterator<Item = Blocker> + 'a {
        let declared = self.own.declared.get(address).into_iter().flatten();
        let named = declared.map(|entry| (entry, place_of(&entry.consumer)));
        let elsewhere = named.filter(|(_, place)| place.as_ref() != Some(&self.deployment.place));
        let standing = elsewhere.filter(|(entry, _)| !self.is_overridden(Override::BreakConsumers, &entry.consumer));
        standing.map(move |(entry, place)| Blocker {
            kind: BlockerKind::Declared,
            id: entry.consumer.clone(),
            connection: Some(address.clone()),
            message: format!("the connection `{address}` would go, and `{}` names it, a {}", entry.consumer, entry.declared),
            place,
        })
    }

    fn defaults_that_name<'a>(&'a self, address: &'a Address) -> impl Iterator<Item = Blocker> + 'a {
        self.own.environments.iter().flat_map(move |(workspace, environment)| {
            let means = move |target: &PartialAddress| {
                WorkspaceName::new(workspace.as_str()).is_ok_and(|owner| target.may_mean(address, &owner, &environment.name))
            };
            environment.defaults.iter().filter(move |(_, target)| means(target)).map(move |(key, _)| Blocker {
                kind: BlockerKind::Default,
                id: format!("{workspace}/{}:{key}", environment.name),
                connection: Some(address.clone()),
                message: format!(
                    "the connection `{address}` would go, and the default `{key}` of the environment `{workspace}/{}` names it",
                    environment.name
                ),
                place: None,
            })
        })
    }

    /// All that keeps something from going, as far as it can be known without marking anything.
    pub(super) async fn all_blockers(&self) -> Result<Vec<Blocker>, Problems> {
        let mut blockers = self.blockers(&self.own.consumers);
        if self.going().next().is_some() {
            let ours = BTreeSet::from([self.deployment.place.clone()]);
            blockers.extend(self.binding_runs(self.going(), &ours).await?);
        }
        Ok(blockers)
    }

    /// Runs in progress at other places than `ours` that bind what would go.
    pub(super) async fn binding_runs<'a>(
        &self,
        going: impl Iterator<Item = &'a Address> + Clone,
        ours: &BTreeSet<Place>,
    ) -> Result<Vec<Blocker>, Problems> {
        let mut blockers = Vec::new();
        for place in self.store.claims().await?.into_keys().filter(|place| !ours.contains(place)) {
            let Some((_, claim)) = ledger::read_claim(&*self.store, &place).await? else { continue };
            let bound = going.clone().filter(|address| claim.binds.contains(&address.to_string()));
            blockers.extend(bound.map(|address| Blocker {
                kind: BlockerKind::Claim,
                id: claim.run.id.to_string(),
                connection: Some(address.clone()),
                message: format!("the connection `{address}` would go, and run `{}` of `{place}` is binding to it", claim.run.id),
                place: Some(place.clone()),
            }));
        }
        Ok(blockers)
    }

    /// The consumers as the ledger has them now.
    pub(super) async fn consumers_now(&self) -> Result<Consumers, Problems> {
        let found = Snapshot::newest(&*self.store).await?.consumers(self.going()).await?;
        Ok(found.into_iter().map(|(address, found)| (address, found.bound.into_values().collect())).collect())
    }

    /// What a run that is blocked is refused with: one problem for each blocker; with the first, how all that is in the way can go.
    pub(super) async fn refused(&self, blockers: &[Blocker]) -> Problems {
        let mut problems = Problems(blockers.iter().map(|blocker| self.refusal(blocker)).collect());
        let places: BTreeSet<Place> = blockers.iter().filter_map(|blocker| blocker.place.clone()).collect();
        let order = self.order_of_removal(places).await.unwrap_or_default();
        if let (Some(first), true) = (problems.0.first_mut(), order.len() > 1) {
            first.help.push("all that needs it can be destroyed in this order:".to_owned());
            first.help.extend(order.iter().zip(1..).map(|(place, number)| format!("{number}. {}", destroying(place))));
        }
        problems
    }

    fn refusal(&self, blocker: &Blocker) -> Diagnostic {
        let reason = match blocker.kind {
            BlockerKind::Protected => FailureReason::Protected,
            _ => FailureReason::ConsumersExist,
        };
        let problem = Diagnostic::error(reason, blocker.message.clone());
        let problem = match self.settings.run_type {
            RunType::Destroy => problem.in_file(&self.deployment.file),
            _ => problem.at(&self.deployment.file, Pointer::keys(["plugins"]).at_key()),
        };
        match (blocker.kind, &blocker.place) {
            (BlockerKind::Consumer | BlockerKind::Preview, Some(place)) => problem
                .help(format!("destroy it first: {}; or wire its slot to another connection, and deploy it", destroying(place)))
                .help(format!("or break it on purpose: `--break-consumers {} --reason <why>`", blocker.id)),
            (BlockerKind::Declared, Some(_)) => problem
                .help("take it out of that manifest, and deploy that")
                .help(format!("or break it on purpose: `--break-consumers {} --reason <why>`", blocker.id)),
            (BlockerKind::Default, _) => {
                let (environment, key) = blocker.id.split_once(':').unwrap_or((&blocker.id, ""));
                let (workspace, environment) = environment.split_once('/').unwrap_or_default();
                let document = format!("workspaces/{workspace}/environments/{environment}.yaml");
                problem.help(format!(
                    "take `{key}` out of `defaults` in the context's `{document}`, or name another connection there"
                ))
            }
            (BlockerKind::Protected, _) => {
                let Place { workspace, environment, .. } = &self.deployment.place;
                let document = format!("workspaces/{workspace}/environments/{environment}.yaml");
                problem.help(format!("set `protected: false` in the context's `{document}` first, by a reviewed change"))
            }
            _ => problem.help("wait until that run has ended, then look at the consumers again"),
        }
    }

    /// The deployables behind the blockers and all that needs these in turn, those that nobody needs first.
    async fn order_of_removal(&self, places: BTreeSet<Place>) -> Result<Vec<Place>, Problems> {
        let ledger = Snapshot::newest(&*self.store).await?;
        let mut needed_by: BTreeMap<Place, BTreeSet<Place>> = BTreeMap::new();
        let mut waiting: Vec<Place> = places.into_iter().collect();
        while let Some(place) = waiting.pop().filter(|_| needed_by.len() < MOST_PLACES) {
            let connections = ledger.place(&place).await?.connections;
            let consumers = ledger.consumers(connections.values().map(|record| &record.address)).await?;
            let elsewhere = consumers.into_values().flat_map(|found| found.bound.into_keys()).map(|(consumer, _)| consumer);
            let elsewhere: BTreeSet<Place> = elsewhere.filter(|consumer| *consumer != place).collect();
            waiting.extend(elsewhere.iter().filter(|consumer| !needed_by.contains_key(*consumer)).cloned());
            needed_by.insert(place, elsewhere);
        }
        let mut order: Vec<Place> = Vec::new();
        let is_free = |place: &Place, order: &[Place]| needed_by[place].iter().all(|consumer| order.contains(consumer));
        while let Some(next) = needed_by.keys().find(|place| !order.contains(place) && is_free(place, &order)) {
            order.push(next.clone());
        }
        Ok(order)
    }

    /// Says which consumers were named to be broken although they need nothing that goes.
    pub(super) fn tell_of_needless_overrides(&self) {
        let asked = self.settings.overrides.iter().filter(|set_aside| set_aside.what == Override::BreakConsumers);
        let needs = |consumer: &str| {
            let bound = || self.going().filter_map(|address| self.own.consumers.get(address)).flatten();
            let declared = || self.going().filter_map(|address| self.own.declared.get(address)).flatten();
            bound().any(|entry| entry.consumer == consumer) || declared().any(|entry| entry.consumer == consumer)
        };
        for subject in asked.flat_map(|set_aside| &set_aside.subjects).filter(|subject| !needs(subject)) {
            let message = format!("`{subject}` is named by `break-consumers`, and needs nothing that goes");
            self.emit(Event::Warning(Diagnostic::warning(FailureReason::ConsumersExist, message)));
        }
    }
}

/// The command that destroys a deployable.
fn destroying(Place { workspace, environment, deployable }: &Place) -> String {
    format!("`tieline destroy --workspace {workspace} --environment {environment} --deployable {deployable}`")
}

/// The deployable of a consumer, whose name has the form of an address: a slot where that has an output.
fn place_of(consumer: &str) -> Option<Place> {
    consumer.parse::<Address>().ok()?.producer()
}

fn protected(place: &Place) -> Blocker {
    let environment = format!("{}/{}", place.workspace, place.environment);
    Blocker {
        kind: BlockerKind::Protected,
        message: format!("the environment `{environment}` is protected: nothing in it is destroyed"),
        id: environment,
        connection: None,
        place: None,
    }
}
