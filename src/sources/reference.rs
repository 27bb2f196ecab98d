//! The text after `use:`: which kind of source it names, and what of it.

use std::fmt;
use std::str::FromStr;

use semver::VersionReq;

use super::tree;
use crate::domain::names::PluginName;

/// The forms a source can have, for help texts.
pub const FORMS: &str =
    "write `./path`, `name@range`, `github:owner/repository//path@ref`, or `git::https://host/repository//path?ref=ref`";

/// Where a plugin comes from, as written. `Display` gives it back in its normal form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// A folder, relative to the manifest's.
    Path(String),
    /// A folder of a git repository.
    Git {
        /// The repository: a URL, `user@host:path`, or an absolute path.
        url: String,
        /// The folder in it; empty for its root.
        path: String,
        /// Tag, branch or commit; none for the default branch.
        reference: Option<String>,
    },
    /// A folder of a repository on the GitHub server that the workflow runs on.
    GitHub {
        /// The owner.
        owner: String,
        /// The repository.
        repository: String,
        /// The folder in it; empty for its root.
        path: String,
        /// Tag, branch or commit; none for the default branch.
        reference: Option<String>,
    },
    /// A plugin of the catalog.
    Catalog {
        /// Its name.
        name: PluginName,
        /// The versions that will do; `1.2` means `^1.2`.
        range: VersionReq,
    },
    /// A plugin of a StackSpot studio, which the catalog says the source of.
    StackSpot {
        /// The studio.
        studio: String,
        /// The stack; none where it is not written.
        stack: Option<String>,
        /// The plugin.
        plugin: String,
        /// Its version.
        version: String,
    },
}

/// A text that names no plugin source. It does not repeat the text, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidReference(String);

fn invalid<T>(problem: impl Into<String>) -> Result<T, InvalidReference> {
    Err(InvalidReference(problem.into()))
}

impl FromStr for Reference {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        if text.chars().any(|c| c.is_control() || c == '\\') {
            return invalid("a plugin source has no control characters or backslashes");
        }
        if [".", ".."].contains(&text) || text.starts_with("./") || text.starts_with("../") {
            return Ok(Self::Path(text.to_owned()));
        }
        if text.contains(char::is_whitespace) {
            return invalid("only a path has blanks in it");
        }
        if let Some(rest) = text.strip_prefix("git::") {
            parse_git(rest)
        } else if let Some(rest) = text.strip_prefix("github:") {
            parse_github(rest)
        } else if let Some(rest) = text.strip_prefix("stackspot:") {
            parse_stackspot(rest)
        } else if text.contains(['/', ':']) {
            invalid(if text.contains('@') {
                "this is no form of plugin source".to_owned()
            } else {
                format!("`{text}` is no form of plugin source")
            })
        } else {
            parse_catalog(text)
        }
    }
}

fn parse_catalog(text: &str) -> Result<Reference, InvalidReference> {
    let (name, range) = text.split_once('@').unwrap_or((text, "*"));
    let name = PluginName::new(name).or_else(|problem| invalid(problem.to_string()))?;
    let range =
        VersionReq::parse(range).or_else(|problem| invalid(format!("`{range}` is not a range of versions: {problem}")))?;
    Ok(Reference::Catalog { name, range })
}

