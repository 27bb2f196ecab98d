//! Files as the contents API tells of them.

use serde_json::{Value, json};

use super::call::{Answer, Call, Outcome, text};
use super::commits;
use super::objects::{decode, encode};
use super::repository::{DEFAULT_BRANCH, Repository};
use super::trees::{self, Entry};

/// Above this a file's content is given raw only.
const INLINE_LIMIT: usize = 1 << 20;

pub(super) fn get(repository: &Repository, call: &Call, path: &str) -> Outcome {
    let git = &repository.git;
    if git.is_empty() {
        return Err(Answer::refused(404, "This repository is empty."));
    }
    let query = call.query();
    let at = query.get("ref").map_or(DEFAULT_BRANCH, String::as_str);
    let unknown = || Answer::refused(404, &format!("No commit found for the ref {at}"));
    let commit = git.resolve(at, "commit").ok_or_else(unknown)?;
    if let Some(folder) = git.at(&commit, path, "tree") {
        let said = String::from_utf8_lossy(&git.run(&["ls-tree", "-z", "-l", &folder], b"").unwrap()).into_owned();
        let entries = said.split_terminator('\0').map(|line| {
            let (about, name) = line.split_once('\t').unwrap();
            let [_, kind, id, size] = about.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{line}") };
            let path = if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
            describe(repository, call, at, &path, kind, id, size.parse().unwrap_or(0))
        });
        return Ok(Answer::json(200, &entries.collect::<Value>()));
    }
    let id = git.at(&commit, path, "blob").ok_or_else(Answer::not_found)?;
    let (_, content) = git.object(&id).unwrap();
    if call.wants("raw") {
        return Ok(Answer::new(200, "application/vnd.github.raw+json; charset=utf-8", content));
    }
    let mut file = describe(repository, call, at, path, "blob", &id, content.len());
    let is_inline = content.len() <= INLINE_LIMIT;
    file["encoding"] = if is_inline { "base64" } else { "none" }.into();
    file["content"] = if is_inline { encode(&content) } else { String::new() }.into();
    Ok(Answer::json(200, &file))
}

/// Writes one file; the only way into an empty repository.
pub(super) fn put(repository: &Repository, call: &Call, path: &str) -> Outcome {
    let git = &repository.git;
    let body = call.json()?;
    let (message, content) = (text(&body, "message")?, text(&body, "content")?);
    let content = decode(content).ok_or_else(|| Answer::refused(422, "content is not valid Base64"))?;
    let branch = body["branch"].as_str().unwrap_or(DEFAULT_BRANCH);
    let reference = format!("refs/heads/{branch}");
    let parent = git.resolve(&reference, "commit");
    if parent.is_none() && !git.is_empty() {
        return Err(Answer::refused(404, &format!("Branch {branch} not found")));
    }
    let before = parent.as_ref().and_then(|parent| git.at(parent, path, "blob"));
    match (&before, body["sha"].as_str()) {
        (Some(_), None) => return Err(Answer::refused(422, "Invalid request.\n\n\"sha\" wasn't supplied.")),
        (Some(before), Some(id)) if before != id => return Err(Answer::refused(409, &format!("{path} does not match {id}"))),
        _ => {}
    }
    let base = parent.as_ref().and_then(|parent| git.resolve(parent, "tree"));
    let tree = trees::build(git, base.as_deref(), &[Entry::file(path, &content)]).map_err(|why| Answer::refused(422, &why))?;
    let commit = commits::write(git, &tree, parent.as_slice(), message).map_err(|why| Answer::refused(422, &why))?;
    git.run(&["update-ref", &reference, &commit], b"").unwrap();
    let id = git.at(&commit, path, "blob").unwrap();
    let file = describe(repository, call, branch, path, "blob", &id, content.len());
    let status = if before.is_some() { 200 } else { 201 };
    let commit = commits::Commit::read(git, &commit).unwrap().json(repository, call);
    Ok(Answer::json(status, &json!({"content": file, "commit": commit})))
}

fn describe(repository: &Repository, call: &Call, at: &str, path: &str, kind: &str, id: &str, size: usize) -> Value {
    let (api, web) = (format!("{}/repos/{}", call.base, repository.name), format!("https://github.com/{}", repository.name));
    let (kind, folder) = if kind == "tree" { ("dir", "trees") } else { ("file", "blobs") };
    let url = format!("{api}/contents/{path}?ref={at}");
    let git_url = format!("{api}/git/{folder}/{id}");
    let html_url = format!("{web}/blob/{at}/{path}");
    let download = format!("https://raw.githubusercontent.com/{}/{at}/{path}", repository.name);
    json!({
        "type": kind,
        "name": path.rsplit('/').next(),
        "path": path,
        "sha": id,
        "size": size,
        "url": url,
        "git_url": git_url,
        "html_url": html_url,
        "download_url": if kind == "file" { json!(download) } else { Value::Null },
        "_links": {"self": url, "git": git_url, "html": html_url},
    })
}
