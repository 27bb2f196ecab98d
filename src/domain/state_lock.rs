//! Terraform's state locks, as far as anybody can know of them.

use serde::Serialize;

use super::organization::{Backend, BackendKind};

/// How a backend locks a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locking {
    /// A lock stays until it is given back: who is killed leaves it behind.
    Stays,
    /// A lock ends with the process that holds it: one that is held has a living holder.
    EndsWithHolder,
    /// Not at all, as it is set up.
    None,
}

impl Backend {
    /// How it locks.
    pub fn locking(&self) -> Locking {
        let has = |setting: &str| self.config.get(setting).is_some_and(|value| !value.is_null() && value != false);
        match self.kind {
            BackendKind::Local | BackendKind::Pg => Locking::EndsWithHolder,
            BackendKind::S3 if !has("use_lockfile") && !has("dynamodb_table") => Locking::None,
            BackendKind::Http if !has("lock_address") => Locking::None,
            _ => Locking::Stays,
        }
    }
}

/// How the lock of a state is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum LockState {
    /// Nobody holds it.
    Free,
    /// Somebody does.
    Held(StateLock),
    /// There is none: the backend does not lock as it is set up.
    Unlocked,
    /// It cannot be told.
    Unknown {
        /// Why, on one line.
        because: String,
    },
}

/// Who holds the lock of a state, in Terraform's words. What the backend does not tell is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StateLock {
    /// The lock's id.
    pub id: String,
    /// User and machine of the holder.
    pub who: String,
    /// What the holder does.
    pub operation: String,
    /// Since when.
    pub created: String,
}

impl std::fmt::Display for StateLock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let or = |text: &str, otherwise: &'static str| if text.is_empty() { otherwise.to_owned() } else { text.to_owned() };
        write!(f, "held by {}", or(&self.who, "somebody whom the backend does not name"))?;
        if !self.created.is_empty() {
            write!(f, " since {}", self.created)?;
        }
        if !self.operation.is_empty() {
            write!(f, " for {}", self.operation)?;
        }
        write!(f, ", {}", if self.id.is_empty() { "id not told".to_owned() } else { format!("id {}", self.id) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn r21_a_backend_locks_as_it_is_set_up() {
        let locking = |document: serde_json::Value| serde_json::from_value::<Backend>(document).unwrap().locking();
        let s3 = |config: serde_json::Value| locking(json!({"type": "s3", "config": config}));
        assert_eq!(s3(json!({"bucket": "b", "use_lockfile": true})), Locking::Stays);
        assert_eq!(s3(json!({"bucket": "b", "dynamodb_table": "locks"})), Locking::Stays);
        assert_eq!(s3(json!({"bucket": "b", "use_lockfile": false})), Locking::None);
        assert_eq!(locking(json!({"type": "http", "config": {"address": "http://a"}})), Locking::None);
        assert_eq!(locking(json!({"type": "pg", "config": {}})), Locking::EndsWithHolder);
        assert_eq!(locking(json!({"type": "gcs", "config": {}})), Locking::Stays);
    }
}
