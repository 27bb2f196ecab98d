//! The state as text: what goes on first, then what happened, then what is there.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};

use super::{Applied, Candidate, Held, Locked, Part, Published, Status};
use crate::domain::names::Alias;
use crate::domain::preview::Preview;
use crate::domain::record::{Claim, RunRecord, TaskRecord, TaskStatus};
use crate::domain::state_lock::LockState;
use crate::report::lines::{add, heading};
use crate::report::run::status_word;
use crate::report::times::{length, moment, since, took};
use crate::report::{counted, one_line};

/// So many consumers of a connection are named.
const NAMED: usize = 5;

/// The state as text, for a screen of this width.
pub fn text(status: &Status, now: DateTime<Utc>, width: usize) -> String {
    let mut page = Page { text: String::new(), now, width };
    page.line(0, &status.title());
    if status.is_empty() {
        page.text.push_str("\nnothing was deployed here yet\n");
        return page.text;
    }
    page.section("Running now", &status.held, |page, held| page.held(status, held));
    page.section("Runs", &status.runs.shown, |page, ran| page.run(&status.short(&ran.place), &ran.run));
    page.more(&status.runs, "run", "runs", "--since, --run-type, --outcome, --environment, --deployable or --limit");
    page.releases(status);
    page.section("Applied plugins", &status.applied.shown, |page, applied| page.applied(status, applied));
    page.more(&status.applied, "deployable", "deployables", "--environment, --deployable or --limit");
    page.section("Connections", &status.connections, Page::connection);
    page.section("Stale", &status.stale, |page, stale| {
        page.line(2, &stale.consumer);
        page.line(4, &format!("takes {}: {}", stale.connection, stale.because.join("; ")));
    });
    page.section("Previews", &status.previews.shown, |page, (name, preview)| page.preview(name, preview));
    page.more(&status.previews, "preview", "previews", "--limit");
    page.locks(status);
    page.section("Not believed, and left out", &status.unproven, |page, unproven| {
        page.line(2, &unproven.path);
        page.line(4, &unproven.because);
    });
    page.text
}

/// What is written, and how.
pub(super) struct Page {
    pub(super) text: String,
    pub(super) now: DateTime<Utc>,
    pub(super) width: usize,
}

impl Page {
    pub(super) fn line(&mut self, indent: usize, line: &str) {
        add(&mut self.text, indent, line, self.width);
    }

    pub(super) fn section<T>(&mut self, title: &str, items: &[T], draw: impl Fn(&mut Self, &T)) {
        if items.is_empty() {
            return;
        }
        heading(&mut self.text, title);
        for item in items {
            draw(self, item);
        }
    }

    fn more<T>(&mut self, part: &Part<T>, one: &str, many: &str, by: &str) {
        if part.more > 0 {
            let what = if part.more == 1 { one } else { many };
            self.line(2, &format!("and {} more {what}; choose with {by}", part.more));
        }
    }

    /// A claim: what its run does, who it is, and whether it lives.
    fn held(&mut self, status: &Status, held: &Held) {
        let (claim, run) = (&held.claim, &held.claim.run);
        self.line(2, &format!("{}  {} by {}", status.short(&claim.place), run.run_type, who(run)));
        self.line(4, &format!("run {}, since {}", run.id, since(run.started, self.now)));
        let done = run.main_tasks().filter(|task| task.ended.is_some()).count();
        if claim.fleet.is_some() {
            self.line(4, &format!("a fleet of {}", counted(held.jobs.len(), "job", "jobs")));
        } else {
            self.line(4, &format!("on {}, process {}; {done} of {} done", claim.host, claim.process.id, tasks(run)));
        }
        for job in &held.jobs {
            self.job(job);
        }
        if let Some(url) = &run.run_url {
            self.line(4, url);
        }
        self.line(4, &format!("{}: {}", held.life.word(), held.life.because()));
        let (end, left) = (moment(claim.lease), claim.lease - self.now);
        self.line(
            4,
            &match left.num_seconds() {
                0.. => format!("its lease ends {end}, in {}", length(left)),
                _ => format!("its lease ended {}", since(claim.lease, self.now)),
            },
        );
        if !matches!(held.life, crate::domain::life::Life::Alive(_)) {
            if claim.fleet.is_some() {
                self.line(4, &format!("finish it: tieline fleet finish --fleet {}", run.id));
            }
            self.line(4, &format!("free it: tieline unlock --claim {} --reason <text>", run.id));
        }
    }

