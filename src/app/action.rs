//! A step of a workflow: inputs in; annotations, outputs and a summary out; between them the same commands as on a command line.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use tokio_util::sync::CancellationToken;

use super::post;
use super::presence::Presence;
use super::session::Session;
use super::workflow::{Workflow, shared_folder};
use super::{Ended, Outcome, exit_code, obey, outputs, problems_of, trace};
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::report;
use crate::request::cli::{Cli, Display};
use crate::request::inputs::{self, Decoded};
use crate::request::variables::runner as variables;
use crate::world::{Stream, World};

/// The largest summary that the runner takes is 1 MiB; it drops a larger one whole.
const LARGEST_SUMMARY: usize = (1 << 20) - (16 << 10);

/// Whether the program was started as a step of a workflow: without arguments, with inputs.
pub(super) fn is_meant(world: &World, arguments: &[String]) -> bool {
    let has_inputs = || world.variables.iter().any(|(name, _)| name.starts_with(inputs::PREFIX));
    arguments.len() <= 1 && world.variables.get(variables::ACTIONS) == Some("true") && has_inputs()
}

/// Runs a stage of the step, which the program's name tells, and gives its exit code.
pub(super) async fn run(world: World, program: Option<&String>, cancel: CancellationToken) -> u8 {
    let workflow = Workflow::of(&world);
    let world = World { console: workflow.console.clone(), ..world };
    let given: BTreeMap<&str, &str> = world.variables.iter().collect();
    let decoded = inputs::decode(&given);
    let display = decoded.as_ref().map_or_else(|_| Display::default(), |decoded| decoded.request.display.clone());
    let session = Session::new(world.clone(), display, cancel);
    if post::is_asked_for(program) {
        trace::start(&session);
        return post_stage(session.in_workflow(workflow), decoded).await;
    }
    let presence = Presence::announce(&world);
    let mut session = session.in_workflow(Workflow { presence, ..workflow });
    trace::start(&session);
    guard_bugs(&session);
    let ended = match decoded {
        Ok(decoded) => AssertUnwindSafe(begin(&mut session, decoded)).catch_unwind().await,
        Err(problems) => Ok(Err(problems)),
    };
    let Ok(ended) = ended else {
        // The post stage takes it for killed, and gives back what it claimed.
        return conclude(&session, &Err(bug()));
    };
    let code = conclude(&session, &ended);
    if let Some(presence) = session.workflow.and_then(|workflow| workflow.presence) {
        presence.ends(&world, code);
    }
    code
}

/// Has a bug say so where everything is said: what it quotes may be a secret, or a command.
fn guard_bugs(session: &Session) {
    let (console, redactor) = (session.world.console.clone(), session.redactor.clone());
    std::panic::set_hook(Box::new(move |bug| {
        console.write(Stream::Out, &redactor.redact(&format!("a bug of Tieline: {bug}\n")));
    }));
}

fn bug() -> Problems {
    Diagnostic::error(FailureReason::Internal, "a bug of Tieline ended the run")
        .help("report it with the lines of the log above; the step's last stage gives back what it claimed")
        .into()
}

/// What was wrong with the inputs was said by the main stage.
async fn post_stage(mut session: Session, decoded: Result<Decoded, Problems>) -> u8 {
    let Ok(decoded) = decoded else { return 0 };
    let cleared_up = match session.trust(decoded.request.network.ca_cert.as_deref()) {
        Ok(()) => post::run(&session, &decoded.request.command).await,
        Err(problems) => Err(problems),
    };
    let problems = cleared_up.err().unwrap_or_default();
    session.show(&problems);
    session.annotate(&problems);
    exit_code(&problems)
}

async fn begin(session: &mut Session, decoded: Decoded) -> Ended {
    let Decoded { request: Cli { command, network, .. }, unused, warnings } = decoded;
    session.trust(network.ca_cert.as_deref())?;
    session.warn(&warnings);
    for name in unused {
        session.say(&format!("the input `{name}` has no meaning for this command"));
    }
    obey(session, command).await
}

/// Tells the runner, and everybody who reads, how it ended.
fn conclude(session: &Session, ended: &Ended) -> u8 {
    let problems = problems_of(ended);
    session.show(problems);
    session.annotate(problems);
    if let Some(workflow) = &session.workflow {
        let (mut outputs, left_out) = outputs::of(ended, &session.redactor);
        session.warn(&left_out);
        outputs.extend(result_file(session, ended).map(|path| ("result-file", path)));
        workflow.set_outputs(session, &outputs);
        workflow.add_summary(session, &session.redactor.redact(&summary(workflow, &session.told(ended))));
    }
    exit_code(problems)
}

fn summary(workflow: &Workflow, ended: &Ended) -> String {
    let title = match ended {
        Ok(Outcome::Ran(report)) => report.place.to_string(),
        Ok(Outcome::Planned(report)) => report.place.to_string(),
        Ok(_) | Err(_) => workflow.command.clone(),
    };
    let surroundings = workflow.surroundings(title);
    match ended {
        Ok(Outcome::Ran(report)) => report::summary::run(report, &surroundings, LARGEST_SUMMARY),
        Ok(Outcome::Planned(report)) => report::summary::plan(report, &surroundings, LARGEST_SUMMARY),
        Ok(Outcome::Drifted(report)) => report::drift::summary(report, &surroundings, LARGEST_SUMMARY),
        Ok(Outcome::Reviewed(review)) => report::review::summary(review, LARGEST_SUMMARY),
        Ok(Outcome::Removed(removal)) => report::preview::removal_summary(removal, &surroundings, LARGEST_SUMMARY),
        Ok(Outcome::Swept(sweep)) => report::preview::sweep_summary(sweep, &surroundings, LARGEST_SUMMARY),
        Ok(Outcome::Skipped(why)) => report::preview::skipped_summary(why, &surroundings),
        Ok(Outcome::Done) => String::new(),
        Err(problems) => report::summary::refused(problems, &surroundings, LARGEST_SUMMARY),
    }
}

/// Writes the report for programs, and gives its path as later steps see it.
fn result_file(session: &Session, ended: &Ended) -> Option<String> {
    let (name, json) = match ended {
        Ok(Outcome::Ran(report)) => (report.run.id.to_string(), report::run::json(report)),
        Ok(Outcome::Planned(report)) => (report.fingerprint.to_string(), report::plan::json(report)),
        Ok(Outcome::Drifted(report)) => (format!("{:032x}", session.world.random.bits()), report::drift::json(report)),
        Ok(Outcome::Reviewed(review)) => (format!("{:032x}", session.world.random.bits()), report::review::json(review)),
        Ok(Outcome::Removed(removal)) => {
            (format!("{:032x}", session.world.random.bits()), report::preview::removal_json(removal))
        }
        Ok(Outcome::Swept(sweep)) => (format!("{:032x}", session.world.random.bits()), report::preview::sweep_json(sweep)),
        Ok(Outcome::Done | Outcome::Skipped(_)) => return None,
        Err(problems) => (format!("{:032x}", session.world.random.bits()), report::problems::json(problems)),
    };
    let (ours, theirs) = shared_folder(&session.world)?;
    let file = format!("tieline-{}.json", name.get(..26).unwrap_or(&name));
    let written = session.world.files.write(&ours.join(&file), session.redactor.redact(&json).as_bytes(), false);
    match written {
        Ok(()) => Some(theirs.join(file).display().to_string()),
        Err(problem) => {
            session.say(&format!("warning: cannot write the report `{file}`: {problem}"));
            None
        }
    }
}
