//! Names of StackSpot as names of ours.

use semver::Version;
use serde_json::Value;

use crate::domain::connection_type::TypeRef;

/// The longest name.
const LONGEST: usize = 63;

/// The text as a name of lower-case letters, digits and `-`; none where nothing of it can be part of one. The same text always gives
/// the same name: states and records are kept under it.
pub(super) fn plain(text: &str) -> Option<String> {
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = text.trim().chars().take(4 * LONGEST).map(allowed).collect();
    let name = name.trim_matches('-');
    let first = name.chars().next()?;
    let name = if first.is_ascii_digit() { format!("n{name}") } else { name.to_owned() };
    let cut = name.get(..LONGEST).unwrap_or(&name);
    Some(cut.trim_end_matches('-').to_owned())
}

/// The text as a valid name of its kind.
pub(super) fn named<T: TryFrom<String>>(text: &str) -> Option<T> {
    T::try_from(plain(text)?).ok()
}

/// The connection interface type that a text names, such as `aws-s3-conn`.
pub(super) fn type_ref(text: &str) -> Option<TypeRef> {
    let (name, version) = text.trim().split_once('@').unwrap_or((text, ""));
    let name: Option<Vec<String>> = name.splitn(2, '/').map(plain).collect();
    let name = name?.join("/");
    if version.is_empty() { name.parse().ok() } else { format!("{name}@{version}").parse().ok() }
}

/// The version that is written: none where it is `latest` or missing, an error where it is not one.
pub(super) fn version(written: Option<&str>) -> Result<Option<Version>, ()> {
    let Some(text) = written.map(str::trim).filter(|text| !text.is_empty() && *text != "latest") else { return Ok(None) };
    let text = text.strip_prefix('v').unwrap_or(text);
    let missing = 2_usize.saturating_sub(text.matches('.').count());
    Version::parse(text).or_else(|_| Version::parse(&format!("{text}{}", ".0".repeat(missing)))).map(Some).map_err(|_| ())
}

/// A plain value as text.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_valid_and_always_the_same() {
        let long = "x".repeat(80);
        let cases = [
            ("bucket_s3", Some("bucket-s3")),
            ("AWS S3", Some("aws-s3")),
            ("3scale", Some("n3scale")),
            ("-conexão-", Some("conex-o")),
            ("___", None),
            ("", None),
            (&long, Some(&long[..63])),
        ];
        for (text, name) in cases {
            assert_eq!(plain(text).as_deref(), name, "{text}");
        }
    }

    #[test]
    fn versions_are_read_as_they_are_written() {
        assert_eq!(version(Some("1.0")), Ok(Some(Version::new(1, 0, 0))));
        assert_eq!(version(Some("v2.1.3")), Ok(Some(Version::new(2, 1, 3))));
        assert_eq!(version(Some("latest")), Ok(None));
        assert_eq!(version(Some("soon")), Err(()));
    }

    #[test]
    fn types_may_say_their_version() {
        assert_eq!(type_ref("aws_s3-conn").unwrap().to_string(), "aws-s3-conn");
        assert_eq!(type_ref("Acme/aws-s3-conn@2").unwrap().to_string(), "acme/aws-s3-conn@2");
        assert_eq!(type_ref("@"), None);
    }
}
