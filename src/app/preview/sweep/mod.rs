//! `tieline preview sweep`: the way down that needs no event (R51). GitHub starts no workflow for the end of a pull request that is in
//! conflict, and events get lost; so whoever sweeps looks at all previews there are.

mod child;
mod found;
mod heard;
mod judged;

use std::collections::BTreeMap;

use futures_util::StreamExt as _;

use super::keep;
use crate::app::session::{Opened, Session};
use crate::app::{Ended, Outcome};
use crate::context::ledger::Snapshot;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::preview::Preview;
use crate::domain::record::Claim;
use crate::domain::removal::{Fate, PreviewName, Sweep, Swept};
use crate::github::standing::Standing;
use crate::report;
use crate::request::cli::PreviewSweep;
use crate::world::Stream;

use found::{Claims, Found, at_work};
use heard::Heard;
use judged::{Judged, judge};

/// How many previews are removed at a time.
const AT_ONCE: usize = 4;

/// Removes the previews that nobody needs any more, and says what became of each.
pub(super) async fn run(session: &Session, arguments: &PreviewSweep) -> Ended {
    let folder = session.folder(arguments.target.working_directory.as_deref());
    let opened = session.open_context(&arguments.target.context, &folder, &folder).await?;
    let found = Found::look(session, &opened, arguments).await?;
    let mut sweep = Sweep { swept: Vec::new(), problems: Problems::default() };
    let heard = heard::ask(session, arguments, found.previews.values(), &mut sweep.problems).await;
    let broom = Broom { session, arguments, opened: &opened, found: &found, heard: &heard };
    let mut due = broom.sort(&mut sweep).await;
    due.sort_by_key(|due| due.preview.expires);
    let most = arguments.bounds.limit as usize;
    let later = due.split_off(most.min(due.len()));
    broom.remove(due, &mut sweep).await;
    put_off(later, most, &mut sweep);
    found.left_over(session, &*opened.store, &mut sweep).await?;
    sweep.swept.sort_by(|one, other| (&one.fate, &one.name).cmp(&(&other.fate, &other.name)));
    sweep.problems = sweep.problems.with_texts(&|text| session.redactor.redact(text));
    session.print(&if session.is_json() {
        report::preview::sweep_json(&sweep)
    } else {
        report::preview::sweep(&sweep, session.uses_color(Stream::Out))
    });
    Ok(Outcome::Swept(Box::new(sweep)))
}

/// A preview that should go.
struct Due<'a> {
    name: &'a PreviewName,
    preview: &'a Preview,
    because: String,
}

/// What a sweep is done with.
struct Broom<'a> {
    session: &'a Session,
    arguments: &'a PreviewSweep,
    opened: &'a Opened,
    found: &'a Found,
    heard: &'a BTreeMap<u64, Heard>,
}

