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
