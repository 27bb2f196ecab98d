//! Where a context repository is.

use std::fmt;
use std::path::{Path, PathBuf};

use super::StoreError;
use crate::github::Repository;

/// Where a context repository is. Printing it hides credentials.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A bare repository on this machine, by its full path.
    Local(PathBuf),
    /// A git remote, as git takes it.
    Remote(String),
    /// A repository on the GitHub server that the workflow runs on, spoken to by the server's API.
    GitHub(Repository),
}

/// What stands before the name of a repository on the GitHub server.
const GITHUB: &str = "github:";

impl Location {
    /// Reads a location as people write it: a path, from `base`, what git takes as a remote (`<scheme>://…`, `host:path`), or
    /// `github:<owner>/<repository>`.
    ///
    /// # Errors
    /// When it is empty, or would make git run a program or take it for an option.
    pub fn parse(text: &str, base: &Path) -> Result<Self, StoreError> {
        let refuse =
            |why: &str| Err(StoreError::Unavailable { what: format!("`{}`", hide_credentials(text)), why: why.to_owned() });
        // What stands before a path's first slash may be a host (`host:path`), a scheme (`https://`) or a helper (`ext::`).
        let before_slash = text.split('/').next().unwrap_or_default();
        if text.is_empty() {
            refuse("its address is empty")
        } else if text.starts_with('-') || text.contains(char::is_control) {
            refuse("this is no address of a repository")
        } else if let Some(repository) = text.strip_prefix(GITHUB) {
            repository.parse().map_or_else(
                |_| refuse("a repository on GitHub is `github:<owner>/<repository>`"),
                |found| Ok(Self::GitHub(found)),
            )
        } else if before_slash.contains("::") {
            refuse("addresses with a remote helper (`<helper>::`) can run programs and are not accepted")
        } else if before_slash.contains(':') {
            Ok(Self::Remote(text.to_owned()))
        } else {
            Ok(Self::Local(base.join(text)))
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) => write!(f, "`{}`", path.display()),
            Self::Remote(url) => write!(f, "`{}`", hide_credentials(url)),
            Self::GitHub(repository) => write!(f, "`{GITHUB}{repository}`"),
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `text` with stars where a URL in it has a user name and password.
pub(super) fn hide_credentials(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        clean.push_str(before);
        clean.push_str("://");
        let end = after.find(|c: char| c == '/' || c.is_whitespace() || "'\"`".contains(c)).unwrap_or(after.len());
        let authority = &after[..end];
        rest = match authority.rfind('@') {
            Some(at) => {
                clean.push_str("***");
                &after[at..]
            }
            None => after,
        };
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_remotes_are_told_apart() {
        let parse = |text| Location::parse(text, Path::new("/base")).unwrap();
        assert_eq!(parse("a/context.git"), Location::Local("/base/a/context.git".into()));
        assert_eq!(parse("/a:b/context.git"), Location::Local("/a:b/context.git".into()));
        for remote in ["https://git.example/acme/context", "git@git.example:acme/context.git", "file:///srv/context.git"] {
            assert_eq!(parse(remote), Location::Remote(remote.into()));
        }
    }

    #[test]
    fn a_repository_on_github_is_named_by_owner_and_name() {
        let location = Location::parse("github:acme/context.one", Path::new("/")).unwrap();
        assert_eq!(location, Location::GitHub(Repository { owner: "acme".into(), name: "context.one".into() }));
        assert_eq!(location.to_string(), "`github:acme/context.one`");
        for bad in ["github:", "github:acme", "github:acme/context/x", "github:acme/..", "github:a b/c", "github:/c"] {
            let problem = Location::parse(bad, Path::new("/")).unwrap_err().to_string();
            assert!(problem.ends_with("a repository on GitHub is `github:<owner>/<repository>`"), "{problem}");
        }
    }

    #[test]
    fn an_address_that_runs_a_program_is_refused() {
        for bad in ["", "-u/x", "--upload-pack=x", "ext::sh -c x", "fd::17", "a\nb"] {
            assert!(Location::parse(bad, Path::new("/")).is_err(), "{bad}");
        }
    }

    #[test]
    fn r66_credentials_in_addresses_are_hidden() {
        for (text, clean) in [
            ("https://u:p@git.example/a", "https://***@git.example/a"),
            ("fatal: unable to access 'https://tok:a@b@h/x': 403", "fatal: unable to access 'https://***@h/x': 403"),
            ("ssh://git@h/x then https://t@h", "ssh://***@h/x then https://***@h"),
            ("no url, mail a@b", "no url, mail a@b"),
        ] {
            assert_eq!(hide_credentials(text), clean);
        }
        let location = Location::parse("https://u:p@git.example/a", Path::new("/")).unwrap();
        assert_eq!(format!("{location} {location:?}"), "`https://***@git.example/a` `https://***@git.example/a`");
    }
}
