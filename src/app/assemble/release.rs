//! A deployment as a release has it (R36 to R38): the plugins by digest out of the context's own copy, the inputs and bindings that were
//! recorded. The application's branch is not read.
//!
//! The release becomes a manifest in which everything is said, and goes through the same resolver as one that a person wrote: so its types,
//! grants and consumers are checked as they are today.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::stored::{self, Stored};
use super::{Ground, Resolved, manifest};
use crate::app::session::Session;
use crate::context::ledger::Snapshot;
use crate::context::{CommitId, layout};
use crate::domain::address::{Address, AliasMember, PartialAddress, PartialTarget, Place, Target};
use crate::domain::connection::Binding;
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::manifest::{AppliedPlugin, Manifest};
use crate::domain::names::{Alias, SlotName};
use crate::domain::organization::{Environment, Workspace};
use crate::domain::plugin::{Plugin, TypedOutput};
use crate::domain::record::{AppliedRecord, Release, ReleasedPlugin};
use crate::request::cli;
use crate::resolve::{self, ContextView, LoadedPlugin};
use crate::terraform;

/// How many releases are looked through at a time for a version tag.
const AT_A_TIME: usize = 20;

/// What a person asks to go back to.
pub(in crate::app) struct Back<'a> {
    /// A version tag or a run id.
    pub(in crate::app) to: &'a str,
    /// Connections for slots whose own is gone.
    pub(in crate::app) rebind: BTreeMap<AliasMember<SlotName>, PartialAddress>,
}

impl<'a> Back<'a> {
    /// Reads what was asked for.
    pub(in crate::app) fn read(arguments: &'a cli::Back) -> Result<Self, Problems> {
        let Some(to) = &arguments.to else {
            return Err(Diagnostic::error(FailureReason::InvalidInput, "which release to go back to is not said")
                .help("add `--to <version tag or run id>`; `tieline status` shows the releases there are")
                .into());
        };
        let mut rebind = BTreeMap::new();
        if let Some(text) = &arguments.rebind {
            let invalid = |why: String| {
                Diagnostic::error(FailureReason::InvalidInput, format!("`rebind` {why}"))
                    .help("write it as a YAML mapping of `alias.slot: address`")
            };
            let pairs: BTreeMap<String, String> =
                serde_yaml::from_str(text).map_err(|_| invalid("is not a YAML mapping of texts".to_owned()))?;
            for (slot, address) in pairs {
                let slot = slot.parse().map_err(|problem| invalid(format!("has the key `{slot}`: {problem}")))?;
                rebind.insert(slot, address.parse().map_err(|problem| invalid(format!("has `{address}`: {problem}")))?);
            }
        }
        Ok(Self { to, rebind })
    }
}

