//! Blobs of the Git data API.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::call::{Answer, Call, Outcome, text};
use super::git::is_id;
use super::repository::Repository;

pub(super) fn get(repository: &Repository, call: &Call, id: &str) -> Outcome {
    if !is_id(id) {
        return Err(Answer::refused(422, "The sha parameter must be exactly 40 characters and contain only [0-9a-f]."));
    }
    match repository.git.object(id) {
        Some((kind, content)) if kind == "blob" => {
            if call.wants("raw") {
                return Ok(Answer::new(200, "application/vnd.github.raw+json; charset=utf-8", content));
            }
            let body = json!({
                "sha": id,
                "node_id": node("B", repository.id, id),
                "size": content.len(),
                "url": format!("{}/repos/{}/git/blobs/{id}", call.base, repository.name),
                "content": encode(&content),
                "encoding": "base64",
            });
            Ok(Answer::json(200, &body))
        }
        _ => Err(Answer::not_found()),
    }
}

pub(super) fn create(repository: &Repository, call: &Call) -> Outcome {
    let body = call.json()?;
    let content = text(&body, "content")?;
    let content = match body["encoding"].as_str().unwrap_or("utf-8") {
        "utf-8" => content.as_bytes().to_vec(),
        "base64" => decode(content).ok_or_else(|| Answer::refused(422, "content is not valid Base64"))?,
        _ => return Err(Answer::refused(422, "Invalid encoding")),
    };
    let id = repository.git.write("blob", &content).unwrap();
    let url = format!("{}/repos/{}/git/blobs/{id}", call.base, repository.name);
    Ok(Answer::json(201, &json!({"sha": id, "url": url})))
}

/// Base64 in lines, as GitHub answers it.
pub(super) fn encode(content: &[u8]) -> String {
    let text = STANDARD.encode(content);
    text.as_bytes().chunks(60).map(|line| String::from_utf8_lossy(line).into_owned() + "\n").collect()
}

/// The content of Base64 with line breaks anywhere, or none.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let text: String = text.split_ascii_whitespace().collect();
    STANDARD.decode(text).ok()
}

/// A name for GraphQL, which nobody is to understand.
pub(super) fn node(kind: &str, repository: u64, what: impl std::fmt::Display) -> String {
    format!("{kind}_{}", STANDARD.encode(format!("{repository}:{what}")))
}
