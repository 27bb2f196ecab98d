//! Who may do what.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::call::{Answer, Call, now};
use super::repository::Repository;
use super::state::State;

/// What a token stands for.
pub(super) struct Token {
    /// Permissions such as `contents=write`, by repository in lower case.
    grants: BTreeMap<String, Vec<String>>,
    /// None for one that does not run out.
    expires: Option<DateTime<Utc>>,
}

impl Token {
    pub(super) fn new(grants: &[(&str, &[&str])]) -> Self {
        let owned = |permissions: &[&str]| permissions.iter().map(|permission| (*permission).to_owned()).collect();
        let grants = grants.iter().map(|(name, permissions)| (name.to_lowercase(), owned(permissions))).collect();
        Self { grants, expires: None }
    }

    pub(super) fn until(self, expires: DateTime<Utc>) -> Self {
        Self { expires: Some(expires), ..self }
    }

    /// Lets it reach a repository under another name.
    pub(super) fn follow(&mut self, before: &str, now: &str) {
        let grants = self.grants.remove(&before.to_lowercase());
        self.grants.extend(grants.map(|grants| (now.to_lowercase(), grants)));
    }

    fn is_alive(&self) -> bool {
        self.expires.is_none_or(|expires| expires > now())
    }
}

/// A repository that the caller sees, before it is known what it may do there.
pub(super) struct Door<'a> {
    repository: &'a mut Repository,
    /// The caller's permissions; none for a stranger to a public repository.
    permissions: Option<&'a [String]>,
}

impl<'a> Door<'a> {
    /// Refuses who shows a wrong token, and those to whom the repository is invisible.
    pub(super) fn find(state: &'a mut State, call: &Call, owner: &str, name: &str) -> Result<Self, Answer> {
        let name = format!("{owner}/{name}").to_lowercase();
        let wrong = || Answer::refused(401, "Bad credentials");
        let token = match call.token() {
            Some(token) => Some(state.tokens.get(token).filter(|token| token.is_alive()).ok_or_else(wrong)?),
            None => None,
        };
        let repository = state.repositories.get_mut(&name).ok_or_else(Answer::not_found)?;
        let permissions = token.and_then(|token| token.grants.get(&name)).map(Vec::as_slice);
        if permissions.is_none() && !repository.public { Err(Answer::not_found()) } else { Ok(Self { repository, permissions }) }
    }

    /// The repository, for those who have one of the permissions in `accepted`, such as `issues=write; pull_requests=write`.
    pub(super) fn with(self, accepted: &str) -> Result<&'a mut Repository, Answer> {
        let has = |wanted: &str| {
            let (name, level) = wanted.split_once('=').unwrap();
            let granted = self.permissions.unwrap_or_default().iter().filter_map(|granted| granted.split_once('='));
            let mut levels = granted.filter(|(granted, _)| *granted == name).map(|(_, level)| level);
            (level == "read" && self.repository.public) || levels.any(|granted| granted == level || granted == "write")
        };
        if accepted.split("; ").any(has) {
            return Ok(self.repository);
        }
        match self.permissions {
            Some(_) => {
                let refused = Answer::refused(403, "Resource not accessible by integration");
                Err(refused.with("x-accepted-github-permissions", accepted))
            }
            // What a stranger may not do to a public repository is not there for them.
            None => Err(Answer::not_found()),
        }
    }

    /// The repository, for everybody who sees it, and whether they may push to it.
    pub(super) fn open(self) -> (&'a mut Repository, bool) {
        let may_push = self.permissions.unwrap_or_default().iter().any(|granted| granted == "contents=write");
        (self.repository, may_push)
    }
}
