//! The inputs of the action, decoded into the same request as the command line.
//!
//! An input is called as its flag is; it arrives as `INPUT_<NAME>`, in capitals, and empty where it was not given. The definitions
//! of the command line ([`Cli`]) are the only ones: each input is checked as its flag would be, and all problems come together.

use std::collections::{BTreeMap, BTreeSet};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command, CommandFactory as _, Parser as _};

use super::cli::Cli;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::nearest::nearest;

/// What the names of all inputs begin with.
pub const PREFIX: &str = "INPUT_";

/// The input that names the command.
pub const COMMAND: &str = "command";

/// The names that `StackSpot`'s action has for some inputs.
pub const ALIASES: [(&str, &str); 5] = [
    ("WORKDIR", "working-directory"),
    ("VERSION_TAG", "version-tag"),
    ("DYNAMIC_INPUTS", "inputs"),
    ("LOCALEXEC_ENABLED", "allow-local-exec"),
    ("FEATURES_TERRAFORM_MODULES", "allowed-modules"),
];

/// Inputs that the runner itself gives meaning to.
const THE_RUNNERS: [&str; 2] = ["entrypoint", "args"];

/// Flags that are for terminals, or between our own processes: the action has no such inputs.
pub const NOT_INPUTS: [&str; 4] = ["output", "help", "version", "seen-expires"];

/// Commands that need no context repository.
const WITHOUT_CONTEXT: [&str; 3] = ["validate", "schema", "completions"];

/// A request out of inputs, and what is odd about them.
#[derive(Debug)]
pub struct Decoded {
    /// The request.
    pub request: Cli,
    /// Inputs that the command has no use for, by name.
    pub unused: BTreeSet<String>,
    /// What deserves a look.
    pub warnings: Problems,
}

/// Decodes the variables of a step into a request.
///
/// # Errors
/// Every input that is missing, malformed or contradicts another (`invalid-input`).
pub fn decode(variables: &BTreeMap<&str, &str>) -> Result<Decoded, Problems> {
    let (inputs, mut problems) = named(variables);
    let cli = Cli::command();
    let Some(words) = command_words(&cli, inputs.get(COMMAND).map(String::as_str), &mut problems) else {
        return Err(problems);
    };
    let flags = flags_of(&cli, &words);
    let known: BTreeSet<String> = all_flags(&cli).into_iter().collect();
    let mut arguments = Vec::new();
    let (mut unused, mut warnings) = (BTreeSet::new(), Problems::default());
    for (name, value) in inputs.iter().filter(|(name, _)| *name != COMMAND) {
        match flags.get(name) {
            Some(flag) => match argument(flag, name, value).and_then(|argument| checked(&words, name, argument)) {
                Ok(argument) => arguments.extend(argument),
                Err(problem) => problems.push(*problem),
            },
            None if known.contains(name) => _ = unused.insert(name.clone()),
            None => warnings.push(unknown(name, &known)),
        }
    }
    let needs_context =
        flags.contains_key("context") && words.first().is_none_or(|word| !WITHOUT_CONTEXT.contains(&word.as_str()));
    if needs_context && !inputs.contains_key("context") && !variables.contains_key("TIELINE_CONTEXT") {
        problems.push(
            Diagnostic::error(FailureReason::InvalidInput, "the input `context` is missing")
                .note("it names the context repository, which holds environments, types and what was deployed")
                .help("add `context: github:<owner>/<repository>` below the step's `with:`; any git URL or path will do as well"),
        );
    }
    if problems.any_error() {
        return Err(problems);
    }
    let line = std::iter::once("tieline".to_owned()).chain(words).chain(arguments);
    let request = Cli::try_parse_from(line).map_err(|refused| Problems::from(invalid(COMMAND, &first_line(&refused))))?;
    Ok(Decoded { request, unused, warnings })
}

