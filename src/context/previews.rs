//! Reading what previews were made from.

use std::collections::BTreeMap;

use super::StoreError;
use super::layout::{self, LedgerFile};
use super::ledger::{Snapshot, parse_json};
use crate::domain::names::{EnvironmentName, WorkspaceName};
use crate::domain::preview::Preview;

impl Snapshot<'_> {
    /// What a preview was made from; none where there is no such preview.
    ///
    /// # Errors
    /// When the context cannot be read, or the file is not one.
    pub async fn preview(&self, workspace: &WorkspaceName, name: &EnvironmentName) -> Result<Option<Preview>, StoreError> {
        let path = layout::preview(workspace, name);
        let found = self.read(std::slice::from_ref(&path)).await?;
        found.get(&path).map(|bytes| parse_preview(&path, bytes, name)).transpose()
    }

    /// All previews there are, of one workspace or of all, in one listing and one read.
    ///
    /// # Errors
    /// When the context cannot be read, or a file is not one.
    pub async fn previews(&self, workspace: Option<&WorkspaceName>) -> Result<BTreeMap<PreviewKey, Preview>, StoreError> {
        self.all_previews(workspace).await?.into_iter().map(|(key, preview)| Ok((key, preview?))).collect()
    }

    /// The same for those whom one that cannot be read must not keep from all others: what is wrong with it takes its place.
    ///
    /// # Errors
    /// When the context cannot be read.
    pub async fn all_previews(
        &self,
        workspace: Option<&WorkspaceName>,
    ) -> Result<BTreeMap<PreviewKey, Result<Preview, StoreError>>, StoreError> {
        let folder = workspace.map_or_else(String::new, ToString::to_string);
        let paths = self.list(&[folder]).await?.into_iter().map(|file| file.path);
        let paths: Vec<_> = paths.filter(|path| matches!(LedgerFile::parse(path), Some(LedgerFile::Preview(..)))).collect();
        let found = self.believed(self.read_listed(&paths).await?, |_| false).await?;
        let parsed = found.iter().filter_map(|(path, bytes)| match LedgerFile::parse(path) {
            Some(LedgerFile::Preview(workspace, name)) => {
                let preview = parse_preview(path, bytes, &name);
                Some(((workspace, name), preview))
            }
            _ => None,
        });
        Ok(parsed.collect())
    }
}

/// A preview's workspace and its name there.
pub(super) type PreviewKey = (WorkspaceName, EnvironmentName);

/// Reads what a preview was made from; the copy of its base must bear its name, by which all else is found.
fn parse_preview(path: &str, bytes: &[u8], name: &EnvironmentName) -> Result<Preview, StoreError> {
    let preview: Preview = parse_json(path, bytes)?;
    if preview.environment.name == *name && name.is_preview() {
        return Ok(preview);
    }
    Err(StoreError::Corrupt { path: path.to_owned(), why: format!("it is that of `{}`", preview.environment.name) })
}
