//! Commits and what lies between them, and the archive of one.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::call::{Answer, Call, Outcome};
use super::commits::Commit;
use super::people::bot;
use super::repository::{DEFAULT_BRANCH, Repository};

/// The commit that a name leads to; its id alone, where the caller asks for that.
pub(super) fn commit(repository: &Repository, call: &Call, name: &str) -> Outcome {
    if repository.git.is_empty() {
        return Err(Answer::refused(409, "Git Repository is empty."));
    }
    let id = repository.git.resolve(name, "commit");
    let id = id.ok_or_else(|| Answer::refused(422, &format!("No commit found for SHA: {name}")))?;
    if call.wants("sha") {
        return Ok(Answer::new(200, "application/vnd.github.sha; charset=utf-8", id.into_bytes()));
    }
    let parent = repository.git.resolve(&format!("{id}^"), "commit");
    let files = files(repository, call, parent.as_deref(), &id);
    let changed = |field: &str| files.iter().filter_map(|file| file[field].as_u64()).sum::<u64>();
    let mut shown = describe(repository, call, &id);
    shown["stats"] = json!({"additions": changed("additions"), "deletions": changed("deletions"), "total": changed("changes")});
    shown["files"] = files.into();
    Ok(Answer::json(200, &shown))
}

/// What `basehead` (`base...head`) says of two commits.
pub(super) fn compare(repository: &Repository, call: &Call, basehead: &str) -> Outcome {
    let git = &repository.git;
    let (base, head) = basehead.split_once("...").ok_or_else(Answer::not_found)?;
    let resolve = |name: &str| git.resolve(name, "commit").ok_or_else(Answer::not_found);
    let (base, head) = (resolve(base)?, resolve(head)?);
    let no_base = || Answer::refused(404, &format!("No common ancestor between {base} and {head}."));
    let common = git.line(&["merge-base", &base, &head]).ok_or_else(no_base)?;
    let between = |from: &str, to: &str| -> Vec<String> {
        let said = git.run(&["rev-list", "--reverse", &format!("{from}..{to}")], b"").unwrap();
        String::from_utf8_lossy(&said).lines().map(str::to_owned).collect()
    };
    let (ahead, behind) = (between(&base, &head), between(&head, &base));
    let status = match (ahead.is_empty(), behind.is_empty()) {
        (true, true) => "identical",
        (false, true) => "ahead",
        (true, false) => "behind",
        (false, false) => "diverged",
    };
    let web = format!("{}/compare/{basehead}", repository.web());
    let shown = json!({
        "url": format!("{}/repos/{}/compare/{basehead}", call.base, repository.name),
        "html_url": web,
        "permalink_url": web,
        "diff_url": format!("{web}.diff"),
        "patch_url": format!("{web}.patch"),
        "base_commit": describe(repository, call, &base),
        "merge_base_commit": describe(repository, call, &common),
        "status": status,
        "ahead_by": ahead.len(),
        "behind_by": behind.len(),
        "total_commits": ahead.len(),
        "commits": ahead.iter().map(|id| describe(repository, call, id)).collect::<Vec<_>>(),
        "files": files(repository, call, Some(&common), &head),
    });
    Ok(Answer::json(200, &shown))
}

/// Leads to the archive, on another host.
pub(super) fn archive(repository: &Repository, codeload: &str, name: &str) -> Outcome {
    let name = if name.is_empty() { DEFAULT_BRANCH } else { name };
    repository.git.resolve(name, "commit").ok_or_else(Answer::not_found)?;
    let place = format!("{codeload}/{}/legacy.tar.gz/{name}", repository.name);
    let place = if repository.public { place } else { format!("{place}?token={}", repository.archive_token()) };
    Ok(Answer { status: StatusCode::FOUND, headers: vec![("location", place)], body: Vec::new() })
}

/// The archive of a commit: one folder, `owner-name-commit`, and the commit's id in the header of the archive.
pub(super) fn pack(repository: &Repository, name: &str) -> Option<Vec<u8>> {
    let id = repository.git.resolve(name, "commit")?;
    if let Some(archive) = &repository.archive {
        return Some(archive.clone());
    }
    let folder = format!("--prefix={}-{}/", repository.name.replace('/', "-"), &id[..7]);
    repository.git.run(&["archive", "--format=tar.gz", &folder, &id], b"").ok()
}

fn describe(repository: &Repository, call: &Call, id: &str) -> Value {
    let mut commit = Commit::read(&repository.git, id).unwrap().json(repository, call);
    let mut take = |field: &str| commit[field].take();
    let (parents, verification, tree, message) = (take("parents"), take("verification"), take("tree"), take("message"));
    let (author, committer) = (take("author"), take("committer"));
    let url = format!("{}/repos/{}/commits/{id}", call.base, repository.name);
    let parents: Vec<Value> = parents
        .as_array()
        .unwrap()
        .iter()
        .cloned()
        .map(|mut parent| {
            parent["url"] = parent["url"].as_str().unwrap().replace("/git/commits/", "/commits/").into();
            parent
        })
        .collect();
    json!({
        "sha": id,
        "node_id": commit["node_id"],
        "url": url,
        "html_url": commit["html_url"],
        "comments_url": format!("{url}/comments"),
        "commit": {
            "url": commit["url"],
            "author": author,
            "committer": committer,
            "message": message,
            "tree": tree,
            "comment_count": 0,
            "verification": verification,
        },
        "author": bot(&call.base),
        "committer": bot(&call.base),
        "parents": parents,
    })
}

/// The files that differ; all of them, where there is nothing to compare with.
fn files(repository: &Repository, call: &Call, from: Option<&str>, to: &str) -> Vec<Value> {
    let trees: Vec<&str> = from.map_or_else(|| vec!["--root", to], |from| vec![from, to]);
    let diff = |form: &str| {
        let arguments: Vec<&str> =
            ["diff-tree", "-r", "-z", "--no-commit-id", "--no-renames", form].into_iter().chain(trees.clone()).collect();
        String::from_utf8_lossy(&repository.git.run(&arguments, b"").unwrap()).into_owned()
    };
    let (raw, counted) = (diff("--raw"), diff("--numstat"));
    let raw: Vec<&str> = raw.split_terminator('\0').collect();
    let counted = counted.split_terminator('\0');
    raw.chunks(2)
        .zip(counted)
        .map(|(raw, counted)| {
            let [about, path] = raw else { panic!("{raw:?}") };
            let [_, _, _, id, status] = about.split(' ').collect::<Vec<_>>()[..] else { panic!("{about}") };
            let [additions, deletions, _] = counted.split('\t').collect::<Vec<_>>()[..] else { panic!("{counted}") };
            let (additions, deletions) = (additions.parse().unwrap_or(0_u64), deletions.parse().unwrap_or(0_u64));
            let web = repository.web();
            json!({
                "sha": id,
                "filename": path,
                "status": match status { "A" => "added", "D" => "removed", _ => "modified" },
                "additions": additions,
                "deletions": deletions,
                "changes": additions + deletions,
                "blob_url": format!("{web}/blob/{to}/{path}"),
                "raw_url": format!("{web}/raw/{to}/{path}"),
                "contents_url": format!("{}/repos/{}/contents/{path}?ref={to}", call.base, repository.name),
            })
        })
        .collect()
}
