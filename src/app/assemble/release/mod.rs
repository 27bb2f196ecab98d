//! A deployment as a release has it (R36 to R38): the plugins by digest out of the context's own copy, the inputs and bindings that were
//! recorded. The application's branch is not read.
//!
//! The release becomes a manifest in which everything is said, and goes through the same resolver as one that a person wrote: so its types,
//! grants and consumers are checked as they are today.

mod asked;
mod since;
mod written;

use std::collections::{BTreeMap, BTreeSet};

use super::stored::{self, Stored};
use super::{Accepts, Ground, Resolved, Source, Standing, manifest, standing, values};
use crate::app::load;
use crate::app::session::Session;
use crate::context::ledger::Snapshot;
use crate::context::{CommitId, ContextStore, layout};
use crate::domain::address::AliasMember;
use crate::domain::deployment::Deployment;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::manifest::Manifest;
use crate::domain::names::{Alias, InputName};
use crate::domain::organization::{Environment, Workspace};
use crate::domain::record::{Release, ReleasedPlugin};
use crate::request::cli;
use crate::resolve;

pub(in crate::app) use asked::Back;

/// What a rollback works with; nothing is claimed, nothing started.
///
/// # Errors
/// When there is no such release, a sensitive input has no value today, or the release cannot be applied as things stand.
pub(in crate::app) async fn from_release(
    session: &Session,
    target: &cli::Target,
    secrets: &cli::Sensitive,
    back: &Back<'_>,
    accepts: Accepts<'_>,
) -> Result<Resolved, Problems> {
    let place = session.named_place(target)?;
    let ground = Ground::of(session, target, secrets, place, None, Standing::Environment).await?;
    let Ground { place, opened, organization, head, standing, secrets, opener, folder } = ground;
    let standing::Ground { workspace, environment, .. } = standing;
    let store = &*opened.store;
    let snapshot = Snapshot::newest(store).await?;
    let release = asked::find(&snapshot, &place, back.to).await?;
    let file = format!("ledger:{}", layout::release(&place, &release.run));
    let needed = needed_secrets(&file, &release, &secrets)?;
    let ledger = snapshot.at().cloned().ok_or_else(|| asked::no_such_release(&place, back.to, &[]))?;
    let stored = stored_plugins(session, store, &ledger, &release).await?;
    let proposed: Vec<_> = stored.values().flat_map(|stored| stored.proposed.clone()).collect();
    let types = session.types(Some((store, &head)), &proposed, organization.catalog.as_ref()).await?;
    let written: Manifest = serde_json::from_value(release.manifest.clone()).map_err(|problem| unreadable(&file, &problem))?;
    let said = written::as_written(&place, &written, &release, &back.rebind);
    let mut plugins = written::loaded(&release, &stored);
    load::settle(plugins.values_mut(), &types);
    // All that flows into it is said in the release: no default, no value of today.
    let environment_then = Environment { defaults: BTreeMap::new(), values: BTreeMap::new(), ..environment.clone() };
    let workspace_then = Workspace { values: BTreeMap::new(), ..workspace.clone() };
    let wanted = resolve::wanted(&said, &environment_then, &place, None);
    let context = session.context_view(&opened, &head, &wanted, &place).await?;
    let mut notes =
        vec![format!("back to the release `{}` of run `{}`; data is not rolled back", release.version_tag, release.run)];
    notes.extend(since::moved(&file, &place, &release, &context, back)?);
    notes.extend(since::kept(&release, &context.applied));
    // What a deploy of today is given is not always an input of the release. What goes may need it once more.
    let unused = secrets.keys().filter(|input| !needed.contains(input) && release.plugins.contains_key(&input.alias));
    notes.extend(unused.map(|input| format!("the secret `{input}` is not used: it is no input of the release")));
    let resolved = resolve::resolve(&resolve::Inputs {
        place,
        base: None,
        file: &file,
        manifest: &said,
        workspace: &workspace_then,
        environment: &environment_then,
        plugins: &plugins,
        types: &types,
        context: &context,
        run_inputs: &BTreeMap::new(),
        secrets: &needed,
        limits: &organization.context.as_ref().map(|context| context.limits.clone()).unwrap_or_default(),
        allow_degraded: accepts.degraded,
        abandoned: accepts.abandoned,
    })?;
    // What is recorded of it is what was recorded then.
    let stand_ins = written::stand_ins(&resolved.deployment.place, &written);
    let deployment = Deployment { environment, manifest: written, stand_ins, ..resolved.deployment };
    manifest::learn_imported(session, &deployment);
    session.warn(&resolved.warnings);
    let lock = |(alias, plugin): (&Alias, &ReleasedPlugin)| Some((alias.clone(), plugin.provider_lock.clone()?));
    let resolved = Resolved {
        locks: release.plugins.iter().filter_map(lock).collect(),
        folders: release.plugins.iter().map(|(alias, plugin)| (alias.clone(), stored::known_as(&plugin.source))).collect(),
        contents: stored.into_iter().map(|(alias, stored)| (alias, stored.content)).collect(),
        known: context.applied.values().map(|record| record.terraform.clone()).collect(),
        source: Some(Source { run: release.run, version_tag: release.version_tag, commit: release.commit }),
        keys: values::keys(&deployment.environment, organization.context.as_ref(), opener),
        opened,
        organization,
        workspace,
        deployment,
        secrets,
        attributes: BTreeMap::new(),
        at_hand: BTreeMap::new(),
        folder,
        adoption: None,
        life: None,
        notes,
    };
    resolved.with_modules(&types)
}

fn unreadable(file: &str, problem: &serde_json::Error) -> Problems {
    Diagnostic::error(FailureReason::ContextUnavailable, format!("the manifest in the release cannot be read: {problem}"))
        .in_file(file)
        .help("run `tieline context verify`")
        .into()
}

/// The sensitive inputs of the release. Those without a value today are listed, all at once and before anything else (R36).
fn needed_secrets(file: &str, release: &Release, given: &values::Secrets) -> Result<BTreeSet<AliasMember<InputName>>, Problems> {
    let of = |(alias, plugin): (&Alias, &ReleasedPlugin)| {
        let member = |input: &InputName| AliasMember { alias: alias.clone(), member: input.clone() };
        plugin.sensitive_inputs.iter().map(member).collect::<Vec<_>>()
    };
    let needed: BTreeSet<_> = release.plugins.iter().flat_map(of).collect();
    let missing: Vec<String> =
        needed.iter().filter(|input| !given.contains_key(input)).map(|input| format!("`{input}`")).collect();
    if missing.is_empty() {
        return Ok(needed);
    }
    Err(Diagnostic::error(FailureReason::InvalidInput, format!("the release needs the sensitive inputs {}", missing.join(", ")))
        .in_file(file)
        .note("their values are never recorded: a rollback takes today's")
        .help("give them as `secrets`: `TIELINE_SECRETS='{alias.input: value}'`")
        .into())
}

async fn stored_plugins(
    session: &Session,
    store: &dyn ContextStore,
    ledger: &CommitId,
    release: &Release,
) -> Result<BTreeMap<Alias, Stored>, Problems> {
    let mut stored = BTreeMap::new();
    for (alias, plugin) in &release.plugins {
        stored.insert(alias.clone(), stored::plugin(session, store, ledger, &plugin.source).await?);
    }
    Ok(stored)
}
