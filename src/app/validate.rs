//! `tieline validate`: manifest, plugins and types against each other, offline (R8, R10).

use std::collections::{BTreeMap, BTreeSet};

use super::load::{LoadedPlugins, Organization, Written};
use super::session::Session;
use super::{assemble, load};
use crate::domain::deployment::PublishedFace;
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::manifest::AppliedPlugin;
use crate::domain::names::{Alias, OutputName};
use crate::domain::overlay::{self, Seen};
use crate::domain::plugin::Plugin;
use crate::engine::Content;
use crate::policy;
use crate::render;
use crate::request::cli::Target;
use crate::resolve::{self, Types};

/// What tells the names of two previews apart.
const NAME_PREFIX: &str = "name_prefix";

/// Checks a manifest and everything it names.
pub(super) async fn run(session: &Session, target: &Target) -> Result<(), Problems> {
    let written = load::manifest(session, target)?;
    // Without a context the plugins' own types are all there is to check against.
    let named = target.context.context.is_some();
    let opened = match session
        .open_context(&target.context, &session.folder(target.working_directory.as_deref()), &written.folder)
        .await
    {
        Ok(opened) => Some(opened),
        Err(problems) if named => return Err(problems),
        Err(_) => None,
    };
    let organization = match &opened {
        Some(opened) => Some(session.organization(&*opened.store, &[]).await?),
        None => None,
    };
    organization.iter().try_for_each(Organization::has_readable_rules)?;
    let catalog = organization.as_ref().and_then(|organization| organization.catalog.as_ref());
    let mut loaded =
        session.plugins(&written, &session.plugin_client(&target.context), catalog, assemble::lock_mode(session)).await?;
    let store = opened.as_ref().zip(organization.as_ref().and_then(|organization| organization.head.as_ref()));
    let types = session.types(store.map(|(opened, head)| (&*opened.store as _, head)), &loaded.proposed, catalog).await?;

    load::settle(loaded.plugins.values_mut(), &types);
    let mut problems = problems(session, &written, &loaded, (&types, &types));
    problems.extend(colliding(&written, &loaded));
    problems.extend(loaded.warnings);
    if opened.is_none() {
        session
            .say("no context repository was found: the only connection interface types known are those that plugins bring along");
    }
    told(session, &written, problems)
}

/// The same without a context repository, for whoever may not have one (R53): what only that could tell is taken for right. Says what
/// could not be checked.
pub(super) async fn without_context(session: &Session, target: &Target) -> Result<Vec<String>, Problems> {
    let written = load::manifest(session, target)?;
    let mut unchecked = vec!["connections, grants and consumers: they are in the context repository".to_owned()];
    let client = session.plugin_client(&target.context);
    let mut loaded = match session.plugins(&written, &client, None, assemble::lock_mode(session)).await {
        Ok(loaded) => loaded,
        Err(problems) if problems.0.iter().all(|problem| OUT_OF_REACH.contains(&problem.reason)) => {
            let why = problems.0.first().map(|problem| problem.message.clone()).unwrap_or_default();
            unchecked.push(format!("the plugins, and with them inputs and wiring: {why}"));
            return Ok(unchecked);
        }
        Err(problems) => return Err(problems),
    };
    let plugins = loaded.plugins.values().map(|loaded| &*loaded.plugin);
    let assumed = resolve::assumed(plugins, &loaded.proposed);
    let names: BTreeSet<String> = assumed.iter().map(|one| format!("`{}`", one.name)).collect();
    if !names.is_empty() {
        let names = names.into_iter().collect::<Vec<_>>().join(", ");
        unchecked.push(format!("attributes of types that only the context repository has: {names}"));
    }
    let known = Types::new(loaded.proposed.iter().cloned(), BTreeMap::new());
    let types = Types::new(loaded.proposed.iter().cloned().chain(assumed), BTreeMap::new());
    load::settle(loaded.plugins.values_mut(), &types);
    told(session, &written, problems(session, &written, &loaded, (&types, &known)))?;
    unchecked.push("what would change: that takes a plan, which reads Terraform states".to_owned());
    Ok(unchecked)
}