fn parse_stackspot(text: &str) -> Result<Reference, InvalidReference> {
    let is_name = |name: &str| {
        (1..=128).contains(&name.len())
            && name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    let Some((place, version)) = text.split_once('@') else {
        return invalid(format!("`{text}` has no version: write `studio/stack/plugin@1.2.0`"));
    };
    if !is_name(version) && semver::Version::parse(version).is_err() {
        return invalid(format!("`{version}` is not a version"));
    }
    let names: Vec<&str> = place.split('/').collect();
    let (studio, stack, plugin) = match names.as_slice() {
        [studio, stack, plugin] => (studio, Some(stack), plugin),
        [studio, plugin] => (studio, None, plugin),
        _ => return invalid(format!("`{place}` is not `studio/stack/plugin`")),
    };
    if !names.iter().all(|name| is_name(name)) {
        return invalid(format!("`{place}` is not `studio/stack/plugin`"));
    }
    Ok(Reference::StackSpot {
        studio: (*studio).to_owned(),
        stack: stack.map(|stack| (*stack).to_owned()),
        plugin: (*plugin).to_owned(),
        version: version.to_owned(),
    })
}

fn parse_github(text: &str) -> Result<Reference, InvalidReference> {
    let (place, reference) = match text.rsplit_once('@') {
        Some((place, reference)) => (place, Some(parse_ref(reference)?)),
        None => (text, None),
    };
    let (repository, path) = place.split_once("//").unwrap_or((place, ""));
    let is_name = |name: &str| {
        !name.is_empty()
            && !name.starts_with(['.', '-'])
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    match repository.split_once('/') {
        Some((owner, repository)) if is_name(owner) && is_name(repository) => {
            let (owner, repository) = (owner.to_owned(), repository.to_owned());
            Ok(Reference::GitHub { owner, repository, path: parse_folder(path)?, reference })
        }
        _ => invalid(format!("`{repository}` is not `owner/repository`")),
    }
}

fn parse_git(text: &str) -> Result<Reference, InvalidReference> {
    let (place, reference) = match text.split_once('?') {
        None => (text, None),
        Some((place, query)) => match query.strip_prefix("ref=") {
            Some(reference) => (place, Some(parse_ref(reference)?)),
            None => return invalid("the only thing that can follow `?` is `ref=`"),
        },
    };
    // The `//` of `https://` does not start the folder.
    let after_scheme = place.find("://").map_or(0, |at| at + 3);
    let (url, path) = match place[after_scheme..].find("//") {
        Some(at) => (&place[..after_scheme + at], &place[after_scheme + at + 2..]),
        None => (place, ""),
    };
    check_url(url)?;
    Ok(Reference::Git { url: url.to_owned(), path: parse_folder(path)?, reference })
}

/// Refuses what git would take for an option, for a helper program or for another place than it seems to be.
fn check_url(url: &str) -> Result<(), InvalidReference> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    if user.contains(':') || (scheme.starts_with("http") && !user.is_empty()) {
        return invalid("the URL holds credentials, which would end up in git; leave them to a git credential helper or to ssh");
    }
    if url.contains("::") || url.starts_with('-') || user.starts_with('-') || host.starts_with('-') {
        return invalid(format!("`{url}` is not a repository's URL"));
    }
    let lower = path.to_ascii_lowercase();
    if lower.contains("%2e") || lower.split(['/', ':']).any(|part| part == "..") {
        return invalid(format!("`{url}` has `..` in it"));
    }
    match scheme {
        "https" | "http" | "ssh" | "git" if !host.is_empty() && !path.is_empty() => Ok(()),
        "file" if host.is_empty() => Ok(()),
        // An absolute path, or `host:path` as ssh writes it.
        "" if url.starts_with('/') || host.split_once(':').is_some_and(|(host, _)| !host.is_empty()) => Ok(()),
        _ => invalid(format!("`{url}` is not a repository's URL")),
    }
}

fn parse_ref(text: &str) -> Result<String, InvalidReference> {
    let is_ref =
        !text.is_empty() && !text.starts_with('-') && !text.contains("..") && !text.contains(['~', '^', ':', '?', '*', '[']);
    if is_ref { Ok(text.to_owned()) } else { invalid(format!("`{text}` is not a tag, branch or commit")) }
}

fn parse_folder(text: &str) -> Result<String, InvalidReference> {
    let folder = text.trim_end_matches('/');
    if folder.is_empty() || tree::is_plain_path(folder) {
        Ok(folder.to_owned())
    } else {
        invalid(format!("`{text}` is not a folder inside the repository"))
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let folder = |f: &mut fmt::Formatter<'_>, path: &str| if path.is_empty() { Ok(()) } else { write!(f, "//{path}") };
        match self {
            Self::Path(path) => f.write_str(path),
            Self::Catalog { name, range } => write!(f, "{name}@{range}"),
            Self::StackSpot { studio, stack, plugin, version } => {
                write!(f, "stackspot:{studio}/")?;
                stack.iter().try_for_each(|stack| write!(f, "{stack}/"))?;
                write!(f, "{plugin}@{version}")
            }
            Self::Git { url, path, reference } => {
                write!(f, "git::{url}")?;
                folder(f, path)?;
                reference.as_ref().map_or(Ok(()), |reference| write!(f, "?ref={reference}"))
            }
            Self::GitHub { owner, repository, path, reference } => {
                write!(f, "github:{owner}/{repository}")?;
                folder(f, path)?;
                reference.as_ref().map_or(Ok(()), |reference| write!(f, "@{reference}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(url: &str, path: &str, reference: Option<&str>) -> Reference {
        Reference::Git { url: url.into(), path: path.into(), reference: reference.map(str::to_owned) }
    }

    fn stackspot(stack: Option<&str>, version: &str) -> Reference {
        let (studio, plugin) = ("acme".to_owned(), "aws-vpc".to_owned());
        Reference::StackSpot { studio, stack: stack.map(str::to_owned), plugin, version: version.to_owned() }
    }

    #[test]
    fn each_form_is_read_and_written_back() {
        let github = Reference::GitHub {
            owner: "acme".into(),
            repository: "plugins".into(),
            path: "postgres".into(),
            reference: Some("1.4.0".into()),
        };
        for (text, expected) in [
            ("./plugins/my web", Reference::Path("./plugins/my web".into())),
            ("..", Reference::Path("..".into())),
            ("github:acme/plugins//postgres@1.4.0", github),
            ("git::https://git.test/a/b.git", git("https://git.test/a/b.git", "", None)),
            ("git::https://git.test/a/b//x/y?ref=rel/1", git("https://git.test/a/b", "x/y", Some("rel/1"))),
            ("git::ssh://git@git.test/b//x", git("ssh://git@git.test/b", "x", None)),
            ("git::git@git.test:a/b.git//x?ref=v1", git("git@git.test:a/b.git", "x", Some("v1"))),
            ("git::file:///srv/b//x", git("file:///srv/b", "x", None)),
            ("git::/srv/b//x", git("/srv/b", "x", None)),
            ("stackspot:acme/cloud/aws-vpc@1.2.0-beta.1+5", stackspot(Some("cloud"), "1.2.0-beta.1+5")),
            ("stackspot:acme/aws-vpc@1", stackspot(None, "1")),
        ] {
            let read: Reference = text.parse().unwrap();
            assert_eq!(read, expected, "{text}");
            assert_eq!(read.to_string(), text);
        }
    }

    #[test]
    fn a_bare_name_takes_a_range() {
        for (text, shown) in [("postgres", "postgres@*"), ("postgres@1", "postgres@^1"), ("postgres@^1.2", "postgres@^1.2")] {
            assert_eq!(text.parse::<Reference>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_source_or_hides_one_is_refused() {
        for text in [
            "",
            "plugins/web",
            "/etc",
            "https://git.test/a",
            "Postgres",
            "postgres@latest",
            "github:acme",
            "github:acme/plugins//../x@1",
            "git::ext::sh -c x",
            "git::ext::sh",
            "git::-u/x",
            "git::ssh://-oProxyCommand=x/y",
            "git::origin",
            "git::../x",
            "git::https://git.test/a/../b",
            "git::https://git.test/a/%2E%2e/b",
            "git::https://git.test/a//../b",
            "git::https://git.test/a?ref=-x",
            "git::https://git.test/a?ref=",
            "git::https://git.test/a?depth=1",
            "git::ftp://git.test/a",
            "stackspot:acme/cloud/vpc",
            "stackspot:acme/cloud/vpc@",
            "stackspot:vpc@1.0.0",
            "stackspot:a/b/c/d@1.0.0",
            "stackspot:../cloud/vpc@1.0.0",
            "stackspot:acme/cloud/vpc@../1",
            "./a\nb",
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text}");
        }
    }

    #[test]
    fn r64_credentials_in_a_url_are_refused_and_not_repeated() {
        for text in ["git::https://me:hunter2@git.test/a", "git::https://hunter2@git.test/a", "https://me:hunter2@git.test/a"] {
            assert!(!text.parse::<Reference>().unwrap_err().to_string().contains("hunter2"));
        }
    }
}
