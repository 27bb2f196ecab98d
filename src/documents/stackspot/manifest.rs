//! A manifest: `.stk/stk.yaml` of schema v1 or v2.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::fields::{Fields, Report};
use super::plain::named;
use super::stored::{add_overlays, inputs, shared};
use super::wiring::Wiring;
use crate::documents::finding::{Finding, listed};
use crate::documents::native::Document;
use crate::domain::diagnostic::Pointer;
use crate::domain::manifest::{AppliedPlugin, DeployableKind, Manifest, Overlay};
use crate::domain::names::{Alias, DeployableName, EnvironmentName};

/// An applied plugin that is deployed.
struct Entry<'a> {
    alias: Alias,
    source: String,
    fields: Fields<'a>,
}

/// Reads a manifest; with it what of it has no effect.
pub(in crate::documents) fn manifest(value: &Value) -> Result<(Manifest, Vec<Finding>), Vec<Finding>> {
    let mut report = Report::default();
    let read = read(value, &mut report);
    let (manifest, warnings) = report.result(read)?;
    // Rules that every manifest keeps. Their places are those of a document of ours.
    let written = serde_json::to_value(&manifest).unwrap_or_default();
    let broken = manifest.findings("", &written);
    if broken.is_empty() {
        return Ok((manifest, warnings));
    }
    Err(broken.into_iter().map(|finding| Finding { pointer: Pointer::keys(["spec", "plugins"]), ..finding }).collect())
}

fn read(value: &Value, report: &mut Report) -> Option<Manifest> {
    let root = Fields::of(value, Pointer::default(), report);
    root.only(&["schema-version", "schemaVersion", "kind", "metadata", "spec"], report);
    root.only_versions(&["v1", "v2"], "manifests", report);
    let metadata = root.below("metadata", report);
    metadata.only(&["name", "display-name", "description", "starter", "stack-version-id", "stack"], report);
    let spec = root.below("spec", report);
    spec.only(&["type", "app-id", "infra-id", "plugins", "global-inputs", "global-computed-inputs", "repository"], report);
    let name = name(&metadata, report);
    let kind = kind(&spec, report);
    let entries = entries(&spec, report);
    let wiring = Wiring::of(entries.iter().map(|entry| (&entry.alias, &entry.fields)), report);
    let shared = shared(&spec, report);
    let mut environments: BTreeMap<EnvironmentName, Overlay> = BTreeMap::new();
    let mut plugins = BTreeMap::new();
    for Entry { alias, source, fields } in entries {
        add_overlays(&alias, &fields, &wiring, &mut environments, report);
        let inputs = inputs(&fields, &shared, report);
        let connections = wiring.connections(&alias, report);
        plugins.insert(alias, AppliedPlugin { source, inputs, connections, after: Vec::new() });
    }
    Some(Manifest {
        api_version: "tieline/v1".to_owned(),
        kind: kind?,
        name: name?,
        workspace: None,
        environment: None,
        plugins,
        environments,
        preview: None,
    })
}

fn name(metadata: &Fields<'_>, report: &mut Report) -> Option<DeployableName> {
    let help = "write `metadata: {name: <name>}`, in lower-case letters, digits and `-`: states and records are kept under it";
    let Some(written) = metadata.text("name", report).filter(|name| !name.trim().is_empty()) else {
        report.refuse(Finding::new(metadata.at.clone(), "the manifest does not say what it is called").help(help));
        return None;
    };
    let name = named(&written);
    if name.is_none() {
        let finding = Finding::new(metadata.place("name"), format!("nothing of `{written}` can be part of a deployable's name"));
        report.refuse(finding.help(help));
    }
    name
}

fn kind(spec: &Fields<'_>, report: &mut Report) -> Option<DeployableKind> {
    match spec.needed("type", "`spec`", report)?.as_str() {
        "app" => Some(DeployableKind::Application),
        "infra" => Some(DeployableKind::SharedInfra),
        other => {
            let finding = Finding::new(spec.place("type"), format!("`{other}` is not a type of StackSpot manifests"));
            report.refuse(finding.help("write `app` or `infra`"));
            None
        }
    }
}

