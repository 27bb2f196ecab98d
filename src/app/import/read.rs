//! What is at a path, whichever system it was written for, in its native form.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::draft::Draft;
use super::{Comments, Converted, Texts, invalid, massdriver, stackspot};
use crate::app::load::{self, ReadFolder};
use crate::app::session::Session;
use crate::documents::{self, ForeignKind, Kind};
use crate::domain::connection_type::ConnectionType;
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::foreign::Foreign;
use crate::domain::plugin::Plugin;
use crate::engine::Content;
use crate::sources::{self, LARGEST_FILE};

/// What a plugin's document is called.
const PLUGIN: &str = "plugin.yaml";

/// Where a StackSpot project keeps its manifest.
const STACKSPOT_MANIFEST: &str = ".stk/stk.yaml";

/// Converts what is at the path.
pub(super) fn converted(session: &Session, path: &Path) -> Result<Converted, Problems> {
    let name = load::shown(session, path);
    let files = session.world.files;
    let found = files.metadata(path).ok_or_else(|| invalid(format!("there is no `{name}`")))?;
    if !found.is_folder {
        return document(session, path, &name);
    }
    let is_there = |file: &str| files.metadata(&path.join(file)).is_some();
    let is_project = is_there(STACKSPOT_MANIFEST) && ![PLUGIN, "massdriver.yaml"].into_iter().any(is_there);
    if is_project {
        return document(session, &path.join(STACKSPOT_MANIFEST), &format!("{name}/{STACKSPOT_MANIFEST}"));
    }
    folder(session, path, &name)
}

/// A document by itself. That of a plugin with a module is its folder's.
fn document(session: &Session, path: &Path, name: &str) -> Result<Converted, Problems> {
    let bytes =
        session.world.files.read(path, LARGEST_FILE).map_err(|problem| invalid(format!("cannot read `{name}`: {problem}")))?;
    session.remember(name, &bytes);
    match documents::foreign_kind(name, &bytes)? {
        Some(ForeignKind::StackSpotPlugin | ForeignKind::MassdriverBundle) => {
            let parent = path.parent().unwrap_or(path);
            folder(session, parent, &load::shown(session, parent))
        }
        Some(ForeignKind::SignadotPlugin) => signadot(session, path, &bytes),
        Some(ForeignKind::StackSpotManifest) => manifest(name, &bytes),
        Some(ForeignKind::StackSpotType | ForeignKind::MassdriverType) => type_document(session, path, name, &bytes),
        Some(ForeignKind::MassdriverPreview) => preview(name, &bytes),
        None => Err(invalid(format!("`{name}` is no document of StackSpot, Massdriver or Signadot"))
            .help("name a plugin's folder, its document, a `stk.yaml`, a type or a preview; what is Tieline's own stays as it is")
            .into()),
    }
}

/// A type, which may refer to others of its folder.
fn type_document(session: &Session, path: &Path, name: &str, bytes: &[u8]) -> Result<Converted, Problems> {
    let beside = path.parent().and_then(|folder| sources::read_folder(&session.world, folder).ok()).unwrap_or_default();
    let files: Texts<'_> = beside.files.iter().map(|(path, file)| (path.as_str(), &*file.bytes)).collect();
    let (found, warnings) = documents::connection_type_among(name, bytes, &files)?;
    let mut draft = of_type(&found, "");
    draft.comment_all(remarks(&warnings));
    Ok(Converted { drafts: vec![draft], files: BTreeMap::new() })
}

fn manifest(name: &str, bytes: &[u8]) -> Result<Converted, Problems> {
    let (manifest, warnings) = documents::manifest_with_warnings(name, bytes)?;
    let mut draft = Draft::new("tieline.yaml", Kind::Manifest, &manifest);
    draft.comment_all(remarks(&warnings));
    for (alias, applied) in manifest.plugins.iter().filter(|(_, applied)| applied.source.starts_with("stackspot:")) {
        let text = format!("decide: the catalog says where `{}` is; or name its folder or repository here", applied.source);
        draft.comment(Pointer::keys(["plugins", alias.as_str(), "use"]), text);
    }
    Ok(Converted { drafts: vec![draft], files: BTreeMap::new() })
}

/// What a reader had to say, as comments.
fn remarks(warnings: &Problems) -> Comments {
    let remark = |problem: &Diagnostic| {
        let more: Vec<&str> = problem.notes.iter().chain(&problem.help).map(String::as_str).collect();
        let more = if more.is_empty() { String::new() } else { format!(" ({})", more.join("; ")) };
        (Pointer::default(), format!("check: {}{more}", problem.message))
    };
    warnings.0.iter().map(remark).collect()
}

/// A type, in the folder that types are kept in.
fn of_type(found: &ConnectionType, folder: &str) -> Draft {
    let name = found.name.as_str().replace('/', "-");
    Draft::new(format!("{folder}{name}.yaml"), Kind::ConnectionInterfaceType, found)
}

