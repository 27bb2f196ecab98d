//! `docs/commands.md`.

use std::fmt::Write as _;

use clap::{Arg, ArgAction, Command, CommandFactory as _};
use tieline::request::cli::Cli;

use super::cell;

const HEAD: &str = "\
# Commands

`tieline --help` and `tieline <command> --help` say the same. A flag such as `--refresh` is off unless it is given; as a variable it
takes `true` or `false`. Times are written `90s`, `5m` or `2h`. Results go to the standard output, everything else to the standard
error.

This page is generated from the code.
";

pub(super) fn page() -> String {
    let mut tieline = Cli::command();
    tieline.build();
    let mut page = HEAD.to_owned();
    let _ = writeln!(page, "\n```\n{}\n```", tieline.get_after_help().unwrap());
    page.push_str("\n## Options of every command\n\n");
    options(&mut page, tieline.get_arguments().filter(|argument| argument.is_global_set()));
    for command in tieline.get_subcommands() {
        describe(&mut page, command, &format!("tieline {}", command.get_name()));
    }
    page
}

fn describe(page: &mut String, command: &Command, name: &str) {
    if command.get_name() == "help" {
        return;
    }
    if !command.is_subcommand_required_set() {
        describe_itself(page, command, name);
    }
    for inner in command.get_subcommands() {
        describe(page, inner, &format!("{name} {}", inner.get_name()));
    }
}

fn describe_itself(page: &mut String, command: &Command, name: &str) {
    let about = command.get_long_about().or(command.get_about()).unwrap();
    let _ = writeln!(page, "\n## {name}\n\n{about}");
    if let Some(examples) = command.get_after_help() {
        let examples = examples.to_string();
        let _ = writeln!(page, "\n```\n{}\n```", examples.trim_start_matches("Examples:\n"));
    }
    let positional: Vec<&Arg> = command.get_positionals().collect();
    if !positional.is_empty() {
        page.push_str("\n| argument | |\n|---|---|\n");
        for argument in positional {
            let _ = writeln!(page, "| `{argument}` | {} |", meaning(argument));
        }
    }
    let own: Vec<&Arg> = command.get_arguments().filter(|argument| is_own(argument)).collect();
    if !own.is_empty() {
        page.push('\n');
        options(page, own.into_iter());
    }
}

fn is_own(argument: &Arg) -> bool {
    !argument.is_positional()
        && !argument.is_global_set()
        && !argument.is_hide_set()
        && !matches!(argument.get_id().as_str(), "help" | "version")
}

fn options<'a>(page: &mut String, options: impl Iterator<Item = &'a Arg>) {
    page.push_str("| option | variable | |\n|---|---|---|\n");
    for option in options {
        let mut flag = option.get_short().map(|short| format!("`-{short}`, ")).unwrap_or_default();
        let _ = write!(flag, "`--{}", option.get_long().unwrap());
        if takes_value(option) {
            let _ = write!(flag, " <{}>", option.get_value_names().unwrap()[0]);
        }
        let variable = option.get_env().map(|name| format!("`{}`", name.to_string_lossy())).unwrap_or_default();
        let _ = writeln!(page, "| {flag}` | {variable} | {} |", meaning(option));
    }
}

fn takes_value(argument: &Arg) -> bool {
    !matches!(argument.get_action(), ArgAction::SetTrue)
}

fn meaning(argument: &Arg) -> String {
    let mut text = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let possible = argument.get_possible_values();
    if takes_value(argument) && !possible.is_empty() {
        let names: Vec<String> = possible.iter().map(|value| format!("`{}`", value.get_name())).collect();
        let _ = write!(text, ": {}", names.join(", "));
    }
    if takes_value(argument) && !argument.get_default_values().is_empty() {
        let _ = write!(text, " [default: {}]", argument.get_default_values()[0].to_string_lossy());
    }
    cell(&text)
}
