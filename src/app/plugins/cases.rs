//! `tieline plugins test`: what a StackSpot plugin's templates make, against the files that its cases expect.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::app::load::{self, in_plugin};
use crate::app::session::Session;
use crate::documents::{self, CaseMode, StackSpotCase};
use crate::domain::address::Place;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::foreign::{Foreign, Templates};
use crate::domain::names::{Alias, AttributeName, EnvironmentName, InvalidName, SlotName};
use crate::domain::plugin::Plugin;
use crate::render::templates::{Rendered, Scope, render};
use crate::render::{self, BoundSlot};
use crate::report::cases::{self, Case, Difference, Verdict};
use crate::sources::{Tree, read_folder};

/// Where cases are, each in a folder of its own.
const CASES: &str = "tests/";

/// The document of a case.
const DOCUMENT: &str = "test-case.yaml";

/// Files by path.
type Files<'a> = BTreeMap<&'a str, &'a [u8]>;

/// Tests the plugin in a folder.
pub(super) fn run(session: &Session, folder: &Path) -> Result<(), Problems> {
    let path = session.world.directory.join(folder);
    let known_as = load::shown(session, &path);
    let tree = read_folder(&session.world, &path).map_err(|problem| {
        Diagnostic::error(FailureReason::PluginUnavailable, format!("the plugin in `{known_as}` cannot be read: {problem}"))
    })?;
    let read = session.read_plugin(&known_as, tree.clone(), None, &known_as)?;
    session.show(&read.warnings);
    let Some((plugin, content)) = read.plugins.first() else { return Ok(()) };
    let Some(Foreign::StackSpot(templates)) = &plugin.foreign else {
        for (plugin, content) in read.plugins.iter().filter(|(plugin, _)| plugin.terraform.is_some()) {
            render::wiring(plugin, content.module(), &plugin.input_names()).map_err(|wrong| in_plugin(&known_as, wrong))?;
        }
        session.print(&format!("`{}` is valid; it has no cases to test: StackSpot plugins alone have those", read.document));
        return Ok(());
    };
    let files: Files<'_> = content.tree.files.iter().map(|(path, file)| (path.as_str(), &*file.bytes)).collect();
    let mut tried = Vec::new();
    for name in names(&tree) {
        tried.push(Case { verdict: verdict(session, &known_as, (plugin, templates), &files, name), name: name.to_owned() });
    }
    if tried.is_empty() {
        session.print(&format!("`{}` is valid; it has no cases to test: there is no `{CASES}<case>/{DOCUMENT}`", read.document));
        return Ok(());
    }
    session.print(&if session.is_json() { cases::json(&tried) } else { cases::text(&tried) });
    let failed = tried.iter().filter(|case| matches!(case.verdict, Verdict::Failed(_))).count();
    if failed == 0 {
        return Ok(());
    }
    Err(Diagnostic::error(
        FailureReason::InvalidDocument,
        format!("{failed} of {} cases of `{}` failed", tried.len(), plugin.name),
    )
    .help("correct the templates, or the files in `expected/` where they are what is wrong")
    .into())
}

/// The cases of a plugin.
fn names(tree: &Tree) -> impl Iterator<Item = &str> {
    tree.files
        .keys()
        .filter_map(|path| path.strip_prefix(CASES)?.strip_suffix(DOCUMENT)?.strip_suffix('/'))
        .filter(|name| !name.contains('/'))
}

fn verdict(
    session: &Session,
    known_as: &str,
    (plugin, templates): (&Plugin, &Templates),
    files: &Files<'_>,
    name: &str,
) -> Verdict {
    let document = format!("{CASES}{name}/{DOCUMENT}");
    let shown = format!("{known_as}/{document}");
    let text = files.get(document.as_str()).copied().unwrap_or_default();
    session.remember(&shown, text);
    let case = match documents::stackspot_case(&shown, text) {
        Ok((case, warnings)) => {
            session.show(&warnings);
            case
        }
        Err(problems) => return not_rendered(session, &problems),
    };
    if case.mode == CaseMode::Apply {
        return Verdict::LeftOut("its mode is `apply`, which writes source files and plays no part in a deploy".to_owned());
    }
    for (path, bytes) in files.iter().filter(|(path, _)| path.starts_with(&templates.folder)) {
        session.remember(&format!("{known_as}/{path}"), bytes);
    }
    match made(plugin, templates, files, &case) {
        Ok(made) => compared(&made, &below(files, name, "expected"), &below(files, name, "target")),
        Err(problems) => not_rendered(session, &in_plugin(known_as, problems)),
    }
}

fn not_rendered(session: &Session, problems: &Problems) -> Verdict {
    session.show(problems);
    let messages = problems.0.iter().map(|problem| Difference::NotRendered(problem.message.clone()));
    Verdict::Failed(messages.collect())
}

/// The files of a folder of a case. What a project keeps for itself is no part of what is compared.
fn below<'a>(files: &Files<'a>, name: &str, folder: &str) -> Files<'a> {
    let folder = format!("{CASES}{name}/{folder}/");
    let inside = files.iter().filter_map(|(path, bytes)| Some((path.strip_prefix(folder.as_str())?, *bytes)));
    inside.filter(|(path, _)| !path.starts_with(".stk/")).collect()
}