/// A Signadot plugin, whose document may have any name and takes in files beside it.
fn signadot(session: &Session, path: &Path, bytes: &[u8]) -> Result<Converted, Problems> {
    let beside = path.parent().and_then(|folder| sources::read_folder(&session.world, folder).ok()).unwrap_or_default();
    let mut files: Texts<'_> = beside.files.iter().map(|(path, file)| (path.as_str(), &*file.bytes)).collect();
    files.insert(PLUGIN, bytes);
    let read = documents::plugin_folder(&files)?;
    let mut converted = Converted::default();
    for plugin in &read.plugins {
        converted = converted.and(of_steps(plugin));
    }
    converted.comment(&remarks(&read.warnings));
    converted.drafts.extend(read.types.iter().map(|found| of_type(found, "types/")));
    Ok(converted)
}

/// A plugin of steps alone.
fn of_steps(plugin: &Plugin) -> Converted {
    let native = Plugin { foreign: None, ..plugin.clone() };
    let mut draft = Draft::new(PLUGIN, Kind::Plugin, &native);
    if !plugin.input_names().is_empty() {
        draft.comment(Pointer::keys(["inputs"]), "check: every input was a text, whatever was given; say what each really is");
    }
    Converted { drafts: vec![draft], files: BTreeMap::new() }
}

/// The plugin in a folder.
fn folder(session: &Session, path: &Path, name: &str) -> Result<Converted, Problems> {
    let tree = sources::read_folder(&session.world, path).map_err(|problem| {
        Diagnostic::error(FailureReason::PluginUnavailable, format!("the plugin in `{name}` cannot be read: {problem}"))
    })?;
    let ReadFolder { plugins, proposed, warnings, .. } = session.read_plugin(name, tree, None, name)?;
    let mut converted = Converted::default();
    let main = plugins.iter().position(|(plugin, _)| !plugin.generates.is_empty()).unwrap_or(plugins.len().saturating_sub(1));
    for (position, (plugin, content)) in plugins.iter().enumerate() {
        let mut one = plugin_of(session, name, plugin, content, position == main, &proposed)?;
        let types = proposed.iter().filter(|found| plugins.len() == 1 || names(plugin, found));
        one.drafts.extend(types.map(|found| of_type(found, "types/")));
        converted = converted.and(one.in_folder(step_folder(plugin)));
    }
    converted.comment(&remarks(&warnings));
    Ok(converted)
}

/// Where one of several plugins goes.
fn step_folder(plugin: &Plugin) -> &str {
    match &plugin.foreign {
        Some(Foreign::Massdriver(bundle)) if bundle.steps.len() > 1 => &bundle.step,
        _ => "",
    }
}

/// Whether the plugin requires or generates something of the type.
fn names(plugin: &Plugin, found: &ConnectionType) -> bool {
    plugin.requires.values().any(|slot| slot.type_name == found.name)
        || plugin.generates.values().any(|output| output.published().iter().any(|(published, _)| published.name == found.name))
}

fn plugin_of(
    session: &Session,
    name: &str,
    plugin: &Plugin,
    content: &Content,
    is_main: bool,
    known: &[ConnectionType],
) -> Result<Converted, Problems> {
    match &plugin.foreign {
        Some(Foreign::StackSpot(templates)) => {
            let files: Texts<'_> = content.tree.files.iter().map(|(path, file)| (path.as_str(), &*file.bytes)).collect();
            for (path, bytes) in files.iter().filter(|(path, _)| path.starts_with(&templates.folder)) {
                session.remember(&format!("{name}/{path}"), bytes);
            }
            stackspot::converted(plugin, templates, &files, known).map_err(|problems| load::in_plugin(name, problems))
        }
        Some(Foreign::Massdriver(bundle)) => {
            let variables: BTreeSet<String> = content.module().variables.keys().cloned().collect();
            let step = massdriver::Step { plugin, bundle, is_main, files: &content.files.files, variables: &variables };
            Ok(massdriver::converted(&step, known))
        }
        Some(Foreign::Signadot) => Ok(of_steps(plugin)),
        None => Err(invalid(format!("the plugin in `{name}` is Tieline's own already")).into()),
    }
}

/// A preview, which is a part of a manifest.
fn preview(name: &str, bytes: &[u8]) -> Result<Converted, Problems> {
    let (part, warnings) = documents::massdriver_preview(name, bytes)?;
    let mut draft = Draft::part("preview.yaml", &part);
    draft.comment(
        Pointer::default(),
        "decide: this is a part of `tieline.yaml`; put it into the manifest whose previews it makes",
    );
    draft.comment_all(remarks(&warnings));
    Ok(Converted { drafts: vec![draft], files: BTreeMap::new() })
}
