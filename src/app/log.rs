//! The log of a run: one line for what matters, prefixed by its task; on a terminal a progress line below.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::domain::diagnostic::Severity;
use crate::domain::record::{TaskStatus, TaskType};
use crate::engine::{Event, Phase};
use crate::render::names::is_own_resource;
use crate::report::style::{Style, paint};
use crate::report::{one_line, rebinding};
use crate::steps::{StepEvent, StepStatus};
use crate::terraform;

/// Slower than this, a resource gets a line every time Terraform says that it still goes on.
const SLOW: Duration = Duration::from_secs(30);

/// The log, as it grows.
pub(super) struct Log {
    color: bool,
    /// The terminal's width; none where lines go to a file.
    width: Option<usize>,
    running: BTreeMap<String, String>,
    /// What each task's plan does, by resource, for those who fold it away.
    plans: BTreeMap<String, BTreeMap<String, String>>,
    done: usize,
    has_progress: bool,
    /// When each step that runs was started.
    steps: BTreeMap<(String, String), Duration>,
}

impl Log {
    /// An empty log; with a width, it keeps a progress line at its end.
    pub(super) fn new(color: bool, width: Option<usize>) -> Self {
        Self {
            color,
            width,
            running: BTreeMap::new(),
            plans: BTreeMap::new(),
            done: 0,
            has_progress: false,
            steps: BTreeMap::new(),
        }
    }

    /// What to write for an event, `elapsed` after the start.
    pub(super) fn lines(&mut self, event: &Event, elapsed: Duration) -> String {
        let line = match event {
            Event::Step { alias, event } => Some(self.step(alias.as_str(), event, elapsed)),
            _ => self.line(event),
        };
        let mut text = self.erase();
        if let Some(line) = line {
            text.push_str(&line);
            text.push('\n');
        }
        text.push_str(&self.progress(elapsed));
        text
    }

    /// What the plan of the task that just ended did, a line for each resource.
    pub(super) fn take_plan(&mut self, alias: &str) -> Vec<String> {
        self.plans.remove(alias).unwrap_or_default().into_values().collect()
    }

    /// What to write at the end.
    pub(super) fn finish(&mut self) -> String {
        self.running.clear();
        self.erase()
    }

    fn erase(&mut self) -> String {
        if std::mem::take(&mut self.has_progress) { "\r\u{1b}[K".to_owned() } else { String::new() }
    }

    fn progress(&mut self, elapsed: Duration) -> String {
        let Some(width) = self.width.filter(|_| !self.running.is_empty()) else { return String::new() };
        self.has_progress = true;
        let busy: Vec<String> = self.running.iter().map(|(alias, phase)| format!("{alias} {phase}")).collect();
        let line = format!("{:>4}s  {} done, running: {}", elapsed.as_secs(), self.done, busy.join(", "));
        paint(&line.chars().take(width.saturating_sub(1)).collect::<String>(), Style::Dim, self.color)
    }

    fn line(&mut self, event: &Event) -> Option<String> {
        match event {
            Event::RunStarted { run, run_type, place } => {
                Some(format!("run {run} {} {}", run_type.verb(), paint(&place.to_string(), Style::Strong, self.color)))
            }
            Event::TaskStarted { alias, task } => {
                let word = if *task == TaskType::Destroy { "destroy" } else { "prepare" };
                self.running.insert(alias.to_string(), word.to_owned());
                None
            }
            Event::PhaseStarted { alias, phase } => {
                self.running.insert(alias.to_string(), phase.to_string());
                (*phase == Phase::Apply).then(|| self.prefixed(alias.as_str(), "applying"))
            }
            Event::Terraform { alias, event } => {
                if let terraform::Event::Planned(change) = event {
                    self.note_planned(alias.as_str(), change);
                }
                self.terraform(alias.as_str(), event)
            }
            Event::Planned { alias, counts } => {
                self.running.remove(alias.as_str());
                (!counts.is_empty()).then(|| self.prefixed(alias.as_str(), &format!("planned {counts}")))
            }
            Event::Rebound { alias, rebinding } => {
                let words = format!("slot {}: {}", rebinding.slot, rebinding::words(rebinding));
                Some(self.prefixed(alias.as_str(), &one_line(&words)))
            }
            Event::TaskEnded { alias, status, because, changes, took, .. } => {
                self.running.remove(alias.as_str());
                self.done += 1;
                let (word, style) = match status {
                    TaskStatus::Succeeded => ("done", Style::Good),
                    TaskStatus::Skipped => ("skipped", Style::Dim),
                    TaskStatus::Aborted => ("aborted", Style::Bad),
                    _ => ("failed", Style::Bad),
                };
                let mut text = paint(word, style, self.color);
                if !changes.is_empty() {
                    let _ = write!(text, " {changes}");
                }
                if let Some(because) = because {
                    let _ = write!(text, " ({})", one_line(because));
                }
                if !took.is_zero() {
                    let _ = write!(text, " in {:.1}s", took.as_secs_f64());
                }
                Some(self.prefixed(alias.as_str(), &text))
            }
            Event::Step { .. } => None,
            Event::Note(note) => Some(one_line(note)),
            Event::Warning(diagnostic) => {
                Some(format!("{} {}", paint("warning:", Style::Changed, self.color), one_line(&diagnostic.message)))
            }
        }
    }