/// The applied plugins that make infrastructure. The others wrote source files once, and there is nothing of them to deploy.
fn entries<'a>(spec: &Fields<'a>, report: &mut Report) -> Vec<Entry<'a>> {
    const FIELDS: [&str; 9] =
        ["name", "alias", "plugin-version-id", "stack-version-id", "type", "inputs", "inputs-envs", "connections", "connectors"];
    let mut entries: Vec<Entry<'a>> = Vec::new();
    let mut left_out = BTreeSet::new();
    let mut taken: BTreeMap<Alias, Pointer> = BTreeMap::new();
    for (at, value) in spec.list("plugins") {
        let fields = Fields::of(value, at, report);
        fields.only(&[FIELDS.as_slice(), &["links"]].concat(), report);
        let Some(written) = fields.needed("name", "an applied plugin", report) else { continue };
        if fields.get("type").and_then(Value::as_str) == Some("app") {
            left_out.insert(written);
            continue;
        }
        let source = source(&written, &fields, report);
        let alias = alias(&written, &fields, &taken, report);
        let (Some(source), Some(alias)) = (source, alias) else { continue };
        taken.insert(alias.clone(), fields.at.clone());
        entries.push(Entry { alias, source, fields });
    }
    if !left_out.is_empty() {
        let message = format!(
            "plugins of type `app` play no part in a deploy, and are left out: {}",
            listed(left_out.iter().map(String::as_str))
        );
        report.warn(Finding::new(spec.place("plugins").at_key(), message).note("they wrote source files when they were applied"));
    }
    entries
}

/// `studio/stack@1.0.0/plugin@2.0.0` without what says which stack it came with: `stackspot:studio/stack/plugin@2.0.0`.
fn source(written: &str, fields: &Fields<'_>, report: &mut Report) -> Option<String> {
    let is_part = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    };
    let parts: Vec<&str> = written.trim().split('/').collect();
    let name = parts.split_last().and_then(|(last, folders)| {
        let (plugin, version) = last.split_once('@')?;
        let folders: Vec<&str> = folders.iter().map(|part| part.split_once('@').map_or(*part, |(name, _)| name)).collect();
        let good =
            (1..=4).contains(&folders.len()) && folders.iter().chain([&plugin]).all(|part| is_part(part)) && is_part(version);
        good.then(|| format!("stackspot:{}/{plugin}@{version}", folders.join("/")))
    });
    if name.is_none() {
        let finding =
            Finding::new(fields.place("name"), format!("`{written}` does not say which version of which plugin is meant"));
        report.refuse(finding.help("write `<studio>/<stack>@<version>/<plugin>@<version>`, or `local/<plugin>@<version>`"));
    }
    name
}

/// The alias that is written, or one after the plugin's name: states are kept under it.
fn alias(written: &str, fields: &Fields<'_>, taken: &BTreeMap<Alias, Pointer>, report: &mut Report) -> Option<Alias> {
    let given = fields.text("alias", report).filter(|alias| !alias.trim().is_empty());
    if let Some(given) = given {
        let alias: Option<Alias> = named(&given);
        let problem = match &alias {
            None => Some(format!("nothing of the alias `{given}` can be part of a name")),
            Some(alias) if taken.contains_key(alias) => Some(format!("the alias `{given}` is taken already, as `{alias}`")),
            Some(_) => None,
        };
        if let Some(message) = problem {
            report.refuse(Finding::new(fields.place("alias"), message).help("give each applied plugin an alias of its own"));
            return None;
        }
        if let Some(alias) = alias.as_ref().filter(|alias| alias.as_str() != given) {
            report.warn(
                Finding::new(fields.place("alias"), format!("the alias `{given}` is `{alias}` here")).label("made a valid name"),
            );
        }
        return alias;
    }
    let plugin = written.rsplit('/').next().and_then(|last| last.split('@').next()).unwrap_or_default();
    let base: Alias = named(plugin).or_else(|| Alias::new("plugin").ok())?;
    let numbered = |number: usize| {
        let number = format!("-{number}");
        let cut = base.as_str().get(..63 - number.len()).unwrap_or(base.as_str());
        Alias::new(format!("{cut}{number}")).ok()
    };
    let alias = std::iter::once(Some(base.clone()))
        .chain((2..100_000).map(numbered))
        .find(|alias| alias.as_ref().is_none_or(|alias| !taken.contains_key(alias)))??;
    if alias != base {
        let message =
            format!("`{plugin}` is applied more than once without an alias: this one is `{alias}`, by its place in the list");
        let finding = Finding::new(fields.place("name"), message).label("no alias");
        report.warn(finding.help("write an `alias` for each: states are kept under it, and must not move with the list"));
    }
    Some(alias)
}
