//! The composition root: one file per command, each a pipeline that reads top to bottom. The only module that knows all others.

mod access;
mod action;
mod adopt;
mod announce;
mod assemble;
mod back;
mod connection;
mod context;
mod deploy;
mod destroy;
mod drift;
mod fleet;
mod holder;
mod identity;
mod import;
mod load;
mod log;
mod moving;
mod outputs;
mod overrides;
mod owner;
mod pace;
mod perform;
mod plan;
mod plugins;
mod post;
mod presence;
mod preview;
mod proofs;
mod proposal;
mod rollback;
mod session;
mod state_locks;
mod status;
mod trace;
mod transfer;
mod trust;
mod unlock;
mod uses;
mod validate;
mod view;
mod watch;
mod workflow;

use std::sync::Arc;

use clap::{CommandFactory as _, Parser as _};
use tokio_util::sync::CancellationToken;

use crate::documents::{self, Kind};
use crate::domain::diagnostic::Problems;
use crate::domain::drift::DriftReport;
use crate::domain::failure::FailureReason;
use crate::domain::outcome::{PlanReport, RunReport};
use crate::domain::removal::{Removal, Sweep};
use crate::domain::review::Review;
use crate::request::cli::{Cli, Command};
use crate::request::variables;
use crate::runner::GuardedConsole;
use crate::world::{Stream, World};

use session::Session;

/// What a command came to, beyond what it printed.
enum Outcome {
    /// All is said.
    Done,
    /// A plan; its problems are what failed to plan.
    Planned(Box<PlanReport>),
    /// What changed outside; its problems are why some could not be looked at.
    Drifted(Box<DriftReport>),
    /// A run, as it was recorded, with its problems.
    Ran(Box<RunReport>),
    /// A change of the documents, as it was judged.
    Reviewed(Box<Review>),
    /// What was to be removed of a pull request.
    Removed(Box<Removal>),
    /// The previews that a sweep looked at.
    Swept(Box<Sweep>),
    /// Nothing, and why.
    Skipped(String),
}

impl Outcome {
    /// The same with its problems as `tell` has them.
    fn told(&self, tell: impl Fn(&Problems) -> Problems) -> Self {
        match self {
            Self::Done => Self::Done,
            Self::Planned(report) => {
                let (problems, refusals) = (tell(&report.problems), tell(&report.refusals));
                Self::Planned(Box::new(PlanReport { problems, refusals, ..(**report).clone() }))
            }
            Self::Drifted(report) => Self::Drifted(Box::new(report.told(tell))),
            Self::Ran(report) => Self::Ran(Box::new(RunReport { problems: tell(&report.problems), ..(**report).clone() })),
            Self::Reviewed(review) => Self::Reviewed(Box::new(Review { problems: tell(&review.problems), ..(**review).clone() })),
            Self::Removed(removal) => {
                Self::Removed(Box::new(Removal { problems: tell(&removal.problems), ..(**removal).clone() }))
            }
            Self::Swept(sweep) => Self::Swept(Box::new(Sweep { problems: tell(&sweep.problems), ..(**sweep).clone() })),
            Self::Skipped(why) => Self::Skipped(why.clone()),
        }
    }
}

/// How a command ended: what it came to, or why it came to nothing.
type Ended = Result<Outcome, Problems>;

/// Runs one invocation: decodes `arguments` (the program's name first), or the inputs of a workflow's step where there are none, does
/// what they ask for, and gives the exit code.
///
/// `cancel` is set by the first signal; everything then comes to an orderly end.
pub async fn run(world: World, arguments: Vec<String>, cancel: CancellationToken) -> u8 {
    if action::is_meant(&world, &arguments) {
        return action::run(world, arguments.first(), cancel).await;
    }
    let world = guarded(world);
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(shown) => return usage(&world, &shown),
    };
    let mut session = Session::new(world, cli.display, cancel);
    trace::start(&session);
    let ended = match session.trust(cli.network.ca_cert.as_deref()) {
        Ok(()) => obey(&session, cli.command).await,
        Err(problems) => Err(problems),
    };
    session.show(problems_of(&ended));
    exit_code(problems_of(&ended))
}

/// The same world; where a workflow's script started us, what we print is guarded from being taken for commands (R67).
fn guarded(world: World) -> World {
    match world.variables.get(variables::runner::ACTIONS) {
        Some(_) => World { console: Arc::new(GuardedConsole::new(world.console.clone())), ..world },
        None => world,
    }
}

