//! What state locks are looked at and freed with.

use std::path::Path;

use super::session::{Opened, Session};
use crate::cloud::WebIdentity;
use crate::domain::diagnostic::Problems;
use crate::domain::record::TerraformBuild;
use crate::engine::StateLocks;
use crate::terraform::{self, Terraform};

/// How long what is asked of a free lock may wait. The question itself waits for nothing.
const PATIENCE: std::time::Duration = std::time::Duration::ZERO;

/// Makes ready to ask, with `folder` for what Terraform needs.
///
/// # Errors
/// `terraform-missing`.
pub(super) async fn open(
    session: &Session,
    opened: &Opened,
    (binary, known): (Option<&str>, &[TerraformBuild]),
    identity: Option<WebIdentity>,
    folder: &Path,
) -> Result<StateLocks, Problems> {
    let binary = terraform::locate(&session.world, binary)?;
    let settings =
        terraform::Settings { plugin_cache: folder.join(".providers"), terraform_parallelism: 1, lock_timeout: PATIENCE };
    Ok(StateLocks {
        world: session.world.clone(),
        terraform: Terraform::open(&session.world, binary, known, settings, &session.cancel).await?,
        identity,
        local_base: opened.local_base.clone(),
        folder: folder.to_path_buf(),
        cancel: session.cancel.clone(),
    })
}
