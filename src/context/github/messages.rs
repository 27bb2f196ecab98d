//! What the routes take and what they answer, as far as a store needs it.

use serde::{Deserialize, Serialize};

/// What is in a tree.
#[derive(Deserialize)]
pub(super) struct Listing {
    #[serde(rename = "tree")]
    pub(super) entries: Vec<Listed>,
    /// Whether there was more than the server answers with.
    #[serde(default)]
    pub(super) truncated: bool,
}

#[derive(Deserialize)]
pub(super) struct Listed {
    pub(super) path: String,
    pub(super) mode: String,
    #[serde(rename = "sha")]
    pub(super) id: String,
}

/// What becomes of a file in a new tree.
#[derive(Serialize)]
pub(super) struct NewEntry {
    path: String,
    mode: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(flatten)]
    content: Content,
}

#[derive(Serialize)]
enum Content {
    #[serde(rename = "content")]
    Text(String),
    /// None takes the file away.
    #[serde(rename = "sha")]
    Blob(Option<String>),
}

impl NewEntry {
    pub(super) fn text(path: &str, executable: bool, text: &str) -> Self {
        Self::new(path, executable, Content::Text(text.to_owned()))
    }

    pub(super) fn blob(path: &str, executable: bool, id: String) -> Self {
        Self::new(path, executable, Content::Blob(Some(id)))
    }

    pub(super) fn removed(path: &str) -> Self {
        Self::new(path, false, Content::Blob(None))
    }

    fn new(path: &str, executable: bool, content: Content) -> Self {
        Self { path: path.to_owned(), mode: if executable { "100755" } else { "100644" }, kind: "blob", content }
    }

    /// About so many bytes of a request.
    pub(super) fn size(&self) -> usize {
        let content = if let Content::Text(text) = &self.content { text.len() } else { 0 };
        self.path.len() + content
    }
}

/// Something that has an id.
#[derive(Deserialize)]
pub(super) struct Object {
    #[serde(rename = "sha")]
    pub(super) id: String,
}

#[derive(Deserialize)]
pub(super) struct Reference {
    #[serde(rename = "ref")]
    pub(super) name: String,
    pub(super) object: Object,
}

#[derive(Deserialize)]
pub(super) struct CommitAnswer {
    #[serde(rename = "sha")]
    pub(super) id: String,
    pub(super) tree: Object,
    pub(super) parents: Vec<Object>,
}

#[derive(Deserialize)]
pub(super) struct Blob {
    pub(super) content: String,
    pub(super) encoding: String,
}

#[derive(Deserialize)]
pub(super) struct MadeFile {
    pub(super) commit: Object,
}
