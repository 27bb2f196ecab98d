//! The cloud account of an environment, and the roles that are taken in it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A cloud account: what providers are set to work in. With a `role`, a workflow takes it by its OIDC token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Account {
    /// `aws`, `google` or `azurerm`.
    pub provider: AccountProvider,
    /// Account, project or subscription id.
    pub id: String,
    /// The region that providers use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The role of `aws` that workflows deploy with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The role that `tieline plan` uses instead of the others, in workflows: one that cannot change anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_role: Option<String>,
    /// The role that states in `s3` are read and written with, in workflows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_role: Option<String>,
}

/// A cloud whose provider settings are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AccountProvider {
    /// Amazon Web Services.
    Aws,
    /// Google Cloud.
    Google,
    /// Microsoft Azure.
    Azurerm,
}

impl Account {
    /// This account with the roles of `now`, where that is the same account: a role may have been renamed since.
    #[must_use]
    pub fn with_roles_of(self, now: Option<&Self>) -> Self {
        match now.filter(|now| (now.provider, &now.id) == (self.provider, &self.id)) {
            Some(Self { role, plan_role, state_role, .. }) => {
                Self { role: role.clone(), plan_role: plan_role.clone(), state_role: state_role.clone(), ..self }
            }
            None => self,
        }
    }
}

/// The parts of an Amazon resource name that matter here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arn<'a> {
    /// `aws`, or that of another part of the world, such as `aws-cn`.
    pub partition: &'a str,
    /// The account.
    pub account: &'a str,
    /// What it names: `role/deploy`.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Reads `arn:<partition>:<service>:<region>:<account>:<resource>`, of this service.
    pub fn of(service: &str, text: &'a str) -> Option<Self> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        match parts[..] {
            ["arn", partition, found, _, account, resource] if found == service => Some(Self { partition, account, resource }),
            _ => None,
        }
    }

    /// Reads the name of a role.
    pub fn role(text: &'a str) -> Option<Self> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-/".contains(c);
        Self::of("iam", text).filter(|arn| {
            arn.partition.starts_with("aws")
                && arn.account.len() == 12
                && arn.account.bytes().all(|digit| digit.is_ascii_digit())
                && arn.resource.strip_prefix("role/").is_some_and(|name| !name.is_empty() && name.chars().all(is_name))
        })
    }
}

/// Whether a text can be a region: it becomes part of a host's name, to which an identity token is sent.
pub fn is_region(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_role_says_its_account() {
        let role = Arn::role("arn:aws-cn:iam::123456789012:role/ci/deploy").unwrap();
        assert_eq!((role.partition, role.account, role.resource), ("aws-cn", "123456789012", "role/ci/deploy"));
        for wrong in [
            "deploy",
            "arn:aws:iam::1:role/deploy",
            "arn:aws:iam::123456789012:user/deploy",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:sts::123456789012:role/deploy",
            "arn:aws:iam::123456789012:role/a b\n",
        ] {
            assert_eq!(Arn::role(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn r64_a_region_can_name_no_other_host() {
        assert!(is_region("sa-east-1") && is_region("us-gov-west-1"));
        for wrong in ["", "x@evil.example/", "evil.example/x", "a.b", "sa-east-1#", "SA-EAST-1", &"a".repeat(33)] {
            assert!(!is_region(wrong), "{wrong}");
        }
    }

    #[test]
    fn roles_of_today_are_for_the_same_account_only() {
        let account = |id: &str, role: &str| Account {
            provider: AccountProvider::Aws,
            id: id.to_owned(),
            region: None,
            role: Some(role.to_owned()),
            plan_role: None,
            state_role: None,
        };
        assert_eq!(account("1", "old").with_roles_of(Some(&account("1", "new"))), account("1", "new"));
        assert_eq!(account("1", "old").with_roles_of(Some(&account("2", "new"))), account("1", "old"));
    }
}