    /// A job of a fleet.
    fn job(&mut self, job: &Claim) {
        let Some(part) = &job.part else { return };
        let aliases: Vec<&str> = part.aliases.iter().map(Alias::as_str).collect();
        let how = if part.left.is_some() { "has ended" } else { "works, or ended without a word" };
        self.line(6, &format!("{}: {how}, on {}, process {}", aliases.join(", "), job.host, job.process.id));
    }

    /// A run, with what became of its tasks.
    fn run(&mut self, place: &str, run: &RunRecord) {
        let ended = status_word(run.status, run.failure_reason);
        // Without another name a release is called after its run.
        let tag = if run.version_tag.as_str() == run.id.as_str() { String::new() } else { format!(" {}", run.version_tag) };
        self.line(2, &format!("{}  {place}  {}{tag}  {ended}", run.id, run.run_type));
        let took = run.ended.map(|ended| format!(", took {}", took(ended - run.started))).unwrap_or_default();
        self.line(4, &format!("{}{took}, by {}", since(run.started, self.now), who(run)));
        self.tasks(run);
        self.overrides(run);
    }

    /// The tasks of a run, those that ended alike together.
    fn tasks(&mut self, run: &RunRecord) {
        let mut alike: Vec<(String, Vec<String>)> = Vec::new();
        for task in run.main_tasks() {
            let (how, what) = (how(task), what(task));
            match alike.iter_mut().find(|(known, _)| *known == how) {
                Some((_, tasks)) => tasks.push(what),
                None => alike.push((how, vec![what])),
            }
        }
        for (how, tasks) in alike {
            self.line(4, &format!("{}: {how}", tasks.join(", ")));
        }
    }

    pub(super) fn overrides(&mut self, run: &RunRecord) {
        for set_aside in &run.overrides {
            let subjects: Vec<&str> = set_aside.subjects.iter().map(String::as_str).collect();
            self.line(4, &format!("set aside {} for {}: {}", set_aside.what, subjects.join(", "), set_aside.reason));
        }
    }

    /// What can be gone back to, with what that would change, and the command for the newest of each deployable.
    fn releases(&mut self, status: &Status) {
        if status.releases.is_empty() {
            return;
        }
        heading(&mut self.text, "Releases");
        for of_one in status.releases.chunk_by(|a, b| a.place == b.place) {
            for candidate in of_one {
                self.release(status, candidate);
            }
            if let Some(back) = of_one.iter().find(|candidate| !candidate.is_deployed()) {
                // It is to be pasted, so it is not broken.
                let _ = writeln!(self.text, "  to go back: {}", one_line(&back.command));
            }
        }
    }

    fn release(&mut self, status: &Status, candidate: &Candidate) {
        let Candidate { place, release, .. } = candidate;
        self.line(2, &format!("{}  {}  {}", status.short(place), release.version_tag, candidate.difference()));
        let made = since(release.made, self.now);
        let is_named = release.version_tag.as_str() != release.run.as_str();
        self.line(4, &if is_named { format!("{made}, run {}", release.run) } else { made });
    }

    fn applied(&mut self, status: &Status, applied: &Applied) {
        let Applied { place, alias, record } = applied;
        self.line(2, &format!("{}/{alias}  {} {}", status.short(place), record.plugin, record.version));
        let last = applied_last(applied, self.now);
        self.line(4, &format!("{last}; {}", counted_resources(record.resources)));
    }

