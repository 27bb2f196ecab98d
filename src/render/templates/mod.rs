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
mod literal;
mod paths;
mod scope;
mod source;
mod table;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use minijinja::{Environment, Error, ErrorKind};
use serde_json::{Map, json};

use self::failure::{failed, misplaced};
use self::hcl::{Known, Misplaced};
use self::literal::Style;
use self::scope::Variables;
use self::source::Sources;
use self::table::{SECRET, Table, Token, token};
use crate::domain::canonical;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::foreign::Templates;

pub use self::scope::{Scope, VariableSource};

/// The file that declares the variables of sensitive values.
const VARIABLES_FILE: &str = "tieline_variables.tf.json";

/// How large a rendered file may be.
const LARGEST_FILE: usize = 16 << 20;

/// And all of them.
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
            problems.push(work.problem(name, "with it the rendered files are larger than 64 MiB".to_owned()));
            break;
        }
        if !paths::take(&mut taken, &path) {
            problems.push(work.problem(name, format!("another file is rendered to `{path}` as well")));
        } else if path.eq_ignore_ascii_case(VARIABLES_FILE) {
            problems.push(work.problem(name, format!("`{VARIABLES_FILE}` is written for every plugin with sensitive values")));
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

/// A rendering at work.
struct Work<'a> {
    templates: &'a Templates,
    environment: Environment<'static>,
    table: Arc<Table>,
    literals: Arc<BTreeSet<String>>,
    variables: Variables,
    secrets: Vec<String>,
    context: minijinja::Value,
    /// The sensitive values that the texts refer to.
    used: BTreeSet<usize>,
}

impl<'a> Work<'a> {
    fn empty(templates: &'a Templates, sources: &Sources<'_>) -> Self {
        let table = Arc::new(Table::default());
        let literals = Arc::new(sources.literals.clone());
        Self {
            templates,
            environment: dialect::environment(&table, &literals),
            table,
            literals,
            variables: Variables::default(),
            secrets: Vec::new(),
            context: minijinja::Value::default(),
            used: BTreeSet::new(),
        }
    }

    fn new(templates: &'a Templates, sources: &Sources<'_>, scope: &Scope<'_>) -> Result<Self, Problems> {
        let variables = Variables::of(templates, scope)?;
        let secrets = variables.secrets.iter().map(|(variable, _)| variable.clone()).collect();
        let context = variables.context();
        Ok(Self { variables, secrets, context, ..Self::empty(templates, sources) })
    }

    fn add_templates(&mut self, sources: &Sources<'_>, problems: &mut Problems) {
        let folder = &self.templates.folder;
        for (name, text) in &sources.texts {
            if let Err(error) = self.environment.add_template_owned((*name).to_owned(), (*text).to_owned()) {
                problems.push(failed(&error, folder, &format!("`{folder}/{name}`")));
            }
        }
    }

    /// Computes what the document says. What uses something that is computed later waits for it.
    fn compute_all(&mut self, problems: &mut Problems) {
        let entries = |list: &'a [(String, String)], global| list.iter().map(move |(name, text)| (name, text, global));
        let mut waiting: Vec<_> =
            entries(&self.templates.computed, false).chain(entries(&self.templates.global_computed, true)).collect();
        while !waiting.is_empty() {
            let before = waiting.len();
            let mut undefined = Vec::new();
            let mut left = Vec::new();
            for (name, text, global) in waiting {
                match self.computed(text) {
                    Ok(value) => {
                        self.variables.compute(name, value, global);
                        self.context = self.variables.context();
                    }
                    Err(error) => {
                        let problem = failed(&error, &self.templates.folder, &format!("the computed input `{name}`"));
                        if error.kind() == ErrorKind::UndefinedError {
                            left.push((name, text, global));
                            undefined.push(problem);
                        } else {
                            problems.push(problem);
                        }
                    }
                }
            }
            if left.len() == before {
                undefined.into_iter().for_each(|problem| problems.push(problem));
                return;
            }
            waiting = left;
        }
    }

    fn computed(&self, text: &str) -> Result<String, Error> {
        // As Jinja does it: the newline that ends a block of YAML is not part of the value.
        let text = text.strip_suffix('\n').unwrap_or(text);
        let rendered = self.environment.template_from_named_str("<computed>", text)?.render(&self.context)?;
        let value = self.table.settled(&rendered);
        self.table.clear();
        value
    }

