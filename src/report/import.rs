//! Documents in their native form, for programs.

use serde_json::{Value, json};

use super::to_json;

/// A document in its native form.
pub struct Document<'a> {
    /// Its file.
    pub file: &'a str,
    /// Its text.
    pub text: String,
    /// What a person must know of it.
    pub comments: Vec<&'a str>,
}

/// The documents as JSON.
pub fn json(documents: &[Document<'_>]) -> String {
    let documents: Vec<Value> =
        documents.iter().map(|one| json!({"file": one.file, "text": one.text, "comments": one.comments})).collect();
    to_json(&json!({"schemaVersion": 1, "documents": documents}))
}
