//! A deployment as the manifest has it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Accepts, Ground, Resolved, Standing, gone, lock_mode, standing, values};
use crate::app::load;
use crate::app::moving::warn_of_former_names;
use crate::app::session::Session;
use crate::domain::deployment::{Choice, Deployment, Secrets};
use crate::domain::diagnostic::Problems;
use crate::domain::names::Alias;
use crate::domain::organization::SecretReference;
use crate::request::cli;
use crate::resolve;
use crate::secrets::Secret;

/// Reads and resolves everything; nothing is claimed, nothing started.
pub(in crate::app) async fn from_manifest(
    session: &Session,
    target: &cli::Target,
    values: &cli::Values,
    accepts: Accepts<'_>,
    standing: Standing<'_>,
) -> Result<Resolved, Problems> {
    let written = load::manifest(session, target)?;
    let place = Session::place(target, &written)?;
    let ground = Ground::of(session, target, &values.sensitive, place, Some(&written), standing).await?;
    let Ground { place, opened, organization, head, standing, secrets, opener, folder } = ground;
    let standing::Ground { workspace, environment, base, life } = standing;
    let catalog = organization.catalog.as_ref();
    let mut loaded = session.plugins(&written, &session.plugin_client(&target.context), catalog, lock_mode(session)).await?;
    let types = session.types(Some((&*opened.store, &head)), &loaded.proposed, catalog).await?;
    load::settle(loaded.plugins.values_mut(), &types);
    let secrets = loaded.sequences.given(secrets);
    let wanted = resolve::wanted(&loaded.manifest, &environment, &place, base.as_ref());
    let context = session.context_view(&opened, &head, &wanted, &place).await?;
    let names: BTreeSet<_> = secrets.keys().cloned().collect();
    let limits = organization.context.as_ref().map(|context| context.limits.clone()).unwrap_or_default();
    let resolved = resolve::resolve(&resolve::Inputs {
        place: place.clone(),
        base: base.as_ref(),
        file: &written.file,
        manifest: &loaded.manifest,
        workspace: &workspace,
        environment: &environment,
        plugins: &loaded.plugins,
        types: &types,
        context: &context,
        run_inputs: &loaded.sequences.given(values::run_inputs(session, target, values)?),
        secrets: &names,
        limits: &limits,
        allow_degraded: accepts.degraded,
        abandoned: accepts.abandoned,
    });
    if resolved.as_ref().map_or(true, |resolved| has_pending(&resolved.deployment)) {
        session.warn(&gone::tell(&*opened.store, &place, &context.applied).await?);
    }
    let resolved = resolved?;
    let deployment = resolved.deployment;
    learn_imported(session, &deployment);
    session.warn(&resolved.warnings);
    session.warn(&loaded.warnings);
    let new: Vec<&Alias> = deployment.plugins.keys().filter(|alias| !context.applied.contains_key(*alias)).collect();
    warn_of_former_names(session, &*opened.store, &deployment, &context.applied, &new).await?;
    let known = context.applied.values().map(|record| record.terraform.clone()).collect();
    let sources = || deployment.plugins.iter().map(|(alias, plugin)| (alias.clone(), &plugin.source.written));
    let resolved = Resolved {
        contents: sources().map(|(alias, used)| (alias, loaded.contents[used].clone())).collect(),
        folders: sources().map(|(alias, used)| (alias, session.plugin_folder(&written.folder, used))).collect(),
        keys: values::keys(&deployment.environment, organization.context.as_ref(), opener),
        opened,
        organization,
        workspace,
        deployment,
        secrets,
        attributes: BTreeMap::new(),
        at_hand: BTreeMap::new(),
        locks: BTreeMap::new(),
        known,
        folder,
        source: None,
        adoption: None,
        life,
        notes: Vec::new(),
    };
    resolved.with_modules(&types)
}

fn has_pending(deployment: &Deployment) -> bool {
    let mut slots = deployment.plugins.values().flat_map(|plugin| plugin.slots.values());
    slots.any(|slot| matches!(slot.choice, Choice::Pending { .. }))
}

/// Imported connections name variables of the run that hold secrets.
pub(super) fn learn_imported(session: &Session, deployment: &Deployment) {
    let slots = deployment.plugins.values().flat_map(|plugin| plugin.slots.values());
    for slot in slots {
        let Choice::Connection(chosen) = &slot.choice else { continue };
        let Secrets::Imported(references) = &chosen.secrets else { continue };
        for reference in references.values() {
            if let SecretReference::Env(name) = reference
                && let Some(value) = session.world.variables.get(name)
            {
                session.learn(&Secret::new(value));
            }
        }
    }
}
