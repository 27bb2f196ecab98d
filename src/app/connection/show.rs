//! `tieline connection show`.

use super::known::Known;
use super::{address, missing};
use crate::app::session::Session;
use crate::domain::diagnostic::Problems;
use crate::report::connections::{self as shown, Shown};
use crate::request::cli::Target;

/// Shows a connection, published or imported, with everyone who needs it.
pub(super) async fn run(session: &Session, text: &str, target: &Target) -> Result<(), Problems> {
    let address = address(session, text, target)?;
    let folder = session.folder(target.working_directory.as_deref());
    let opened = session.open_context(&target.context, &folder, &folder).await?;
    let Known { record, bound, declared, needs } = Known::read(session, &*opened.store, &address).await?;
    let record = record.ok_or_else(|| missing(&address))?;
    let connection = Shown { record: &record, bound: &bound, declared: &declared, needs: &needs };
    session.print(&if session.is_json() { shown::one_json(&connection) } else { shown::one_text(&connection) });
    Ok(())
}
