//! People and bots, as the API shows them.

use serde_json::{Value, json};

use super::call::{Answer, Call};
use super::repository::Repository;

/// What somebody may do in a repository: write, unless they are known to read only.
pub(super) fn permission(repository: &Repository, call: &Call, login: &str) -> Answer {
    let permission = if repository.readers.contains(login) { "read" } else { "write" };
    let mut user = person(&call.base, login, "User");
    user["role_name"] = permission.into();
    Answer::json(200, &json!({"permission": permission, "role_name": permission, "user": user}))
}

/// Who acts by a token.
pub(super) fn bot(base: &str) -> Value {
    person(base, "double[bot]", "Bot")
}

/// An account: of a `User`, an `Organization` or a `Bot`.
pub(super) fn person(base: &str, login: &str, kind: &str) -> Value {
    let escaped = login.replace('[', "%5B").replace(']', "%5D");
    let url = format!("{base}/users/{escaped}");
    json!({
        "login": login,
        "id": login.bytes().fold(1_u64, |id, byte| (id * 31 + u64::from(byte)) % 1_000_000_007),
        "node_id": format!("U_{login}"),
        "avatar_url": format!("https://avatars.githubusercontent.com/{escaped}"),
        "gravatar_id": "",
        "url": url,
        "html_url": format!("https://github.com/{escaped}"),
        "followers_url": format!("{url}/followers"),
        "following_url": format!("{url}/following"),
        "gists_url": format!("{url}/gists"),
        "starred_url": format!("{url}/starred"),
        "subscriptions_url": format!("{url}/subscriptions"),
        "organizations_url": format!("{url}/orgs"),
        "repos_url": format!("{url}/repos"),
        "events_url": format!("{url}/events"),
        "received_events_url": format!("{url}/received_events"),
        "type": kind,
        "user_view_type": "public",
        "site_admin": false,
    })
}
