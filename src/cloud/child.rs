//! What one Terraform is given: a role, a session name of its own, and a file with the token.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::{WebIdentity, sts};
use crate::domain::account::Account;
use crate::domain::address::Place;
use crate::domain::names::Alias;

/// The file with the token, in the folder that Terraform starts in.
pub const TOKEN_FILE: &str = "web-identity-token";

/// AWS cuts nothing: a longer name of a session is refused.
const LONGEST_SESSION: usize = 64;

/// What of `AWS_` says how the cloud is reached, and not as whom.
const SETTINGS: [&str; 8] = [
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_CA_BUNDLE",
    "AWS_MAX_ATTEMPTS",
    "AWS_RETRY_MODE",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_STS_REGIONAL_ENDPOINTS",
];

/// The roles of one Terraform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child {
    role: String,
    session: String,
    region: Option<String>,
    /// The role that its states are reached with, where that is another.
    pub state_role: Option<String>,
    /// The name of the sessions with that role. It is the same in each run, for it stands in what is approved.
    pub state_session: String,
}

impl WebIdentity {
    /// The roles for the Terraform of an applied plugin in `account`; none where the account names none.
    pub fn child(&self, account: &Account, place: &Place, alias: &Alias) -> Option<Child> {
        Some(Child {
            role: self.purpose.role(account)?.to_owned(),
            session: session(&[&self.run, alias.as_str()]),
            region: account.region.clone(),
            state_role: self.purpose.state_role(account).map(str::to_owned),
            state_session: session(&[place.deployable.as_str(), alias.as_str()]),
        })
    }

    /// Puts the token into the Terraform's folder; gives the variables that make it use it. One without a value is to be taken away:
    /// with other credentials in reach, they and not the role might be what is used.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn hand_over(&self, child: &Child, folder: &Path) -> io::Result<BTreeMap<String, Option<String>>> {
        let file = folder.join(TOKEN_FILE);
        self.keep_renewed(&file)?;
        let ambient = self.world.variables.iter().filter(|(name, _)| name.starts_with("AWS_") && !is_setting(name));
        let mut variables: BTreeMap<_, _> = ambient.map(|(name, _)| (name.to_owned(), None)).collect();
        let set = [
            ("AWS_ROLE_ARN", child.role.clone()),
            ("AWS_ROLE_SESSION_NAME", child.session.clone()),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", file.display().to_string()),
            // Neither the machine's own role nor what is in the home's `.aws`.
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("AWS_CONFIG_FILE", "/dev/null".to_owned()),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".to_owned()),
        ];
        variables.extend(set.map(|(name, value)| (name.to_owned(), Some(value))));
        // With a token in a file, Terraform asks for roles where this variable says, and does not know the general one.
        let endpoint = sts::named_endpoint(&self.world.variables).map(str::to_owned);
        for (name, value) in [("AWS_ENDPOINT_URL_STS", endpoint), ("AWS_REGION", child.region.clone())] {
            if value.is_some() {
                variables.insert(name.to_owned(), value);
            }
        }
        Ok(variables)
    }
}

fn is_setting(name: &str) -> bool {
    SETTINGS.contains(&name) || name.starts_with("AWS_ENDPOINT_URL") || name.ends_with("_ENDPOINT")
}

/// The name of a session, out of parts whose characters are all allowed in one.
pub(super) fn session(parts: &[&str]) -> String {
    let name = std::iter::once("tieline").chain(parts.iter().copied()).collect::<Vec<_>>().join("-");
    name.chars().take(LONGEST_SESSION).collect()
}
