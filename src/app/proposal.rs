//! Changes of the documents: a pull request where the context is on a GitHub server, else a commit on the documents branch.

use super::session::{Opened, Session};
use crate::context::github::GitHubStore;
use crate::context::{Branch, Changes, CommitId, RefNames};
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::Digest;
use crate::github::pull::{self, Proposed};
use crate::github::{ApiError, Repository};
use crate::report::proposal::{Done, Report};
use crate::request::cli::ContextArguments;

/// How many characters of digests name a branch.
const DIGITS: usize = 12;

/// A change of the documents.
pub(super) struct Proposal {
    /// What kind of change it is, for the name of a branch: `grant-platform`.
    pub(super) slug: String,
    /// What it does, on one line, lower case.
    pub(super) title: String,
    /// What tells it from every other change: the same wish again is the same change, even if the documents went on.
    pub(super) identity: String,
    /// Whom it affects, one a line; empty where nobody is.
    pub(super) affected: Vec<String>,
    pub(super) changes: Changes,
}

/// Where documents are changed.
pub(super) struct Documents<'a> {
    pub(super) session: &'a Session,
    pub(super) opened: &'a Opened,
    pub(super) access: &'a ContextArguments,
    pub(super) head: CommitId,
}

impl<'a> Documents<'a> {
    /// The documents as they stand.
    ///
    /// # Errors
    /// When the context cannot be read or has no documents.
    pub(super) async fn newest(session: &'a Session, opened: &'a Opened, access: &'a ContextArguments) -> Result<Self, Problems> {
        let Some(head) = opened.store.head(Branch::Documents).await? else {
            let message = format!("the context repository {} has no documents yet", opened.store.describe());
            return Err(Diagnostic::error(FailureReason::InvalidInput, message)
                .help("start it with `tieline context init`")
                .into());
        };
        Ok(Self { session, opened, access, head })
    }

    /// Makes the change, or proposes it, and shows what was done.
    ///
    /// # Errors
    /// When it cannot be written, with the permission that lacks.
    pub(super) async fn put(&self, proposal: Proposal) -> Result<(), Problems> {
        let done = match &self.opened.hosted {
            Some(repository) => self.propose(repository, &proposal).await?,
            None => self.commit(&proposal).await?,
        };
        self.show(&Report { title: proposal.title, done, affected: proposal.affected });
        Ok(())
    }

    /// Says that there is nothing to change.
    pub(super) fn nothing_to_do(&self, title: String) {
        self.show(&Report { title, done: Done::Nothing, affected: Vec::new() });
    }

    fn show(&self, report: &Report) {
        let session = self.session;
        session.print(&if session.is_json() { report.json() } else { report.text() });
        if let Some(workflow) = &session.workflow {
            workflow.add_summary(session, &session.redactor.redact(&report.summary(&workflow.command)));
        }
    }

    async fn commit(&self, proposal: &Proposal) -> Result<Done, Problems> {
        let store = &self.opened.store;
        let commit = store.commit(Branch::Documents, &proposal.changes, Some(&self.head), &sentence(&proposal.title)).await?;
        let branch = self.access.documents_branch.clone();
        Ok(Done::Committed { branch, place: store.describe(), commit: commit.to_string() })
    }

    async fn propose(&self, repository: &Repository, proposal: &Proposal) -> Result<Done, Problems> {
        let client = self.session.context_client(self.access, repository)?;
        let base = self.access.documents_branch.clone();
        let prefix = format!("tieline/{}-{}-", proposal.slug, short(Digest::of(proposal.identity.as_bytes()).as_str()));
        if let Some(url) = pull::find(&client, repository, &base, &prefix).await.map_err(|problem| refused(&problem))? {
            return Ok(Done::Found { url });
        }
        let names = RefNames { documents: base.clone(), ..RefNames::default() };
        let store = GitHubStore::open(&self.session.world, client.clone(), repository, names)?;
        // A branch stands on the documents as they are now: one that was closed, or that nobody wanted, is left alone.
        let head = format!("{prefix}{}", short(self.head.as_str()));
        let title = sentence(&proposal.title);
        store.propose(&head, &proposal.changes, &self.head, &title).await?;
        let body = crate::report::proposal::body(&proposal.title, &proposal.affected);
        let proposed = Proposed { title, body, head, base };
        let url = pull::open(&client, repository, &proposed).await.map_err(|problem| refused(&problem))?;
        Ok(Done::Opened { url })
    }
}

fn refused(problem: &ApiError) -> Diagnostic {
    let diagnostic = problem.diagnostic(FailureReason::ContextUnavailable);
    match problem {
        // Some servers do not tell which.
        ApiError::Denied { permission: None, .. } => {
            diagnostic.help("a pull request needs `contents: write` and `pull-requests: write`")
        }
        _ => diagnostic,
    }
}

fn short(digest: &str) -> &str {
    digest.get(..DIGITS).unwrap_or(digest)
}

/// With a capital first, as titles are.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}
