//! A preview as the ledger comes to have it: found by its pull request or named anew, counted against the limits, and copied from its base.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::limits::Limits;
use super::{fork, standing, whose};
use crate::app::load::Written;
use crate::app::perform::Held;
use crate::app::session::{Opened, Session};
use crate::app::{context_file, owner};
use crate::context::layout::{self, LedgerFile};
use crate::context::ledger::Snapshot;
use crate::context::publish::publish;
use crate::context::{Branch, Change, Changes};
use crate::domain::address::Place;
use crate::domain::canonical;
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::manifest::PreviewPart;
use crate::domain::names::{DeployableName, EnvironmentName, WorkspaceName};
use crate::domain::organization::{Environment, Workspace};
use crate::domain::preview::{LIFE, Life, Preview, Previewed, PullRequestId, copied, lifetime};
use crate::domain::record::SCHEMA_VERSION;
use crate::domain::wish::kept_by;
use crate::request::cli::{ContextArguments, PreviewRun};

/// When a preview is copied from its base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Copying {
    /// When it is made.
    Once,
    /// Now.
    Anew,
}

/// All previews of a ledger.
pub(super) type Previews = BTreeMap<(WorkspaceName, EnvironmentName), Preview>;

/// What a preview is made from.
pub(super) struct Making<'a> {
    session: &'a Session,
    access: &'a ContextArguments,
    opened: Opened,
    pub(super) id: PullRequestId,
    /// Its name, `owner/name`.
    pub(super) repository: String,
    workspace: Workspace,
    deployable: DeployableName,
    file: &'a str,
    part: &'a PreviewPart,
    /// The base's document, if there is one.
    base: Option<Environment>,
    copying: Copying,
    limits: Limits,
    /// How long it lives.
    pub(super) life: Life,
    begun: DateTime<Utc>,
}

impl<'a> Making<'a> {
    /// Reads all that does not depend on the ledger.
    ///
    /// # Errors
    /// `invalid-input` where it is not said whose preview is meant or the workspace is not there; `not-owner` for a pull request of
    /// another repository than the workflow's.
    pub(super) async fn of(
        session: &'a Session,
        arguments: &'a PreviewRun,
        written: &'a Written,
        part: &'a PreviewPart,
        copying: Copying,
    ) -> Result<Self, Problems> {
        let target = &arguments.target;
        let begun = session.world.clock.now();
        let (id, repository) = whose::pull_request_in(session, &arguments.pull_request)?;
        let workspace = Session::workspace_of(target, written)?;
        let folder = session.folder(target.working_directory.as_deref());
        let opened = session.open_context(&target.context, &folder, &written.folder).await?;
        let store = &*opened.store;
        let also = [layout::workspace(&workspace), layout::environment(&workspace, &part.base)];
        let organization = session.organization(store, &also).await?;
        let head = organization.head.as_ref();
        let base = session.environment_document(store, head, &workspace, &part.base).await?;
        let workspace = session.workspace(store, head, &workspace).await?;
        let deployable = written.manifest.name.clone();
        // Whoever may not write the deployable makes no preview of it.
        let place = Place { workspace: workspace.name.clone(), environment: part.base.clone(), deployable: deployable.clone() };
        owner::admit(session, &place, &workspace)?;
        let limits = Limits::of(&workspace, organization.context.as_ref());
        let ttl = part.ttl.as_deref().and_then(lifetime).unwrap_or(LIFE);
        let may_ask = |asked: &Duration| limits.most_asked().is_some_and(|most| *asked <= most);
        let ttl = labelled(session).filter(may_ask).map_or(ttl, |asked| ttl.max(asked));
        let life = Life { ttl, most: limits.most_life() };
        let file = &written.file;
        let access = &target.context;
        Ok(Self {
            session,
            access,
            opened,
            id,
            repository,
            workspace,
            deployable,
            file,
            part,
            base,
            copying,
            limits,
            life,
            begun,
        })
    }

    /// Makes sure that its pull request is not closed (R54) and not from a fork (R53), and says whether it is known to be open.
    ///
    /// # Errors
    /// `cancelled` where it is closed; `invalid-input` for one from a fork; when the server does not answer.
    pub(super) async fn is_wanted(&self) -> Result<bool, Problems> {
        match standing::open(self.session, self.access, &self.repository, self.id.pull_request).await? {
            Some(standing) if standing.from_fork => Err(fork::refused(standing.number).into()),
            standing => Ok(standing.is_some()),
        }
    }