/// What a rollback works with; nothing is claimed, nothing started.
///
/// # Errors
/// When there is no such release, a sensitive input has no value today, or the release cannot be applied as things stand.
pub(in crate::app) async fn from_release(
    session: &Session,
    target: &cli::Target,
    secrets: &cli::Sensitive,
    back: &Back<'_>,
    allow_degraded: bool,
) -> Result<Resolved, Problems> {
    let place = session.named_place(target)?;
    let ground = Ground::of(session, target, secrets, place, None).await?;
    let Ground { place, opened, organization, head, workspace, environment, secrets, folder } = ground;
    let store = &*opened.store;
    let snapshot = Snapshot::newest(store).await?;
    let release = find(&snapshot, &place, back.to).await?;
    let file = format!("ledger:{}", layout::release(&place, &release.run));
    let given: BTreeSet<_> = secrets.keys().cloned().collect();
    refuse_missing_secrets(&file, &release, &given)?;
    let ledger = snapshot.at().cloned().ok_or_else(|| no_such_release(&place, back.to, &[]))?;
    let stored = stored_plugins(session, store, &ledger, &release).await?;
    let proposed: Vec<_> = stored.values().flat_map(|stored| stored.proposed.clone()).collect();
    let types = session.types(Some((store, &head)), &proposed, organization.catalog.as_ref()).await?;
    let written: Manifest = serde_json::from_value(release.manifest.clone()).map_err(|problem| unreadable(&file, &problem))?;
    let said = as_written(&place, &written, &release, &back.rebind);
    let plugins = loaded(&release, &stored);
    // All that flows into it is said in the release: no default, no value of today.
    let environment_then = Environment { defaults: BTreeMap::new(), values: BTreeMap::new(), ..environment.clone() };
    let workspace_then = Workspace { values: BTreeMap::new(), ..workspace.clone() };
    let wanted = resolve::wanted(&said, &environment_then, &place);
    let context = session.context_view(&opened, &head, &wanted, &place).await?;
    let mut notes = vec![format!("back to release `{}` of run `{}`; data is not rolled back", release.version_tag, release.run)];
    notes.extend(moved(&file, &place, &release, &context, &back.rebind)?);
    notes.extend(kept(&release, &context.applied));
    let resolved = resolve::resolve(&resolve::Inputs {
        place,
        file: &file,
        manifest: &said,
        workspace: &workspace_then,
        environment: &environment_then,
        plugins: &plugins,
        types: &types,
        context: &context,
        run_inputs: &BTreeMap::new(),
        secrets: &given,
        limits: &organization.context.as_ref().map(|context| context.limits.clone()).unwrap_or_default(),
        allow_degraded,
    })?;
    // What is recorded of it is what was recorded then.
    let deployment = crate::domain::deployment::Deployment { environment, manifest: written, ..resolved.deployment };
    manifest::learn_imported(session, &deployment);
    session.warn(&resolved.warnings);
    notes.iter().for_each(|note| session.say(note));
    let lock = |(alias, plugin): (&Alias, &ReleasedPlugin)| Some((alias.clone(), plugin.provider_lock.clone()?));
    Ok(Resolved {
        locks: release.plugins.iter().filter_map(lock).collect(),
        folders: release.plugins.iter().map(|(alias, plugin)| (alias.clone(), stored::known_as(&plugin.source))).collect(),
        contents: stored.into_iter().map(|(alias, stored)| (alias, stored.content)).collect(),
        known: context.applied.values().map(|record| record.terraform.clone()).collect(),
        source: Some((release.run, release.version_tag)),
        opened,
        organization,
        workspace,
        deployment,
        secrets,
        attributes: BTreeMap::new(),
        at_hand: BTreeMap::new(),
        folder,
        notes,
    })
}

/// The release that is meant: of this run, else the newest with this version tag.
async fn find(snapshot: &Snapshot<'_>, place: &Place, to: &str) -> Result<Release, Problems> {
    let runs = snapshot.released(place).await?;
    if let Some(run) = runs.iter().find(|run| run.as_str() == to) {
        return Ok(snapshot.releases_of(place, std::slice::from_ref(run)).await?.swap_remove(0));
    }
    let mut seen = Vec::new();
    for some in runs.chunks(AT_A_TIME) {
        for release in snapshot.releases_of(place, some).await? {
            if release.version_tag.as_str() == to {
                return Ok(release);
            }
            seen.push(release);
        }
    }
    Err(no_such_release(place, to, &seen))
}

fn no_such_release(place: &Place, to: &str, seen: &[Release]) -> Problems {
    let message = format!("there is no release `{to}` of `{place}`");
    let mut problem = Diagnostic::error(FailureReason::InvalidInput, message);
    for release in seen.iter().take(10) {
        problem = problem.note(format!(
            "`{}`, made {} by run `{}`",
            release.version_tag,
            release.made.format("%Y-%m-%d %H:%M UTC"),
            release.run
        ));
    }
    problem.help("name one that `tieline status` shows, by its version tag or its run id").into()
}

fn unreadable(file: &str, problem: &serde_json::Error) -> Problems {
    Diagnostic::error(FailureReason::ContextUnavailable, format!("the manifest in the release cannot be read: {problem}"))
        .in_file(file)
        .help("run `tieline context verify`")
        .into()
}

