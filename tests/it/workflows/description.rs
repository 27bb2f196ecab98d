//! The action is described as it is: its inputs are those of the command line, its variants have the same.

use std::collections::BTreeSet;

use clap::{Command, CommandFactory as _};
use serde_yaml::Value;
use tieline::request::cli::Cli;
use tieline::request::inputs::{ALIASES, COMMAND, all_flags};

use super::{action, entries, read, workflows};

const ROOT: &str = "action.yml";
const NATIVE: &str = "native/action.yml";

fn names(value: &Value) -> BTreeSet<String> {
    entries(value).keys().map(|name| name.as_str().unwrap().to_owned()).collect()
}

#[test]
fn inputs_are_those_of_the_command_line() {
    let mut expected: BTreeSet<String> = all_flags(&Cli::command()).into_iter().collect();
    expected.insert(COMMAND.to_owned());
    expected.extend(ALIASES.map(|(alias, _)| alias.to_owned()));

    assert_eq!(names(&action(ROOT)["inputs"]), expected);
}

#[test]
fn defaults_are_those_of_the_command_line() {
    let described = action(ROOT);
    for (name, default) in defaults(&Cli::command()) {
        let input = &described["inputs"][name.as_str()];
        let said = input["description"].as_str().unwrap().contains(&format!("Default `{default}`."));
        assert!(said || input["default"] == default.as_str(), "action.yml does not say that `{name}` is `{default}` by default");
    }
}

/// The flags that have a default, with it.
fn defaults(command: &Command) -> Vec<(String, String)> {
    let own = command.get_arguments().filter(|flag| flag.get_action().takes_values());
    let own = own.filter_map(|flag| Some((flag.get_long()?.to_owned(), flag.get_default_values().first()?.to_str()?.to_owned())));
    let mut found: Vec<_> = own.chain(command.get_subcommands().flat_map(defaults)).collect();
    found.retain(|(name, _)| name != "output");
    found
}

#[test]
fn the_variant_without_a_container_has_the_same_inputs_and_outputs() {
    let (container, native) = (action(ROOT), action(NATIVE));
    assert_eq!(native["inputs"], container["inputs"]);
    assert_eq!(names(&native["outputs"]), names(&container["outputs"]));
    for (name, output) in entries(&native["outputs"]) {
        let name = name.as_str().unwrap();
        assert_eq!(output["description"], container["outputs"][name]["description"], "{name}");
        assert_eq!(output["value"], format!("${{{{ steps.tieline.outputs.{name} }}}}").as_str());
    }
}

#[test]
fn the_variant_without_a_container_hands_on_every_input() {
    let native = action(NATIVE);
    let steps = native["runs"]["steps"].as_sequence().unwrap();
    let run = steps.iter().find(|step| step["id"] == "tieline").unwrap();
    assert_eq!(run["run"], "exec \"$BINARY\"");
    for name in names(&native["inputs"]) {
        // As the runner names the variable of a container action's input.
        let variable = format!("INPUT_{}", name.to_uppercase().replace(' ', "_"));
        assert_eq!(run["env"][variable.as_str()], format!("${{{{ inputs.{name} }}}}").as_str());
    }
}

#[test]
fn the_container_is_started_by_the_paths_that_the_image_has() {
    let runs = &action(ROOT)["runs"];
    let dockerfile = read("Dockerfile");
    assert!(runs["args"].is_null() && runs["env"].is_null(), "inputs come as variables of their own");
    assert!(dockerfile.contains(&format!("ENTRYPOINT [\"{}\"]\n", runs["entrypoint"].as_str().unwrap())));
    assert!(dockerfile.contains(&format!("RUN ln -s tieline {}\n", runs["post-entrypoint"].as_str().unwrap())));
    // The release puts the image's name in place of this line.
    assert!(
        read(ROOT).contains("\n  image: Dockerfile\n")
            && read(".github/workflows/release.yml").contains("|^  image: Dockerfile$|")
    );
}

#[test]
fn workflows_give_the_action_what_it_takes_and_use_what_it_gives() {
    let container = action(ROOT);
    let (inputs, outputs) = (names(&container["inputs"]), names(&container["outputs"]));
    for path in workflows() {
        let workflow = action(&path);
        for job in entries(&workflow["jobs"]).values() {
            // A job that calls another workflow has none.
            let steps = job["steps"].as_sequence().cloned().unwrap_or_default();
            let ours = |step: &&Value| step["uses"].as_str().is_some_and(|uses| uses.starts_with("tieline/tieline@"));
            for step in steps.iter().filter(ours) {
                let unknown: Vec<String> = names(&step["with"]).difference(&inputs).cloned().collect();
                assert_eq!(unknown, [""; 0], "{path} gives inputs that there are not");
            }
        }
        let text = read(&path);
        for (_, rest) in text.match_indices(".outputs.").map(|(start, found)| text.split_at(start + found.len())) {
            let name = rest.split(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c)).next().unwrap();
            let known = outputs.contains(name) || path.starts_with(".github/") || name == "fingerprint";
            assert!(known, "{path} uses the output `{name}`");
        }
    }
}

#[test]
fn workflows_name_least_permissions_and_cancel_no_deploy() {
    for path in workflows() {
        let workflow = action(&path);
        assert!(workflow["permissions"].is_mapping(), "{path} leaves the permissions of its token to the repository");
        let writes = entries(&workflow["permissions"]).values().any(|permission| permission == "write");
        assert!(!writes, "{path} gives every job the right to write");
        // What only calls another workflow leaves that to it: a group of the same name would wait for itself.
        if entries(&workflow["jobs"]).values().all(|job| job["uses"].is_string()) {
            assert!(workflow["concurrency"].is_null(), "{path}");
            continue;
        }
        let cancels = workflow["concurrency"]["cancel-in-progress"].as_bool();
        let text = read(&path);
        let changes_things = ["deploy", "rollback", "destroy", "preview", "preview sweep"]
            .iter()
            .any(|command| text.contains(&format!("command: {command}\n")));
        assert_eq!(cancels, Some(!changes_things && !path.ends_with("release.yml")), "{path}");
    }
}
