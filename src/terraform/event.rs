//! One line of terraform's output -> a typed event. What is not understood is kept as text: nothing is lost, nothing fails.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::domain::record::ChangeCounts;

use super::diagnose::{TfDiagnostic, WireDiagnostic};
use super::outcome::{Action, OutputValue, ResourceChange};

/// Takes events as they come. It must not block for long: terraform waits behind it.
pub type EventSink<'a> = dyn Fn(Event) + Send + Sync + 'a;

/// How loud a line of terraform's own log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Details.
    Trace,
    /// Details.
    Debug,
    /// Worth reading.
    Warn,
    /// A failure.
    Error,
    /// Ordinary.
    #[default]
    #[serde(other)]
    Info,
}

/// Something that terraform said, or that happened around it. All text in it is hostile.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The first line of a stream.
    Version {
        /// Terraform's version.
        version: String,
        /// The version of the event format.
        ui: String,
    },
    /// A line of terraform's own log, init's progress included.
    Log {
        /// How loud.
        level: LogLevel,
        /// The text.
        message: String,
    },
    /// A line that is no event.
    Text(String),
    /// An event of a type that is not known here.
    Other {
        /// Its type.
        kind: String,
        /// What terraform would have printed.
        message: String,
    },
    /// An error or a warning.
    Diagnostic(TfDiagnostic),
    /// A managed resource of the prior state is read again.
    Refreshing {
        /// Its address.
        address: String,
    },
    /// What a plan will do to a resource.
    Planned(ResourceChange),
    /// What changed outside of terraform.
    Drifted(ResourceChange),
    /// Work on a resource began; for data sources the action is [`Action::Read`].
    ResourceStarted {
        /// Its address.
        address: String,
        /// What is done.
        action: Action,
    },
    /// Work on a resource goes on; comes every ten seconds.
    ResourceProgress {
        /// Its address.
        address: String,
        /// What is done.
        action: Action,
        /// For how long by now.
        elapsed: Duration,
    },
    /// Work on a resource ended well.
    ResourceDone {
        /// Its address.
        address: String,
        /// What was done.
        action: Action,
        /// How long it took.
        elapsed: Duration,
    },
    /// Work on a resource failed.
    ResourceErrored {
        /// Its address.
        address: String,
        /// What was tried.
        action: Action,
        /// How long it took.
        elapsed: Duration,
    },
    /// A line that a provisioner wrote.
    Provision {
        /// The resource's address.
        address: String,
        /// The provisioner.
        provisioner: String,
        /// The line.
        output: String,
    },
    /// The counts at the end of a plan or an apply.
    ChangeSummary {
        /// `plan`, `apply` or `destroy`.
        operation: String,
        /// The counts.
        counts: ChangeCounts,
    },
    /// The outputs: after a plan without values, after an apply with those of the ones that are not sensitive.
    Outputs(BTreeMap<String, OutputValue>),
    /// Another process holds the state lock; terraform waits for it. That a lock was taken at once is not said, nor its id.
    WaitingForStateLock,
    /// A download failed; init is tried again.
    Retrying {
        /// Which try comes next, from 2.
        attempt: u32,
        /// After how long.
        wait: Duration,
        /// What failed.
        because: String,
    },
    /// Terraform could not save the state and left it in a file; it was pushed back, or not.
    StatePushed {
        /// Whether it is safe now.
        succeeded: bool,
    },
}

#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "@level", default)]
    level: LogLevel,
    #[serde(rename = "@message", default)]
    message: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(alias = "tofu")]
    terraform: Option<String>,
    ui: Option<String>,
    hook: Option<WireHook>,
    change: Option<WireChange>,
    changes: Option<WireCounts>,
    outputs: Option<BTreeMap<String, WireOutput>>,
    diagnostic: Option<WireDiagnostic>,
}

#[derive(Deserialize)]
struct WireResource {
    addr: String,
    #[serde(default)]
    resource: String,
}

#[derive(Deserialize)]
struct WireHook {
    resource: WireResource,
    action: Option<Action>,
    #[serde(default)]
    elapsed_seconds: f64,
    #[serde(default)]
    provisioner: String,
    output: Option<String>,
}

#[derive(Deserialize)]
struct WireChange {
    resource: WireResource,
    previous_resource: Option<WireResource>,
    action: Action,
    reason: Option<String>,
    importing: Option<Value>,
}

#[derive(Deserialize)]
struct WireCounts {
    #[serde(default)]
    add: u64,
    #[serde(default)]
    change: u64,
    #[serde(default)]
    remove: u64,
    #[serde(default)]
    operation: String,
}

#[derive(Deserialize)]
struct WireOutput {
    #[serde(default)]
    sensitive: bool,
    #[serde(default)]
    value: Option<Value>,
    #[serde(rename = "type", default)]
    type_: Value,
}

/// Reads one line.
pub(super) fn parse(line: &str) -> Event {
    // Cheap for plain text, and a bare `1` is text as well.
    if !line.starts_with('{') {
        return Event::Text(line.to_owned());
    }
    match serde_json::from_str::<Wire>(line) {
        Ok(wire) => wire.into_event(),
        Err(_) => Event::Text(line.to_owned()),
    }
}

