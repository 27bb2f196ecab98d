//! `docs/environment.md`.

use std::fmt::Write as _;

use clap::{Command, CommandFactory as _};
use tieline::request::cli::Cli;

const HEAD: &str = "\
# Environment variables

This page is generated from the code; a variable that is not on it is not read and not passed on.

An empty variable counts as one that is not set.

## Options

Each of these stands for the option beside it, which wins; [commands.md](commands.md) says what they do.

";

const FOR_ITSELF: &str = "
## Read by Tieline itself

| variable | |
|---|---|
";

const IN_WORKFLOWS: &str = "
In a step of a workflow the runner sets these, beside `INPUT_<NAME>` for each input of the action:

| variable | |
|---|---|
";

/// Read where terraform is looked for.
const FOR_TERRAFORM: [(&str, &str); 2] = [
    ("PATH", "Where `git`, and `terraform` or `tofu`, are looked for."),
    (
        "TERRAFORM_CLI_PATH",
        "A folder with the terraform binary, as the setup actions of CI systems set it; looked at before `PATH`.",
    ),
];

/// Read where roles of the cloud are asked for.
const FOR_ROLES: [(&str, &str); 2] = [
    ("AWS_REGION", "Where an account's roles are asked for, if its document names no region; after it `AWS_DEFAULT_REGION`."),
    ("AWS_ENDPOINT_URL_STS", "Another address to ask for them at; after it `AWS_ENDPOINT_URL`."),
];

const NAMED: &str = "
An imported connection may name further variables (`sensitive: {password: {env: NAME}}`): those are read when its value is needed, and
reach Terraform by a file that only this user can read.

## Passed on to Terraform

Terraform's environment is built anew, from an allow-list: what is not named here does not reach it. Left out on purpose are tokens and
inputs of the CI system, `TF_CLI_ARGS*` (adds flags unseen), `TF_LOG*` (writes secrets) and `TF_VAR_*` (inputs come by documents and by
`--inputs` and `--secrets`).

Whatever starts with

";

const PINNED: &str = "
and these:

";

const ALWAYS: &str = "
Always set, whatever the environment says:

";

const SOMETIMES: &str = "
Set where neither the environment nor Terraform's own configuration names a plugin cache: `TF_PLUGIN_CACHE_DIR`, to a folder of the run,
and `TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE`. With `--ca-cert`: `SSL_CERT_FILE`, `GIT_SSL_CAINFO` and `AWS_CA_BUNDLE`, to a file of
the machine's certificates with yours. A `TF_CLI_CONFIG_FILE` that is not there is not passed on.
";

const IN_A_ROLE: &str = "
Where a workflow takes an account's role ([cloud.md](cloud.md)), `AWS_ROLE_ARN`, `AWS_ROLE_SESSION_NAME` and
`AWS_WEB_IDENTITY_TOKEN_FILE` are set, `AWS_CONFIG_FILE`, `AWS_SHARED_CREDENTIALS_FILE` and `AWS_EC2_METADATA_DISABLED` keep other
credentials away, and of `AWS_*` only these are passed on, with `AWS_ENDPOINT_URL*` and `AWS_*_ENDPOINT`:

";

const GIT: &str = "
## Passed on to git

For the context repository:

";

const GIT_PINNED: &str = "
and `GIT_CONFIG_COUNT`, `GIT_CONFIG_KEY_*`, `GIT_CONFIG_VALUE_*`, with settings of Tieline's own behind them. Always set:

";

const GIT_SOURCES: &str = "
For plugin sources:

";

pub(super) fn page() -> String {
    let mut page = HEAD.to_owned();
    page.push_str("| variable | option |\n|---|---|\n");
    let mut options = Vec::new();
    variables_of(&Cli::command(), &mut options);
    options.sort();
    options.dedup();
    for (variable, option) in options {
        let _ = writeln!(page, "| `{variable}` | `--{option}` |");
    }
    page.push_str(FOR_ITSELF);
    for (variable, meaning) in documented("") {
        let _ = writeln!(page, "| `{variable}` | {meaning} |");
    }
    for (variable, meaning) in FOR_TERRAFORM {
        let _ = writeln!(page, "| `{variable}` | {meaning} |");
    }
    for (variable, meaning) in FOR_ROLES {
        let _ = writeln!(page, "| `{variable}` | {meaning} |");
    }
    page.push_str(IN_WORKFLOWS);
    for (variable, meaning) in documented("    ") {
        let _ = writeln!(page, "| `{variable}` | {meaning} |");
    }
    page.push_str(NAMED);
    let terraform = "src/terraform/environment.rs";
    page.push_str(&list(&constant(terraform, "ALLOWED_PREFIXES")));
    page.push_str(PINNED);
    page.push_str(&list(&constant(terraform, "ALLOWED")));
    page.push_str(ALWAYS);
    page.push_str(&settings(&constant(terraform, "ALWAYS")));
    page.push_str(SOMETIMES);
    page.push_str(IN_A_ROLE);
    page.push_str(&list(&constant("src/cloud/child.rs", "SETTINGS")));
    page.push_str(GIT);
    page.push_str(&list(&constant("src/context/git/command.rs", "INHERITED")));
    page.push_str(GIT_PINNED);
    page.push_str(&settings(&constant("src/context/git/command.rs", "PINNED")));
    page.push_str(GIT_SOURCES);
    page.push_str(&list(&constant("src/sources/git.rs", "PASSED")));
    page
}

#[test]
fn every_variable_that_is_read_is_on_the_page() {
    let page = page();
    for (path, text) in super::sources() {
        for (_, rest) in text.match_indices("variables.get(\"").map(|(at, found)| text.split_at(at + found.len())) {
            let name = rest.split('"').next().unwrap();
            assert!(page.contains(&format!("`{name}`")), "{path} reads `{name}`, which docs/environment.md does not name");
        }
    }
}

fn variables_of(command: &Command, found: &mut Vec<(String, String)>) {
    for argument in command.get_arguments() {
        if let (Some(variable), Some(option)) = (argument.get_env(), argument.get_long()) {
            found.push((variable.to_string_lossy().into_owned(), option.to_owned()));
        }
    }
    command.get_subcommands().for_each(|inner| variables_of(inner, found));
}

/// The constants of `request::variables` that are so far from the edge, each with the comment before it.
fn documented(indent: &str) -> Vec<(String, String)> {
    let text = super::read("src/request/variables.rs");
    let mut meaning = String::new();
    let mut found = Vec::new();
    for line in text.lines().filter_map(|line| line.strip_prefix(indent)) {
        if let Some(comment) = line.strip_prefix("/// ") {
            meaning = [meaning.as_str(), comment].join(" ").trim_start().into();
        } else if line.starts_with("pub const ") {
            found.push((line.split('"').nth(1).unwrap().to_owned(), std::mem::take(&mut meaning)));
        }
    }
    found
}

/// The texts of a constant list, as the source has them.
fn constant(path: &str, name: &str) -> Vec<String> {
    let text = super::read(path);
    let (_, rest) = text.split_once(&format!("const {name}:")).unwrap_or_else(|| panic!("{path} has no {name}"));
    let (list, _) = rest.split_once("];\n").unwrap();
    let code = list.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split('"').skip(1).step_by(2)).map(str::to_owned).collect()
}

fn list(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ") + "\n"
}

fn settings(pairs: &[String]) -> String {
    pairs.chunks(2).map(|pair| format!("`{}={}`", pair[0], pair[1])).collect::<Vec<_>>().join(", ") + "\n"
}