/// What nothing recorded has, all at once and before anything else (R36).
fn refuse_missing_secrets(
    file: &str,
    release: &Release,
    given: &BTreeSet<AliasMember<crate::domain::names::InputName>>,
) -> Result<(), Problems> {
    let needed = release.plugins.iter().flat_map(|(alias, plugin)| {
        plugin.sensitive_inputs.iter().map(|input| AliasMember { alias: alias.clone(), member: input.clone() })
    });
    let missing: Vec<String> = needed.filter(|input| !given.contains(input)).map(|input| format!("`{input}`")).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Diagnostic::error(FailureReason::InvalidInput, format!("the release needs the sensitive inputs {}", missing.join(", ")))
        .in_file(file)
        .note("their values are never recorded: a rollback takes today's")
        .help("give them as `secrets`: `TIELINE_SECRETS='{alias.input: value}'`")
        .into())
}

async fn stored_plugins(
    session: &Session,
    store: &dyn crate::context::ContextStore,
    ledger: &CommitId,
    release: &Release,
) -> Result<BTreeMap<Alias, Stored>, Problems> {
    let mut stored = BTreeMap::new();
    for (alias, plugin) in &release.plugins {
        stored.insert(alias.clone(), stored::plugin(session, store, ledger, &plugin.source).await?);
    }
    Ok(stored)
}

/// The release as a manifest in which each applied plugin uses its own stored copy, under its alias for a name.
fn as_written(
    place: &Place,
    written: &Manifest,
    release: &Release,
    rebind: &BTreeMap<AliasMember<SlotName>, PartialAddress>,
) -> Manifest {
    let applied = |(alias, plugin): (&Alias, &ReleasedPlugin)| {
        let connections = plugin.bindings.iter().map(|(slot, binding)| {
            let member = AliasMember { alias: alias.clone(), member: slot.clone() };
            (slot.clone(), rebind.get(&member).cloned().unwrap_or_else(|| in_full(place, release, &binding.address)))
        });
        let after = written.plugins.get(alias).map(|applied| applied.after.clone()).unwrap_or_default();
        let after = after.into_iter().filter(|first| release.plugins.contains_key(first)).collect();
        let inputs = plugin.inputs.clone();
        (alias.clone(), AppliedPlugin { source: alias.to_string(), inputs, connections: connections.collect(), after })
    };
    Manifest {
        plugins: release.plugins.iter().map(applied).collect(),
        environments: BTreeMap::new(),
        preview: None,
        ..written.clone()
    }
}

/// An address as a manifest says it: a link where the release itself has the producer.
fn in_full(place: &Place, release: &Release, address: &Address) -> PartialAddress {
    let is_link = is_link(place, release, address);
    let target = match &address.target {
        Target::Output { deployable, alias, output } => PartialTarget::Output {
            deployable: (!is_link).then(|| deployable.clone()),
            alias: alias.clone(),
            output: output.clone(),
        },
        Target::Imported(name) => PartialTarget::Imported(name.clone()),
    };
    PartialAddress {
        workspace: (!is_link).then(|| address.workspace.clone()),
        environment: (!is_link).then(|| address.environment.clone()),
        target,
        generation: None,
    }
}

fn is_link(place: &Place, release: &Release, address: &Address) -> bool {
    let Target::Output { alias, .. } = &address.target else { return false };
    address.producer().as_ref() == Some(place) && release.plugins.contains_key(alias)
}

/// The plugins under the names that the manifest has for them, publishing exactly the types that they did.
fn loaded(release: &Release, stored: &BTreeMap<Alias, Stored>) -> BTreeMap<String, LoadedPlugin> {
    let of = |(alias, stored): (&Alias, &Stored)| {
        let released = &release.plugins[alias];
        let plugin = Arc::new(as_published(&stored.plugin, released));
        let file = format!("{}/plugin.yaml", stored::known_as(&released.source));
        (alias.to_string(), LoadedPlugin { plugin, source: released.source.clone(), file })
    };
    stored.iter().map(of).collect()
}

