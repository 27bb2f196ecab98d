//! `tieline connection`: published connections and who uses them.

use super::grant;
use super::import;
use super::load;
use super::session::Session;
use super::view;
use crate::context::ledger::Snapshot;
use crate::context::{Branch, ContextStore, layout};
use crate::domain::address::{Address, PartialAddress, Place};
use crate::domain::connection::ConnectionRecord;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::{DeployableName, EnvironmentName, WorkspaceName};
use crate::report;
use crate::request::cli::{self, Target};

/// Runs a command about connections.
pub(super) async fn run(session: &Session, command: &cli::Connection) -> Result<(), Problems> {
    match command {
        cli::Connection::List(target) => list(session, target).await,
        cli::Connection::Show { address, target } => show(session, address, target).await,
        cli::Connection::Grant { grant, previews, target } => grant::grant(session, grant, *previews, target).await,
        cli::Connection::Revoke { grant, target } => grant::revoke(session, grant, target).await,
        cli::Connection::Import(import) => import::run(session, import).await,
    }
}

/// The environment that is meant: by flags, else the manifest's.
pub(super) fn place(session: &Session, target: &Target) -> Result<Place, Problems> {
    let named = target.workspace.as_deref().map(WorkspaceName::new).zip(target.environment.as_deref().map(EnvironmentName::new));
    if let (Some((Ok(workspace), Ok(environment))), Ok(deployable), None) = (named, DeployableName::new("any"), &target.manifest)
    {
        return Ok(Place { workspace, environment, deployable });
    }
    Session::place(target, &load::manifest(session, target)?)
}

async fn list(session: &Session, target: &Target) -> Result<(), Problems> {
    let place = place(session, target)?;
    let folder = session.folder(target.working_directory.as_deref());
    let opened = session.open_context(&target.context, &folder, &folder).await?;
    let records = connections_of(&*opened.store, &place).await?;
    session.print(&if session.is_json() {
        report::connections::json(&records)
    } else {
        report::connections::text(&records, &place)
    });
    Ok(())
}

/// All connections of an environment, by address.
pub(super) async fn connections_of(store: &dyn ContextStore, place: &Place) -> Result<Vec<ConnectionRecord>, Problems> {
    let Some(head) = store.head(Branch::Ledger).await? else { return Ok(Vec::new()) };
    let folder = layout::environment_folder(&place.workspace, &place.environment);
    let listed = store.list(&head, &[folder]).await?;
    let paths: Vec<String> =
        listed.into_values().flatten().map(|file| file.path).filter(|path| path.contains("/connections/")).collect();
    let files = store.read(&head, &paths).await?;
    let mut records: Vec<ConnectionRecord> = files.values().filter_map(|bytes| serde_json::from_slice(bytes).ok()).collect();
    records.sort_by(|a, b| a.address.cmp(&b.address));
    Ok(records)
}

async fn show(session: &Session, address: &str, target: &Target) -> Result<(), Problems> {
    let folder = session.folder(target.working_directory.as_deref());
    let address = if let Ok(address) = address.parse::<Address>() {
        address
    } else {
        let partial: PartialAddress =
            address.parse().map_err(|problem| Diagnostic::error(FailureReason::InvalidInput, format!("{problem}")))?;
        partial.within(&Session::place(target, &load::manifest(session, target)?)?)
    };
    let opened = session.open_context(&target.context, &folder, &folder).await?;
    let store = &*opened.store;
    let missing = || {
        Diagnostic::error(FailureReason::InvalidInput, format!("there is no connection `{address}`"))
            .help("list those there are with `tieline connection list`")
    };
    let snapshot = Snapshot::newest(store).await?;
    let record = snapshot.connection(&address).await?.ok_or_else(missing)?;
    let consumers = view::entries(&snapshot.consumers([&address]).await?).remove(&address).unwrap_or_default();
    session.print(&if session.is_json() {
        report::connections::one_json(&record, &consumers)
    } else {
        report::connections::one_text(&record, &consumers)
    });
    Ok(())
}
