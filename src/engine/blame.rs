//! Problems of a task, on the caller's own line: the manifest's entry of the applied plugin, with the plugin's place in the text.

use super::Engine;
use crate::domain::address::Place;
use crate::domain::diagnostic::{Diagnostic, Origin, Pointer, Problems, Severity, Spot};
use crate::domain::names::Alias;
use crate::terraform;

impl Engine {
    /// A Terraform failure as problems on the manifest's line of the applied plugin.
    pub(super) fn explain(&self, alias: &Alias, failure: Box<terraform::Failure>) -> Problems {
        let held = failure.lock.as_ref().map(|lock| lock.id.clone());
        let mut problems = problems_of(*failure);
        if let (Some(id), Some(first)) = (held.filter(|id| is_plain(id)), problems.0.first_mut()) {
            let Place { workspace, environment, deployable } = &self.deployment.place;
            first.help.push(format!(
                "once its holder is surely dead: tieline unlock -w {workspace} -e {environment} --deployable {deployable} --alias {alias} --lock {id} --reason <text>"
            ));
        }
        self.at_alias(alias, problems)
    }

    pub(super) fn at_alias(&self, alias: &Alias, mut problems: Problems) -> Problems {
        for problem in &mut problems.0 {
            if let Some(origin) = &problem.origin {
                problem.notes.insert(0, self.place_in_plugin(alias, origin));
            }
            let origin = Diagnostic::error(problem.reason, "").at(&self.deployment.file, self.pointer(alias)).origin;
            problem.origin = origin;
        }
        problems
    }

    /// Where in its plugin a problem is; Terraform names files as the generated root module has them.
    fn place_in_plugin(&self, alias: &Alias, origin: &Origin) -> String {
        let removed = || self.removed.get(alias).map_or("", |removed| removed.record.source.written.as_str());
        let plugin = self.deployment.plugins.get(alias).map_or_else(removed, |plugin| plugin.source.written.as_str());
        let place = place_text(origin);
        match place.strip_prefix("plugin/") {
            Some(inside) => format!("in the plugin `{plugin}`, {inside}"),
            None => format!("in {place}"),
        }
    }

    /// The manifest's entry of an applied plugin.
    pub(super) fn pointer(&self, alias: &Alias) -> Pointer {
        if self.deployment.plugins.contains_key(alias) {
            Pointer::keys(["plugins", alias.as_str()]).at_key()
        } else {
            Pointer::keys(["plugins"]).at_key()
        }
    }
}

/// Whether an id that a backend told can stand in a command that people paste.
fn is_plain(id: &str) -> bool {
    !id.is_empty() && id.chars().all(|character| character.is_ascii_alphanumeric() || "-_./:".contains(character))
}

/// A failure of terraform as problems: what it said, or that it said nothing; who holds the state lock; where an unsaved state is.
pub(super) fn problems_of(failure: terraform::Failure) -> Problems {
    let mut problems: Vec<Diagnostic> = failure
        .diagnostics
        .iter()
        .filter(|said| said.severity == Severity::Error)
        .map(|said| said.to_problem(failure.reason))
        .collect();
    if problems.is_empty() {
        problems.push(Diagnostic::error(failure.reason, format!("terraform ended: {}", failure.reason.meaning())));
    }
    let first = &mut problems[0];
    first.notes.extend(failure.tail);
    if let Some(lock) = failure.lock.filter(|lock| !lock.id.is_empty()) {
        let since = if lock.created.is_empty() { String::new() } else { format!(" since {}", lock.created) };
        let who = if lock.who.is_empty() { "somebody whom the backend does not name" } else { &lock.who };
        first.notes.push(format!("the state lock `{}` is held by {who}{since}", lock.id));
    }
    if let Some(state) = failure.errored_state {
        first.notes.push(format!("the state could not be saved; its only copy is `{}`", state.display()));
        first
            .help
            .push("keep that file safe: it holds secrets; push it with `terraform state push` once the backend works".to_owned());
    }
    Problems(problems)
}

fn place_text(origin: &Origin) -> String {
    match &origin.at {
        Spot::File => origin.file.clone(),
        Spot::Pointer(pointer) => format!("{}: {pointer}", origin.file),
        Spot::Line { line, column } => format!("{}:{line}:{column}", origin.file),
    }
}
