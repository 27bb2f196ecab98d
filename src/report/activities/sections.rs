//! The sections of the page, in the order in which an operator reads.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::Section;
use super::chart::{Bar, chart};
use super::map::{feeds, map};
use super::parts::{class_of_run, class_of_task, code, link, shown, since, table};
use crate::domain::address::Target;
use crate::domain::names::Alias;
use crate::domain::record::{RunRecord, TaskRecord};
use crate::report::run::status_word;
use crate::report::status::{Held, Part, Published, Ran, Status, applied_last, counted_resources, how, left, lock_words, who};
use crate::report::times::{moment, took};

/// Those that have something to say.
pub(super) fn all(status: &Status, now: DateTime<Utc>) -> Vec<Section> {
    let feeds = feeds(status);
    let sections = [
        ("running", "Running now", !status.held.is_empty(), held(status, now)),
        ("runs", "Runs", !status.runs.shown.is_empty(), runs(status, now)),
        ("releases", "Releases", !status.releases.is_empty(), releases(status, now)),
        ("applied", "Applied plugins", !status.applied.shown.is_empty(), applied(status, now)),
        ("map", "Who feeds whom", !feeds.is_empty(), map(&feeds)),
        ("connections", "Connections", !status.connections.is_empty(), connections(status, now)),
        ("stale", "Stale", !status.stale.is_empty(), stale(status)),
        ("previews", "Previews", !status.previews.shown.is_empty(), previews(status, now)),
        ("locks", "State locks", status.locks.is_some(), locks(status)),
        ("unproven", "Not believed, and left out", !status.unproven.is_empty(), unproven(status)),
    ];
    let told = sections.into_iter().filter(|(_, _, is_told, _)| *is_told);
    told.map(|(id, title, _, body)| Section { id, title, body }).collect()
}

fn more<T>(part: &Part<T>, what: &str) -> Markup {
    html! { @if part.more > 0 { p.quiet { "And " (part.more) " more " (what) "." } } }
}

fn held(status: &Status, now: DateTime<Utc>) -> Markup {
    let row = |Held { claim, life, jobs }: &Held| {
        let run = &claim.run;
        html! {
            th scope="row" { (code(&claim.place.to_string())) }
            td { (run.run_type) " by " (shown(who(run))) br; (code(run.id.as_str())) (workflow(run)) }
            td { (since(run.started, now)) }
            td {
                @if claim.fleet.is_some() { "a fleet of " (jobs.len()) " jobs" } @else { (shown(&claim.host)) ", process " (claim.process.id) }
            }
            td { strong { (life.word()) } ": " (shown(life.because())) br; "lease till " (moment(claim.lease)) }
        }
    };
    table("What is claimed, and by whom", &["Place", "Run", "Since", "On", "Is it alive?"], &rows(&status.held, row))
}

fn rows<T>(items: &[T], row: impl Fn(&T) -> Markup) -> Vec<Markup> {
    items.iter().map(row).collect()
}

fn workflow(run: &RunRecord) -> Markup {
    html! { @if let Some(url) = &run.run_url { " " (link(url, "workflow")) } }
}

fn runs(status: &Status, now: DateTime<Utc>) -> Markup {
    let runs = &status.runs.shown;
    let bars: Vec<Bar> = runs.iter().map(|ran| bar_of(ran, now)).collect();
    let row = |Ran { place, run }: &Ran| {
        html! {
            th scope="row" id={ "run-" (run.id) } { (code(run.id.as_str())) (workflow(run)) }
            td { (code(&place.to_string())) }
            td { (run.run_type) " " (shown(&run.version_tag.to_string())) " by " (shown(who(run))) }
            td { span class=(class_of_run(run.status)) { (status_word(run.status, run.failure_reason)) } (overrides(run)) }
            td {
                (since(run.started, now))
                @if let Some(ended) = run.ended { ", took " (took(ended - run.started)) }
                (tasks(run))
            }
        }
    };
    html! {
        (chart("Runs over time; the table below says the same", &bars))
        (table("Runs, the newest first", &["Run", "Place", "What", "Outcome", "When, and its tasks"], &rows(runs, row)))
        (more(&status.runs, "runs"))
    }
}

fn bar_of(Ran { place, run }: &Ran, now: DateTime<Utc>) -> Bar {
    Bar {
        row: format!("{}/{}", place.environment, place.deployable),
        from: run.started,
        to: run.ended.unwrap_or(now),
        class: class_of_run(run.status),
        says: format!("{} {}: {}", run.run_type, run.id, status_word(run.status, run.failure_reason)),
    }
}

fn overrides(run: &RunRecord) -> Markup {
    html! {
        @for set_aside in &run.overrides {
            br; span.quiet {
                "set aside " (set_aside.what) " for "
                @for subject in &set_aside.subjects { (code(subject)) " " }
                ": " (shown(&set_aside.reason))
            }
        }
    }
}

fn tasks(run: &RunRecord) -> Markup {
    let tasks: Vec<&TaskRecord> = run.main_tasks().collect();
    let bars = tasks.iter().filter_map(|task| {
        let (from, to) = task.started.zip(task.ended)?;
        let says = format!("{}: {}", task.id, how(task));
        Some(Bar { row: task.alias.to_string(), from, to, class: class_of_task(task.status), says })
    });
    let bars: Vec<Bar> = bars.collect();
    html! {
        @if !tasks.is_empty() {
            details {
                summary { (tasks.len()) @if tasks.len() == 1 { " task" } @else { " tasks" } }
                (chart(&format!("Tasks of run {} over time", run.id), &bars))
                ul {
                    @for task in tasks {
                        li {
                            (code(&task.id)) ": " span class=(class_of_task(task.status)) { (shown(&how(task))) }
                            @if !task.changes.is_empty() { ", " (task.changes) }
                            @if let Some((from, to)) = task.started.zip(task.ended) { ", " (took(to - from)) }
                        }
                    }
                }
            }
        }
    }
}