/// Does what is asked for.
async fn obey(session: &Session, command: Command) -> Ended {
    match command {
        Command::Validate(target) => validate::run(session, &target).await?,
        Command::Plan(plan) => {
            let subject = announce::Subject { target: &plan.target, wishes: &plan.announcements, deploys: false };
            return Box::pin(announce::around(session, &subject, plan::run(session, &plan))).await;
        }
        // What GitHub shows of a fleet is shown at its end.
        Command::Deploy(deploy) if deploy.part.fleet.is_some() => return Box::pin(deploy::run(session, &deploy)).await,
        Command::Deploy(deploy) => {
            let subject = announce::Subject { target: &deploy.target, wishes: &deploy.announcements, deploys: true };
            return Box::pin(announce::around(session, &subject, deploy::run(session, &deploy))).await;
        }
        Command::Rollback(rollback) => {
            let subject = announce::Subject { target: &rollback.target, wishes: &rollback.announcements, deploys: true };
            return Box::pin(announce::around(session, &subject, rollback::run(session, &rollback))).await;
        }
        Command::Destroy(destroy) => {
            let subject = announce::Subject { target: &destroy.target, wishes: &destroy.announcements, deploys: false };
            return Box::pin(announce::around(session, &subject, destroy::run(session, &destroy))).await;
        }
        Command::Fleet(fleet) => match fleet.finish() {
            None => return Box::pin(fleet::run(session, &fleet)).await,
            Some(finish) => {
                let subject = announce::Subject { target: &finish.target, wishes: &finish.announcements, deploys: true };
                return Box::pin(announce::around(session, &subject, fleet::finish(session, finish))).await;
            }
        },
        Command::Preview(preview) => return Box::pin(preview::run(session, &preview)).await,
        Command::Adopt(arguments) => return Box::pin(adopt::run(session, &arguments)).await,
        Command::Move(arguments) => return Box::pin(moving::run(session, &arguments)).await,
        Command::Drift(arguments) => return Box::pin(drift::run(session, &arguments)).await,
        Command::Status(arguments) => status::run(session, &arguments).await?,
        Command::Unlock(arguments) => unlock::run(session, &arguments).await?,
        Command::Connection(connection) => connection::run(session, &connection).await?,
        Command::Transfer(transfer) => transfer::run(session, &transfer).await?,
        Command::Context(context) => return context::run(session, &context).await,
        Command::Plugins(plugins) => plugins::run(session, &plugins).await?,
        Command::Import(arguments) => import::run(session, &arguments)?,
        Command::Schema { kind } => schema(session, &kind),
        Command::Completions { shell } => completions(session, shell),
    }
    Ok(Outcome::Done)
}

fn problems_of(ended: &Ended) -> &Problems {
    static NONE: Problems = Problems(Vec::new());
    match ended {
        Ok(Outcome::Done | Outcome::Skipped(_)) => &NONE,
        Ok(Outcome::Planned(report)) => &report.problems,
        Ok(Outcome::Drifted(report)) => &report.problems,
        Ok(Outcome::Ran(report)) => &report.problems,
        Ok(Outcome::Reviewed(review)) => &review.problems,
        Ok(Outcome::Removed(removal)) => &removal.problems,
        Ok(Outcome::Swept(sweep)) => &sweep.problems,
        Err(problems) => problems,
    }
}

/// Help and version go to the output; a wrong command line is a user's error.
fn usage(world: &World, shown: &clap::Error) -> u8 {
    let stream = if shown.use_stderr() { Stream::Err } else { Stream::Out };
    let text = if world.console.is_terminal(stream) { shown.render().ansi().to_string() } else { shown.render().to_string() };
    world.console.write(stream, &text);
    if shown.use_stderr() { FailureReason::InvalidInput.kind().exit_code() } else { 0 }
}

/// The exit code of what it ended for.
fn exit_code(problems: &Problems) -> u8 {
    problems.cause().map_or(0, |cause| cause.reason.kind().exit_code())
}

fn schema(session: &Session, kind: &str) {
    let known = Kind::ALL.iter().find(|known| known.as_str() == kind);
    if let Some(kind) = known {
        session.print(&String::from_utf8_lossy(&crate::domain::canonical::to_bytes(&documents::schema(*kind))));
    }
}

fn completions(session: &Session, shell: clap_complete::Shell) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "tieline", &mut script);
    session.print(&String::from_utf8_lossy(&script));
}

/// A document of the context, as people know it.
fn context_file(path: &str) -> String {
    format!("context:{path}")
}
