//! A deployment of nothing: all that is applied goes. The manifest, its branch and the plugins' sources are not read.

use std::collections::BTreeMap;

use super::{Ground, Resolved};
use crate::app::session::Session;
use crate::context::ledger::Snapshot;
use crate::domain::deployment::Deployment;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::manifest::{DeployableKind, Manifest};
use crate::request::cli;

/// What a destroy works with; nothing is claimed, nothing started.
///
/// # Errors
/// When nothing is applied there and nothing ever was, or the context cannot be read.
pub(in crate::app) async fn for_destroy(
    session: &Session,
    target: &cli::Target,
    secrets: &cli::Sensitive,
) -> Result<Resolved, Problems> {
    let place = session.named_place(target)?;
    let ground = Ground::of(session, target, secrets, place, None).await?;
    let Ground { place, opened, organization, workspace, environment, secrets, folder, .. } = ground;
    let snapshot = Snapshot::newest(&*opened.store).await?;
    let records = snapshot.place(&place).await?;
    if records.applied.is_empty() && snapshot.runs(&place, 1).await?.is_empty() {
        return Err(Diagnostic::error(FailureReason::InvalidInput, format!("nothing was ever deployed at `{place}`"))
            .help("check the names of workspace, environment and deployable; `tieline status` shows what there is")
            .into());
    }
    let published = records.connections.values().next();
    let deployment = Deployment {
        kind: published.map_or(DeployableKind::Application, |record| record.producer.kind),
        manifest: nothing(&place),
        file: format!("ledger:{place}"),
        place,
        environment,
        plugins: BTreeMap::new(),
        stand_ins: BTreeMap::new(),
    };
    Ok(Resolved {
        opened,
        organization,
        workspace,
        deployment,
        contents: BTreeMap::new(),
        folders: BTreeMap::new(),
        secrets,
        locks: BTreeMap::new(),
        known: records.applied.into_values().map(|record| record.terraform).collect(),
        folder,
        source: None,
        adoption: None,
        notes: Vec::new(),
    })
}

/// A manifest without plugins.
fn nothing(place: &crate::domain::address::Place) -> Manifest {
    Manifest {
        api_version: "tieline/v1".to_owned(),
        kind: DeployableKind::Application,
        name: place.deployable.clone(),
        workspace: Some(place.workspace.clone()),
        environment: None,
        plugins: BTreeMap::new(),
        environments: BTreeMap::new(),
        preview: None,
    }
}
