//! `tieline preview sweep`: the way down that needs no event (R51). GitHub starts no workflow for the end of a pull request that is in
//! conflict, and events get lost; so whoever sweeps looks at all previews there are.

mod child;
mod heard;
mod judged;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt as _;

use super::keep;
use crate::app::session::{Opened, Session};
use crate::app::{Ended, Outcome, owner};
use crate::context::layout::{self, LedgerFile};
use crate::context::ledger::{self, Snapshot};
use crate::domain::address::Place;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::WorkspaceName;
use crate::domain::preview::Preview;
use crate::domain::record::Claim;
use crate::domain::removal::{Fate, PreviewName, Sweep, Swept};
use crate::report;
use crate::request::cli::PreviewSweep;
use crate::world::Stream;

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
    let mut due = broom.sort(&mut sweep).await?;
    due.sort_by_key(|due| due.preview.expires);
    let most = arguments.bounds.limit as usize;
    let later = due.split_off(most.min(due.len()));
    broom.remove(due, &mut sweep).await;
    put_off(later, most, &mut sweep);
    found.left_over(&mut sweep);
    sweep.swept.sort_by(|one, other| (&one.fate, &one.name).cmp(&(&other.fate, &other.name)));
    sweep.problems = sweep.problems.with_texts(&|text| session.redactor.redact(text));
    session.print(&if session.is_json() {
        report::preview::sweep_json(&sweep)
    } else {
        report::preview::sweep(&sweep, session.uses_color(Stream::Out))
    });
    Ok(Outcome::Swept(Box::new(sweep)))
}

/// What there is to sweep.
struct Found {
    previews: BTreeMap<PreviewName, Preview>,
    /// Where something is applied.
    applied: BTreeMap<PreviewName, BTreeSet<Place>>,
    claims: BTreeMap<PreviewName, Vec<Claim>>,
    /// Whether all previews are looked at, and not those of one repository.
    is_all: bool,
}

/// A preview that should go.
struct Due<'a> {
    name: &'a PreviewName,
    preview: &'a Preview,
    because: String,
}

impl Found {
    /// The previews of the workflow's own repository; all of them for those whom the context repository belongs to.
    async fn look(session: &Session, opened: &Opened, arguments: &PreviewSweep) -> Result<Self, Problems> {
        let (store, own) = (&*opened.store, owner::own_repository(session));
        let is_all = owner::speaks_for_the_context(session, opened);
        let workspace: Option<WorkspaceName> = match arguments.target.workspace.as_deref().map(str::parse).transpose() {
            Ok(workspace) => workspace,
            Err(problem) => return Err(Diagnostic::error(FailureReason::InvalidInput, format!("{problem}")).into()),
        };
        let snapshot = Snapshot::newest(store).await?;
        let all = snapshot.previews(workspace.as_ref()).await?.into_iter();
        let is_meant = |preview: &Preview| is_all || Some(preview.id.repository_id) == own;
        let previews = all.filter(|(_, preview)| is_meant(preview));
        let mut found = Self {
            previews: previews
                .map(|((workspace, environment), preview)| (PreviewName { workspace, environment }, preview))
                .collect(),
            applied: BTreeMap::new(),
            claims: BTreeMap::new(),
            is_all,
        };
        let folder = workspace.map_or_else(String::new, |workspace| workspace.to_string());
        let listed = match snapshot.at() {
            Some(head) => store.list(head, &[folder]).await?,
            None => BTreeMap::new(),
        };
        for file in listed.values().flatten() {
            if let Some(LedgerFile::Applied(place, _)) = LedgerFile::parse(&file.path)
                && let Some(name) = name_of(&place)
            {
                found.applied.entry(name).or_default().insert(place);
            }
        }
        for claim in ledger::claims(store).await? {
            if let Some(name) = name_of(&claim.place) {
                found.claims.entry(name).or_default().push(claim);
            }
        }
        Ok(found)
    }

    /// The run that works in a preview, as far as can be told: one whose process is known to have ended, or whose lease is over, does not.
    fn at_work(&self, session: &Session, name: &PreviewName) -> Option<&Claim> {
        let is_alive = |claim: &&Claim| claim.lease >= session.world.clock.now() && !session.world.exec.has_ended(&claim.process);
        self.claims.get(name).into_iter().flatten().find(is_alive)
    }

    /// Names what is applied in previews that nothing else is known of.
    fn left_over(&self, sweep: &mut Sweep) {
        let nobodys = |name: &&PreviewName| !self.previews.contains_key(*name) && !self.claims.contains_key(*name);
        for name in self.applied.keys().filter(|_| self.is_all).filter(nobodys) {
            let because =
                format!("something is applied in it, but `{}` is gone", layout::preview(&name.workspace, &name.environment));
            let problem = Diagnostic::error(FailureReason::InvalidDocument, format!("`{name}` is left over: {because}"));
            let destroy = |problem: Diagnostic, place: &Place| {
                let Place { workspace, environment, deployable } = place;
                problem.help(format!("run `tieline destroy -w {workspace} -e {environment} --deployable {deployable}`"))
            };
            sweep.problems.push(self.applied[name].iter().fold(problem, destroy));
            sweep.swept.push(Swept {
                name: name.clone(),
                repository: String::new(),
                id: None,
                expires: None,
                fate: Fate::Failed,
                because,
                retained: Vec::new(),
            });
        }
    }
}

