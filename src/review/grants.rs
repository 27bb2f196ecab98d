//! Who loses a connection when grants go (R44).

use super::{Kinds, Use};
use crate::domain::address::Address;
use crate::domain::organization::{Permission, Workspace};
use crate::resolve::grants;

/// A use that no grant covers any more.
#[derive(Debug, Clone, PartialEq)]
pub struct Loss<'a> {
    /// The use.
    pub lost: &'a Use,
    /// What it needs and is no longer granted.
    pub missing: Vec<Permission>,
}

impl Loss<'_> {
    /// Who loses what, for people.
    pub fn in_words(&self) -> String {
        let missing: Vec<String> = self.missing.iter().map(|permission| format!("`{}`", permission.as_str())).collect();
        let (lost, missing) = (self.lost, missing.join(" and "));
        format!("`{}` is bound to `{}` and would have no grant to {missing}", lost.name(), lost.address())
    }
}

/// The uses of the workspace's connections that its grants cover as they were, and no longer do as they are to be. No document stands for no
/// grants.
pub fn losses<'a>(before: Option<&Workspace>, after: Option<&Workspace>, uses: &'a [Use], kinds: &Kinds) -> Vec<Loss<'a>> {
    let lost = uses.iter().filter_map(|lost| {
        let missing = |owner: Option<&Workspace>| {
            grants::missing(owner, lost.address(), &lost.asking(), kinds, !lost.binding.sensitive.is_empty())
        };
        let covered = before.is_some_and(|before| before.name == lost.address().workspace) && missing(before).is_empty();
        if !covered {
            return None;
        }
        let missing = missing(after);
        (!missing.is_empty()).then_some(Loss { lost, missing })
    });
    lost.collect()
}

/// Whether a pattern of grants means the connection.
pub fn is_meant(pattern: &str, address: &Address) -> bool {
    grants::matches(pattern, &grants::within_workspace(address))
}