/// What is wrong with a source for who may not reach it.
const OUT_OF_REACH: [FailureReason; 2] = [FailureReason::PluginUnavailable, FailureReason::PermissionDenied];

/// What is wrong with a manifest and its plugins; of the types only the `known` are held against modules.
fn problems(session: &Session, written: &Written, loaded: &LoadedPlugins, (types, known): (&Types, &Types)) -> Problems {
    let mut problems = resolve::declaration(&written.file, &loaded.manifest, &loaded.plugins, types);
    for (used, plugin) in loaded.plugins.iter().filter(|(used, _)| loaded.contents[*used].is_rendered()) {
        let module = loaded.contents[used].module();
        problems.extend(load::in_plugin(
            &session.plugin_folder(&written.folder, used),
            policy::check_contract(&plugin.plugin, &published(&plugin.plugin, known), module),
        ));
        let wired = render::wiring(&plugin.plugin, module, &plugin.plugin.input_names());
        problems.extend(load::in_plugin(&session.plugin_folder(&written.folder, used), wired.err().unwrap_or_default()));
    }
    problems
}

fn told(session: &Session, written: &Written, problems: Problems) -> Result<(), Problems> {
    if problems.any_error() {
        return Err(problems);
    }
    session.show(&problems);
    let count = written.manifest.plugins.len();
    session.print(&format!("`{}` is valid: {count} applied {}", written.file, if count == 1 { "plugin" } else { "plugins" }));
    Ok(())
}

/// Warns of plugins whose resources may have the same names in every preview.
fn colliding(written: &Written, loaded: &LoadedPlugins) -> Problems {
    let Some(preview) = &written.manifest.preview else { return Problems::default() };
    let seen = overlay::merged(&loaded.manifest, Seen::Preview { name: None, base: &preview.base });
    let tells_apart = |content: &Content| {
        let is_module = |path: &str| path.ends_with(".tf") || path.ends_with(".tf.json");
        let mut files = content.tree.files.iter().filter(|(path, _)| is_module(path));
        files.any(|(_, file)| String::from_utf8_lossy(&file.bytes).contains(NAME_PREFIX))
    };
    let used = seen
        .plugins
        .iter()
        .filter(|(_, applied)| loaded.contents.get(&applied.source).is_some_and(|content| !tells_apart(content)));
    let warning = |(alias, applied): (&Alias, &AppliedPlugin)| {
        let message =
            format!("`{alias}` is used in previews, and its plugin does not name things by `var.tieline.{NAME_PREFIX}`");
        let at = if written.manifest.plugins.contains_key(alias) {
            Pointer::keys(["plugins", alias.as_str(), "use"])
        } else {
            Pointer::keys(["preview", "plugins", alias.as_str(), "use"])
        };
        Diagnostic::warning(FailureReason::InvalidDocument, message)
            .at(&written.file, at)
            .note(format!("two previews of `{}` would give their resources the same names", applied.source))
            .help("declare `variable \"tieline\"` in its module and begin names with `name_prefix`, which is another one in each environment")
    };
    Problems(used.map(warning).collect())
}

/// What a plugin publishes, as far as its types are known; `declaration` reports those that are not.
fn published(plugin: &Plugin, types: &Types) -> BTreeMap<OutputName, Vec<PublishedFace>> {
    let faces = |output: &crate::domain::plugin::Output| {
        let known = output.published().into_iter().filter_map(|(named, from)| {
            Some(PublishedFace { connection_type: types.newest(named)?.clone(), from: from.clone() })
        });
        known.collect()
    };
    plugin.generates.iter().map(|(name, output)| (name.clone(), faces(output))).collect()
}
