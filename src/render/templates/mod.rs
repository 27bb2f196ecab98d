//! Renders the templates of a StackSpot plugin into a Terraform module. Values are written as they must be where they stand, whatever
//! they are; sensitive ones are never written, only referred to (R68).

mod bare;
mod cases;
mod conditions;
mod datum;
mod dialect;
mod failure;
mod hcl;
mod json;
mod known;
mod literal;
mod paths;
mod scope;
mod source;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod work;

use std::collections::{BTreeMap, BTreeSet};

use self::failure::failed;
use self::source::Sources;
use self::work::Work;
use crate::domain::diagnostic::Problems;
use crate::domain::foreign::Templates;

pub use self::scope::{Scope, VariableSource};

/// The file that declares the variables of sensitive values.
const VARIABLES_FILE: &str = "tieline_variables.tf.json";

/// How large all rendered files together may be.
const LARGEST_MODULE: usize = 64 << 20;

/// A rendered module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendered {
    /// Its files, by their path from the module's folder.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The module's variables for sensitive values, and what they are to be given.
    pub variables: BTreeMap<String, VariableSource>,
}

/// Renders a plugin's templates; `files` is its whole tree. Places in problems are paths of that tree.
///
/// # Errors
/// What is wrong with the templates, and values that cannot stand where the templates put them.
pub fn render(templates: &Templates, files: &BTreeMap<&str, &[u8]>, scope: &Scope<'_>) -> Result<Rendered, Problems> {
    let sources = Sources::of(templates, files)?;
    let mut work = Work::new(templates, &sources, scope)?;
    let mut problems = Problems::default();
    work.add_templates(&sources, &mut problems);
    work.compute_all(&mut problems);
    if problems.any_error() {
        return Err(problems);
    }
    let mut rendered = Rendered::default();
    let mut taken = BTreeSet::new();
    let mut size = 0_usize;
    let names = sources.texts.keys().chain(sources.bytes.keys()).copied();
    for name in names {
        let path = match work.path(name) {
            Ok(Some(path)) => path,
            Ok(None) => continue,
            Err(problem) => {
                problems.push(*problem);
                continue;
            }
        };
        let bytes = match sources.bytes.get(name) {
            Some(bytes) => bytes.to_vec(),
            None => match work.file(name, &path) {
                Ok(text) => text.into_bytes(),
                Err(problem) => {
                    problems.push(*problem);
                    continue;
                }
            },
        };
        size = size.saturating_add(bytes.len());
        if size > LARGEST_MODULE {
            problems.push(work.problem(name, "with it the rendered files are larger than 64 MiB"));
            break;
        }
        if !paths::take(&mut taken, &path) {
            problems.push(work.problem(name, &format!("another file is rendered to `{path}` as well")));
        } else if path.eq_ignore_ascii_case(VARIABLES_FILE) {
            problems.push(work.problem(name, &format!("`{VARIABLES_FILE}` is written for every plugin with sensitive values")));
        } else {
            rendered.files.insert(path, bytes);
        }
    }
    if problems.any_error() {
        return Err(problems);
    }
    work.declare(&mut rendered);
    Ok(rendered)
}

/// What is wrong with the syntax of a plugin's templates, the names of files and what the document computes included.
pub fn check(templates: &Templates, files: &BTreeMap<&str, &[u8]>) -> Problems {
    let sources = match Sources::of(templates, files) {
        Ok(sources) => sources,
        Err(problems) => return problems,
    };
    let mut problems = Problems::default();
    let mut work = Work::empty(templates, &sources);
    work.add_templates(&sources, &mut problems);
    for name in sources.texts.keys().chain(sources.bytes.keys()) {
        if let Err(error) = work.environment.template_from_named_str("<name>", name) {
            problems.push(failed(&error, &templates.folder, &format!("the name of `{}/{name}`", templates.folder)));
        }
    }
    for (name, text) in templates.computed.iter().chain(&templates.global_computed) {
        if let Err(error) = work.environment.template_from_named_str("<computed>", text) {
            problems.push(failed(&error, &templates.folder, &format!("the computed input `{name}`")));
        }
    }
    for link in templates.links.iter().filter(|link| link.dynamic) {
        let url = paths::plain_aliases(&link.url, templates);
        if let Err(error) = work.environment.template_from_named_str("<link>", &url) {
            problems.push(failed(&error, &templates.folder, &format!("the link `{}`", link.name)));
        }
    }
    problems
}

/// The plugin's links: what each is called, and where it leads.
///
/// # Errors
/// What is wrong with their templates.
pub fn links(templates: &Templates, scope: &Scope<'_>) -> Result<Vec<(String, String)>, Problems> {
    let no_files = BTreeMap::new();
    let sources = Sources::of(templates, &no_files)?;
    let mut work = Work::new(templates, &sources, scope)?;
    let mut problems = Problems::default();
    work.compute_all(&mut problems);
    if problems.any_error() {
        return Err(problems);
    }
    let mut links = Vec::new();
    for link in &templates.links {
        if !link.dynamic {
            links.push((link.name.clone(), link.url.clone()));
            continue;
        }
        let what = format!("the link `{}`", link.name);
        match work.line(&paths::plain_aliases(&link.url, templates), "<link>", &what) {
            Ok(url) => links.push((link.name.clone(), url)),
            Err(problem) => problems.push(*problem),
        }
    }
    if problems.any_error() { Err(problems) } else { Ok(links) }
}
