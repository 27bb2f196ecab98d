//! What a context's refs are called.

use super::{Branch, StoreError, layout};

/// What a context's refs are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefNames {
    /// The documents branch, such as `main`.
    pub documents: String,
    /// The ledger branch, such as `ledger`.
    pub ledger: String,
    /// What claims start with, such as `refs/tieline/claims/`.
    pub claims_prefix: String,
}

impl Default for RefNames {
    fn default() -> Self {
        Self { documents: "main".to_owned(), ledger: "ledger".to_owned(), claims_prefix: layout::CLAIMS_PREFIX.to_owned() }
    }
}

impl RefNames {
    /// The full ref of a branch.
    pub fn branch(&self, branch: Branch) -> String {
        let name = match branch {
            Branch::Documents => &self.documents,
            Branch::Ledger => &self.ledger,
        };
        format!("refs/heads/{name}")
    }

    /// The names, for the context at `what`.
    ///
    /// # Errors
    /// When one of them is no name of a ref.
    pub(super) fn checked(self, what: &str) -> Result<Self, StoreError> {
        match self.invalid() {
            None => Ok(self),
            Some(name) => {
                let why = format!("`{name}` cannot name its refs: use letters, digits, `-`, `_`, `.` and `/`");
                Err(StoreError::Unavailable { what: what.to_owned(), why })
            }
        }
    }

    /// The first name that git would not take, or would take for something else.
    fn invalid(&self) -> Option<&str> {
        let is_prefix = |text: &str| text.starts_with("refs/") && text.strip_suffix('/').is_some_and(is_name);
        if !is_prefix(&self.claims_prefix) {
            return Some(&self.claims_prefix);
        }
        [&self.documents, &self.ledger].into_iter().find(|name| !is_name(name)).map(String::as_str)
    }
}

/// Stricter than git: no name needs quoting, looks like an option, a pattern or a lock file.
fn is_name(name: &str) -> bool {
    let is_part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
            && !part.contains("..")
            && !part.ends_with('.')
            && part.strip_suffix(".lock").is_none()
    };
    name.split('/').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_git_would_take_for_something_else_are_refused() {
        assert_eq!(RefNames::default().invalid(), None);
        for bad in ["-f", "a b", "a..b", "x.lock", "", "a//b", "@{1}", "a*"] {
            assert_eq!(RefNames { ledger: bad.to_owned(), ..RefNames::default() }.invalid(), Some(bad));
        }
        for bad in ["refs/claims", "claims/", "refs//"] {
            assert_eq!(RefNames { claims_prefix: bad.to_owned(), ..RefNames::default() }.invalid(), Some(bad));
        }
    }
}
