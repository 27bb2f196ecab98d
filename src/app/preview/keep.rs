//! A longer life for a preview, where the workspace allows it: a commit on the ledger, no Terraform.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::limits::Limits;
use super::shown;
use crate::app::session::{Opened, Session};
use crate::app::{Ended, Outcome};
use crate::context::ledger::Snapshot;
use crate::context::publish::publish;
use crate::context::{Branch, Change, Changes, ContextStore, StoreError, layout};
use crate::documents;
use crate::domain::canonical;
use crate::domain::diagnostic::Problems;
use crate::domain::names::WorkspaceName;
use crate::domain::preview::{Preview, PullRequestId};
use crate::domain::removal::PreviewName;
use crate::domain::wish::granted;
use crate::request::cli::PreviewRun;

/// What somebody asks for.
pub(super) struct Asked {
    /// To have it so long.
    pub(super) length: Duration,
    /// From when on; from the last deploy where this is none.
    pub(super) since: Option<DateTime<Utc>>,
}

/// Keeps the previews of a pull request for longer, and says on the pull request until when, or why not.
pub(super) async fn run(session: &Session, arguments: &PreviewRun, id: PullRequestId, asked: &Asked) -> Ended {
    let folder = session.folder(arguments.target.working_directory.as_deref());
    let opened = session.open_context(&arguments.target.context, &folder, &folder).await?;
    let all = Snapshot::newest(&*opened.store).await?.previews(None).await?;
    let own: Vec<_> = all.into_iter().filter(|(_, preview)| preview.id == id).collect();
    let (mut answers, mut is_kept) = (Vec::new(), false);
    for ((workspace, environment), preview) in own {
        let name = PreviewName { workspace, environment };
        let most = most(session, &opened, &name.workspace).await?;
        let before = preview.expires;
        let (preview, answer) = keep(session, &opened, &name, preview, (most, asked)).await?;
        is_kept |= preview.expires > before;
        answers.push(format!("`{name}`: {answer}"));
        shown::kept(session, arguments, &opened, (&name, &preview), (most, answer)).await?;
    }
    let said = match answers.as_slice() {
        [] => format!("there is no preview of pull request {}", id.pull_request),
        answers => answers.join("; "),
    };
    if !is_kept {
        return Ok(Outcome::Skipped(said));
    }
    session.say(&said);
    Ok(Outcome::Done)
}

/// Asks for a preview, and gives it as it is then, with the answer in words.
async fn keep(
    session: &Session,
    opened: &Opened,
    name: &PreviewName,
    preview: Preview,
    (most, asked): (Option<Duration>, &Asked),
) -> Result<(Preview, String), Problems> {
    let since = asked.since.or(preview.deployed).unwrap_or(preview.made);
    match granted(&preview, most, asked.length, since) {
        Err(why) => Ok((preview, format!("it lives no longer: {why}"))),
        Ok(until) => {
            extend(session, &*opened.store, name, until).await?;
            let answer = format!("it is kept until {}", until.format("%Y-%m-%d %H:%M:%S UTC"));
            Ok((Preview { expires: until, ..preview }, answer))
        }
    }
}

/// Lets a preview live until then, if it does not longer.
pub(super) async fn extend(
    session: &Session,
    store: &dyn ContextStore,
    name: &PreviewName,
    until: DateTime<Utc>,
) -> Result<(), Problems> {
    let rebuild = |head| async move {
        let preview = Snapshot::new(store, head).preview(&name.workspace, &name.environment).await?;
        let longer = preview.filter(|preview| preview.expires < until).map(|preview| Preview { expires: until, ..preview });
        let path = layout::preview(&name.workspace, &name.environment);
        let changes: Changes = longer.iter().map(|preview| (path.clone(), Change::write(canonical::to_bytes(preview)))).collect();
        Ok::<_, StoreError>(changes)
    };
    publish(store, &session.world, Branch::Ledger, &format!("Keep the preview {name} until {until}"), rebuild).await?;
    Ok(())
}

/// How long after a deploy a preview may live in a workspace; none where nobody may ask for more.
pub(super) async fn most(session: &Session, opened: &Opened, workspace: &WorkspaceName) -> Result<Option<Duration>, Problems> {
    let store = &*opened.store;
    let path = layout::workspace(workspace);
    let organization = session.organization(store, std::slice::from_ref(&path)).await?;
    let Some(head) = &organization.head else { return Ok(None) };
    let own = session.context_document(store, head, &path, documents::workspace).await?;
    Ok(own.and_then(|workspace| Limits::of(&workspace, organization.context.as_ref()).most_asked()))
}