    fn connection(&mut self, published: &Published) {
        let record = &published.record;
        self.line(2, &format!("{}  {}", record.address, published.standing()));
        let behind = match published.behind() {
            0 => String::new(),
            behind => format!(", {behind} stale"),
        };
        let consumers = counted(published.count(), "consumer", "consumers");
        let face = &record.face;
        self.line(4, &format!("{} {}, generation {}, {consumers}{behind}", face.type_name, face.type_version, record.generation));
        for entry in published.consumers.iter().take(NAMED) {
            let behind =
                if entry.is_behind(record) { format!("  stale: generation {}", entry.generation) } else { String::new() };
            self.line(6, &format!("{}{behind}", entry.consumer));
        }
        let unnamed = published.count() - published.consumers.len().min(NAMED);
        if unnamed > 0 {
            self.line(6, &format!("and {unnamed} more"));
        }
    }

    fn preview(&mut self, name: &str, preview: &Preview) {
        self.line(2, &format!("{name}  {}#{}, from {}", preview.repository, preview.id.pull_request, preview.base));
        self.line(4, &left(preview, self.now));
    }

    fn locks(&mut self, status: &Status) {
        let Some(locks) = &status.locks else { return };
        heading(&mut self.text, "State locks");
        for Locked { place, alias, backend, state } in locks {
            let name = format!("{}/{alias}", status.short(place));
            self.line(2, &format!("{name}  {}", lock_words(state, backend)));
        }
        self.line(2, "each was tried, and taken for a moment where it was free; states without an applied record are not seen");
    }
}

/// How the lock of a state is.
pub(in crate::report) fn lock_words(state: &LockState, backend: &str) -> String {
    match state {
        LockState::Free => "free".to_owned(),
        LockState::Held(lock) => one_line(&lock.to_string()),
        LockState::Unlocked => format!("never locked: the `{backend}` backend is set up without"),
        LockState::Unknown { because } => one_line(&format!("cannot be told: {because}")),
    }
}

/// When an applied plugin was applied last, and how that went.
pub(in crate::report) fn applied_last(applied: &Applied, now: DateTime<Utc>) -> String {
    let attempted = &applied.record.attempted.run;
    let when = since(attempted.started(), now);
    match (&applied.record.applied, applied.is_unfinished()) {
        (_, false) => format!("applied {when}"),
        (Some(before), true) => {
            format!("its apply of {when}, did not come to a good end; the one before did, {}", moment(before.run.started()))
        }
        (None, true) => format!("its apply of {when}, did not come to a good end, and none did before"),
    }
}

pub(in crate::report) fn counted_resources(count: u64) -> String {
    format!("{count} {}", if count == 1 { "resource" } else { "resources" })
}

/// How much of its time a preview has left.
pub(in crate::report) fn left(preview: &Preview, now: DateTime<Utc>) -> String {
    let end = moment(preview.expires);
    if preview.is_over(now) {
        return format!("its time is over since {}; the next `tieline preview sweep` removes it", since(preview.expires, now));
    }
    format!("{} left, until {end}", length(preview.expires - now))
}

/// Who started a run.
pub(in crate::report) fn who(run: &RunRecord) -> &str {
    run.actor.as_deref().unwrap_or("somebody")
}

fn tasks(run: &RunRecord) -> String {
    counted(run.main_tasks().count(), "task", "tasks")
}

/// What a task is about, with what it changed.
fn what(task: &TaskRecord) -> String {
    let removal = if task.task_type == crate::domain::record::TaskType::Destroy { " (destroy)" } else { "" };
    if task.changes.is_empty() { format!("{}{removal}", task.alias) } else { format!("{}{removal} {}", task.alias, task.changes) }
}

/// How a task ended, and why.
pub(in crate::report) fn how(task: &TaskRecord) -> String {
    let word = task_word(task.status);
    match &task.because {
        Some(because) => format!("{word}, {because}"),
        None => word.to_owned(),
    }
}

/// How a task stands, in a word.
pub(in crate::report) fn task_word(status: TaskStatus) -> &'static str {
    match status {
        TaskStatus::Pending => "waits for others",
        TaskStatus::ReadyToRun => "waits for a free place",
        TaskStatus::Running => "runs",
        TaskStatus::Succeeded => "succeeded",
        TaskStatus::Failed => "failed",
        TaskStatus::InternalError => "failed for a bug of ours",
        TaskStatus::Aborted => "aborted",
        TaskStatus::Skipped => "skipped",
    }
}