    /// The preview as it would be made now.
    ///
    /// # Errors
    /// `limit-exceeded`; `invalid-input` where its base is not there; when the context cannot be read.
    pub(super) async fn planned(&self) -> Result<Preview, Problems> {
        let preview = self.at(&Snapshot::newest(&*self.opened.store).await?, Held::NotYet, true).await?;
        if preview.base != self.part.base {
            let message = format!("this preview is on top of `{}`, and the manifest names `{}`", preview.base, self.part.base);
            let warning =
                Diagnostic::warning(FailureReason::InvalidDocument, message).at(self.file, Pointer::keys(["preview", "base"]));
            self.session.warn(&warning.help("`tieline preview refresh` puts it on top of what the manifest names").into());
        }
        Ok(preview)
    }

    /// Has the ledger hold the preview, which was resolved as `planned`, if it does not yet: by compare-and-swap, so that limits hold
    /// whoever else makes previews meanwhile. A removal that was begun is forgotten where its pull request is known to be open.
    ///
    /// # Errors
    /// As for [`Making::planned`]; `binding-changed` where somebody else made it meanwhile, and otherwise.
    pub(super) async fn make(&self, planned: &Preview, held: Held, is_open: bool) -> Result<(), Problems> {
        let (workspace, name) = (&self.workspace.name, &planned.environment.name);
        let store = &*self.opened.store;
        let message =
            format!("Make the preview {workspace}/{name} of pull request {} of {}", self.id.pull_request, self.repository);
        publish(store, &self.session.world, Branch::Ledger, &message, async |head| {
            let snapshot = Snapshot::new(store, head);
            let now = self.at(&snapshot, held, is_open).await?;
            if (&now.environment, &now.base) != (&planned.environment, &planned.base) {
                return Err(made_meanwhile(workspace, name));
            }
            if snapshot.preview(workspace, name).await?.as_ref() == Some(&now) {
                return Ok(Changes::new());
            }
            Ok(Changes::from([(layout::preview(workspace, name), Change::write(canonical::to_bytes(&now)))]))
        })
        .await?;
        Ok(())
    }

    /// What the ledger is to say of the preview at one of its commits.
    async fn at(&self, snapshot: &Snapshot<'_>, held: Held, is_open: bool) -> Result<Preview, Problems> {
        let all = snapshot.previews(self.limits.scope(&self.workspace.name)).await?;
        let own = all.iter().find(|((workspace, _), preview)| *workspace == self.workspace.name && preview.id == self.id);
        match own {
            Some((_, preview)) => self.converged(snapshot, preview, &all, (held, is_open)).await,
            None => self.made(snapshot, &all).await,
        }
    }

    async fn made(&self, snapshot: &Snapshot<'_>, all: &Previews) -> Result<Preview, Problems> {
        self.limits.admit_new(&self.workspace.name, &self.deployable, all)?;
        let base = self.base()?;
        let name = self.name(snapshot, all).await?;
        let now = self.session.world.clock.now();
        Ok(Preview {
            schema_version: SCHEMA_VERSION,
            id: self.id,
            repository: self.repository.clone(),
            base: base.name.clone(),
            environment: copied(base, name),
            deployables: BTreeMap::from([(self.deployable.clone(), Previewed::default())]),
            made: now,
            expires: self.life.expiry(now, None),
            deployed: None,
            closing: None,
        })
    }

    async fn converged(
        &self,
        snapshot: &Snapshot<'_>,
        before: &Preview,
        all: &Previews,
        (held, is_open): (Held, bool),
    ) -> Result<Preview, Problems> {
        let mut preview = Preview { repository: self.repository.clone(), ..before.clone() };
        if !preview.deployables.contains_key(&self.deployable) {
            self.limits.admit_deployable(&self.workspace.name, &self.deployable, all)?;
            preview.deployables.insert(self.deployable.clone(), Previewed::default());
        }
        if self.copying == Copying::Anew {
            let base = self.base()?;
            self.stays_where_it_is(snapshot, &preview, base).await?;
            preview.base = base.name.clone();
            preview.environment = copied(base, before.environment.name.clone());
        }
        match before.closing {
            // It was being removed before this run was asked for: its pull request is open again.
            Some(since) if since < self.begun && is_open => {
                preview.closing = before.closing.filter(|_| held == Held::NotYet);
                Ok(preview)
            }
            Some(_) => Err(self.is_going(&preview.environment.name).into()),
            None => Ok(preview),
        }
    }