impl<'a> Broom<'a> {
    /// Puts down what lives on, and gives what should go.
    async fn sort(&self, sweep: &mut Sweep) -> Vec<Due<'a>> {
        let now = self.session.world.clock.now();
        let mut all = Vec::new();
        for (name, preview) in &self.found.previews {
            let is_empty = !self.found.applied.contains_key(name) && !self.found.claims.contains_key(name);
            let judged = match judge(preview, is_empty, &self.heard[&preview.id.repository_id], now) {
                Judged::Asks(standing) => self.asked(name, preview, &standing).await,
                judged => judged,
            };
            match judged {
                Judged::Due(because) => match self.found.claims.get(name).and_then(|claims| at_work(self.session, claims)) {
                    None => all.push(Due { name, preview, because }),
                    Some(claim) => put_down(sweep, waits(name, preview, claim, &because)),
                },
                stays => put_down(sweep, kept(name, preview, stays)),
            }
        }
        all
    }

    /// Before one goes whose time is over: whether somebody asked for more on its pull request, and was not heard.
    async fn asked(&self, name: &PreviewName, preview: &Preview, standing: &Standing) -> Judged {
        self.answer(name, preview, standing).await.unwrap_or_else(Judged::Failed)
    }

    async fn answer(&self, name: &PreviewName, preview: &Preview, standing: &Standing) -> Result<Judged, Problems> {
        let over = || Judged::Due(format!("its time was over {}", judged::moment(preview.expires)));
        let most = keep::most(self.session, self.opened, &name.workspace).await?;
        let Heard::Known { client, repository, .. } = &self.heard[&preview.id.repository_id] else { return Ok(over()) };
        let until = heard::longer(client, repository, preview, standing, most).await;
        let until = until.map_err(|problem| problem.diagnostic(FailureReason::ContextUnavailable))?;
        match until.filter(|until| *until > self.session.world.clock.now()) {
            None => Ok(over()),
            Some(until) => {
                keep::extend(self.session, &*self.opened.store, name, until).await?;
                Ok(Judged::Lives(format!("somebody asked for more time: until {}", judged::moment(until))))
            }
        }
    }

    /// Removes previews side by side; one that fails is no reason not to remove the others.
    async fn remove(&self, due: Vec<Due<'a>>, sweep: &mut Sweep) {
        let removed = futures_util::stream::iter(due).map(|due| self.remove_one(due)).buffer_unordered(AT_ONCE);
        removed.collect::<Vec<_>>().await.into_iter().for_each(|one| put_down(sweep, one));
    }

    /// Looks once more at the pull request and at the ledger, and removes the preview in a process of its own.
    async fn remove_one(&self, due: Due<'a>) -> Told {
        let Due { name, preview, because } = due;
        let now = self.session.world.clock.now();
        let judged = match heard::last_look(&self.heard[&preview.id.repository_id], preview, because, now).await {
            Judged::Asks(standing) => self.asked(name, preview, &standing).await,
            judged => judged,
        };
        let because = match judged {
            Judged::Due(because) => because,
            stays => return kept(name, preview, stays),
        };
        match self.meanwhile(name, preview, &because).await {
            Ok(None) => {}
            Ok(Some(told)) => return told,
            Err(problems) => return kept(name, preview, Judged::Failed(problems)),
        }
        if self.session.cancel.is_cancelled() {
            let problem = Diagnostic::error(FailureReason::Cancelled, format!("`{name}` was not removed any more"));
            return (swept(name, preview, Fate::Waits, "the sweep was cancelled".to_owned()), problem.into());
        }
        self.session.say(&format!("removing `{name}`: {because}"));
        let heard = &self.heard[&preview.id.repository_id];
        let repository = match heard {
            Heard::Known { repository, .. } => repository.to_string(),
            _ => preview.repository.clone(),
        };
        // What is done in a repository's place is recorded with its reason (R45).
        let reason = matches!(heard, Heard::Gone).then(|| format!("swept: {because}"));
        match child::remove(self.session, self.arguments, (name, preview), &repository, reason).await {
            Ok(retained) => (Swept { retained, ..swept(name, preview, Fate::Removed, because) }, Problems::default()),
            Err(problem) => {
                let why = problem.message.clone();
                let told = Diagnostic { message: format!("`{name}` could not be removed: {why}"), ..problem };
                (swept(name, preview, Fate::Failed, why), told.into())
            }
        }
    }

    /// What became of a preview since it was judged, which others may have been removed before: none where it is as it was, and nobody
    /// works in it.
    async fn meanwhile(&self, name: &PreviewName, preview: &Preview, because: &str) -> Result<Option<Told>, Problems> {
        let store = &*self.opened.store;
        let Some(now) = Snapshot::newest(store).await?.preview(&name.workspace, &name.environment).await? else {
            let gone = swept(name, preview, Fate::Removed, "somebody else removed it meanwhile".to_owned());
            return Ok(Some((gone, Problems::default())));
        };
        if (now.id, now.expires, now.deployed) != (preview.id, preview.expires, preview.deployed) {
            let why = "it was deployed or kept meanwhile; the next sweep judges it as it is now";
            return Ok(Some(kept(name, &now, Judged::Unknown(why.to_owned()))));
        }
        let mut unreadable = Problems::default();
        let held: Option<Claims> = found::claims(store, |other| other == name, &mut unreadable).await?.remove(name);
        Ok(held.as_ref().and_then(|claims| at_work(self.session, claims)).map(|claim| waits(name, preview, claim, because)))
    }
}

/// What became of one, and what is wrong with that.
type Told = (Swept, Problems);

fn put_down(sweep: &mut Sweep, (swept, problems): Told) {
    sweep.problems.extend(problems);
    sweep.swept.push(swept);
}

/// One that stays, as it was judged.
fn kept(name: &PreviewName, preview: &Preview, judged: Judged) -> Told {
    let (fate, because) = match judged {
        Judged::Lives(because) => (Fate::Lives, because),
        Judged::Due(because) | Judged::Unknown(because) => (Fate::Unknown, because),
        Judged::Asks(_) => (Fate::Unknown, "it is not known what was asked for it".to_owned()),
        Judged::Failed(mut problems) => {
            let why = problems.cause().map_or_else(String::new, |cause| cause.message.clone());
            for problem in &mut problems.0 {
                problem.message = format!("whether `{name}` is to be removed is not known: {}", problem.message);
            }
            return (swept(name, preview, Fate::Unknown, why), problems);
        }
    };
    (swept(name, preview, fate, because), Problems::default())
}

/// One that has to wait for a run.
fn waits(name: &PreviewName, preview: &Preview, claim: &Claim, because: &str) -> Told {
    let held = format!("run `{}` works in it", claim.run.id);
    let message = format!("`{name}` is to be removed, but {held}: {because}");
    let problem = Diagnostic::error(FailureReason::Claimed, message).help("the next sweep looks again");
    (swept(name, preview, Fate::Waits, held), problem.into())
}

fn put_off(later: Vec<Due<'_>>, most: usize, sweep: &mut Sweep) {
    if later.is_empty() {
        return;
    }
    let message = format!("{} more previews are to be removed, and a sweep removes at most {most}", later.len());
    sweep.problems.push(
        Diagnostic::error(FailureReason::LimitExceeded, message).help("the next sweep goes on with them; or raise `--limit`"),
    );
    let waits =
        later.into_iter().map(|due| swept(due.name, due.preview, Fate::Waits, format!("for the next sweep: {}", due.because)));
    sweep.swept.extend(waits);
}

fn swept(name: &PreviewName, preview: &Preview, fate: Fate, because: String) -> Swept {
    Swept {
        name: name.clone(),
        repository: preview.repository.clone(),
        id: Some(preview.id),
        expires: Some(preview.expires),
        fate,
        because,
        retained: Vec::new(),
    }
}
