//! What a report says beside its data.

/// Where and with what something was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// What was asked for: `deploy`, `plan` or another command.
    pub command: String,
    /// The place, such as `retail/staging/shop`, or what was asked for where no place is known.
    pub title: String,
    /// Where the workflow run can be watched, with its log and summary.
    pub run_url: Option<String>,
    /// The application's commit.
    pub commit: Option<String>,
    /// The terraform, such as `Terraform 1.11.4, /usr/bin/terraform`.
    pub terraform: Option<String>,
}
