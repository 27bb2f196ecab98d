//! The log of one stage of a step, as the runner reads it: line by line, obeying commands, masking the rest.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::annotation::{Annotation, Kind};
use super::commands::{Command, Form, is_registered};
use super::masks::Masks;

/// The commands that our program may give, each as `::name::`.
const OURS: &[&str] = &["add-mask", "debug", "endgroup", "error", "group", "notice", "warning"];

/// What came out of a stage and what the runner made of it.
#[derive(Debug)]
pub(crate) struct Log {
    masks: Arc<Mutex<Masks>>,
    /// The token that ends the stop, while commands are stopped.
    stopped: Option<String>,
    /// Values that must never be seen.
    canaries: Vec<String>,
    /// Every line as it was printed.
    pub(crate) raw: Vec<String>,
    /// Every line as a person sees it.
    pub(crate) shown: Vec<String>,
    /// Every command that was recognized, in order.
    pub(crate) commands: Vec<Command>,
    /// Those that are kept: ten of a kind.
    pub(crate) annotations: Vec<Annotation>,
    /// How many were not.
    pub(crate) annotations_dropped: usize,
    /// By `set-output` and `save-state`, which nobody should use any more but which still work.
    pub(crate) outputs: BTreeMap<String, String>,
    pub(crate) state: BTreeMap<String, String>,
    /// What makes the step fail, whatever its exit code.
    pub(crate) errors: Vec<String>,
    /// What our program must never do.
    pub(crate) violations: Vec<String>,
}

impl Log {
    /// An empty log, in a job with these masks.
    pub(crate) fn new(masks: Arc<Mutex<Masks>>, canaries: Vec<String>) -> Self {
        Self {
            masks,
            canaries,
            stopped: None,
            raw: Vec::new(),
            shown: Vec::new(),
            commands: Vec::new(),
            annotations: Vec::new(),
            annotations_dropped: 0,
            outputs: BTreeMap::new(),
            state: BTreeMap::new(),
            errors: Vec::new(),
            violations: Vec::new(),
        }
    }

    /// Takes one line, without its end.
    pub(crate) fn line(&mut self, line: &str) {
        self.raw.push(line.to_owned());
        match Command::parse(line, self.stopped.as_deref()) {
            Some(command) => self.command(&command, line),
            None => self.show(line),
        }
    }

    fn command(&mut self, command: &Command, line: &str) {
        if let Some(token) = &self.stopped {
            if command.name == token.to_lowercase() {
                self.stopped = None;
            }
            return self.show(line);
        }
        if command.form == Form::Bracketed || !OURS.contains(&command.name.as_str()) {
            self.violations.push(format!("a command that is not ours was obeyed: {line}"));
        }
        self.commands.push(command.clone());
        match (command.name.as_str(), Kind::of(command)) {
            (_, Some(kind)) => self.annotate(kind, command),
            ("add-mask", _) => self.mask(&command.data),
            ("group" | "endgroup" | "debug", _) => self.show(&format!("##[{}]{}", command.name, command.data)),
            ("stop-commands", _) => self.stop(&command.data),
            ("set-output", _) => match command.property("name") {
                Some(name) => drop(self.outputs.insert(name.to_lowercase(), command.data.clone())),
                None => self.fail("Required field 'name' is missing in ##[set-output] command."),
            },
            ("save-state", _) => match command.property("name") {
                Some(name) => drop(self.state.insert(name.to_owned(), command.data.clone())),
                None => self.fail("Required field 'name' is missing in ##[save-state] command."),
            },
            ("set-env" | "add-path", _) => self.fail(&format!("The `{}` command is disabled.", command.name)),
            ("echo", _) if !["on", "off"].contains(&command.data.trim().to_lowercase().as_str()) => {
                self.fail(&format!("Invalid echo command value: {}", command.data));
            }
            _ => {}
        }
    }

