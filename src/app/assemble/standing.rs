//! What a deployment stands in: an environment with a document, or a preview with the copy of one.

use crate::app::load::Organization;
use crate::app::session::Session;
use crate::context::ContextStore;
use crate::context::ledger::Snapshot;
use crate::domain::address::Place;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::EnvironmentName;
use crate::domain::organization::{Environment, Workspace};
use crate::domain::preview::{Life, Preview};

/// What a deployment may stand in.
#[derive(Clone, Copy)]
pub(in crate::app) enum Standing<'a> {
    /// An environment that has a document. No preview is meant by its name alone (R49).
    Environment,
    /// Also a preview, as it was made.
    Any,
    /// This preview, which need not be made yet, and how long it lives.
    Preview(&'a Preview, Life),
}

/// What it stands in, read.
pub(super) struct Ground {
    pub(super) workspace: Workspace,
    pub(super) environment: Environment,
    /// What the environment is a preview on top of.
    pub(super) base: Option<EnvironmentName>,
    pub(super) life: Option<Life>,
}

impl Standing<'_> {
    /// Reads what is at the place.
    ///
    /// # Errors
    /// `invalid-input` where there is no such environment or preview, or a preview is not to be meant.
    pub(super) async fn read(
        self,
        session: &Session,
        store: &dyn ContextStore,
        organization: &Organization,
        place: &Place,
    ) -> Result<Ground, Problems> {
        let head = organization.head.as_ref();
        if let (Self::Environment | Self::Any, false) = (self, place.environment.is_preview()) {
            let (workspace, environment) = session.environment(store, head, place).await?;
            return Ok(Ground { workspace, environment, base: None, life: None });
        }
        let (preview, life) = match self {
            Self::Environment => return Err(not_by_name(&place.environment).into()),
            Self::Any => (recorded(store, place).await?, None),
            Self::Preview(preview, life) => (preview.clone(), Some(life)),
        };
        let workspace = session.workspace(store, head, &place.workspace).await?;
        Ok(Ground { workspace, environment: preview.environment, base: Some(preview.base), life })
    }
}

async fn recorded(store: &dyn ContextStore, place: &Place) -> Result<Preview, Problems> {
    let Place { workspace, environment, .. } = place;
    let found = Snapshot::newest(store).await?.preview(workspace, environment).await?;
    found.ok_or_else(|| {
        Diagnostic::error(FailureReason::InvalidInput, format!("there is no preview `{workspace}/{environment}`"))
            .help("`tieline preview up` makes one for a pull request; `tieline preview list` shows those there are")
            .into()
    })
}

/// What makes and changes environments leaves previews alone: they are reached by their pull request.
pub(in crate::app) fn not_by_name(name: &EnvironmentName) -> Diagnostic {
    Diagnostic::error(FailureReason::InvalidInput, format!("`{name}` is the name of a preview, which belongs to a pull request"))
        .note("its environment has no document: it is a copy of its base, made for the pull request")
        .help("make it and bring it up to date with `tieline preview up`, remove it with `tieline preview down`")
}