/// The preview that a place is in.
fn name_of(place: &Place) -> Option<PreviewName> {
    let name = || PreviewName { workspace: place.workspace.clone(), environment: place.environment.clone() };
    place.environment.is_preview().then(name)
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
    async fn sort(&self, sweep: &mut Sweep) -> Result<Vec<Due<'a>>, Problems> {
        let now = self.session.world.clock.now();
        let mut all = Vec::new();
        for (name, preview) in &self.found.previews {
            let is_empty = !self.found.applied.contains_key(name) && !self.found.claims.contains_key(name);
            let judged = match judge(preview, is_empty, &self.heard[&preview.id.repository_id], now) {
                Judged::Asks(standing) => self.asked(name, preview, &standing).await?,
                judged => judged,
            };
            match judged {
                Judged::Due(because) => match self.found.at_work(self.session, name) {
                    None => all.push(Due { name, preview, because }),
                    Some(claim) => {
                        let held = format!("run `{}` works in it", claim.run.id);
                        let message = format!("`{name}` is to be removed, but {held}: {because}");
                        sweep
                            .problems
                            .push(Diagnostic::error(FailureReason::Claimed, message).help("the next sweep looks again"));
                        sweep.swept.push(swept(name, preview, Fate::Waits, held));
                    }
                },
                Judged::Lives(because) => sweep.swept.push(swept(name, preview, Fate::Lives, because)),
                Judged::Unknown(because) => sweep.swept.push(swept(name, preview, Fate::Unknown, because)),
                Judged::Asks(_) => {}
            }
        }
        Ok(all)
    }

    /// Before one goes whose time is over: whether somebody asked for more on its pull request, and was not heard.
    async fn asked(
        &self,
        name: &PreviewName,
        preview: &Preview,
        standing: &crate::github::standing::Standing,
    ) -> Result<Judged, Problems> {
        let over = || Judged::Due(format!("its time was over {}", judged::moment(preview.expires)));
        let most = keep::most(self.session, self.opened, &name.workspace).await?;
        let Heard::Known { client, repository, .. } = &self.heard[&preview.id.repository_id] else { return Ok(over()) };
        let until = match heard::longer(client, repository, preview, standing, most).await {
            Ok(until) => until,
            Err(problem) => {
                return Ok(Judged::Unknown(format!("its time is over, but what was said of it cannot be read: {problem}")));
            }
        };
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
        for (swept, problem) in removed.collect::<Vec<_>>().await {
            sweep.problems.0.extend(problem);
            sweep.swept.push(swept);
        }
    }

    /// Looks once more at the pull request, and removes the preview in a process of its own.
    async fn remove_one(&self, due: Due<'a>) -> (Swept, Option<Diagnostic>) {
        let Due { name, preview, because } = due;
        let now = self.session.world.clock.now();
        let because = match heard::last_look(&self.heard[&preview.id.repository_id], preview, because, now).await {
            Judged::Due(because) => because,
            Judged::Unknown(because) => return (swept(name, preview, Fate::Unknown, because), None),
            Judged::Lives(because) => return (swept(name, preview, Fate::Lives, because), None),
            Judged::Asks(_) => return (swept(name, preview, Fate::Lives, "it is asked for".to_owned()), None),
        };
        if self.session.cancel.is_cancelled() {
            let problem = Diagnostic::error(FailureReason::Cancelled, format!("`{name}` was not removed any more"));
            return (swept(name, preview, Fate::Waits, "the sweep was cancelled".to_owned()), Some(problem));
        }
        self.session.say(&format!("removing `{name}`: {because}"));
        let heard = &self.heard[&preview.id.repository_id];
        let repository = match heard {
            Heard::Known { repository, .. } => repository.to_string(),
            _ => preview.repository.clone(),
        };
        // What is done in a repository's place is recorded with its reason (R45).
        let reason = matches!(heard, Heard::Gone).then(|| format!("swept: {because}"));
        match child::remove(self.session, self.arguments, name, &repository, reason).await {
            Ok(retained) => (Swept { retained, ..swept(name, preview, Fate::Removed, because) }, None),
            Err(problem) => {
                let why = problem.message.clone();
                let told = Diagnostic { message: format!("`{name}` could not be removed: {why}"), ..problem };
                (swept(name, preview, Fate::Failed, why), Some(told))
            }
        }
    }
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