    /// The states of what is applied are where they are, and its infrastructure in the account that it is in: a copy that says otherwise
    /// would lose both.
    async fn stays_where_it_is(&self, snapshot: &Snapshot<'_>, preview: &Preview, base: &Environment) -> Result<(), Problems> {
        let now = &preview.environment;
        let account =
            |environment: &Environment| environment.account.as_ref().map(|account| (account.provider, account.id.clone()));
        let moved = match (now.backend != base.backend, account(now) != account(base)) {
            (true, _) => "the backend",
            (_, true) => "the account",
            _ => return Ok(()),
        };
        let (workspace, name) = (&self.workspace.name, &now.name);
        if !is_applied_in(snapshot, workspace, name).await? {
            return Ok(());
        }
        let message = format!("{moved} of `{}` is another one than when `{workspace}/{name}` was made", base.name);
        Err(Diagnostic::error(FailureReason::InvalidInput, message)
            .in_file(context_file(&layout::environment(workspace, &base.name)))
            .note("what is deployed in the preview is in the one that it was made with")
            .help(format!("remove it with `tieline preview down -w {workspace} -e {name}`, and make it anew"))
            .into())
    }

    /// What the preview is a copy of: never a protected environment, since a pull request's own manifest names it and nobody reviewed that.
    fn base(&self) -> Result<&Environment, Problems> {
        let (workspace, name) = (&self.workspace.name, &self.part.base);
        let refused = |reason, message| Diagnostic::error(reason, message).at(self.file, Pointer::keys(["preview", "base"]));
        match &self.base {
            None => Err(refused(
                FailureReason::InvalidInput,
                format!("there is no environment `{workspace}/{name}` for previews to be on top of"),
            )
            .note(format!("looked for `{}` on the documents branch", layout::environment(workspace, name)))
            .help("name one that there is, or have its document added to the context repository")
            .into()),
            Some(base) if base.protected => Err(refused(
                FailureReason::Protected,
                format!("the environment `{workspace}/{name}` is protected, so no preview is on top of it"),
            )
            .note("a preview has the account and the backend of its base, and whoever opens a pull request may delete in it")
            .help("name an environment that is not protected, with an account and a backend for what is not reviewed yet")
            .into()),
            Some(base) => Ok(base),
        }
    }

    /// The best name that no preview of another pull request has, and under which nothing is left over.
    async fn name(&self, snapshot: &Snapshot<'_>, all: &Previews) -> Result<EnvironmentName, Problems> {
        let workspace = &self.workspace.name;
        let alone = self.workspace.owners.values().all(|owner| owner.id == self.id.repository_id);
        for name in self.id.names(alone).filter(|name| !all.contains_key(&(workspace.clone(), name.clone()))) {
            if !is_applied_in(snapshot, workspace, &name).await? {
                return Ok(name);
            }
        }
        let message = "every name that the preview could have is taken: by another pull request's, or by what is left over";
        Err(Diagnostic::error(FailureReason::Internal, message).into())
    }

    fn is_going(&self, name: &EnvironmentName) -> Diagnostic {
        let message = format!("the preview `{}/{name}` is being removed: nothing more is begun in it", self.workspace.name);
        Diagnostic::error(FailureReason::Cancelled, message)
            .help("should its pull request be open, run again when it is gone: it is made anew then")
    }
}

/// Whether anything is applied in an environment.
async fn is_applied_in(snapshot: &Snapshot<'_>, workspace: &WorkspaceName, name: &EnvironmentName) -> Result<bool, Problems> {
    let listed = snapshot.paths_below(&layout::environment_folder(workspace, name)).await?;
    Ok(listed.iter().any(|path| matches!(LedgerFile::parse(path), Some(LedgerFile::Applied(..)))))
}

/// How long labels on the pull request ask to have it after each deploy.
fn labelled(session: &Session) -> Option<Duration> {
    kept_by(&session.workflow.as_ref()?.run.pull_request.as_ref()?.labels)
}

fn made_meanwhile(workspace: &WorkspaceName, name: &EnvironmentName) -> Problems {
    let message = format!("another run made the preview `{workspace}/{name}` meanwhile, from other documents");
    Diagnostic::error(FailureReason::BindingChanged, message).help("run again: it converges on that one").into()
}
