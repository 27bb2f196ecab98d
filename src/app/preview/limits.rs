//! How many previews there may be at once, and for how long (R55).

use std::time::Duration;

use super::making::Previews;
use crate::app::context_file;
use crate::context::layout;
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::{DeployableName, EnvironmentName, WorkspaceName};
use crate::domain::organization::{ContextDocument, Limits as Written, Workspace};
use crate::domain::preview::{Preview, lifetime};

/// The limits that hold for previews of a workspace: its own, and the organization's.
pub(super) struct Limits {
    workspace: Written,
    organization: Written,
}

/// A preview with its name.
type Named<'a> = (&'a (WorkspaceName, EnvironmentName), &'a Preview);

impl Limits {
    pub(super) fn of(workspace: &Workspace, context: Option<&ContextDocument>) -> Self {
        Self {
            workspace: workspace.limits.clone(),
            organization: context.map(|context| context.limits.clone()).unwrap_or_default(),
        }
    }

    /// How long a preview lives at most after a deploy.
    pub(super) fn most_life(&self) -> Option<Duration> {
        let written = [&self.workspace, &self.organization].into_iter();
        written.filter_map(|limits| lifetime(limits.max_preview_ttl.as_deref()?)).min()
    }

    /// How long after a deploy labels and comments may ask for; none where nobody may ask for more: the workspace itself has to allow it,
    /// and the organization's bound holds beside.
    pub(super) fn most_asked(&self) -> Option<Duration> {
        self.workspace.max_preview_ttl.as_ref().and_then(|_| self.most_life())
    }

    /// Where previews are counted: in the workspace, or everywhere.
    pub(super) fn scope<'w>(&self, workspace: &'w WorkspaceName) -> Option<&'w WorkspaceName> {
        self.organization.max_previews.is_none().then_some(workspace)
    }

    /// Lets one more preview be made.
    ///
    /// # Errors
    /// `limit-exceeded`, naming the oldest.
    pub(super) fn admit_new(
        &self,
        workspace: &WorkspaceName,
        deployable: &DeployableName,
        all: &Previews,
    ) -> Result<(), Problems> {
        let own = || all.iter().filter(|((of, _), _)| of == workspace);
        let file = context_file(&layout::workspace(workspace));
        admit(self.workspace.max_previews, own(), (&file, "max-previews"), &format!("the workspace `{workspace}`"))?;
        let file = context_file(layout::CONTEXT_DOCUMENT);
        admit(self.organization.max_previews, all.iter(), (&file, "max-previews"), "the organization")?;
        self.admit_deployable(workspace, deployable, all)
    }

    /// Lets a deployable be in one more preview.
    ///
    /// # Errors
    /// `limit-exceeded`, naming the oldest that it is in.
    pub(super) fn admit_deployable(
        &self,
        workspace: &WorkspaceName,
        deployable: &DeployableName,
        all: &Previews,
    ) -> Result<(), Problems> {
        let of_it = || all.iter().filter(|((of, _), preview)| of == workspace && preview.deployables.contains_key(deployable));
        let field = "max-previews-per-deployable";
        let whose = format!("the deployable `{workspace}/{deployable}`");
        let file = context_file(&layout::workspace(workspace));
        admit(self.workspace.max_previews_per_deployable, of_it(), (&file, field), &whose)?;
        let file = context_file(layout::CONTEXT_DOCUMENT);
        admit(self.organization.max_previews_per_deployable, of_it(), (&file, field), &whose)
    }
}

fn admit<'a>(
    limit: Option<u32>,
    live: impl Iterator<Item = Named<'a>>,
    (file, field): (&str, &str),
    whose: &str,
) -> Result<(), Problems> {
    let mut live: Vec<Named<'_>> = live.collect();
    live.sort_by_key(|(name, preview)| (preview.made, *name));
    let (Some(limit), Some(((workspace, name), oldest))) = (limit.filter(|limit| live.len() >= *limit as usize), live.first())
    else {
        return if limit == Some(0) { Err(none_at_all(file, field, whose)) } else { Ok(()) };
    };
    let message = format!("{whose} has {} of the {limit} previews that it may have at once", live.len());
    Err(Diagnostic::error(FailureReason::LimitExceeded, message)
        .at(file, Pointer::keys(["limits", field]))
        .note(format!(
            "the oldest is `{workspace}/{name}` of pull request {} of `{}`, made {}",
            oldest.id.pull_request,
            oldest.repository,
            oldest.made.format("%Y-%m-%d %H:%M UTC")
        ))
        .help(format!("remove it with `tieline preview down -w {workspace} -e {name}`, or close its pull request"))
        .into())
}

fn none_at_all(file: &str, field: &str, whose: &str) -> Problems {
    Diagnostic::error(FailureReason::LimitExceeded, format!("{whose} may have no previews"))
        .at(file, Pointer::keys(["limits", field]))
        .into()
}
