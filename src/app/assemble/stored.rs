//! Plugins out of the context's own copies: what was applied can be applied again, and destroyed, whatever became of its source.

use std::sync::Arc;

use crate::app::session::Session;
use crate::context::ledger::Snapshot;
use crate::context::{CommitId, ContextStore, layout};
use crate::domain::connection_type::ConnectionType;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::plugin::Plugin;
use crate::domain::record::ResolvedSource;
use crate::domain::sequence;
use crate::engine::Content;
use crate::sources::{Tree, TreeFile};

/// A plugin as the ledger keeps it.
pub(super) struct Stored {
    pub(super) plugin: Arc<Plugin>,
    pub(super) content: Content,
    /// Types that it proposes.
    pub(super) proposed: Vec<ConnectionType>,
}

/// Reads the plugin that was applied out of this source.
///
/// # Errors
/// When the ledger has no such tree, or it is not a plugin.
pub(super) async fn plugin(
    session: &Session,
    store: &dyn ContextStore,
    head: &CommitId,
    source: &ResolvedSource,
) -> Result<Stored, Problems> {
    let folder = layout::plugin_tree(&source.digest);
    let files = Snapshot::new(store, Some(head.clone())).plugin_tree(&source.digest).await?;
    let files = files.into_iter().map(|(path, file)| (path, TreeFile { executable: file.executable, bytes: file.bytes }));
    let tree = Tree { files: files.collect() };
    if tree.files.is_empty() {
        let message = format!("the ledger has no tree of the plugin that came from `{}`", source.written);
        return Err(Diagnostic::error(FailureReason::ContextUnavailable, message)
            .note(format!("looked for `{folder}`"))
            .note("a run that was killed before it ended could not record it")
            .help("deploy it again where its manifest is, which records it; else run `tieline context verify`")
            .into());
    }
    if tree.digest() != source.digest {
        let message =
            format!("the ledger's tree of the plugin that came from `{}` is not the one that was applied", source.written);
        return Err(Diagnostic::error(FailureReason::PluginChanged, message)
            .note(format!("`{folder}` has the digest `{}`", tree.digest()))
            .help("find out who changed it, and restore the folder from the history of the ledger branch")
            .into());
    }
    let known_as = known_as(source);
    let read = session.read_plugin(&known_as, tree, None, &known_as)?;
    let Some((plugin, content)) = sequence::pick(&source.written, &read.plugins) else {
        let message = format!("the plugin that came from `{}` has no such step", source.written);
        return Err(Diagnostic::error(FailureReason::PluginUnavailable, message).in_file(known_as).into());
    };
    Ok(Stored { plugin: Arc::new(plugin.clone()), content: content.clone(), proposed: read.proposed })
}

/// The folder of a stored plugin, as people know it.
pub(super) fn known_as(source: &ResolvedSource) -> String {
    format!("ledger:{}", layout::plugin_tree(&source.digest))
}
