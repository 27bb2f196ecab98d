//! `tieline context verify`: whether all that runs recorded agrees, and mending what does not.

use crate::app::session::Session;
use crate::app::{overrides, owner};
use crate::context::repair::{self, Repair};
use crate::context::verify::Finding;
use crate::context::{Branch, Change, ContextStore, layout};
use crate::documents;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::organization::Override;
use crate::report::verify::{self as shown, Mended, MendedFiles};
use crate::request::cli::ContextTarget;

/// Checks the ledger; with `mend`, mends what can be mended.
pub(super) async fn run(session: &Session, mend: bool, target: &ContextTarget) -> Result<(), Problems> {
    let folder = session.folder(target.working_directory.as_deref());
    let opened = session.open_context(&target.context, &folder, &folder).await?;
    if mend {
        owner::admit_upkeep(session, &opened)?;
    }
    let store = opened.store;
    let found = repair::look(&*store, store.head(Branch::Ledger).await?.as_ref()).await?;
    let (mended, left) = if mend {
        approved(session, &*store, &found).await?;
        let Repair { mended, claimed, unmended } = repair::repair(&*store, &session.world).await?;
        let claimed = claimed.iter().map(left_alone);
        (by_file(&mended), claimed.chain(unmended.iter().map(disagrees)).collect::<Vec<_>>())
    } else {
        let Repair { mended, claimed, unmended } = found;
        let mut findings = [mended, claimed, unmended].concat();
        findings.sort_by(|a, b| (&a.path, &a.message).cmp(&(&b.path, &b.message)));
        (MendedFiles::new(), findings.iter().map(disagrees).collect())
    };
    let left = Problems(left);
    session.print(&if session.is_json() { shown::json(&mended, &left) } else { shown::text(&mended, &left) });
    if left.any_error() { Err(left) } else { Ok(()) }
}

/// One file may have been wrong in several ways.
fn by_file(findings: &[Finding]) -> MendedFiles {
    let mut files = MendedFiles::new();
    for finding in findings {
        let Some(remedy) = &finding.remedy else { continue };
        let removed = remedy.change == Change::Remove;
        let file = files.entry(remedy.path.clone()).or_insert_with(|| Mended { removed, because: Vec::new() });
        file.because.push(format!("`{}` {}", finding.path, finding.message));
    }
    files
}

fn disagrees(finding: &Finding) -> Diagnostic {
    let problem = Diagnostic::error(FailureReason::ContextUnavailable, format!("`{}` {}", finding.path, finding.message));
    match finding.remedy {
        Some(_) => problem.help("mend it with `tieline context verify --repair`"),
        None => problem,
    }
}

fn left_alone(finding: &Finding) -> Diagnostic {
    let problem = Diagnostic::error(FailureReason::Claimed, format!("`{}` {}", finding.path, finding.message));
    match &finding.remedy {
        Some(remedy) => problem
            .note(format!("a run holds `{}`, so it was left alone", remedy.writer))
            .help("wait until that run has ended, then repair again"),
        None => problem,
    }
}

/// Environments may put a repair of what was deployed to them under the approval of a GitHub environment (R31).
async fn approved(session: &Session, store: &dyn ContextStore, repair: &Repair) -> Result<(), Problems> {
    let organization = session.organization(store, &[]).await?;
    let Some(head) = &organization.head else { return Ok(()) };
    let mut problems = Problems::default();
    for place in repair.places() {
        let path = layout::environment(&place.workspace, &place.environment);
        let Some(environment) = session.context_document(store, head, &path, documents::environment).await? else { continue };
        let approved = overrides::approve(session, organization.context.as_ref(), place, &environment, [Override::Repair]).await;
        problems.extend(approved.err().unwrap_or_default());
    }
    if problems.any_error() { Err(problems) } else { Ok(()) }
}
