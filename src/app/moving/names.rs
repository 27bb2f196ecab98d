//! What a move is about, out of what was written.

use crate::app::session::Session;
use crate::domain::address::Place;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::moving::Relocation;
use crate::domain::names::{Alias, InvalidName};
use crate::request::cli;

/// One side of a move, as it is written.
enum Written {
    /// An applied plugin; its place, where that is written.
    Plugin(Option<Place>, Alias),
    /// A deployable.
    Deployable(Place),
}

/// The move that is asked for.
///
/// # Errors
/// When the two do not fit, or are not names.
pub(super) fn relocation(session: &Session, arguments: &cli::Move) -> Result<Relocation, Problems> {
    let relocation = match (read(&arguments.from)?, read(&arguments.to)?) {
        (Written::Deployable(from), Written::Deployable(to)) => Relocation { from, to, alias: None },
        (Written::Plugin(place, from), Written::Plugin(goal, to)) => {
            let place = place.map_or_else(|| session.named_place(&arguments.target), Ok)?;
            if goal.is_some_and(|goal| goal != place) {
                return Err(invalid(format!("an applied plugin keeps its deployable, which is `{place}`"))
                    .help("rename it in its place, or move the whole deployable")
                    .into());
            }
            Relocation { from: place.clone(), to: place, alias: Some((from, to)) }
        }
        (Written::Plugin(..), Written::Deployable(_)) => return Err(unlike("an applied plugin", "a deployable").into()),
        (Written::Deployable(_), Written::Plugin(..)) => return Err(unlike("a deployable", "an applied plugin").into()),
    };
    if relocation.subject() == relocation.goal() {
        return Err(invalid(format!("`{}` is called that already", relocation.subject())).into());
    }
    Ok(relocation)
}

fn read(text: &str) -> Result<Written, Problems> {
    let place = |workspace: &str, environment: &str, deployable: &str| -> Result<Place, InvalidName> {
        Ok(Place { workspace: workspace.parse()?, environment: environment.parse()?, deployable: deployable.parse()? })
    };
    let read = match text.split('/').collect::<Vec<_>>()[..] {
        [alias] => Alias::new(alias).map(|alias| Written::Plugin(None, alias)),
        [workspace, environment, deployable] => place(workspace, environment, deployable).map(Written::Deployable),
        [workspace, environment, deployable, alias] => {
            place(workspace, environment, deployable).and_then(|place| Ok(Written::Plugin(Some(place), Alias::new(alias)?)))
        }
        _ => {
            return Err(invalid(format!("`{text}` names nothing that can move"))
                .help("write an alias, `<workspace>/<environment>/<deployable>/<alias>`, or `<workspace>/<environment>/<deployable>`")
                .into());
        }
    };
    read.map_err(|problem| invalid(problem.to_string()).into())
}

fn unlike(from: &str, to: &str) -> Diagnostic {
    invalid(format!("{from} cannot become {to}")).help("write both sides in the same form")
}

fn invalid(message: String) -> Diagnostic {
    Diagnostic::error(FailureReason::InvalidInput, message)
}
