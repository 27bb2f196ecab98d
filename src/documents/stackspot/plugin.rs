//! A plugin: `plugin.yaml` of schema v1, v2 or v3, with the folder `templates-deploy/` beside it.

use std::collections::BTreeSet;

use semver::Version;
use serde_json::Value;

use super::connections::{Connection, declared, of_input, slots};
use super::envelope::{FOLDER, check_templates, other_type, warn_of_no_effect, without_envelope};
use super::fields::{Fields, Report};
use super::generated::{output_blocks, outputs};
use super::inputs::{Inputs, inputs};
use super::plain::{named, version};
use super::uses::Looks;
use crate::documents::finding::Finding;
use crate::documents::locate::Locator;
use crate::documents::tree::{Files, Translated, document_of};
use crate::domain::diagnostic::{Pointer, Spot};
use crate::domain::foreign::{Foreign, Link, Templates};
use crate::domain::names::PluginName;
use crate::domain::plugin::{Plugin, PluginKind, PluginLimits, TerraformPart};

/// The fields of `spec`. What is about documentation, the catalog of plugins, or the tools of their workers plays no part here.
const SPEC: [&str; 27] = [
    "type",
    "inputs",
    "inputs-envs",
    "env-inputs",
    "computed-inputs",
    "global-computed-inputs",
    "requires",
    "generates",
    "single-use",
    "hooks",
    "allowed-resource-fork",
    "stk-projects-only",
    "app-allowed",
    "compatibility",
    "technologies",
    "about",
    "implementation",
    "requirements",
    "release-notes",
    "usage",
    "docs",
    "repository",
    "runtime",
    "justification",
    "picture",
    "cli-only",
    "links",
];

/// Reads the plugin of a folder.
pub(in crate::documents) fn plugin(value: &Value, files: &Files<'_>) -> Result<Translated, Vec<Finding>> {
    if value.get("kind").is_none() {
        return Err(vec![without_envelope()]);
    }
    let mut report = Report::default();
    let root = Fields::of(value, Pointer::default(), &mut report);
    root.only(&["schema-version", "schemaVersion", "kind", "metadata", "spec"], &mut report);
    root.only_versions(&["v1", "v2", "v3"], "plugins", &mut report);
    let spec = root.below("spec", &mut report);
    if let Some(finding) = other_type(&root, &spec) {
        return Err(vec![finding]);
    }
    let templates: Vec<(&str, &str)> = files.iter().filter_map(|(path, bytes)| template(path, bytes)).collect();
    check_templates(files, &spec, &mut report);
    spec.only(&SPEC, &mut report);
    warn_of_no_effect(&spec, &mut report);
    let plugin = read(&root, &spec, &templates, files, &mut report);
    let (plugin, warnings) = report.result(plugin)?;
    Ok(Translated { plugins: vec![plugin], types: Vec::new(), warnings })
}

fn read(
    root: &Fields<'_>,
    spec: &Fields<'_>,
    templates: &[(&str, &str)],
    files: &Files<'_>,
    report: &mut Report,
) -> Option<Plugin> {
    let metadata = root.below("metadata", report);
    metadata.only(&["name", "display-name", "description", "version", "picture"], report);
    let name = plugin_name(&metadata, report);
    let version = plugin_version(&metadata, report);
    let description = metadata.text("description", report).unwrap_or_default();
    let Inputs { schema, global, conditions, kinds, connections } = inputs(spec, report);
    let mut required = declared(spec, "requires", report);
    let mut generated = declared(spec, "generates", report);
    for (kind, fields) in connections {
        match kind.as_str() {
            "required-connection" => required.extend(of_input(fields, report)),
            "generated-connection" => {
                warn_of_condition(&fields, report);
                generated.extend(of_input(fields, report));
            }
            _ => report.refuse(Finding::new(fields.place("type"), format!("there is no type of input `{kind}`"))),
        }
    }
    let computed = expressions(spec, "computed-inputs", files, report);
    let global_computed = expressions(spec, "global-computed-inputs", files, report);
    let links = links(spec, report);
    let looks = looks(&required, templates, [&computed, &global_computed], &links);
    warn_of_strangers(&looks, &required, &generated, report);
    let (slots, aliases) = slots(&required, &looks, report);
    let is_root = |path: &str| path.ends_with(".tf") && path.matches('/').count() == 1;
    let module: Vec<String> =
        templates.iter().filter(|(path, _)| is_root(path)).flat_map(|(_, text)| output_blocks(text)).collect();
    let published = outputs(&generated, &module, report);
    let single_use = spec.flag("single-use", report) == Some(true);
    let templates = Templates { folder: FOLDER.to_owned(), computed, global_computed, global, conditions, kinds, aliases, links };
    Some(Plugin {
        api_version: "tieline/v1".to_owned(),
        kind: PluginKind::Plugin,
        name: name?,
        version,
        description,
        inputs: schema,
        requires: slots,
        generates: published,
        terraform: Some(TerraformPart {
            module: ".".to_owned(),
            variables: std::collections::BTreeMap::new(),
            required_version: None,
            moved: Vec::new(),
            keep_on_destroy: Vec::new(),
        }),
        steps: None,
        limits: PluginLimits { single_use },
        foreign: Some(Foreign::StackSpot(Box::new(templates))),
    })
}

