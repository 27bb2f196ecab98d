//! `tieline connection grant` and `revoke`: who may use a connection, in the document of the workspace that owns it.

use crate::app::proposal::{Documents, Proposal};
use crate::app::session::Session;
use crate::app::uses;
use crate::context::{Change, layout};
use crate::documents::{self, Edit};
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::WorkspaceName;
use crate::domain::organization::{Grant, Permission, Workspace};
use crate::request::cli::{ContextTarget, GrantArguments};
use crate::review::grants;

/// Grants.
pub(super) async fn grant(
    session: &Session,
    arguments: &GrantArguments,
    previews: bool,
    target: &ContextTarget,
) -> Result<(), Problems> {
    let wish = Wish::of(arguments)?;
    if wish.to.is_empty() || wish.allow.is_empty() {
        return Err(invalid("a grant says to whom, and what is allowed").help("give both `--to` and `--allow`").into());
    }
    let folder = session.folder(target.working_directory.as_deref());
    let opened = session.open_context(&target.context, &folder, &folder).await?;
    let documents = Documents::newest(session, &opened, &target.context).await?;
    let owner = documents.workspace(&wish.workspace).await?;
    let Wish { connection, to, allow, .. } = wish.clone();
    let edits = documents::granting(&owner.document, &Grant { connection, to, allow, previews });
    let title = format!("grant {} on {} to {}", words(&wish.allow), wish.shown(), ticked(&wish.to));
    let title = if previews { format!("{title}, previews included") } else { title };
    if edits.is_empty() {
        documents.nothing_to_do(title);
        return Ok(());
    }
    documents.put(owner.proposal("grant", title, &edits, Vec::new())?).await
}

/// Takes a grant back, whoever is bound (R44).
pub(super) async fn revoke(session: &Session, arguments: &GrantArguments, target: &ContextTarget) -> Result<(), Problems> {
    let wish = Wish::of(arguments)?;
    let folder = session.folder(target.working_directory.as_deref());
    let opened = session.open_context(&target.context, &folder, &folder).await?;
    let documents = Documents::newest(session, &opened, &target.context).await?;
    let owner = documents.workspace(&wish.workspace).await?;
    let edits = documents::revoking(&owner.document, &wish.connection, &wish.to, &wish.allow);
    if edits.is_empty() {
        return Err(no_such_grant(&wish, &owner.document, &owner.file).into());
    }
    let after = documents::workspace(&owner.file, &owner.edited(&edits)?)?;
    let (uses, kinds) = uses::of_grants(&opened, &wish.workspace, std::slice::from_ref(&wish.connection)).await?;
    let losses = grants::losses(Some(&owner.document), Some(&after), &uses, &kinds);
    let affected = losses.iter().map(grants::Loss::in_words).collect();
    let what = if wish.allow.is_empty() { "every grant".to_owned() } else { words(&wish.allow) };
    let from = if wish.to.is_empty() { "everybody".to_owned() } else { ticked(&wish.to) };
    let title = format!("revoke {what} on {} from {from}", wish.shown());
    documents.put(owner.proposal("revoke", title, &edits, affected)?).await
}

/// What is asked for.
#[derive(Clone)]
struct Wish {
    workspace: WorkspaceName,
    /// As grants write it: without the workspace.
    connection: String,
    to: Vec<String>,
    allow: Vec<Permission>,
}

impl Wish {
    fn of(arguments: &GrantArguments) -> Result<Self, Problems> {
        let (workspace, connection) = uses::divided(&arguments.connection).map_err(|why| Problems::from(invalid(why)))?;
        let mut allow: Vec<Permission> = arguments.allow.iter().map(|allowed| (*allowed).into()).collect();
        allow.dedup();
        Ok(Self { workspace, connection, to: arguments.to.clone(), allow })
    }

    fn shown(&self) -> String {
        format!("`{}/{}`", self.workspace, self.connection)
    }
}

/// A workspace's document, to be changed.
pub(in crate::app) struct OwnersDocument {
    path: String,
    /// As people know it.
    pub(in crate::app) file: String,
    text: Vec<u8>,
    pub(in crate::app) document: Workspace,
}

impl Documents<'_> {
    /// The document of a workspace.
    ///
    /// # Errors
    /// When there is none, or it is not sound.
    pub(in crate::app) async fn workspace(&self, workspace: &WorkspaceName) -> Result<OwnersDocument, Problems> {
        let path = layout::workspace(workspace);
        let found = self.opened.store.read(&self.head, std::slice::from_ref(&path)).await?.remove(&path);
        let Some(text) = found else {
            let message = format!("the workspace `{workspace}` is not in the context repository");
            let looked = format!("looked for `{path}` on the documents branch of {}", self.opened.store.describe());
            return Err(invalid(message).note(looked).help("check the name").into());
        };
        let file = crate::app::context_file(&path);
        self.session.remember(&file, &text);
        let document = documents::workspace(&file, &text)?;
        Ok(OwnersDocument { path, file, text, document })
    }
}

impl OwnersDocument {
    fn edited(&self, edits: &[Edit]) -> Result<Vec<u8>, Problems> {
        documents::edit_workspace(&self.file, &self.text, edits)
    }

    /// The change of the document that these edits are.
    ///
    /// # Errors
    /// When the document cannot be changed by a program, or would not be sound.
    pub(in crate::app) fn proposal(
        &self,
        kind: &str,
        title: String,
        edits: &[Edit],
        affected: Vec<String>,
    ) -> Result<Proposal, Problems> {
        let changes = [(self.path.clone(), Change::write(self.edited(edits)?))].into();
        let slug = format!("{kind}-{}", self.document.name);
        Ok(Proposal { slug, identity: title.clone(), title, affected, changes })
    }
}

fn no_such_grant(wish: &Wish, owner: &Workspace, file: &str) -> Diagnostic {
    let problem = invalid(format!("there is no such grant on {}", wish.shown())).in_file(file);
    let granted = owner.grants.iter().map(|grant| {
        format!("`{}/{}` is granted to {}: {}", owner.name, grant.connection, ticked(&grant.to), words(&grant.allow))
    });
    granted.fold(problem, Diagnostic::note).help("name the connection and the deployables exactly as the grant does")
}

fn words(permissions: &[Permission]) -> String {
    let names = permissions.iter().map(|permission| permission.as_str().to_owned()).collect::<Vec<_>>();
    ticked(&names)
}

fn ticked(texts: &[String]) -> String {
    texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ")
}

fn invalid(message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(FailureReason::InvalidInput, message)
}