/// Inputs by the names of their flags; what was left empty was not given.
fn named(variables: &BTreeMap<&str, &str>) -> (BTreeMap<String, String>, Problems) {
    let mut inputs: BTreeMap<String, String> = BTreeMap::new();
    let mut problems = Problems::default();
    let given = variables.iter().filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?, *value)));
    for (written, value) in given.filter(|(_, value)| !value.trim().is_empty()) {
        let alias = ALIASES.iter().find(|(alias, _)| *alias == written);
        let name = alias.map_or_else(|| written.to_ascii_lowercase(), |(_, name)| (*name).to_owned());
        if THE_RUNNERS.contains(&name.as_str()) {
            continue;
        }
        let value = if written == "DYNAMIC_INPUTS" { pairs(value) } else { Ok(value.to_owned()) };
        match value {
            Err(why) => problems.push(invalid(written, &why)),
            Ok(value) => match inputs.insert(name.clone(), value.clone()) {
                Some(other) if other != value => {
                    problems.push(invalid(&name, "it is given under two names, with different values"));
                }
                _ => {}
            },
        }
    }
    (inputs, problems)
}

/// The words of the command, if there is such a one.
fn command_words(cli: &Command, given: Option<&str>, problems: &mut Problems) -> Option<Vec<String>> {
    let Some(given) = given else {
        problems.push(
            Diagnostic::error(FailureReason::InvalidInput, "the input `command` is missing")
                .help("add `command: deploy` below the step's `with:`, or another of the commands"),
        );
        return None;
    };
    let words: Vec<String> = given.split_whitespace().map(str::to_owned).collect();
    let mut at = cli;
    for word in &words {
        if at.get_subcommands().next().is_none() {
            // What is left names what the command is about.
            if word.starts_with('-') {
                problems.push(invalid(COMMAND, &format!("`{word}` is an option: give it as an input of its own")));
                return None;
            }
            continue;
        }
        let Some(found) = at.find_subcommand(word) else {
            problems.push(no_command(at, word));
            return None;
        };
        at = found;
    }
    if at.is_subcommand_required_set() {
        problems.push(no_command(at, ""));
        return None;
    }
    Some(words)
}

fn no_command(at: &Command, word: &str) -> Diagnostic {
    let names: Vec<&str> = at.get_subcommands().map(Command::get_name).collect();
    let message = if word.is_empty() {
        format!("the input `command` says `{}` without saying what of it", at.get_name())
    } else {
        format!("there is no command `{word}`")
    };
    let problem = Diagnostic::error(FailureReason::InvalidInput, message).note(format!("there are {}", names.join(", ")));
    match nearest(word, names) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem.help("correct the input `command`"),
    }
}

/// The flags that a command takes, by name.
fn flags_of(cli: &Command, words: &[String]) -> BTreeMap<String, Arg> {
    let commands = std::iter::successors(Some((cli, words)), |(at, words)| {
        let (word, rest) = words.split_first()?;
        Some((at.find_subcommand(word)?, rest))
    });
    let last = commands.last().map(|(command, _)| command);
    let global = cli.get_arguments().filter(|flag| flag.is_global_set());
    let flags = last.into_iter().flat_map(Command::get_arguments).chain(global);
    flags.filter_map(|flag| Some((input_name(flag)?, flag.clone()))).collect()
}

/// The names of all inputs but [`COMMAND`], whichever command takes them.
pub fn all_flags(cli: &Command) -> Vec<String> {
    let own = cli.get_arguments().filter_map(input_name);
    let mut names: Vec<String> = own.chain(cli.get_subcommands().flat_map(all_flags)).collect();
    names.sort();
    names.dedup();
    names
}

fn input_name(flag: &Arg) -> Option<String> {
    flag.get_long().filter(|name| !NOT_INPUTS.contains(name)).map(str::to_owned)
}

/// An input as the command line would have it; none for a switch that is off.
fn argument(flag: &Arg, name: &str, value: &str) -> Result<Option<String>, Box<Diagnostic>> {
    if !matches!(flag.get_action(), ArgAction::SetTrue) {
        return Ok(Some(format!("--{name}={value}")));
    }
    match value.trim() {
        "true" | "True" | "TRUE" => Ok(Some(format!("--{name}"))),
        "false" | "False" | "FALSE" => Ok(None),
        _ => Err(invalid(name, "it is neither `true` nor `false`").into()),
    }
}

