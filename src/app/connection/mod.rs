//! `tieline connection`: connections, who uses and may use them, and their end.

mod deprecate;
mod grant;
mod import;
mod known;
mod list;
mod marking;
mod retire;
mod show;

use super::load;
use super::session::Session;
use crate::domain::address::{Address, PartialAddress, Place};
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::{DeployableName, EnvironmentName, WorkspaceName};
use crate::request::cli::{self, Target};

pub(super) use known::imported_at;

/// Runs a command about connections.
pub(super) async fn run(session: &Session, command: &cli::Connection) -> Result<(), Problems> {
    match command {
        cli::Connection::List(target) => list::run(session, target).await,
        cli::Connection::Show { address, target } => show::run(session, address, target).await,
        cli::Connection::Grant { grant, previews, target } => grant::grant(session, grant, *previews, target).await,
        cli::Connection::Revoke { grant, target } => grant::revoke(session, grant, target).await,
        cli::Connection::Import(import) => import::run(session, import).await,
        cli::Connection::Deprecate(arguments) => deprecate::run(session, arguments).await,
        cli::Connection::Retire { address, target } => retire::run(session, address, target).await,
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

/// The connection that is meant; what is left out from the left is the manifest's.
fn address(session: &Session, text: &str, target: &Target) -> Result<Address, Problems> {
    if let Ok(address) = text.parse::<Address>() {
        return Ok(address);
    }
    let partial: PartialAddress =
        text.parse().map_err(|problem| Diagnostic::error(FailureReason::InvalidInput, format!("{problem}")))?;
    Ok(partial.within(&Session::place(target, &load::manifest(session, target)?)?))
}

fn missing(address: &Address) -> Diagnostic {
    Diagnostic::error(FailureReason::InvalidInput, format!("there is no connection `{address}`"))
        .help("list those there are with `tieline connection list`")
}
