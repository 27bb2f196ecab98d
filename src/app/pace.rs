//! How many runs may begin in an hour: a bound on what runs away, such as a workflow that starts itself. What takes things away is never
//! held up by it.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::assemble::Resolved;
use super::context_file;
use super::session::Session;
use crate::context::layout::{self, LedgerFile};
use crate::context::ledger::parse_json;
use crate::context::{Branch, ContextStore, StoreError};
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::{RunId, WorkspaceName};
use crate::domain::record::{Claim, RunType};

/// Where a limit holds.
enum Whose<'a> {
    Workspace(&'a WorkspaceName),
    Organization,
}

/// Refuses a run where as many as are allowed began in the last hour; one that has begun, as a fleet has for its later jobs, goes on. Where
/// nothing is limited, nothing is read.
///
/// # Errors
/// Every limit that is reached; or that the ledger cannot be read.
pub(super) async fn admit(session: &Session, resolved: &Resolved, run_type: RunType, run: &RunId) -> Result<(), Problems> {
    if !matches!(run_type, RunType::Deploy | RunType::Rollback) {
        return Ok(());
    }
    let workspace = &resolved.deployment.place.workspace;
    let of_all = resolved.organization.context.as_ref().and_then(|context| context.limits.runs_per_hour);
    let limits = [(Whose::Workspace(workspace), resolved.workspace.limits.runs_per_hour), (Whose::Organization, of_all)];
    let now = session.world.clock.now();
    let mut problems = Problems::default();
    for (whose, limit) in limits {
        let Some(limit) = limit else { continue };
        let runs = runs(&*resolved.opened.store, &whose).await?;
        if runs.contains(run) {
            return Ok(());
        }
        // Ids are in the order of their times.
        let begun: Vec<_> = runs.iter().map(RunId::started).filter(|began| *began > now - TimeDelta::hours(1)).collect();
        // The newest of those that have to be an hour old first.
        if let Some(last) = begun.len().checked_sub(limit as usize).and_then(|over| begun.get(over).or(begun.last())) {
            problems.push(whose.reached(begun.len(), limit, *last + TimeDelta::hours(1)));
        }
    }
    if problems.any_error() { Err(problems) } else { Ok(()) }
}

/// The runs there were: those that ended, by their records, and those in progress, by their claims.
async fn runs(store: &dyn ContextStore, whose: &Whose<'_>) -> Result<BTreeSet<RunId>, StoreError> {
    let mut runs = BTreeSet::new();
    if let Some(head) = store.head(Branch::Ledger).await? {
        let folders: Vec<String> = match whose {
            Whose::Workspace(workspace) => vec![workspace.to_string()],
            Whose::Organization => workspaces(store).await?.into_iter().collect(),
        };
        let files = store.list(&head, &folders).await?.into_values().flatten();
        runs.extend(files.filter_map(|file| match LedgerFile::parse(&file.path) {
            Some(LedgerFile::Run(_, id)) => RunId::parse(id),
            _ => None,
        }));
    }
    for place in store.claims().await?.into_keys().filter(|place| whose.has(&place.workspace)) {
        if let Some((_, bytes)) = store.read_claim(&place).await? {
            runs.insert(parse_json::<Claim>(&format!("the claim of {place}"), &bytes)?.run.id);
        }
    }
    Ok(runs)
}

/// The workspaces that have documents.
async fn workspaces(store: &dyn ContextStore) -> Result<BTreeSet<String>, StoreError> {
    let Some(head) = store.head(Branch::Documents).await? else { return Ok(BTreeSet::new()) };
    let files = store.list(&head, &[layout::WORKSPACES.to_owned()]).await?.into_values().flatten();
    Ok(files.filter_map(|file| file.path.split('/').nth(1).map(str::to_owned)).collect())
}

impl Whose<'_> {
    fn has(&self, workspace: &WorkspaceName) -> bool {
        match self {
            Self::Workspace(own) => *own == workspace,
            Self::Organization => true,
        }
    }

    fn reached(&self, count: usize, limit: u32, next: DateTime<Utc>) -> Diagnostic {
        let (name, path) = match self {
            Self::Workspace(workspace) => (format!("the workspace `{workspace}`"), layout::workspace(workspace)),
            Self::Organization => ("the organization".to_owned(), layout::CONTEXT_DOCUMENT.to_owned()),
        };
        let runs = if count == 1 { "run" } else { "runs" };
        let message = format!("{count} {runs} began in {name} in the last hour; `runs-per-hour` allows {limit}");
        Diagnostic::error(FailureReason::LimitExceeded, message)
            .at(context_file(&path), Pointer::keys(["limits", "runs-per-hour"]))
            .note("it never holds up a destroy, a preview that goes down, a plan or a look at drift")
            .help(format!("start it after {} UTC, or ask for a higher limit", next.format("%Y-%m-%d %H:%M:%S")))
    }
}