/// Lets the command line check one input for itself.
fn checked(words: &[String], name: &str, argument: Option<String>) -> Result<Option<String>, Box<Diagnostic>> {
    let line = std::iter::once("tieline").chain(words.iter().map(String::as_str)).chain(argument.as_deref());
    match Cli::try_parse_from(line) {
        Err(refused) if matches!(refused.kind(), ErrorKind::InvalidValue | ErrorKind::ValueValidation) => {
            Err(refusal(name, &refused).into())
        }
        _ => Ok(argument),
    }
}

fn refusal(name: &str, refused: &clap::Error) -> Diagnostic {
    let why = std::error::Error::source(refused).map_or_else(|| "it is not one of its values".to_owned(), ToString::to_string);
    let problem = invalid(name, &why);
    match refused.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(values)) if !values.is_empty() => {
            problem.note(format!("its values are {}", values.join(", ")))
        }
        _ => problem,
    }
}

fn invalid(name: &str, why: &str) -> Diagnostic {
    Diagnostic::error(FailureReason::InvalidInput, format!("the input `{name}` cannot be used: {why}"))
        .help(format!("correct `{name}` below the step's `with:`"))
}

fn unknown(name: &str, known: &BTreeSet<String>) -> Diagnostic {
    let problem = Diagnostic::warning(FailureReason::InvalidInput, format!("there is no input `{name}`; it is ignored"));
    match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem,
    }
}

