//! A rendering at work: the environment, what templates see, and what they printed.

use std::collections::BTreeSet;
use std::sync::Arc;

use minijinja::{Environment, Error, ErrorKind};
use serde_json::{Map, json};

use super::failure::{failed, misplaced};
use super::known::{Known, Misplaced};
use super::literal::Style;
use super::scope::{Scope, Variables};
use super::source::{Sources, with_captures};
use super::table::{SECRET, Table, Token, token};
use super::{Rendered, VARIABLES_FILE, dialect, hcl, json, paths, text};
use crate::domain::canonical;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::foreign::Templates;

/// How large a rendered file may be.
const LARGEST_FILE: usize = 16 << 20;

/// A rendering at work.
pub(super) struct Work<'a> {
    templates: &'a Templates,
    pub(super) environment: Environment<'static>,
    table: Arc<Table>,
    literals: Arc<BTreeSet<String>>,
    variables: Variables,
    secrets: Vec<String>,
    context: minijinja::Value,
    /// The sensitive values that the texts refer to.
    used: BTreeSet<usize>,
}

impl<'a> Work<'a> {
    pub(super) fn empty(templates: &'a Templates, sources: &Sources<'_>) -> Self {
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

    pub(super) fn new(templates: &'a Templates, sources: &Sources<'_>, scope: &Scope<'_>) -> Result<Self, Problems> {
        let variables = Variables::of(templates, scope)?;
        let secrets = variables.secrets.iter().map(|(variable, _)| variable.clone()).collect();
        let context = variables.context();
        Ok(Self { variables, secrets, context, ..Self::empty(templates, sources) })
    }

    pub(super) fn add_templates(&mut self, sources: &Sources<'_>, problems: &mut Problems) {
        let folder = &self.templates.folder;
        for (name, text) in &sources.texts {
            if let Err(error) = self.environment.add_template_owned((*name).to_owned(), with_captures(text).into_owned()) {
                problems.push(failed(&error, folder, &format!("`{folder}/{name}`")));
            }
        }
    }

    /// Computes what the document says. What uses something that is computed later waits for it.
    pub(super) fn compute_all(&mut self, problems: &mut Problems) {
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
                problems.extend(Problems(undefined));
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
    pub(super) fn line(&self, text: &str, name: &str, what: &str) -> Result<String, Box<Diagnostic>> {
        let fail = |error: Error| Box::new(failed(&error, &self.templates.folder, what));
        let template = self.environment.template_from_named_str(name, text).map_err(fail)?;
        let rendered = template.render(&self.context).map_err(fail)?;
        let line = self.table.plain(&rendered, what);
        self.table.clear();
        line.map_err(fail)
    }

    /// The path that a template is rendered to; none where its name says that it is left out.
    pub(super) fn path(&self, name: &str) -> Result<Option<String>, Box<Diagnostic>> {
        if !name.contains("{{") && !name.contains("{%") && !name.contains("{#") {
            return paths::checked(name).map_err(|why| Box::new(self.problem(name, &why)));
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
        paths::checked(&segments.join("/")).map_err(|why| Box::new(self.problem(name, &why)))
    }

    pub(super) fn problem(&self, name: &str, why: &str) -> Diagnostic {
        let path = format!("{}/{name}", self.templates.folder);
        Diagnostic::error(FailureReason::InvalidDocument, format!("`{path}` cannot be rendered: {why}")).in_file(path)
    }

    pub(super) fn file(&mut self, name: &str, path: &str) -> Result<String, Box<Diagnostic>> {
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
        text::resolve(text, known, (ends(".tftpl") || ends(".tpl")).then_some(Style::File))
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
    pub(super) fn declare(self, rendered: &mut Rendered) {
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