/// The plugin with its outputs' types as they were then: a newer version of a type may ask for more.
fn as_published(plugin: &Plugin, released: &ReleasedPlugin) -> Plugin {
    let mut plugin = plugin.clone();
    for (name, output) in &mut plugin.generates {
        let Some(types) = released.outputs.get(name) else { continue };
        let mut then = types.iter().filter_map(|written| written.parse().ok());
        if let Some(type_ref) = &mut output.type_ref {
            *type_ref = then.next().unwrap_or_else(|| type_ref.clone());
        }
        for typed in &mut output.types {
            let type_ref = match typed {
                TypedOutput::Plain(type_ref) => type_ref,
                TypedOutput::Mapped(mapped) => &mut mapped.type_ref,
            };
            *type_ref = then.next().unwrap_or_else(|| type_ref.clone());
        }
    }
    plugin
}

/// Bindings whose connection has moved on since, in words; one that is another connection by now, or none, is refused (R37).
fn moved(
    file: &str,
    place: &Place,
    release: &Release,
    context: &ContextView,
    rebind: &BTreeMap<AliasMember<SlotName>, PartialAddress>,
) -> Result<Vec<String>, Problems> {
    let mut notes = Vec::new();
    let mut problems = Problems::default();
    for (alias, plugin) in &release.plugins {
        for (slot, binding) in plugin.bindings.iter().filter(|(_, binding)| !is_link(place, release, &binding.address)) {
            let member = AliasMember { alias: alias.clone(), member: slot.clone() };
            if let Some(instead) = rebind.get(&member) {
                notes.push(format!("slot `{member}` takes `{}` instead of `{}`", instead.within(place), binding.address));
                continue;
            }
            let now = match context.imported.get(&binding.address) {
                Some(document) => resolve::imported_record(&binding.address, document),
                None => context.connections.get(&binding.address).cloned(),
            };
            match now {
                Some(now) if now.uid != binding.uid => {
                    problems.push(gone(file, &member, binding, "was destroyed and created again since"));
                }
                None => problems.push(gone(file, &member, binding, "is gone")),
                Some(now) if now.generation != binding.generation => notes.push(format!(
                    "slot `{member}`: `{}` has moved on from generation {} to {}, and is used as it is now",
                    binding.address, binding.generation, now.generation
                )),
                Some(now) if now.digest != binding.digest => {
                    notes.push(format!("slot `{member}`: `{}` is another one now, and is used as it is", binding.address));
                }
                Some(_) => {}
            }
        }
    }
    if problems.any_error() { Err(problems) } else { Ok(notes) }
}

fn gone(file: &str, slot: &AliasMember<SlotName>, binding: &Binding, why: &str) -> Diagnostic {
    let message = format!("slot `{slot}` of the release took `{}`, which {why}", binding.address);
    Diagnostic::error(FailureReason::BindingChanged, message)
        .at(file, Pointer::keys(["plugins", slot.alias.as_str(), "bindings", slot.member.as_str()]))
        .help(format!("say what it is to take: `--rebind '{{{slot}: <address>}}'`, or `rebind` in a workflow"))
}

/// Providers and Terraform that stay at the newer version that wrote the state, in words (R38).
fn kept(release: &Release, applied: &BTreeMap<Alias, AppliedRecord>) -> Vec<String> {
    let mut notes = Vec::new();
    for (alias, then) in &release.plugins {
        let Some(now) = applied.get(alias) else { continue };
        let versions = |lock: &Option<String>| lock.as_deref().map(terraform::locked_versions).unwrap_or_default();
        let now_locked = versions(&now.provider_lock);
        for (provider, version) in versions(&then.provider_lock) {
            if let Some(newer) = now_locked.get(&provider).filter(|newer| **newer > version) {
                notes.push(format!(
                    "`{alias}` keeps the provider `{provider}` at {newer}, which wrote its state; the release had {version}"
                ));
            }
        }
    }
    notes
}
