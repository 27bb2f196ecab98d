//! Secrets: a type that cannot be formatted, the redactor that stands before every sink, and sealing.

mod redactor;
mod seal;

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};

pub use redactor::{Redactor, worth_hiding};
pub use seal::{Opener, SealError, check_recipients, seal};

/// A secret text: it has no `Display`, its `Debug` is stars, and it is cleared when dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes `text` as a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The text itself. Each use must have a reason to hold it in clear.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
