//! The variables of a container: exactly those that the runner lists, none of the machine's.

use std::collections::BTreeMap;
use std::path::Path;

use super::action::Action;
use super::event::{Event, REPOSITORY};
use super::machine::Machine;

/// Variables by name.
pub(crate) type Variables = BTreeMap<String, String>;

/// What the variables of a stage follow from.
pub(crate) struct Origin<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) action: &'a Action,
    pub(crate) event: &'a Event,
    /// `env:` of workflow and job, what earlier steps wrote to `GITHUB_ENV`, `env:` of the step.
    pub(crate) environment: &'a Variables,
    /// What the earlier stages of this step saved.
    pub(crate) state: &'a Variables,
    /// `with:` of the step.
    pub(crate) inputs: &'a Variables,
    /// Of the job: the token, addresses, whatever the server adds.
    pub(crate) job: &'a Variables,
    /// What the names of this stage's command files end with.
    pub(crate) id: &'a str,
}

impl Origin<'_> {
    /// All variables, in the words of the container.
    pub(crate) fn variables(&self) -> Variables {
        let mut variables = self.environment.clone();
        variables.extend(self.state.iter().map(|(name, value)| (format!("STATE_{name}"), value.clone())));
        variables.extend(self.inputs().into_iter().map(|(name, value)| (input_name(&name), value)));
        for (name, value) in &self.action.environment {
            variables.entry(name.clone()).or_insert_with(|| value.clone());
        }
        variables.insert("HOME".to_owned(), "/github/home".to_owned());
        variables.extend(self.github());
        variables.extend(self.runner());
        variables.extend(self.job.clone());
        for value in variables.values_mut() {
            *value = self.machine.in_container(value);
        }
        variables.insert("GITHUB_ACTIONS".to_owned(), "true".to_owned());
        variables.entry("CI".to_owned()).or_insert_with(|| "true".to_owned());
        variables
    }

    /// Those of the action with their defaults, then those that the step gives.
    fn inputs(&self) -> Variables {
        let evaluated = |value: &String| value.replace("${{ github.token }}", &self.machine.token);
        let mut inputs: Variables = self.action.inputs.iter().map(|(name, value)| (name.clone(), evaluated(value))).collect();
        inputs.extend(self.inputs.clone());
        inputs
    }

    fn github(&self) -> Variables {
        let owner = REPOSITORY.split('/').next().unwrap();
        let file = |name: &str| text(&self.machine.file_commands().join(format!("{name}_{}", self.id)));
        let workflow = format!("{REPOSITORY}/.github/workflows/deploy.yml@{}", self.event.reference);
        variables(&[
            ("GITHUB_ACTION", "deploy"),
            ("GITHUB_ACTION_REF", ""),
            ("GITHUB_ACTION_REPOSITORY", ""),
            ("GITHUB_ACTOR", "octavia"),
            ("GITHUB_ACTOR_ID", "7"),
            ("GITHUB_API_URL", "https://api.github.com"),
            ("GITHUB_BASE_REF", &self.event.base),
            ("GITHUB_ENV", &file("set_env")),
            ("GITHUB_EVENT_NAME", self.event.name),
            ("GITHUB_EVENT_PATH", &text(&self.machine.workflow().join("event.json"))),
            ("GITHUB_GRAPHQL_URL", "https://api.github.com/graphql"),
            ("GITHUB_HEAD_REF", &self.event.head),
            ("GITHUB_JOB", "deploy"),
            ("GITHUB_OUTPUT", &file("set_output")),
            ("GITHUB_PATH", &file("add_path")),
            ("GITHUB_REF", &self.event.reference),
            ("GITHUB_REF_NAME", &self.event.reference_name),
            ("GITHUB_REF_PROTECTED", "true"),
            ("GITHUB_REF_TYPE", "branch"),
            ("GITHUB_REPOSITORY", REPOSITORY),
            ("GITHUB_REPOSITORY_ID", "42"),
            ("GITHUB_REPOSITORY_OWNER", owner),
            ("GITHUB_REPOSITORY_OWNER_ID", "6"),
            ("GITHUB_RETENTION_DAYS", "90"),
            ("GITHUB_RUN_ATTEMPT", "1"),
            ("GITHUB_RUN_ID", "1658821493"),
            ("GITHUB_RUN_NUMBER", "3"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_SHA", &self.event.sha),
            ("GITHUB_STATE", &file("save_state")),
            ("GITHUB_STEP_SUMMARY", &file("step_summary")),
            ("GITHUB_TRIGGERING_ACTOR", "octavia"),
            ("GITHUB_WORKFLOW", "deploy"),
            ("GITHUB_WORKFLOW_REF", &workflow),
            ("GITHUB_WORKFLOW_SHA", &self.event.sha),
            ("GITHUB_WORKSPACE", &text(&self.machine.workspace())),
        ])
    }

    fn runner(&self) -> Variables {
        variables(&[
            ("RUNNER_OS", "Linux"),
            ("RUNNER_ARCH", if cfg!(target_arch = "aarch64") { "ARM64" } else { "X64" }),
            ("RUNNER_NAME", "runner-1"),
            ("RUNNER_ENVIRONMENT", "self-hosted"),
            ("RUNNER_TEMP", &text(&self.machine.temporary())),
            ("RUNNER_TOOL_CACHE", &text(&self.machine.work().join("_tool"))),
            ("RUNNER_WORKSPACE", &text(self.machine.workspace().parent().unwrap())),
            ("ACTIONS_RUNTIME_URL", "https://pipelines.example/"),
            ("ACTIONS_RUNTIME_TOKEN", "runtime-token-of-the-job"),
            ("ACTIONS_RESULTS_URL", "https://results.example/"),
        ])
    }
}

/// The variable of an input: in upper case, with `_` for blanks and for nothing else.
fn input_name(name: &str) -> String {
    format!("INPUT_{}", name.to_uppercase().replace(' ', "_"))
}

fn variables(pairs: &[(&str, &str)]) -> Variables {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

#[test]
fn names_of_inputs_keep_their_hyphens() {
    assert_eq!(input_name("plugin-name"), "INPUT_PLUGIN-NAME");
    assert_eq!(input_name("size of.it"), "INPUT_SIZE_OF.IT");
}