fn releases(status: &Status, now: DateTime<Utc>) -> Markup {
    let row = |candidate: &crate::report::status::Candidate| {
        html! {
            th scope="row" { (shown(&candidate.release.version_tag.to_string())) }
            td { (code(&candidate.place.to_string())) }
            td { (since(candidate.release.made, now)) }
            td { (shown(&candidate.difference())) @if !candidate.is_deployed() { br; (code(&candidate.command)) } }
        }
    };
    table(
        "Releases, and how to go back to them",
        &["Release", "Place", "Made", "Beside what is deployed"],
        &rows(&status.releases, row),
    )
}

fn applied(status: &Status, now: DateTime<Utc>) -> Markup {
    let row = |applied: &crate::report::status::Applied| {
        html! {
            th scope="row" { (code(&format!("{}/{}", applied.place, applied.alias))) }
            td { (applied.record.plugin) " " (applied.record.version) }
            td { span class=(if applied.is_unfinished() { "bad" } else { "good" }) { (applied_last(applied, now)) } }
            td { (counted_resources(applied.record.resources)) }
        }
    };
    html! {
        (table("What is applied", &["Applied plugin", "Plugin", "Last", "Holds"], &rows(&status.applied.shown, row)))
        (more(&status.applied, "deployables"))
    }
}

fn connections(status: &Status, now: DateTime<Utc>) -> Markup {
    html! { @for published in &status.connections { (connection(status, published, now)) } }
}

/// A connection: how it stands, who takes it, and the runs that worked on what makes it.
fn connection(status: &Status, published: &Published, now: DateTime<Utc>) -> Markup {
    let record = &published.record;
    let history = history(status, published);
    let well = published.standing() == "ready";
    html! {
        article {
            h3 { (code(&record.address.to_string())) }
            dl {
                dt { "Standing" } dd class=(if well { "good" } else { "bad" }) { (shown(&published.standing())) }
                dt { "Type" } dd {
                    @for (index, face) in record.faces().enumerate() {
                        @if index > 0 { ", " } (face.type_name.to_string()) " " (face.type_version)
                    }
                }
                dt { "Generation" } dd { (record.generation) }
                dt { "Made by" } dd { (record.producer.plugin) " " (record.producer.version) " in run " (code(record.producer.run.as_str())) }
                dt { "Consumers" } dd { (published.count()) @if published.behind() > 0 { ", " (published.behind()) " stale" } }
            }
            @if !published.consumers.is_empty() {
                ul {
                    @for entry in &published.consumers {
                        li { (code(&entry.consumer)) @if entry.is_behind(record) { " " span.bad { "stale: has generation " (entry.generation) } } }
                    }
                    @if published.more > 0 { li { "and " (published.more) " more" } }
                }
            }
            @if !history.is_empty() {
                details {
                    summary { "History: " (history.len()) @if history.len() == 1 { " run" } @else { " runs" } }
                    ol {
                        @for (run, task) in history {
                            li {
                                (since(run.started, now)) " " a href={ "#run-" (run.id) } { (run.run_type) " " (run.id) } ": " (shown(&how(task)))
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The runs that worked on what makes a connection, as far as they are shown.
fn history<'a>(status: &'a Status, published: &Published) -> Vec<(&'a RunRecord, &'a TaskRecord)> {
    let (Some(producer), Target::Output { alias, .. }) = (published.record.address.producer(), &published.record.address.target)
    else {
        return Vec::new();
    };
    let here = status.runs.shown.iter().filter(|ran| ran.place == producer);
    here.filter_map(|ran| Some((&ran.run, task_of(&ran.run, alias)?))).collect()
}

fn task_of<'a>(run: &'a RunRecord, alias: &Alias) -> Option<&'a TaskRecord> {
    run.main_tasks().find(|task| task.alias == *alias)
}

fn stale(status: &Status) -> Markup {
    let row = |stale: &crate::domain::staleness::Stale| {
        html! {
            th scope="row" { (code(&stale.consumer)) }
            td { (code(&stale.connection.to_string())) }
            td { (shown(&stale.because.join("; "))) }
        }
    };
    table(
        "Slots whose connection is not what it was, or will not stay so",
        &["Slot", "Takes", "Because"],
        &rows(&status.stale, row),
    )
}

fn previews(status: &Status, now: DateTime<Utc>) -> Markup {
    let row = |(name, preview): &(String, crate::domain::preview::Preview)| {
        html! {
            th scope="row" { (shown(name)) }
            td { (shown(&preview.repository)) "#" (preview.id.pull_request) }
            td { (preview.base) }
            td { (left(preview, now)) }
        }
    };
    html! {
        (table("Environments of pull requests", &["Preview", "Pull request", "From", "Time"], &rows(&status.previews.shown, row)))
        (more(&status.previews, "previews"))
    }
}

fn locks(status: &Status) -> Markup {
    let row = |locked: &crate::report::status::Locked| {
        html! {
            th scope="row" { (code(&format!("{}/{}", locked.place, locked.alias))) }
            td { (shown(&lock_words(&locked.state, &locked.backend))) }
        }
    };
    let locks = status.locks.as_deref().unwrap_or_default();
    table("State locks, each of which was tried", &["Applied plugin", "Lock"], &rows(locks, row))
}

fn unproven(status: &Status) -> Markup {
    let row = |unproven: &crate::report::status::Unproven| {
        html! { th scope="row" { (code(&unproven.path)) } td { (shown(&unproven.because)) } }
    };
    table("Files of the ledger that are not believed", &["File", "Why"], &rows(&status.unproven, row))
}
