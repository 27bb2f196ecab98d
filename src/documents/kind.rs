//! The kinds of documents.

use std::fmt;
use std::str::FromStr;

use crate::domain::nearest::nearest;

/// A kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A deployable's `tieline.yaml`.
    Manifest,
    /// A plugin's `plugin.yaml`.
    Plugin,
    /// A contract between plugins.
    ConnectionInterfaceType,
    /// What holds for the whole organization.
    Context,
    /// Where plugins come from.
    Catalog,
    /// A group of environments.
    Workspace,
    /// A place to deploy to.
    Environment,
    /// A connection written by hand.
    ImportedConnection,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Manifest,
        Self::Plugin,
        Self::ConnectionInterfaceType,
        Self::Context,
        Self::Catalog,
        Self::Workspace,
        Self::Environment,
        Self::ImportedConnection,
    ];

    /// The name that `tieline schema` takes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::Plugin => "plugin",
            Self::ConnectionInterfaceType => "connection-interface-type",
            Self::Context => "context",
            Self::Catalog => "catalog",
            Self::Workspace => "workspace",
            Self::Environment => "environment",
            Self::ImportedConnection => "imported-connection",
        }
    }

    /// What a document of this kind may have as its `kind`.
    pub(super) fn written(self) -> &'static [&'static str] {
        match self {
            Self::Manifest => &["Application", "SharedInfra"],
            Self::Plugin => &["Plugin"],
            Self::ConnectionInterfaceType => &["ConnectionInterfaceType"],
            Self::Context => &["Context"],
            Self::Catalog => &["Catalog"],
            Self::Workspace => &["Workspace"],
            Self::Environment => &["Environment"],
            Self::ImportedConnection => &["ImportedConnection"],
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.as_str().replace('-', " "))
    }
}

impl FromStr for Kind {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let names = Self::ALL.map(Self::as_str);
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| match nearest(text, names) {
            Some(name) => format!("`{text}` is not a kind of document; did you mean `{name}`?"),
            None => format!("`{text}` is not a kind of document; there are {}", names.join(", ")),
        })
    }
}