    /// A text of one line that no sensitive value may be in.
    fn line(&self, text: &str, name: &str, what: &str) -> Result<String, Box<Diagnostic>> {
        let fail = |error: Error| Box::new(failed(&error, &self.templates.folder, what));
        let template = self.environment.template_from_named_str(name, text).map_err(fail)?;
        let rendered = template.render(&self.context).map_err(fail)?;
        let line = self.table.plain(&rendered, what);
        self.table.clear();
        line.map_err(fail)
    }

    /// The path that a template is rendered to; none where its name says that it is left out.
    fn path(&self, name: &str) -> Result<Option<String>, Box<Diagnostic>> {
        if !name.contains("{{") && !name.contains("{%") && !name.contains("{#") {
            return paths::checked(name).map_err(|why| Box::new(self.problem(name, why)));
        }
        let what = format!("the name of `{}/{name}`", self.templates.folder);
        let mut segments = Vec::new();
        for segment in name.split('/') {
            let segment = self.line(segment, "<name>", &what)?;
            if segment.trim().is_empty() {
                return Ok(None);
            }
            segments.push(segment);
        }
        paths::checked(&segments.join("/")).map_err(|why| Box::new(self.problem(name, why)))
    }

    fn problem(&self, name: &str, why: String) -> Diagnostic {
        let path = format!("{}/{name}", self.templates.folder);
        Diagnostic::error(FailureReason::InvalidDocument, format!("`{path}` cannot be rendered: {why}")).in_file(path)
    }

    fn file(&mut self, name: &str, path: &str) -> Result<String, Box<Diagnostic>> {
        let folder = &self.templates.folder;
        let fail = |error: Error| Box::new(failed(&error, folder, &format!("`{folder}/{name}`")));
        let template = self.environment.get_template(name).map_err(fail)?;
        let (text, spans) = template.render_with_spans(&self.context).map_err(fail)?;
        let resolved = self.resolve(&text, path);
        self.table.clear();
        resolved.map_err(|problem| Box::new(misplaced(&problem, &spans, folder, name)))
    }

    /// Writes the values into a rendered text, by what kind of file it is.
    fn resolve(&mut self, text: &str, path: &str) -> Result<String, Misplaced> {
        let known = Known { table: &self.table, secrets: &self.secrets, literals: &self.literals, limit: LARGEST_FILE };
        let lower = path.to_ascii_lowercase();
        let ends = |ending: &str| lower.ends_with(ending);
        if ends(".json") {
            let terraform = ends(".tf.json") || ends(".tfvars.json");
            let resolved = json::resolve(text, known, terraform)?;
            return self.refer(text, resolved, path);
        }
        if ends(".tf") || ends(".tfvars") || ends(".hcl") {
            let resolved = hcl::resolve(text, known)?;
            return self.refer(text, resolved, path);
        }
        hcl::plain(text, known, (ends(".tftpl") || ends(".tpl")).then_some(Style::File))
    }

    /// Remembers the sensitive values that a text refers to.
    fn refer(&mut self, text: &str, resolved: String, path: &str) -> Result<String, Misplaced> {
        let mut referred = BTreeSet::new();
        for (index, (variable, _)) in self.variables.secrets.iter().enumerate() {
            if resolved.contains(&format!("var.{variable}")) {
                referred.insert(index);
            }
        }
        if !referred.is_empty() && (path.contains('/') || path.to_ascii_lowercase().contains(".tfvars")) {
            let at = text.find(SECRET).or_else(|| first_token(text)).unwrap_or_default();
            let why =
                "a sensitive value can only be referred to in the files of the module itself: hand it to the module of this \
                       folder as an argument"
                    .to_owned();
            return Err(Misplaced { at, why, public: false });
        }
        self.used.extend(referred);
        Ok(resolved)
    }

    /// Declares the variables that were referred to.
    fn declare(self, rendered: &mut Rendered) {
        let mut declared = Map::new();
        for (index, (variable, source)) in self.variables.secrets.into_iter().enumerate() {
            if self.used.contains(&index) {
                declared.insert(variable.clone(), json!({"type": "any", "sensitive": true}));
                rendered.variables.insert(variable, source);
            }
        }
        if !declared.is_empty() {
            rendered.files.insert(VARIABLES_FILE.to_owned(), canonical::to_bytes(&json!({"variable": declared})));
        }
    }
}

fn first_token(text: &str) -> Option<usize> {
    text.char_indices().find(|(at, _)| matches!(token(&text[*at..]), Some((Token::Public(_), _)))).map(|(at, _)| at)
}
