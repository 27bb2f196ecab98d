//! Why a run failed: the closed list that other programs rely on, and the exit code that follows from it.

use serde::{Deserialize, Serialize};

/// What kind of failure it is; it alone decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailureKind {
    /// Something a person changes: a document, a contract, a policy, a refusal.
    User,
    /// Terraform, cloud, git or network failed.
    Runtime,
    /// Cancelled or out of time.
    Aborted,
    /// A bug of ours.
    Internal,
}

impl FailureKind {
    /// The process's exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::User => 1,
            Self::Runtime => 2,
            Self::Aborted => 3,
            Self::Internal => 70,
        }
    }
}

macro_rules! reasons {
    ($($reason:ident $text:literal $kind:ident $meaning:literal $remedy:literal;)*) => {
        /// The first cause of a failed run. Each has a stable name, a meaning and a remedy; `docs/errors.md` is drawn from here.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum FailureReason {
            $(#[doc = $meaning] #[serde(rename = $text)] $reason,)*
        }

        impl FailureReason {
            /// Every reason, in the documented order.
            pub const ALL: &'static [Self] = &[$(Self::$reason),*];

            /// The stable name, as in the output `failure-reason`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$reason => $text,)* }
            }

            /// What kind of failure it is.
            pub fn kind(self) -> FailureKind {
                match self { $(Self::$reason => FailureKind::$kind,)* }
            }

            /// What it means, in one sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$reason => $meaning,)* }
            }

            /// What to do about it, in one sentence.
            pub fn remedy(self) -> &'static str {
                match self { $(Self::$reason => $remedy,)* }
            }
        }
    };
}

reasons! {
    InvalidInput "invalid-input" User "An input of the command is missing, malformed or contradicts another." "Correct the input that the message names.";
    InvalidDocument "invalid-document" User "A document is malformed or says something that cannot be." "Correct the lines that the message points at.";
    PluginUnavailable "plugin-unavailable" User "A plugin's source cannot be found or read." "Check the `use:` of the applied plugin, the catalog, and the access to the source.";
    PluginChanged "plugin-changed" User "A plugin's content is not what `tieline.lock` recorded, or the lock file lacks it." "Find out why a published version changed; run `tieline plugins update` if the change is wanted.";
    UnresolvedSlot "unresolved-slot" User "A slot has no connection to take." "Wire it, add a default or a reference, or make it optional.";
    ContractMismatch "contract-mismatch" User "Producer and consumer do not agree on a connection's type, version or attributes." "Change the plugin or the wiring so that both name the same contract.";
    ContractViolated "contract-violated" User "What was applied does not fulfil the connection interface type." "Correct the plugin's outputs and deploy again; the infrastructure exists and its state is saved.";
    GrantDenied "grant-denied" User "The owner of a connection has not granted its use." "Ask the owner's workspace for the grant that the message prints.";
    PolicyDenied "policy-denied" User "A policy of the context forbids it." "See the rule that the message names.";
    LimitExceeded "limit-exceeded" User "A limit of the workspace is reached." "Remove something, or ask for a higher limit.";
    ConsumersExist "consumers-exist" User "Something is bound to what would be destroyed." "Move the listed consumers first.";
    BreaksConsumers "breaks-consumers" User "A new version drops or retypes what live consumers use." "Publish both versions side by side, move the consumers, then drop the old one.";
    NotOwner "not-owner" User "This repository may not write the deployable." "Deploy from the owner's repository, or transfer the deployable.";
    Protected "protected" User "The environment is protected." "Use the way for protected environments that the message names.";
    NeedsApproval "needs-approval" User "The plan deletes or replaces something, or the environment asks for an approved plan, or for the approval of an override." "Review the plan, then deploy with `allow-destroy` or `approved-plan`; run an override in a job under the GitHub environment that the message names.";
    PlanChanged "plan-changed" User "The plan is not the approved one." "Review the new plan and approve it.";
    Ceiling "ceiling" User "The context's ceilings do not allow what was asked for." "Ask the platform team to raise the ceiling in `context.yaml`.";
    BindingChanged "binding-changed" User "A connection changed between plan and apply." "Run again: the new plan takes the change in.";
    Claimed "claimed" User "Another run holds the deployable in this environment." "Wait for the run that the message names.";
    LocalExecDenied "local-exec-denied" User "A plugin wants to run programs on the runner." "Remove the provisioner or data source, or allow it here and in the context's ceilings.";
    ModuleDenied "module-denied" User "A plugin uses a module or provider from a source that is not allowed." "Use an allowed source, or ask for it in the context's ceilings.";
    TerraformMissing "terraform-missing" User "No usable terraform binary was found." "Install Terraform, or name the binary with `--terraform`.";
    InitFailed "init-failed" Runtime "`terraform init` failed." "Read the diagnostic; check backend, providers and network.";
    StateLocked "state-locked" Runtime "Another process holds the Terraform state lock." "Wait for its holder; if it is dead, unlock by the exact id.";
    StateMissing "state-missing" Runtime "The recorded resources are not in the Terraform state." "Restore the state or check the backend's settings before anything else.";
    PlanFailed "plan-failed" Runtime "`terraform plan` failed." "Read the diagnostic.";
    ApplyFailed "apply-failed" Runtime "`terraform apply` failed part-way." "Read the diagnostic, correct the cause and deploy again; what was created is in the state.";
    StepFailed "step-failed" Runtime "A step of a step-workflow plugin failed." "Read the step's log.";
    PublishConflict "publish-conflict" Runtime "The ledger kept changing while the run published." "Run again; nothing is applied twice.";
    ContextUnavailable "context-unavailable" Runtime "The context repository cannot be read or written." "Check its address, the access to it and the network.";
    PermissionDenied "permission-denied" Runtime "A token lacks a permission." "Grant the permission that the message names.";
    Cancelled "cancelled" Aborted "The run was cancelled." "Run again when ready: nothing needs mending by hand.";
    TimedOut "timed-out" Aborted "The run took longer than its time limit." "Raise `timeout`, or find out what is slow.";
    Internal "internal" Internal "A bug in Tieline." "Report it with the message and the command.";
}

impl std::fmt::Display for FailureReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
