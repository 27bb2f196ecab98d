//! `tieline connection retire`: the last step before the end of something that many used. It is refused while anybody needs it (R29).

use std::collections::BTreeSet;

use super::known::Known;
use super::marking::Marking;
use super::{address, missing};
use crate::app::proposal::{Documents, Proposal};
use crate::app::session::{Opened, Session};
use crate::context::{Change, Changes, layout};
use crate::domain::address::{Address, Place, Target};
use crate::domain::connection::{ConnectionRecord, ConnectionStatus, Deprecation};
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::ImportedName;
use crate::domain::need::{self, Need};
use crate::domain::record::RunType;
use crate::report::connections::Retired;
use crate::request::cli;

/// Takes a connection out of use.
pub(super) async fn run(session: &Session, text: &str, target: &cli::Target) -> Result<(), Problems> {
    let address = address(session, text, target)?;
    let folder = session.folder(target.working_directory.as_deref());
    let opened = session.open_context(&target.context, &folder, &folder).await?;
    let known = Known::read(session, &*opened.store, &address).await?;
    unneeded(&address, &known)?;
    known.record.ok_or_else(|| missing(&address))?;
    match (&address.target, address.producer()) {
        (Target::Imported(name), _) => remove_document(session, &opened, target, &address, name).await,
        (_, Some(home)) => {
            mark(session, &opened, &address, &home).await?;
            let retired = Retired { address: &address, next: &destroy_of(&home) };
            session.print(&if session.is_json() { retired.json() } else { retired.text() });
            Ok(())
        }
        _ => Err(missing(&address).into()),
    }
}

/// Its own deployable's slots count as well: nobody is left only once these are wired to something else.
fn unneeded(address: &Address, known: &Known) -> Result<(), Problems> {
    let needs = need::of_consumers(None, &known.bound, &known.declared).into_iter().chain(known.needs.iter().cloned());
    let needs: BTreeSet<Need> = needs.collect();
    let mut refusal = Diagnostic::error(FailureReason::ConsumersExist, format!("the connection `{address}` is still needed"))
        .help("move or destroy what needs it first");
    refusal.notes.extend(needs.iter().map(Need::to_string));
    if refusal.notes.is_empty() { Ok(()) } else { Err(refusal.into()) }
}

/// Marks it first, then looks again: of this run and one that binds it at the same time at least one sees the other (R30).
async fn mark(session: &Session, opened: &Opened, address: &Address, home: &Place) -> Result<(), Problems> {
    let marking = Marking::begin(session, opened, (address, home), RunType::Retire).await?;
    let retiring = retiring(&marking, session.world.clock.now().date_naive());
    let looked = match marking.write(&retiring).await {
        Ok(()) => Known::read(session, &*opened.store, address).await.and_then(|known| unneeded(address, &known)),
        Err(problems) => Err(problems),
    };
    let problems = looked.err().unwrap_or_default();
    let left = if problems.any_error() { &marking.record } else { &retiring };
    marking.end(left, &problems).await?;
    if problems.any_error() { Err(problems) } else { Ok(()) }
}

/// The command that finishes it. Where more is published than this, taking the applied plugin out of the manifest does it as well.
fn destroy_of(home: &Place) -> String {
    let Place { workspace, environment, deployable } = home;
    format!("tieline destroy -w {workspace} -e {environment} --deployable {deployable}")
}

/// A deploy of its producer takes `retiring` back, and the deprecation stays: nobody binds to it in between.
fn retiring(marking: &Marking, today: chrono::NaiveDate) -> ConnectionRecord {
    let now = || Deprecation { until: today, message: "it is taken out of use".to_owned(), run: marking.run.clone() };
    let deprecation = marking.record.deprecation.clone().unwrap_or_else(now);
    ConnectionRecord { status: ConnectionStatus::Retiring, deprecation: Some(deprecation), ..marking.record.clone() }
}

/// An imported connection is a document, and goes as documents do: by a pull request on GitHub, else by a commit.
async fn remove_document(
    session: &Session,
    opened: &Opened,
    target: &cli::Target,
    address: &Address,
    name: &ImportedName,
) -> Result<(), Problems> {
    let path = layout::imported(&address.workspace, &address.environment, name);
    let proposal = Proposal {
        slug: format!("retire-{}", address.workspace),
        title: format!("remove `{address}`, which nobody needs"),
        identity: format!("retire {address}"),
        affected: Vec::new(),
        changes: Changes::from([(path, Change::Remove)]),
    };
    Documents::newest(session, opened, &target.context).await?.put(proposal).await
}
