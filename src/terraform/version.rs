//! Which terraform it is and what it can do.

use semver::Version;
use serde::Deserialize;

use crate::domain::diagnostic::Diagnostic;
use crate::domain::failure::FailureReason;
use crate::domain::record::TerraformBuild;

use super::locate::Binary;

/// The oldest version that is supported, for both flavours.
const OLDEST: (u64, u64) = (1, 5);

/// What stands behind an `OpenTofu`'s version in a [`TerraformBuild`], so that the two are told apart without asking again.
const TOFU_MARK: &str = "opentofu";

/// Whose terraform it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// `HashiCorp`'s.
    Terraform,
    /// The fork.
    OpenTofu,
}

/// What differs between versions, each by the version that brought it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Abilities {
    /// `init -json`.
    pub init_json: bool,
    /// `apply -var-file` beside a plan file, which ephemeral variables need.
    pub variables_at_apply: bool,
}

impl Abilities {
    fn of(flavour: Flavour, version: &Version) -> Self {
        let since = |terraform: u64, tofu: u64| {
            let minor = match flavour {
                Flavour::Terraform => terraform,
                Flavour::OpenTofu => tofu,
            };
            (version.major, version.minor) >= (1, minor)
        };
        Self { init_json: since(9, 7), variables_at_apply: since(10, 11) }
    }
}

/// A known build, understood.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub build: TerraformBuild,
    pub flavour: Flavour,
    pub abilities: Abilities,
}

/// Understands a build that an earlier run recorded.
///
/// # Errors
/// When its version is no version, or too old.
pub(super) fn understand(build: TerraformBuild) -> Result<Known, Box<Diagnostic>> {
    let version = Version::parse(&build.version).map_err(|problem| {
        let message = format!("`{}` says its version is `{}`, which is no version: {problem}", build.path, build.version);
        Diagnostic::error(FailureReason::TerraformMissing, message)
    })?;
    let flavour = if version.build.as_str() == TOFU_MARK { Flavour::OpenTofu } else { Flavour::Terraform };
    if (version.major, version.minor) < OLDEST {
        let (major, minor) = OLDEST;
        let message =
            format!("`{}` is version `{}`, older than the oldest supported, `{major}.{minor}`", build.path, build.version);
        return Err(Diagnostic::error(FailureReason::TerraformMissing, message)
            .help("install a newer Terraform, or name another binary with `--terraform <path>`")
            .into());
    }
    Ok(Known { abilities: Abilities::of(flavour, &version), build, flavour })
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "terraform_version")]
    version: String,
    /// Only `HashiCorp`'s has it.
    #[serde(rename = "terraform_outdated")]
    outdated: Option<bool>,
}

/// Reads the answer of `terraform version -json`.
///
/// # Errors
/// When it is not understood.
pub(super) fn read(binary: &Binary, answer: &[u8]) -> Result<TerraformBuild, Box<Diagnostic>> {
    let answer: Answer = serde_json::from_slice(answer).map_err(|problem| {
        let message = format!("`{}` is no terraform: its answer to `version -json` is not understood", binary.path.display());
        Diagnostic::error(FailureReason::TerraformMissing, message).note(problem.to_string())
    })?;
    let mark = if answer.outdated.is_none() { format!("+{TOFU_MARK}") } else { String::new() };
    Ok(TerraformBuild {
        path: binary.path.display().to_string(),
        version: format!("{}{mark}", answer.version),
        size: binary.size,
        modified: binary.modified,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(answer: &str) -> Result<Known, Box<Diagnostic>> {
        let binary = Binary { path: "/opt/terraform".into(), size: 1, modified: 2 };
        understand(read(&binary, answer.as_bytes())?)
    }

    #[test]
    fn flavours_and_their_abilities() {
        let table = [
            (r#"{"terraform_version":"1.5.7","terraform_outdated":true}"#, Flavour::Terraform, "1.5.7", false, false),
            (r#"{"terraform_version":"1.9.0","terraform_outdated":false}"#, Flavour::Terraform, "1.9.0", true, false),
            (r#"{"terraform_version":"1.11.4","terraform_outdated":false}"#, Flavour::Terraform, "1.11.4", true, true),
            (r#"{"terraform_version":"1.14.0-rc1","terraform_outdated":false}"#, Flavour::Terraform, "1.14.0-rc1", true, true),
            (r#"{"terraform_version":"1.6.2"}"#, Flavour::OpenTofu, "1.6.2+opentofu", false, false),
            (r#"{"terraform_version":"1.10.5"}"#, Flavour::OpenTofu, "1.10.5+opentofu", true, false),
        ];
        for (answer, flavour, version, init_json, variables_at_apply) in table {
            let known = known(answer).unwrap();
            assert_eq!((known.flavour, known.build.version.as_str()), (flavour, version));
            assert_eq!(known.abilities, Abilities { init_json, variables_at_apply }, "{answer}");
        }
    }

    #[test]
    fn an_old_one_and_something_else_are_refused() {
        let old = known(r#"{"terraform_version":"1.4.7","terraform_outdated":true}"#).unwrap_err();
        assert_eq!(old.message, "`/opt/terraform` is version `1.4.7`, older than the oldest supported, `1.5`");
        let other = known("Python 3.12").unwrap_err();
        assert_eq!(other.message, "`/opt/terraform` is no terraform: its answer to `version -json` is not understood");
    }
}