impl Wire {
    fn into_event(self) -> Event {
        let Self { level, message, kind, terraform, ui, hook, change, changes, outputs, diagnostic } = self;
        match (kind.as_str(), hook, change) {
            ("version", ..) => Event::Version { version: terraform.unwrap_or_default(), ui: ui.unwrap_or_default() },
            ("log" | "init_output", ..) => Event::Log { level, message },
            ("state_lock_acquire", ..) => Event::WaitingForStateLock,
            ("planned_change", _, Some(change)) => Event::Planned(change.into()),
            ("resource_drift", _, Some(change)) => Event::Drifted(change.into()),
            // Data sources are not in the prior state's sense managed.
            ("refresh_start", Some(hook), _) if !hook.resource.resource.starts_with("data.") => {
                Event::Refreshing { address: hook.resource.addr }
            }
            ("apply_start", Some(hook), _) => Event::ResourceStarted { action: hook.action(), address: hook.resource.addr },
            ("apply_progress", Some(hook), _) => {
                Event::ResourceProgress { action: hook.action(), elapsed: hook.elapsed(), address: hook.resource.addr }
            }
            ("apply_complete", Some(hook), _) => {
                Event::ResourceDone { action: hook.action(), elapsed: hook.elapsed(), address: hook.resource.addr }
            }
            ("apply_errored", Some(hook), _) => {
                Event::ResourceErrored { action: hook.action(), elapsed: hook.elapsed(), address: hook.resource.addr }
            }
            ("provision_progress", Some(hook), _) => Event::Provision {
                address: hook.resource.addr,
                provisioner: hook.provisioner,
                output: hook.output.unwrap_or_default(),
            },
            _ => match (changes, outputs, diagnostic) {
                (Some(counts), ..) => Event::ChangeSummary {
                    counts: ChangeCounts { add: counts.add, change: counts.change, remove: counts.remove },
                    operation: counts.operation,
                },
                (_, Some(outputs), _) => {
                    Event::Outputs(outputs.into_iter().map(|(name, output)| (name, output.into())).collect())
                }
                (.., Some(diagnostic)) => Event::Diagnostic(diagnostic.into()),
                _ => Event::Other { kind, message },
            },
        }
    }
}

impl WireHook {
    fn action(&self) -> Action {
        self.action.unwrap_or(Action::Other)
    }

    fn elapsed(&self) -> Duration {
        Duration::try_from_secs_f64(self.elapsed_seconds).unwrap_or_default()
    }
}

impl From<WireChange> for ResourceChange {
    fn from(wire: WireChange) -> Self {
        Self {
            address: wire.resource.addr,
            action: wire.action,
            reason: wire.reason,
            previous_address: wire.previous_resource.map(|resource| resource.addr),
            imported: wire.importing.is_some(),
        }
    }
}

