//! What `tieline status` is about.

use crate::app::load;
use crate::app::session::Session;
use crate::context::layout;
use crate::domain::address::Place;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::{DeployableName, EnvironmentName, InvalidName, WorkspaceName};
use crate::request::cli::Target;

/// A workspace, or a part of it.
pub(super) struct Scope {
    pub(super) workspace: WorkspaceName,
    /// Only this environment.
    pub(super) environment: Option<EnvironmentName>,
    /// Only this deployable.
    pub(super) deployable: Option<DeployableName>,
}

impl Scope {
    /// What is asked for; the workspace, and the environment if it has one, are the manifest's where no workspace is named.
    ///
    /// # Errors
    /// `invalid-input` for what is no name, or when there is neither a workspace nor a manifest.
    pub(super) fn of(session: &Session, target: &Target) -> Result<Self, Problems> {
        let invalid = |problem: InvalidName| Diagnostic::error(FailureReason::InvalidInput, problem.to_string());
        let deployable = target.deployable.as_deref().map(DeployableName::new).transpose().map_err(invalid)?;
        let environment = target.environment.as_deref().map(EnvironmentName::new).transpose().map_err(invalid)?;
        if let (Some(workspace), None) = (&target.workspace, &target.manifest) {
            let workspace = WorkspaceName::new(workspace).map_err(invalid)?;
            return Ok(Self { workspace, environment, deployable });
        }
        let written = load::manifest(session, target)?;
        let named = target.workspace.as_deref().map(WorkspaceName::new).transpose().map_err(invalid)?;
        let workspace = named.or(written.manifest.workspace).ok_or_else(|| {
            Diagnostic::error(FailureReason::InvalidInput, "no workspace is named").help("name it with `--workspace`")
        })?;
        Ok(Self { workspace, environment: environment.or(written.manifest.environment), deployable })
    }

    /// The folder of the ledger that has all of it.
    pub(super) fn folder(&self) -> String {
        match (&self.environment, &self.deployable) {
            (Some(environment), Some(deployable)) => layout::place_folder(&Place {
                workspace: self.workspace.clone(),
                environment: environment.clone(),
                deployable: deployable.clone(),
            }),
            (Some(environment), None) => layout::environment_folder(&self.workspace, environment),
            (None, _) => self.workspace.to_string(),
        }
    }

    /// Whether a place is part of it.
    pub(super) fn has(&self, place: &Place) -> bool {
        self.workspace == place.workspace
            && self.environment.as_ref().is_none_or(|environment| *environment == place.environment)
            && self.deployable.as_ref().is_none_or(|deployable| *deployable == place.deployable)
    }
}