/// What the templates make of a case.
fn made(
    plugin: &Plugin,
    templates: &Templates,
    files: &Files<'_>,
    case: &StackSpotCase,
) -> Result<BTreeMap<String, Vec<u8>>, Problems> {
    let mut inputs = documents::defaults(&plugin.inputs)
        .into_iter()
        .filter_map(|(name, value)| Some((name.parse().ok()?, value)))
        .collect::<BTreeMap<_, _>>();
    for (name, value) in &case.inputs {
        let value = templates.kinds.get(name).map_or_else(|| value.clone(), |kind| kind.taken(value));
        inputs.insert(name.clone(), value);
    }
    let mut slots: BTreeMap<SlotName, BoundSlot> = BTreeMap::new();
    for (alias, slot) in &templates.aliases {
        let Some(connection) = case.requires.get(alias) else { continue };
        let attributes =
            connection.values.iter().filter_map(|(name, value)| Some((AttributeName::new(name).ok()?, value.clone())));
        slots.insert(slot.clone(), BoundSlot { attributes: attributes.collect(), ..BoundSlot::default() });
    }
    let (place, alias) = place(plugin, case)
        .map_err(|invalid| Problems::from(Diagnostic::error(FailureReason::InvalidDocument, invalid.to_string())))?;
    let none = BTreeSet::new();
    let scope = Scope { inputs: &inputs, sensitive_inputs: &none, slots: &slots, place: &place, alias: &alias };
    render(templates, files, &scope).map(|Rendered { files, .. }| files)
}

/// Where the plugin is, as far as its templates can tell.
fn place(plugin: &Plugin, case: &StackSpotCase) -> Result<(Place, Alias), InvalidName> {
    let environment = case.environment.as_deref().and_then(|name| EnvironmentName::new(name.to_lowercase()).ok());
    let environment = environment.map_or_else(|| EnvironmentName::new("test"), Ok)?;
    let place = Place { workspace: "test".parse()?, environment, deployable: "test".parse()? };
    Ok((place, plugin.name.as_str().parse()?))
}

/// Holds what was made against what is expected. What stands in `target` already need not be made.
fn compared(made: &BTreeMap<String, Vec<u8>>, expected: &Files<'_>, target: &Files<'_>) -> Verdict {
    let mut differences = Vec::new();
    for (path, wanted) in expected {
        match made.get(*path) {
            Some(found) => differences.extend(first_difference(path, wanted, found)),
            None if target.get(path) == Some(wanted) => {}
            None => differences.push(Difference::Missing((*path).to_owned())),
        }
    }
    let too_many = made.keys().filter(|path| !expected.contains_key(path.as_str()));
    differences.extend(too_many.map(|path| Difference::TooMany(path.clone())));
    if differences.is_empty() { Verdict::Passed } else { Verdict::Failed(differences) }
}

/// The first line that differs. How lines end, and whether the last one does, is not looked at.
fn first_difference(file: &str, expected: &[u8], made: &[u8]) -> Option<Difference> {
    let (expected, made) = (String::from_utf8_lossy(expected), String::from_utf8_lossy(made));
    let (mut expected, mut made) = (expected.lines(), made.lines());
    let mut line = 0;
    loop {
        line += 1;
        match (expected.next(), made.next()) {
            (None, None) => return None,
            (expected, made) if expected == made => {}
            (expected, made) => {
                let (expected, made) = (expected.map(str::to_owned), made.map(str::to_owned));
                return Some(Difference::Line { file: file.to_owned(), line, expected, made });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(list: &[(&'static str, &'static str)]) -> Files<'static> {
        list.iter().map(|(path, text)| (*path, text.as_bytes())).collect()
    }

    fn owned(list: &[(&'static str, &'static str)]) -> BTreeMap<String, Vec<u8>> {
        files(list).into_iter().map(|(path, bytes)| (path.to_owned(), bytes.to_owned())).collect()
    }

    #[test]
    fn ends_of_lines_do_not_matter_and_files_of_the_target_need_not_be_made() {
        let made = owned(&[("main.tf", "a\nb\n")]);
        let target = files(&[("README.md", "read me")]);
        assert_eq!(compared(&made, &files(&[("main.tf", "a\r\nb"), ("README.md", "read me")]), &target), Verdict::Passed);
    }

    #[test]
    fn differences_are_named_with_their_first_line() {
        let made = owned(&[("main.tf", "a\nb\n"), ("extra.tf", "")]);
        let expected = files(&[("main.tf", "a\nc\nd\n"), ("README.md", "other")]);
        let line =
            Difference::Line { file: "main.tf".to_owned(), line: 2, expected: Some("c".to_owned()), made: Some("b".to_owned()) };
        let all = vec![Difference::Missing("README.md".to_owned()), line, Difference::TooMany("extra.tf".to_owned())];
        assert_eq!(compared(&made, &expected, &files(&[("README.md", "read me")])), Verdict::Failed(all));
    }
}