impl From<WireOutput> for OutputValue {
    fn from(wire: WireOutput) -> Self {
        Self { sensitive: wire.sensitive, value: wire.value, type_: wire.type_ }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terraform::transcript::Transcript;
    use crate::world::Exit;

    fn transcript(recorded: &str) -> Transcript {
        let mut transcript = Transcript::default();
        recorded.lines().for_each(|line| transcript.note(&parse(line)));
        transcript
    }

    #[test]
    fn a_plan_as_the_real_binary_streams_it() {
        let plan = transcript(include_str!("fixtures/plan_create.jsonl")).into_plan(true);
        assert_eq!((plan.counts, plan.prior.len()), (ChangeCounts { add: 4, change: 0, remove: 0 }, 0));
        let addresses = plan.resources.iter().map(|change| change.address.as_str()).collect::<Vec<_>>();
        insta::assert_snapshot!(addresses.join("\n"), @r#"
        module.child.terraform_data.c
        terraform_data.hostile["$${evil}"]
        terraform_data.hostile["::error::boo"]
        terraform_data.hostile["a\nb ##[group]"]
        "#);
        assert!(plan.resources.iter().all(|change| change.action == Action::Create));
        assert_eq!(plan.warnings[0].detail, "check failed here");
    }

    #[test]
    fn moves_and_reasons_are_kept() {
        let plan = transcript(include_str!("fixtures/plan_move.jsonl")).into_plan(true);
        assert_eq!(plan.prior.len(), 4);
        let change = ResourceChange {
            address: "terraform_data.newer".into(),
            action: Action::Replace,
            reason: Some("cannot_update".into()),
            previous_address: Some("terraform_data.new".into()),
            imported: false,
        };
        assert_eq!(plan.resources, [change]);
        let destroy = transcript(include_str!("fixtures/plan_destroy.jsonl")).into_plan(true);
        assert_eq!(destroy.counts, ChangeCounts { add: 0, change: 0, remove: 4 });
        assert!(destroy.resources.iter().all(|change| change.action == Action::Delete));
    }

    #[test]
    fn r33_the_prior_state_counts_what_is_forgotten_and_not_what_is_imported() {
        let change = |address: &str, rest: &str| {
            format!(r#"{{"type":"planned_change","change":{{"resource":{{"addr":"{address}"}},{rest}}}}}"#)
        };
        let refresh = |address: &str| {
            format!(r#"{{"type":"refresh_start","hook":{{"resource":{{"addr":"{address}","resource":"{address}"}}}}}}"#)
        };
        let lines = [
            refresh("x.kept"),
            refresh("data.x.read"),
            refresh("x.imported"),
            change("x.imported", r#""action":"import","importing":{"id":"i"}"#),
            change("x.forgotten", r#""action":"remove""#),
        ];
        let plan = transcript(&lines.join("\n")).into_plan(true);
        assert_eq!(plan.prior.len(), 2);
        assert_eq!(plan.resources.iter().map(|change| change.action).collect::<Vec<_>>(), [Action::Forget, Action::Import]);
    }

    #[test]
    fn an_apply_gives_its_outputs_with_types_and_without_secrets() {
        let applied = transcript(include_str!("fixtures/apply.jsonl")).into_applied();
        assert_eq!(applied.counts, ChangeCounts { add: 4, change: 0, remove: 0 });
        assert_eq!(applied.resources.len(), 4);
        let secret = &applied.outputs["secret"];
        assert_eq!((secret.sensitive, &secret.value), (true, &None));
        assert_eq!(secret.type_, serde_json::json!(["object", {"password": "string", "port": "number"}]));
        assert_eq!(applied.outputs["object"].value, Some(serde_json::json!({"a": 1, "b": [true, "x"], "c": null})));
    }

    #[test]
    fn an_interrupted_apply_tells_what_was_done() {
        let exit = Exit { code: Some(1), signal: None, cancelled: true };
        let failure = transcript(include_str!("fixtures/apply_interrupted.jsonl"))
            .into_failure(crate::domain::failure::FailureReason::ApplyFailed, exit);
        assert_eq!(failure.reason.as_str(), "cancelled");
        assert_eq!(failure.applied.counts, ChangeCounts { add: 1, change: 0, remove: 0 });
        assert_eq!(failure.applied.resources[0].address, "terraform_data.fast");
        let summaries = failure.diagnostics.iter().map(|diagnostic| diagnostic.summary.as_str()).collect::<Vec<_>>();
        assert_eq!(summaries, ["local-exec provisioner error", "execution halted"], "each once");
    }

    #[test]
    fn a_held_lock_is_recognized() {
        let exit = Exit { code: Some(1), signal: None, cancelled: false };
        let failure = transcript(include_str!("fixtures/plan_locked.jsonl"))
            .into_failure(crate::domain::failure::FailureReason::PlanFailed, exit);
        assert_eq!(failure.reason.as_str(), "state-locked");
        let lock = failure.lock.unwrap();
        assert_eq!((lock.id.len(), lock.operation.as_str(), lock.path.as_str()), (36, "OperationTypeApply", "s.tfstate"));
    }

    #[test]
    fn init_streams_are_understood() {
        let events = include_str!("fixtures/init.jsonl").lines().map(parse).collect::<Vec<_>>();
        assert!(matches!(&events[0], Event::Version { version, ui } if version == "1.11.4" && ui == "1.2"));
        assert!(
            events
                .iter()
                .any(|event| matches!(event, Event::Log { message, .. } if message.contains("successfully initialized")))
        );
    }

    #[test]
    fn what_is_not_understood_is_kept() {
        let table = [
            ("plain words", Event::Text("plain words".into())),
            ("", Event::Text(String::new())),
            ("{\"no\": \"type\"}", Event::Text("{\"no\": \"type\"}".into())),
            ("{broken", Event::Text("{broken".into())),
            (
                r#"{"@level":"info","@message":"Policy passed","type":"policy_result","x":1}"#,
                Event::Other { kind: "policy_result".into(), message: "Policy passed".into() },
            ),
            (
                r#"{"type":"planned_change","@message":"m","change":{"resource":{"addr":"x.y"},"action":"evaporate"}}"#,
                Event::Planned(ResourceChange {
                    address: "x.y".into(),
                    action: Action::Other,
                    reason: None,
                    previous_address: None,
                    imported: false,
                }),
            ),
            (r#"{"type":"state_lock_acquire","@message":"Acquiring state lock."}"#, Event::WaitingForStateLock),
            (
                r#"{"tofu":"1.10.0","type":"version","ui":"1.2","@message":"OpenTofu 1.10.0"}"#,
                Event::Version { version: "1.10.0".into(), ui: "1.2".into() },
            ),
        ];
        for (line, event) in table {
            assert_eq!(parse(line), event);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_line_breaks_the_parser(line in ".*", kind in "[a-z_]{0,20}") {
            parse(&line);
            parse(&serde_json::json!({"type": kind, "@message": line, "hook": {"resource": {"addr": line}}}).to_string());
        }
    }
}
