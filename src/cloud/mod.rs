//! Who a run is in its cloud account: the role that the account's document names, taken by the workflow's own OIDC token.
//!
//! Nothing here holds a credential of the cloud. Each Terraform gets a file with the token and the name of the role, and trades the
//! one for the other by itself; the file is renewed for as long as the run lives. Before the first Terraform starts, each role is
//! tried once, so that a role that is not to be had is a clear refusal and not the middle of a run.

mod child;
mod renewal;
mod sts;
mod token;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::domain::account::{Account, AccountProvider, Arn};
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::secrets::Secret;
use crate::world::World;

use token::Token;

pub use child::{Child, TOKEN_FILE};

/// Where a workflow's OIDC tokens come from.
#[async_trait]
pub trait TokenSource: Send + Sync {
    /// A fresh token for `audience`.
    ///
    /// # Errors
    /// When none is given, with the way to get one.
    async fn token(&self, audience: &str) -> Result<Secret, Box<Diagnostic>>;
}

/// Is told of every token before anything else has it, so that nothing shows it.
pub type Learn = Box<dyn Fn(&Secret) + Send + Sync>;

/// What the roles are taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To look: with `plan-role` alone, where there is one.
    Plan,
    /// To change things: with `role`.
    Deploy,
}

impl Purpose {
    /// The role of an account for this; none where the account names no role.
    pub fn role(self, account: &Account) -> Option<&str> {
        let deploy = account.role.as_deref().filter(|_| account.provider == AccountProvider::Aws)?;
        Some(self.plan_role(account).unwrap_or(deploy))
    }

    /// The role for the states, where it is another. Who may only look reads the states as well: what writes them is not theirs.
    fn state_role(self, account: &Account) -> Option<&str> {
        account.state_role.as_deref().filter(|_| self.plan_role(account).is_none())
    }

    fn plan_role(self, account: &Account) -> Option<&str> {
        account.plan_role.as_deref().filter(|_| self == Self::Plan)
    }
}

/// A workflow's identity, for as long as a run lives.
pub struct WebIdentity {
    world: World,
    source: Arc<dyn TokenSource>,
    learn: Learn,
    purpose: Purpose,
    /// What the cloud's records name the run by.
    run: String,
    audience: &'static str,
    token: Mutex<Token>,
    /// Copies of the token, each for one Terraform.
    files: Mutex<BTreeSet<PathBuf>>,
    /// Roles that were had once.
    tried: tokio::sync::Mutex<BTreeSet<String>>,
}

impl WebIdentity {
    /// Gets a token and tries the roles of `account`. `run` names the run in the cloud's records.
    ///
    /// # Errors
    /// `permission-denied`: when there is no token, a role is not given for it, or it turns out to be of another account.
    pub async fn open(
        world: &World,
        source: Arc<dyn TokenSource>,
        learn: Learn,
        (purpose, run): (Purpose, &str),
        account: &Account,
    ) -> Result<Self, Problems> {
        let audience = audience(purpose.role(account));
        let token = fetch(&*source, audience, &learn).await?;
        let identity = Self {
            world: world.clone(),
            source,
            learn,
            purpose,
            run: run.to_owned(),
            audience,
            token: Mutex::new(token),
            files: Mutex::default(),
            tried: tokio::sync::Mutex::default(),
        };
        identity.admit(account).await?;
        Ok(identity)
    }

    /// Makes sure that the roles of `account` are given, and are of that account. Each role is tried once.
    ///
    /// # Errors
    /// `permission-denied`.
    pub async fn admit(&self, account: &Account) -> Result<(), Problems> {
        let Some(role) = self.purpose.role(account) else { return Ok(()) };
        let field = if self.purpose.plan_role(account).is_some() { "plan-role" } else { "role" };
        self.admit_role(account, field, role, Some(&account.id)).await?;
        match self.purpose.state_role(account) {
            // States may be in an account of their own.
            Some(role) => self.admit_role(account, "state-role", role, None).await,
            None => Ok(()),
        }
    }

    async fn admit_role(&self, account: &Account, field: &'static str, role: &str, of: Option<&str>) -> Result<(), Problems> {
        let mut tried = self.tried.lock().await;
        if !tried.contains(role) {
            let session = child::session(&[&self.run, "check"]);
            let token = self.token().clone();
            sts::Asked { role, field, session, region: account.region.as_deref() }.of(&self.world, &token, of).await?;
            tried.insert(role.to_owned());
        }
        Ok(())
    }

    fn token(&self) -> MutexGuard<'_, Token> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn files(&self) -> MutexGuard<'_, BTreeSet<PathBuf>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whom the token is for. China's part of AWS asks for a name of its own.
fn audience(role: Option<&str>) -> &'static str {
    match role.and_then(Arn::role) {
        Some(Arn { partition: "aws-cn", .. }) => "sts.amazonaws.com.cn",
        _ => "sts.amazonaws.com",
    }
}

async fn fetch(source: &dyn TokenSource, audience: &str, learn: &Learn) -> Result<Token, Box<Diagnostic>> {
    let text = source.token(audience).await?;
    learn(&text);
    Ok(Token::read(text))
}