/// A file of the module that is text.
fn template<'a>(path: &'a str, bytes: &'a [u8]) -> Option<(&'a str, &'a str)> {
    let inside = path.strip_prefix(FOLDER)?.starts_with('/');
    inside.then(|| Some((path, std::str::from_utf8(bytes).ok()?)))?
}

fn plugin_name(metadata: &Fields<'_>, report: &mut Report) -> Option<PluginName> {
    let written = metadata.needed("name", "`metadata`", report)?;
    let name = named(&written);
    if name.is_none() {
        let finding = Finding::new(metadata.place("name"), format!("nothing of `{written}` can be part of a plugin's name"));
        report.refuse(finding.help("use lower-case letters, digits and `-`"));
    }
    name
}

/// The version; what is not published yet has none, and is 0.0.0.
fn plugin_version(metadata: &Fields<'_>, report: &mut Report) -> Version {
    let written = metadata.text("version", report);
    version(written.as_deref())
        .unwrap_or_else(|()| {
            let message = format!("`{}` is not a version", written.unwrap_or_default());
            report.refuse(Finding::new(metadata.place("version"), message).help("write it as `1.2.3`, or `latest`"));
            None
        })
        .unwrap_or(Version::new(0, 0, 0))
}

fn warn_of_condition(fields: &Fields<'_>, report: &mut Report) {
    if fields.get("condition").is_some() {
        let message = "a generated connection is always published here, whatever its condition says";
        let finding = Finding::new(fields.place("condition"), message).label("no effect");
        report.warn(finding.note("the module must have its outputs in every case"));
    }
}

/// Look-ups of connections that there are not.
fn warn_of_strangers(looks: &Looks, required: &[Connection<'_>], generated: &[Connection<'_>], report: &mut Report) {
    let known: BTreeSet<&str> = required.iter().chain(generated).map(|connection| connection.alias.as_str()).collect();
    for alias in looks.aliases().into_iter().filter(|alias| !known.contains(alias)) {
        let message = format!("templates look up the connection `{alias}`, which the plugin does not require");
        report.warn(Finding::new(Pointer::keys(["spec"]), message).suggest(alias, known.iter().copied()));
    }
}

/// What templates, their names, computed inputs and links look up.
fn looks(
    required: &[Connection<'_>],
    templates: &[(&str, &str)],
    computed: [&Vec<(String, String)>; 2],
    links: &[Link],
) -> Looks {
    let known: BTreeSet<&str> = required.iter().map(|connection| connection.alias.as_str()).collect();
    let mut looks = Looks::default();
    let files = templates.iter().flat_map(|(path, text)| [*path, *text]);
    let computed = computed.into_iter().flatten().map(|(_, expression)| expression.as_str());
    for text in files.chain(computed).chain(links.iter().map(|link| link.url.as_str())) {
        looks.read(text, &known);
    }
    looks
}

/// A mapping of names to expressions, in the order of the document, which mappings do not keep.
fn expressions(spec: &Fields<'_>, field: &str, files: &Files<'_>, report: &mut Report) -> Vec<(String, String)> {
    let fields = spec.below(field, report);
    let mut entries: Vec<&String> = fields.entries().map(|(name, _)| name).collect();
    if entries.len() > 1 {
        let document = document_of(files).and_then(|name| files.get(name.as_str()).copied());
        let locator = document.and_then(|text| std::str::from_utf8(text).ok()).map(Locator::new);
        let place = |name: &str| locator.as_ref()?.spot(&Spot::Pointer(fields.place(name).at_key())).map(|span| span.bytes.start);
        entries.sort_by_cached_key(|name| place(name));
    }
    entries.into_iter().filter_map(|name| Some((name.clone(), fields.text(name, report)?))).collect()
}

fn links(spec: &Fields<'_>, report: &mut Report) -> Vec<Link> {
    let Some(Value::Object(_)) = spec.get("generates") else { return Vec::new() };
    let generates = spec.below("generates", report);
    let mut links = Vec::new();
    for (at, entry) in ["link", "links"].into_iter().flat_map(|name| generates.list(name)) {
        let fields = Fields::of(entry, at, report);
        fields.only(&["name", "url", "type", "picture"], report);
        let (name, url) = (fields.needed("name", "a link", report), fields.needed("url", "a link", report));
        let (Some(name), Some(url)) = (name, url) else { continue };
        let dynamic = fields.text("type", report).map_or_else(|| url.contains("{{"), |kind| kind == "dynamic");
        links.push(Link { name, url, dynamic });
    }
    links
}
