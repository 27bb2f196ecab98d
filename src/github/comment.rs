//! One comment on a pull request per place, found again and kept up to date.

use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::client::{Client, Repository};
use super::error::ApiError;
use super::standing::is_member;

/// The longest comment that the server takes, in characters.
pub const LONGEST_COMMENT: usize = 65_536;

/// Comments that are read at a time, the most there can be.
const PAGE: usize = 100;

/// Pages that are read: a pull request with more comments gets a new one.
const MOST_PAGES: usize = 20;

/// A comment, as far as it matters.
#[derive(Deserialize)]
struct Comment {
    id: u64,
    html_url: String,
    body: Option<String>,
    user: Option<User>,
    #[serde(default)]
    author_association: String,
}

/// Who wrote something.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct User {
    #[serde(rename = "type")]
    kind: String,
}

/// Whether what somebody wrote can be ours: of an app, or of a person of the repository's own. Anybody may write our marker.
pub(super) fn is_trusted(author: Option<&User>, association: &str) -> bool {
    author.is_some_and(|user| user.kind == "Bot") || is_member(association)
}

/// Sees to it that the pull request `number` has one comment for `place` (`<workspace>/<environment>/<deployable>`), and that it
/// says `text`. A text that is too long is cut after a line. One write at most.
///
/// Returns the comment's address.
///
/// # Errors
/// When the comments cannot be read or written.
pub async fn upsert(client: &Client, repository: &Repository, number: u64, place: &str, text: &str) -> Result<String, ApiError> {
    let marker = format!("<!-- tieline: {} -->\n", place.replace('>', ""));
    let issues = format!("{}/issues", repository.route());
    let body = format!("{marker}{}", fitting(text, LONGEST_COMMENT - marker.chars().count()));
    let written: Comment = match find(client, &format!("{issues}/{number}/comments"), &marker).await? {
        Some(comment) if comment.body.as_deref().map(unix_lines).as_deref() == Some(&body) => comment,
        Some(Comment { id, .. }) => {
            client.send(Method::PATCH, &format!("{issues}/comments/{id}"), &json!({ "body": body })).await?
        }
        None => client.send(Method::POST, &format!("{issues}/{number}/comments"), &json!({ "body": body })).await?,
    };
    Ok(written.html_url)
}

async fn find(client: &Client, route: &str, marker: &str) -> Result<Option<Comment>, ApiError> {
    for page in 1..=MOST_PAGES {
        let comments: Vec<Comment> = client.get(&format!("{route}?per_page={PAGE}&page={page}")).await?;
        let is_last = comments.len() < PAGE;
        let starts = |comment: &Comment| comment.body.as_deref().is_some_and(|body| unix_lines(body).starts_with(marker));
        let found = comments
            .into_iter()
            .find(|comment| starts(comment) && is_trusted(comment.user.as_ref(), &comment.author_association));
        if found.is_some() || is_last {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The server may give line ends as browsers send them.
pub(super) fn unix_lines(text: &str) -> String {
    text.replace("\r\n", "\n")
}

/// `text`, cut after a line where it has more than `most` characters.
fn fitting(text: &str, most: usize) -> String {
    const CUT: &str = "\n(cut: it was too long)\n";
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most - CUT.len()).collect();
    let end = kept.rfind('\n').unwrap_or(kept.len());
    format!("{}{CUT}", &kept[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_after_a_line() {
        let line = "é".repeat(50) + "\n";
        let cut = fitting(&line.repeat(10), 300);
        assert_eq!(cut, format!("{}{}", line.repeat(5).trim_end(), "\n(cut: it was too long)\n"));
        assert!(cut.chars().count() <= 300);
        assert_eq!(fitting(&line, 51), line);
        assert!(fitting(&"x".repeat(100), 50).chars().count() <= 50);
    }
}
