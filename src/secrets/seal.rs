//! Secrets that are kept: sealed for those who may open them again, with age.

use std::io::{Read as _, Write as _};
use std::str::FromStr as _;

use age::armor::{ArmoredReader, ArmoredWriter, Format};
use age::x25519::{Identity, Recipient};
use age::{Decryptor, Encryptor};

use super::Secret;

/// The largest secret that is opened.
const LARGEST: u64 = 4 << 20;

/// Why something could not be sealed or opened. It never says what.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Nobody could open it.
    #[error("there is nobody to seal it for")]
    NoRecipient,
    /// A recipient that is none.
    #[error("`{written}` is not an age recipient, which is a public key that begins with `age1`")]
    Recipient {
        /// As it is written.
        written: String,
    },
    /// An identity that is none. What is written there may be a secret all the same.
    #[error("line {line} is not an age identity, which is a secret key that begins with `AGE-SECRET-KEY-1`")]
    Identity {
        /// Which line.
        line: usize,
    },
    /// No line holds an identity.
    #[error("it holds no age identity, which is a secret key that begins with `AGE-SECRET-KEY-1`")]
    NoIdentity,
    /// It is sealed for others.
    #[error("it is sealed for none of the identities that are given")]
    ForOthers,
    /// It is not what was sealed.
    #[error("it is not a sealed value, or it was changed")]
    Broken,
    /// It could not be sealed.
    #[error("it could not be sealed: {why}")]
    Sealing {
        /// Why.
        why: String,
    },
}

/// Seals a secret for these recipients, as text.
///
/// # Errors
/// When there is no recipient, or one is none.
pub fn seal(recipients: &[String], text: &Secret) -> Result<String, SealError> {
    let recipients = recipients.iter().map(|written| recipient(written)).collect::<Result<Vec<_>, _>>()?;
    let encryptor = Encryptor::with_recipients(recipients.iter().map(|recipient| recipient as &dyn age::Recipient))
        .map_err(|_| SealError::NoRecipient)?;
    let broken = |problem: std::io::Error| SealError::Sealing { why: problem.to_string() };
    let armored = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor).map_err(broken)?;
    let mut writer = encryptor.wrap_output(armored).map_err(broken)?;
    writer.write_all(text.expose().as_bytes()).map_err(broken)?;
    let sealed = writer.finish().and_then(ArmoredWriter::finish).map_err(broken)?;
    String::from_utf8(sealed).map_err(|_| SealError::Broken)
}

/// Makes sure that there is somebody to seal for, before there is anything to seal.
///
/// # Errors
/// As for [`seal`].
pub fn check_recipients(recipients: &[String]) -> Result<(), SealError> {
    if recipients.is_empty() {
        return Err(SealError::NoRecipient);
    }
    recipients.iter().try_for_each(|written| recipient(written).map(drop))
}

fn recipient(written: &str) -> Result<Recipient, SealError> {
    Recipient::from_str(written.trim()).map_err(|_| SealError::Recipient { written: written.to_owned() })
}

/// Opens what was sealed for the identities that it holds.
#[derive(Clone)]
pub struct Opener(Vec<Identity>);

impl std::fmt::Debug for Opener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Opener {
    /// Takes identities, one a line; empty lines and comments (`#`) do not count, so that a key file can be given as it is.
    ///
    /// # Errors
    /// When a line is no identity, or there is none.
    pub fn new(identities: &Secret) -> Result<Self, SealError> {
        let lines = identities.expose().lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
        let written = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let identities = written.map(|(line, text)| Identity::from_str(text).map_err(|_| SealError::Identity { line }));
        let identities = identities.collect::<Result<Vec<_>, _>>()?;
        if identities.is_empty() { Err(SealError::NoIdentity) } else { Ok(Self(identities)) }
    }

    /// Opens a sealed text.
    ///
    /// # Errors
    /// When it is sealed for others, or is not what was sealed.
    pub fn open(&self, sealed: &str) -> Result<Secret, SealError> {
        let decryptor = Decryptor::new_buffered(ArmoredReader::new(sealed.as_bytes())).map_err(|_| SealError::Broken)?;
        let identities = self.0.iter().map(|identity| identity as &dyn age::Identity);
        let reader = decryptor.decrypt(identities).map_err(|problem| match problem {
            age::DecryptError::NoMatchingKeys => SealError::ForOthers,
            _ => SealError::Broken,
        })?;
        // What is sealed is never shorter than what was in it: nothing of it is left behind by a buffer that grew.
        let mut text = String::with_capacity(sealed.len());
        reader.take(LARGEST).read_to_string(&mut text).map_err(|_| SealError::Broken)?;
        Ok(Secret::new(text))
    }
}

#[cfg(test)]
mod tests {
    use age::secrecy::ExposeSecret as _;

    use super::*;

    fn pair() -> (String, String) {
        let identity = Identity::generate();
        (identity.to_public().to_string(), identity.to_string().expose_secret().to_owned())
    }

    #[test]
    fn r60_what_is_sealed_is_opened_by_each_recipient_and_nobody_else() {
        let ((one, one_key), (two, two_key), (_, other_key)) = (pair(), pair(), pair());
        let sealed = seal(&[one, two], &Secret::new("canary-π\n")).unwrap();
        assert!(sealed.starts_with("-----BEGIN AGE ENCRYPTED FILE-----") && !sealed.contains("canary"), "{sealed}");
        for key in [&one_key, &two_key] {
            assert_eq!(Opener::new(&Secret::new(key)).unwrap().open(&sealed).unwrap().expose(), "canary-π\n");
        }
        let several = format!("# created: today\n{other_key}\n\n  {two_key}\n");
        assert_eq!(Opener::new(&Secret::new(several)).unwrap().open(&sealed).unwrap().expose(), "canary-π\n");
        let other = Opener::new(&Secret::new(other_key)).unwrap();
        assert_eq!(other.open(&sealed).unwrap_err(), SealError::ForOthers);
        assert_eq!(format!("{other:?}"), "***");
    }

    #[test]
    fn what_is_wrong_is_said_without_the_secret() {
        let (public, key) = pair();
        let said = |problem: SealError| problem.to_string();
        let text = Secret::new("text");
        insta::assert_snapshot!(said(seal(&[], &text).unwrap_err()), @"there is nobody to seal it for");
        insta::assert_snapshot!(
            said(check_recipients(&[public.clone(), "ssh-rsa AAAA".to_owned()]).unwrap_err()),
            @"`ssh-rsa AAAA` is not an age recipient, which is a public key that begins with `age1`"
        );
        insta::assert_snapshot!(
            said(Opener::new(&Secret::new(format!("{key}\ncanary"))).unwrap_err()),
            @"line 2 is not an age identity, which is a secret key that begins with `AGE-SECRET-KEY-1`"
        );
        assert_eq!(Opener::new(&Secret::new("# nothing\n")).unwrap_err(), SealError::NoIdentity);
        let opener = Opener::new(&Secret::new(key)).unwrap();
        let sealed = seal(&[public], &text).unwrap();
        for broken in ["", "text", &sealed[..sealed.len() / 2], &sealed.replace("AGE", "AGF")] {
            assert_eq!(opener.open(broken).unwrap_err(), SealError::Broken, "{broken}");
        }
    }
}
