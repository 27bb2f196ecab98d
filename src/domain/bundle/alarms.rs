//! What bundles have of alarms that only Massdriver hears, and of modules that need its machinery.

/// Whether resources of the type publish a field.
pub(super) fn publishes(kind: &str) -> bool {
    matches!(kind, "massdriver_artifact" | "massdriver_resource")
}

/// Whether resources of the type tell Massdriver of an alarm.
pub(super) fn registers(kind: &str) -> bool {
    matches!(kind, "massdriver_package_alarm" | "massdriver_instance_alarm")
}

/// Whether the module makes alarms that go to Massdriver and nowhere else.
pub(super) fn is_alarm_module(source: &str) -> bool {
    source.contains("massdriver-cloud/") && source.contains("alarm")
}

/// Modules of the vendor that read the files of its provisioners, or need its provider for more than alarms.
const BOUND: [&str; 3] = ["massdriver-application", "k8s-opensearch", "k8s-application-alarms"];

/// Whether the module works inside Massdriver only.
pub(super) fn is_bound_module(source: &str) -> bool {
    source.contains("massdriver-cloud/") && BOUND.iter().any(|name| source.contains(name))
}

/// The files that Massdriver's provisioners put beside a module.
pub(super) const PROVISIONER_FILES: [&str; 7] = [
    "/massdriver/",
    "envs.json",
    "secrets.json",
    "params.json",
    "connections.json",
    "_params.auto.tfvars.json",
    "_connections.auto.tfvars.json",
];
