use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::command::{Annotation, Command, Place};
use super::{RunnerConsole, annotations, guard, record};
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::world::{Console, Stream};

#[derive(Default)]
struct Written(Mutex<String>);

impl Console for Written {
    fn write(&self, stream: Stream, text: &str) {
        assert_eq!(stream, Stream::Out, "the runner mixes the order of two streams");
        self.0.lock().unwrap().push_str(text);
    }

    fn is_terminal(&self, _stream: Stream) -> bool {
        true
    }

    fn width(&self) -> Option<usize> {
        Some(80)
    }
}

fn shown(write: impl FnOnce(&RunnerConsole)) -> String {
    let written = Arc::new(Written::default());
    write(&RunnerConsole::new(written.clone()));
    written.0.lock().unwrap().clone()
}

/// What the runner takes for a command, told as loosely as it could be.
fn is_command(line: &str) -> bool {
    let seen: String = line.chars().filter(|c| c.is_ascii_graphic() || [' ', '\t'].contains(c)).collect();
    seen.trim_start().starts_with("::") || seen.contains("##[")
}

#[test]
fn commands_are_escaped_so_that_the_runner_reads_what_was_meant() {
    let place = Place { file: "a,b:c.yaml".into(), line: Some((3, 5, 9)) };
    let annotation = Annotation { message: "100%\nnext::line %0A".into(), title: "x,y: z".into(), place: Some(place) };
    let commands = [
        Command::Error(annotation),
        Command::Warning(Annotation { message: "whole file".into(), title: String::new(), place: None }),
        Command::Group("a\r\n::error::b".into()),
        Command::AddMask("50%\nsecond".into()),
        Command::EndGroup,
    ];
    let lines: Vec<String> = commands.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    ::error file=a%2Cb%3Ac.yaml,title=x%2Cy%3A z,line=3,col=5,endColumn=9::100%25%0Anext::line %250A
    ::warning ::whole file
    ::group::a%0D%0A::error::b
    ::add-mask::50%25%0Asecond
    ::endgroup::
    ");
}

#[test]
fn r67_a_line_that_would_be_a_command_is_made_harmless_and_stays_readable() {
    let hostile = "  ::set-output name=a::b\nfine\r::error::x\r\nbefore ##[add-mask]y\n\u{200b}::debug::z\n:\u{200d}:warning::w\n::1 is an address\n";
    insta::assert_snapshot!(shown(|console| console.write(Stream::Err, hostile)), @r"
    \::set-output name=a::b
    fine
    \::error::x

    before #\#[add-mask]y
    \::debug::z
    \::warning::w
    \::1 is an address
    ");
}

proptest! {
    #[test]
    fn r67_no_text_at_all_becomes_a_command(text in "[ \t\r\n:#\\[a\u{200b}\u{feff}\u{ad}\u{1b}]{0,40}") {
        for line in shown(|console| console.write(Stream::Out, &text)).lines() {
            prop_assert!(!is_command(line), "{line:?}");
        }
    }

    #[test]
    fn r67_harmless_lines_stay_as_they_are(text in "[ -9;-~]{0,40}") {
        prop_assert_eq!(guard(&text), text.as_str());
    }
}

#[test]
fn a_record_cannot_be_ended_by_its_value() {
    struct Fixed;
    impl crate::world::Random for Fixed {
        fn bits(&self) -> u128 {
            7
        }
    }
    assert_eq!(
        record(&Fixed, "name", "a\nEOF\nb=c"),
        "name<<tieline-00000000000000000000000000000007\na\nEOF\nb=c\ntieline-00000000000000000000000000000007\n"
    );
}

#[test]
fn annotations_are_causes_first_once_each_and_the_rest_is_counted() {
    let mut problems = Problems::default();
    for number in [0, 0].into_iter().chain(1..14) {
        problems.push(Diagnostic::error(FailureReason::ApplyFailed, format!("cause {number}")));
    }
    problems.push(Diagnostic::warning(FailureReason::InvalidInput, "odd").note("a fact").help("do this"));
    let lines: Vec<String> = annotations(&problems, |_| None).iter().map(ToString::to_string).collect();
    assert_eq!(lines.len(), 11);
    assert_eq!(lines[0], "::error title=apply-failed::cause 0");
    assert_eq!(lines[8], "::error title=apply-failed::cause 8");
    assert_eq!(lines[9], "::error ::and 5 more: see the log and the summary of this step");
    assert_eq!(lines[10], "::warning title=invalid-input::odd%0Anote: a fact%0Ahelp: do this");
}

#[test]
fn r67_an_annotation_shows_what_a_terminal_would_obey() {
    let hostile = "\u{1b}[2Jred\r::error::x\nnext ##[add-mask]y";
    let problems = Problems::from(Diagnostic::error(FailureReason::ApplyFailed, hostile).note("a\nb\u{7}"));
    let [command] = annotations(&problems, |_| None).try_into().unwrap();
    insta::assert_snapshot!(command.to_string(), @r"::error title=apply-failed::\u{1b}[2Jred\r::error::x%0Anext #\#[add-mask]y%0Anote: a%0Ab\u{7}");
}
