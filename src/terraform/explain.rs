//! What to do about a diagnostic, for the causes that people meet most.

use super::diagnose::TfDiagnostic;

/// A pattern found in summary or detail, and the advice. The first match counts.
const ADVICE: &[(&str, &str)] = &[
    ("acquiring the state lock", "wait for the lock's holder to end; if it is dead, free the lock by its exact id"),
    ("No valid credential sources found", "give the job AWS credentials, for example by OIDC with the role of the environment"),
    ("could not find default credentials", "give the job Google credentials, for example by workload identity federation"),
    ("unable to build authorizer", "give the job Azure credentials: `ARM_CLIENT_ID`, `ARM_TENANT_ID`, `ARM_SUBSCRIPTION_ID`"),
    ("ExpiredToken", "the credentials ran out while terraform worked; ask for ones that live longer, then deploy again"),
    ("AccessDenied", "grant the role of the environment the permission that the message names"),
    (
        "does not match configured version constraint",
        "the locked provider is not what the plugin asks for; run `tieline plugins update`",
    ),
    (
        "does not match any of the checksums",
        "the provider is not the one that was locked; find out why before `tieline plugins update`",
    ),
    (
        "Failed to query available provider packages",
        "check the provider's name and version, and the network or mirror of the runner",
    ),
    ("Failed to install provider", "check the network or the provider mirror of the runner"),
    (
        "Backend configuration changed",
        "the backend of the environment changed; move the state to it first, with terraform's own `init -migrate-state`",
    ),
    (
        "Backend initialization required",
        "the backend of the environment changed; move the state to it first, with terraform's own `init -migrate-state`",
    ),
    (
        "Unsupported Terraform Core version",
        "install a terraform that the plugin's `required-version` allows, or change the plugin",
    ),
    ("created by a newer version of Terraform", "use at least the terraform version that wrote the state last"),
    ("Saved plan is stale", "something else changed the state since the plan was made; deploy again"),
    (
        "Unable to find remote state",
        "the producer of a sensitive attribute has no state here; deploy it first, or check its backend",
    ),
    ("No value for required variable", "the plugin's module has a variable without a value; add an input or a slot for it"),
    ("Unsupported argument", "the plugin names an argument that this resource, module or provider version does not have"),
    ("Unsupported attribute", "the plugin reads an attribute that is not there in this provider or producer version"),
];

/// What to do about `diagnostic`, where that is known.
pub fn advice(diagnostic: &TfDiagnostic) -> Option<&'static str> {
    let says = |pattern: &str| diagnostic.summary.contains(pattern) || diagnostic.detail.contains(pattern);
    ADVICE.iter().find(|(pattern, _)| says(pattern)).map(|(_, advice)| *advice)
}