    /// A script's start, its lines, and its end with the time that it took.
    fn step(&mut self, alias: &str, event: &StepEvent, elapsed: Duration) -> String {
        let text = match event {
            StepEvent::Started { step, attempt } => {
                self.running.insert(alias.to_owned(), format!("step {step}"));
                self.steps.entry((alias.to_owned(), step.to_string())).or_insert(elapsed);
                let again = if *attempt > 1 { format!(", attempt {attempt}") } else { String::new() };
                format!("step {step}{again}")
            }
            StepEvent::Line { step, text, .. } => format!("{step}: {}", one_line(text)),
            StepEvent::Ended(end) => {
                let started = self.steps.remove(&(alias.to_owned(), end.step.to_string()));
                let (word, style) = match end.status {
                    StepStatus::Succeeded => ("done", Style::Good),
                    StepStatus::Failed => ("failed", Style::Bad),
                    StepStatus::Aborted => ("stopped", Style::Bad),
                    StepStatus::Skipped => ("skipped", Style::Dim),
                    StepStatus::NothingToDo => ("not needed", Style::Dim),
                };
                let mut text = format!("step {} {}", end.step, paint(word, style, self.color));
                if let Some(because) = &end.because {
                    let _ = write!(text, " ({})", one_line(because));
                }
                if let Some(started) = started {
                    let _ = write!(text, " in {:.1}s", elapsed.saturating_sub(started).as_secs_f64());
                }
                text
            }
        };
        self.prefixed(alias, &text)
    }

    fn terraform(&self, alias: &str, event: &terraform::Event) -> Option<String> {
        use terraform::{Action, Event as Said};
        let text = match event {
            Said::ResourceDone { address, action, elapsed } if *action != Action::Read && !is_own_resource(address) => {
                format!("{} {} in {:.0}s", done_word(*action), inside(address), elapsed.as_secs_f64())
            }
            Said::ResourceProgress { address, action, elapsed } if *elapsed >= SLOW => {
                format!("still at {} ({action}), {}s", inside(address), elapsed.as_secs())
            }
            Said::ResourceErrored { address, action, .. } => format!("failed to {action} {}", inside(address)),
            Said::Provision { address, output, .. } => format!("{}: {}", inside(address), one_line(output)),
            Said::Diagnostic(diagnostic) if diagnostic.severity == Severity::Warning => {
                format!("{} {}", paint("warning:", Style::Changed, self.color), one_line(&diagnostic.summary))
            }
            // What init says beside its events is about init itself; its failures come as diagnostics.
            Said::Text(line) if !line.trim().is_empty() && self.running.get(alias).is_none_or(|phase| phase != "init") => {
                one_line(line)
            }
            _ => return None,
        };
        Some(self.prefixed(alias, &text))
    }

    fn note_planned(&mut self, alias: &str, change: &terraform::ResourceChange) {
        let is_shown =
            !matches!(change.action, terraform::Action::NoOp | terraform::Action::Read) && !is_own_resource(&change.address);
        if is_shown {
            let reason = change.reason.as_ref().map(|reason| format!(" ({})", one_line(reason))).unwrap_or_default();
            let line = format!("{} {}{reason}", change.action, inside(&change.address));
            // An apply says once more what was planned.
            self.plans.entry(alias.to_owned()).or_default().insert(change.address.clone(), line);
        }
    }

    fn prefixed(&self, alias: &str, text: &str) -> String {
        format!("{} {text}", paint(&format!("[{alias}]"), Style::Strong, self.color))
    }
}

/// An address as the plugin's module has it.
fn inside(address: &str) -> String {
    one_line(address.strip_prefix("module.plugin.").unwrap_or(address))
}

fn done_word(action: terraform::Action) -> &'static str {
    use terraform::Action;
    match action {
        Action::Create => "created",
        Action::Update => "updated",
        Action::Replace => "replaced",
        Action::Delete => "deleted",
        _ => "done with",
    }
}
