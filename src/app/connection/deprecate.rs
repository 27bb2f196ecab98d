//! `tieline connection deprecate`: says that a connection will go, or takes that back (R40).

use super::known::Known;
use super::marking::Marking;
use super::{address, missing};
use crate::app::session::Session;
use crate::domain::connection::{ConnectionRecord, ConnectionStatus, Deprecation};
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::record::RunType;
use crate::report::connections::{self as shown, Shown};
use crate::request::cli;

/// Marks a connection, and shows who is affected.
pub(super) async fn run(session: &Session, arguments: &cli::Deprecate) -> Result<(), Problems> {
    let address = address(session, &arguments.address, &arguments.target)?;
    let Some(home) = address.producer() else { return Err(is_document(&address.to_string()).into()) };
    let wish = arguments.until.zip(arguments.message.as_deref());
    if let Some((until, _)) = wish.filter(|(until, _)| *until < session.world.clock.now().date_naive()) {
        return Err(Diagnostic::error(FailureReason::InvalidInput, format!("`{until}` is over: nobody could move until then"))
            .help("give consumers a day to come with `--until`")
            .into());
    }
    let folder = session.folder(arguments.target.working_directory.as_deref());
    let opened = session.open_context(&arguments.target.context, &folder, &folder).await?;
    let marking = Marking::begin(session, &opened, (&address, &home), RunType::Deprecate).await?;
    let deprecation = wish.map(|(until, message)| Deprecation { until, message: message.to_owned(), run: marking.run.clone() });
    marking.end(&marked(&marking.record, deprecation), &Problems::default()).await?;
    let Known { record, bound, declared, needs } = Known::read(session, &*opened.store, &address).await?;
    let record = record.ok_or_else(|| missing(&address))?;
    let connection = Shown { record: &record, bound: &bound, declared: &declared, needs: &needs };
    session.print(&if session.is_json() { shown::one_json(&connection) } else { shown::one_text(&connection) });
    Ok(())
}

/// The record with the deprecation, or without one. A failed apply is not forgotten over it.
fn marked(record: &ConnectionRecord, deprecation: Option<Deprecation>) -> ConnectionRecord {
    let status = match record.status {
        ConnectionStatus::Degraded => ConnectionStatus::Degraded,
        _ => ConnectionRecord::well(deprecation.as_ref()),
    };
    ConnectionRecord { status, deprecation, ..record.clone() }
}

fn is_document(address: &str) -> Diagnostic {
    Diagnostic::error(FailureReason::InvalidInput, format!("`{address}` is a document of people: no run marks it"))
        .help("revoke its grants to keep others from binding to it, and `tieline connection retire` it when nobody does")
}
