//! The names people give to things. Each is a type of its own, checked once where it is read.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A text that is not a valid name of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a valid {kind}: {rule}")]
pub struct InvalidName {
    /// What the text was meant to name, such as `environment name`.
    pub kind: &'static str,
    /// The text as it was given.
    pub text: String,
    /// The rule in words.
    pub rule: &'static str,
}

const PLAIN_RULE: &str = "use 1 to 63 lower-case letters, digits and `-`, starting with a letter";
const FIELD_RULE: &str = "use 1 to 63 letters, digits, `-` and `_`, starting with a letter";
const TYPE_RULE: &str = "use lower-case letters, digits and `-`, starting with a letter; a `/` may separate two such parts";
const TAG_RULE: &str = "use 1 to 128 letters, digits, `.`, `_` and `-`";

const PLAIN_PATTERN: &str = "^[a-z][a-z0-9-]{0,62}$";
const FIELD_PATTERN: &str = "^[A-Za-z][A-Za-z0-9_-]{0,62}$";
const TYPE_PATTERN: &str = "^[a-z][a-z0-9-]{0,62}(/[a-z][a-z0-9-]{0,62})?$";
const TAG_PATTERN: &str = "^[A-Za-z0-9._-]{1,128}$";

fn is_plain(text: &str) -> bool {
    text.len() <= 63
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn is_field(text: &str) -> bool {
    text.len() <= 63
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn is_type(text: &str) -> bool {
    text.splitn(2, '/').all(is_plain)
}

fn is_tag(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident, $kind:literal, $check:ident, $pattern:ident, $rule:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes `text` as a name of this kind.
            ///
            /// # Errors
            /// When `text` breaks the rule for such names.
            pub fn new(text: impl Into<String>) -> Result<Self, InvalidName> {
                let text = text.into();
                if $check(&text) { Ok(Self(text)) } else { Err(InvalidName { kind: $kind, text, rule: $rule }) }
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;
            fn try_from(text: String) -> Result<Self, InvalidName> {
                Self::new(text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidName;
            fn from_str(text: &str) -> Result<Self, InvalidName> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "string", "pattern": $pattern})
            }
        }
    )*};
}

names! {
    /// Names a workspace: a group of environments and the values they share.
    WorkspaceName, "workspace name", is_plain, PLAIN_PATTERN, PLAIN_RULE;
    /// Names an environment inside its workspace.
    EnvironmentName, "environment name", is_plain, PLAIN_PATTERN, PLAIN_RULE;
    /// Names a deployable: an application or a shared infra.
    DeployableName, "deployable name", is_plain, PLAIN_PATTERN, PLAIN_RULE;
    /// Names an applied plugin inside its manifest.
    Alias, "alias", is_plain, PLAIN_PATTERN, PLAIN_RULE;
    /// Names what an applied plugin requires.
    SlotName, "slot name", is_plain, PLAIN_PATTERN, PLAIN_RULE;
    /// Names what an applied plugin generates.
    OutputName, "output name", is_plain, PLAIN_PATTERN, PLAIN_RULE;
    /// Names a step of a plugin's workflows.
    StepName, "step name", is_field, FIELD_PATTERN, FIELD_RULE;
    /// Names an imported connection.
    ImportedName, "imported connection's name", is_plain, PLAIN_PATTERN, PLAIN_RULE;
    /// Names a plugin, in its own document and in the catalog.
    PluginName, "plugin name", is_plain, PLAIN_PATTERN, PLAIN_RULE;
    /// Names an attribute of a connection interface type.
    AttributeName, "attribute name", is_field, FIELD_PATTERN, FIELD_RULE;
    /// Names an input of a plugin.
    InputName, "input name", is_field, FIELD_PATTERN, FIELD_RULE;
    /// Names a connection interface type.
    TypeName, "connection interface type's name", is_type, TYPE_PATTERN, TYPE_RULE;
    /// Names a release, by default after the commit it was made from.
    VersionTag, "version tag", is_tag, TAG_PATTERN, TAG_RULE;
}

/// Identifies a run: a ULID, so ids sort by time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(String);

impl RunId {
    /// Makes the id of a run that starts at `millis` after the Unix epoch, with 80 bits of `random`.
    pub fn from_parts(millis: u64, random: u128) -> Self {
        Self(ulid::Ulid::from_parts(millis, random).to_string())
    }

    /// The id that `text` is; none if it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        ulid::Ulid::from_string(text).ok().map(|_| Self(text.to_owned()))
    }

    /// When the run began, as its id says.
    pub fn started(&self) -> DateTime<Utc> {
        let millis = ulid::Ulid::from_string(&self.0).map(|id| id.timestamp_ms()).unwrap_or_default();
        i64::try_from(millis).ok().and_then(DateTime::from_timestamp_millis).unwrap_or_default()
    }

    /// The id as text, 26 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A SHA-256 in lower-case hexadecimal, 64 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        let mut text = String::with_capacity(64);
        for byte in sha2::Sha256::digest(bytes) {
            use fmt::Write as _;
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }

    /// The digest of a value in canonical JSON.
    pub fn of_json(value: &impl Serialize) -> Self {
        Self::of(&super::canonical::to_bytes(value))
    }

    /// All 64 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 12 characters, for people.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_follow_the_rule() {
        for good in ["a", "a-b-9", &"x".repeat(63)] {
            assert!(Alias::new(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "9a", "A", "a_b", "a/b", "é", &"x".repeat(64)] {
            assert!(Alias::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn field_names_allow_underscores_and_upper_case() {
        assert!(AttributeName::new("Subnet_ids-2").is_ok());
        assert!(AttributeName::new("_x").is_err());
    }
}
