//! `tieline context review`: what a pull request to the documents would do.

mod facts;
mod proposed;

use std::collections::BTreeMap;
use std::path::Path;

use crate::app::session::{Opened, Session};
use crate::app::{Ended, Outcome, context_file, load};
use crate::context::{Branch, layout};
use crate::domain::address::Target;
use crate::domain::diagnostic::{Diagnostic, Origin, Problems, Severity, Spot};
use crate::domain::review::{Document, Effect, Finding, Located, Review};
use crate::report;
use crate::request::cli::ContextTarget;
use crate::review;

/// The folders of the documents branch that documents are in.
const FOLDERS: [&str; 3] = [layout::TYPES, layout::POLICIES, layout::WORKSPACES];

/// The files at its root that are documents.
const FILES: [&str; 2] = [layout::CONTEXT_DOCUMENT, layout::CATALOG];

/// Documents as they are written, by path.
type Written = BTreeMap<String, Vec<u8>>;

/// Runs the command.
pub(super) async fn run(session: &Session, from: Option<&Path>, target: &ContextTarget) -> Ended {
    let folder = session.folder(target.working_directory.as_deref());
    let root = from.map_or_else(|| folder.clone(), |from| folder.join(from));
    let opened = session.open_context(&target.context, &folder, &folder).await?;
    let after_files = proposed::read(session, &root)?;
    let after = proposed::parse(&after_files, |path| shown(session, &root, path))?;
    let before_files = published(&opened, &after_files).await?;
    let before = proposed::parse_sound(&before_files);
    let ledger = facts::read(&*opened.store, &before, &review::needs(&before, &after)).await?;
    let findings = review::review(&before, &after, &ledger);
    let documents = review_size(&before_files, &after_files);
    let located: Vec<Located> = findings.into_iter().map(|finding| located(session, &root, finding)).collect();
    let problems = refusals(&located);
    let review = Review { documents, findings: located, problems };
    tell(session, &review);
    Ok(Outcome::Reviewed(Box::new(review)))
}

/// The documents as they are now. What is the same in both is not read again.
async fn published(opened: &Opened, proposed: &Written) -> Result<Written, Problems> {
    let store = &*opened.store;
    let Some(head) = store.head(Branch::Documents).await? else { return Ok(Written::new()) };
    let mut listed = store.list(&head, &[String::new()]).await?.into_values().flatten().collect::<Vec<_>>();
    listed.retain(|file| is_document(&file.path));
    let (same, other): (Vec<_>, Vec<_>) =
        listed.into_iter().partition(|file| proposed.get(&file.path).is_some_and(|bytes| file.holds(bytes)));
    let mut files = store.read(&head, &other.into_iter().map(|file| file.path).collect::<Vec<_>>()).await?;
    files.extend(same.into_iter().filter_map(|file| Some((file.path.clone(), proposed.get(&file.path)?.clone()))));
    Ok(files)
}

/// Whether a path of the documents branch is a document's, and not a page for people or a workflow.
fn is_document(path: &str) -> bool {
    FILES.contains(&path) || FOLDERS.iter().any(|folder| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')))
}

fn review_size(before: &Written, after: &Written) -> usize {
    let gone = before.keys().filter(|path| !after.contains_key(*path)).count();
    gone + after.iter().filter(|(path, bytes)| before.get(*path) != Some(bytes)).count()
}

/// A path of the documents as people know it in the folder.
fn shown(session: &Session, root: &Path, path: &str) -> String {
    load::shown(session, &root.join(path)).trim_start_matches("./").to_owned()
}

/// Shows what is not an error; errors are shown as those of every command.
fn tell(session: &Session, review: &Review) {
    session.print(&if session.is_json() { report::review::json(review) } else { report::review::text(review) });
    let worth_a_look = |located: &&Located| matches!(located.finding.effect, Effect::Breaks | Effect::Repoints);
    let warning = |located| Diagnostic { severity: Severity::Warning, ..diagnostic(located) };
    session.annotate(&Problems(review.findings.iter().filter(worth_a_look).map(warning).collect()));
}

/// What must not be merged.
fn refusals(findings: &[Located]) -> Problems {
    let refused = findings.iter().filter(|located| located.finding.effect == Effect::Refused);
    Problems(refused.map(diagnostic).collect())
}

fn diagnostic(located: &Located) -> Diagnostic {
    let Finding { at, reason, message, affected, help, .. } = &located.finding;
    let spot = if at.segments.is_empty() { Spot::File } else { Spot::Pointer(at.clone()) };
    let mut problem = Diagnostic::error(*reason, message.clone());
    problem.origin = Some(Origin { file: located.file.clone(), at: spot });
    problem.notes.clone_from(affected);
    problem.help.extend(help.map(str::to_owned));
    problem
}

fn located(session: &Session, root: &Path, finding: Finding) -> Located {
    let path = path(&finding.document);
    let file = shown(session, root, &path);
    let problem = Diagnostic::error(finding.reason, "").at(&file, finding.at.clone());
    let line = session.place_in_workspace(&problem).and_then(|place| Some(place.line?.0));
    let is_there = session.world.files.metadata(&root.join(&path)).is_some();
    Located { file: if is_there { file } else { context_file(&path) }, line, finding }
}

/// The path of a document.
fn path(document: &Document) -> String {
    match document {
        Document::Context => layout::CONTEXT_DOCUMENT.to_owned(),
        Document::Catalog => layout::CATALOG.to_owned(),
        Document::Type(name, version) => layout::connection_type(name, version),
        Document::Workspace(workspace) => layout::workspace(workspace),
        Document::Environment(workspace, environment) => layout::environment(workspace, environment),
        Document::Imported(address) => match &address.target {
            Target::Imported(name) => layout::imported(&address.workspace, &address.environment, name),
            Target::Output { .. } => String::new(),
        },
        Document::Policy(path) => path.clone(),
    }
}