fn first_line(refused: &clap::Error) -> String {
    refused.to_string().lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

/// `--key value` pairs as the YAML mapping that they stand for; a mapping stays as it is.
fn pairs(text: &str) -> Result<String, String> {
    if !text.trim_start().starts_with("--") {
        return Ok(text.to_owned());
    }
    let words = shlex::split(text).ok_or("a quote in it is not closed")?;
    let mut mapping = serde_json::Map::new();
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next() {
        let key = word.strip_prefix("--").filter(|key| !key.is_empty());
        let key = key.ok_or_else(|| format!("`{word}` stands where a `--key` should"))?;
        let (key, value) = match key.split_once('=') {
            Some((key, value)) => (key.to_owned(), value.to_owned()),
            None => (key.to_owned(), words.next_if(|word| !word.starts_with("--")).unwrap_or_else(|| "true".to_owned())),
        };
        let value: serde_json::Value = serde_yaml::from_str(&value).unwrap_or(serde_json::Value::String(value));
        mapping.insert(key, value);
    }
    Ok(serde_json::Value::Object(mapping).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::cli::Command as Asked;

    fn decoded(inputs: &[(&str, &str)]) -> Result<Decoded, String> {
        let variables = inputs.iter().map(|(name, value)| (format!("INPUT_{name}"), *value)).collect::<Vec<_>>();
        decode(&variables.iter().map(|(name, value)| (name.as_str(), *value)).collect()).map_err(|problems| {
            let texts = problems
                .0
                .iter()
                .map(|problem| [std::slice::from_ref(&problem.message), &problem.notes, &problem.help].concat().join(" | "));
            texts.collect::<Vec<_>>().join("\n")
        })
    }

    #[test]
    fn inputs_become_the_request_that_flags_would() {
        let decoded = decoded(&[
            ("COMMAND", "deploy"),
            ("CONTEXT", "github:acme/context"),
            ("WORKSPACE", "retail"),
            ("ENVIRONMENT", ""),
            ("ALLOW-DESTROY", "True"),
            ("REFRESH", "false"),
            ("PARALLELISM", "7"),
            ("VERSION_TAG", "1.2.0"),
            ("DYNAMIC_INPUTS", "--web.replicas 3 --web.title 'two words' --web.on"),
            ("ENTRYPOINT", "/x"),
            ("EXPLAIN", "true"),
            ("ENVIRONMNET", "staging"),
        ])
        .unwrap();
        let Asked::Deploy(deploy) = decoded.request.command else { panic!("not a deploy") };
        assert_eq!(deploy.target.context.context.as_deref(), Some("github:acme/context"));
        assert_eq!(deploy.target.workspace.as_deref(), Some("retail"));
        assert_eq!((deploy.target.environment, deploy.version_tag.as_deref()), (None, Some("1.2.0")));
        assert!(deploy.allow_destroy && !deploy.terraform.refresh);
        assert_eq!(deploy.terraform.parallelism, 7);
        assert_eq!(deploy.values.inputs.as_deref(), Some(r#"{"web.on":true,"web.replicas":3,"web.title":"two words"}"#));
        assert_eq!(decoded.unused.into_iter().collect::<Vec<_>>(), ["explain"]);
        insta::assert_snapshot!(decoded.warnings.0[0].message, @"there is no input `environmnet`; it is ignored");
        assert_eq!(decoded.warnings.0[0].help, ["did you mean `environment`?"]);
    }

    #[test]
    fn a_command_may_say_what_it_is_about() {
        let decoded = decoded(&[("COMMAND", " connection  show network/net.vpc"), ("CONTEXT", "/c")]).unwrap();
        let Asked::Connection(crate::request::cli::Connection::Show { address, .. }) = decoded.request.command else { panic!() };
        assert_eq!(address, "network/net.vpc");
    }

    #[test]
    fn all_problems_come_at_once() {
        let refused = decoded(&[
            ("COMMAND", "deploy"),
            ("PARALLELISM", "many"),
            ("REFRESH", "yes"),
            ("TIMEOUT", "5x"),
            ("LOG-LEVEL", "loud"),
            ("WORKDIR", "a"),
            ("WORKING-DIRECTORY", "b"),
            ("DYNAMIC_INPUTS", "--a 'b"),
        ]);
        insta::assert_snapshot!(refused.unwrap_err(), @r"
        the input `DYNAMIC_INPUTS` cannot be used: a quote in it is not closed | correct `DYNAMIC_INPUTS` below the step's `with:`
        the input `working-directory` cannot be used: it is given under two names, with different values | correct `working-directory` below the step's `with:`
        the input `log-level` cannot be used: it is not one of its values | its values are error, warn, info, debug | correct `log-level` below the step's `with:`
        the input `parallelism` cannot be used: invalid digit found in string | correct `parallelism` below the step's `with:`
        the input `refresh` cannot be used: it is neither `true` nor `false` | correct `refresh` below the step's `with:`
        the input `timeout` cannot be used: `x` is no unit of time: use `s`, `m`, `h` or `d` | correct `timeout` below the step's `with:`
        the input `context` is missing | it names the context repository, which holds environments, types and what was deployed | add `context: github:<owner>/<repository>` below the step's `with:`; any git URL or path will do as well
        ");
    }

    #[test]
    fn a_wrong_command_is_told_with_those_there_are() {
        let commands = ["deplyo", "connection", "context init --from x", "glance at", ""];
        let refused = commands.map(|command| decoded(&[("COMMAND", command), ("CONTEXT", "/c")]).unwrap_err());
        insta::assert_snapshot!(refused.join("\n\n"), @r"
        there is no command `deplyo` | there are validate, plan, deploy, rollback, destroy, move, adopt, drift, fleet, preview, status, unlock, connection, transfer, context, plugins, import, schema, completions | did you mean `deploy`?

        the input `command` says `connection` without saying what of it | there are list, show, grant, revoke, import, deprecate, retire | correct the input `command`

        the input `command` cannot be used: `--from` is an option: give it as an input of its own | correct `command` below the step's `with:`

        there is no command `glance` | there are validate, plan, deploy, rollback, destroy, move, adopt, drift, fleet, preview, status, unlock, connection, transfer, context, plugins, import, schema, completions | correct the input `command`

        the input `command` is missing | add `command: deploy` below the step's `with:`, or another of the commands
        ");
    }
}