    fn annotate(&mut self, kind: Kind, command: &Command) {
        self.show(&format!("##[{}]{}", command.name, command.data));
        if self.annotations.iter().filter(|annotation| annotation.kind == kind).count() == Annotation::KEPT {
            self.annotations_dropped += 1;
            return;
        }
        let annotation = Annotation::new(kind, command, &self.masks.lock().unwrap());
        self.look_for_canaries(&annotation.message.clone());
        self.annotations.push(annotation);
    }

    fn mask(&mut self, value: &str) {
        if !self.masks.lock().unwrap().add(value) {
            self.show("##[warning]Can't add secret mask for empty string in ##[add-mask] command.");
        }
    }

    fn stop(&mut self, token: &str) {
        if token.is_empty() || is_registered(token) || token.eq_ignore_ascii_case("pause-logging") {
            return self.fail("Invalid ::stop-commands:: token.");
        }
        if token.chars().count() > 6 {
            self.masks.lock().unwrap().add(token);
        }
        self.stopped = Some(token.to_owned());
    }

    /// Says an error of the runner's own.
    pub(crate) fn fail(&mut self, problem: &str) {
        self.show(&format!("##[error]{problem}"));
        self.errors.push(problem.to_owned());
    }

    fn show(&mut self, line: &str) {
        let shown = self.masks.lock().unwrap().apply(line);
        self.look_for_canaries(&shown);
        self.shown.push(shown);
    }

    /// Complains where a text that people see holds what they must not.
    pub(crate) fn look_for_canaries(&mut self, text: &str) {
        let seen: Vec<&String> = self.canaries.iter().filter(|canary| text.contains(canary.as_str())).collect();
        let complaints: Vec<String> = seen.iter().map(|canary| format!("the secret `{canary}` is seen in: {text}")).collect();
        self.violations.extend(complaints);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::{Log, Masks};

    fn read(lines: &[&str]) -> Log {
        let mut log = Log::new(Arc::new(Mutex::new(Masks::new())), vec!["hunter2".to_owned()]);
        for line in lines {
            log.line(line);
        }
        log
    }

    #[test]
    fn masks_count_from_the_line_on_that_sets_them() {
        let log = read(&["hunter2", "::add-mask::hunter2", "it is hunter2"]);
        assert_eq!(log.shown, ["hunter2", "it is ***"]);
        assert_eq!(log.violations.len(), 1);
    }

    #[test]
    fn while_commands_are_stopped_only_the_token_is_obeyed() {
        let log =
            read(&["::stop-commands::token-1", "::add-mask::abcdef", "abcdef", "::token-1::", "::add-mask::abcdef", "abcdef"]);
        assert_eq!(log.shown, ["::add-mask::abcdef", "abcdef", "::***::", "***"]);
        assert_eq!(log.violations.len(), 1, "nobody of ours stops commands: {:?}", log.violations);
    }

    #[test]
    fn a_bad_token_does_not_stop() {
        let log = read(&["::stop-commands::error", "::stop-commands::", "::debug::x"]);
        assert_eq!(log.errors.len(), 2);
        assert_eq!(log.commands.len(), 3);
    }

    #[test]
    fn ten_annotations_of_a_kind_are_kept_and_all_are_printed() {
        let lines: Vec<String> = (0..12).map(|n| format!("::error::{n}")).chain(["::notice::n".to_owned()]).collect();
        let log = read(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!((log.annotations.len(), log.annotations_dropped, log.shown.len()), (11, 2, 13));
    }

    #[test]
    fn what_was_deprecated_still_works_and_what_was_disabled_fails() {
        let log = read(&[
            "::set-output name=X::1",
            "::save-state name=Y::2",
            "::set-env name=Z::3",
            "##[add-path]/x",
            "::set-output::v",
        ]);
        assert_eq!((log.outputs["x"].as_str(), log.state["Y"].as_str()), ("1", "2"));
        assert_eq!(log.errors.len(), 3);
        assert_eq!(log.violations.len(), 5);
    }
}
