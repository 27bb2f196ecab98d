//! Every route there is, and the permission it takes.

use super::access::Door;
use super::call::{Answer, Call, Outcome};
use super::state::State;
use super::{
    about, apps, checks, comments, commits, contents, deployments, history, identity, issues, objects, people, pulls, references,
    trees, workflow_runs,
};

/// Carries a call out.
pub(super) fn answer(state: &mut State, call: &Call) -> Outcome {
    if call.header("user-agent").is_none() {
        let message = "Request forbidden by administrative rules. Please make sure your request has a User-Agent header";
        return Err(Answer::refused(403, message));
    }
    let parts = call.parts();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match parts.as_slice() {
        ["repos", owner, name, "git", rest @ ..] => data(state, call, (owner, name), rest),
        ["repos", owner, name, "installation"] => apps::find(state, call, owner, name),
        ["repos", owner, name, rest @ ..] => repository(state, call, (owner, name), rest),
        // Not in GitHub's description, and what it leads to itself where a repository was renamed.
        ["repositories", id] => {
            let found = state.repositories.values().find(|repository| repository.id.to_string() == *id);
            let name = found.ok_or_else(Answer::not_found)?.name.clone();
            let (owner, name) = name.split_once('/').unwrap();
            repository(state, call, (owner, name), &[])
        }
        ["app", "installations", id, "access_tokens"] => apps::mint(state, call, id),
        ["_oidc", rest @ ..] => identity::answer(state, call, rest),
        _ => Err(Answer::not_found()),
    }
}

/// The Git data API.
fn data(state: &mut State, call: &Call, (owner, name): (&str, &str), rest: &[&str]) -> Outcome {
    let limit = state.tree_limit;
    let door = Door::find(state, call, owner, name)?;
    let needed = if call.method == "GET" { "contents=read" } else { "contents=write" };
    let repository = &*door.with(needed)?;
    if repository.git.is_empty() {
        return Err(Answer::refused(409, "Git Repository is empty."));
    }
    match (call.method.as_str(), rest) {
        ("GET", ["blobs", id]) => objects::get(repository, call, id),
        ("POST", ["blobs"]) => objects::create(repository, call),
        ("GET", ["trees", name @ ..]) => trees::get(repository, call, &name.join("/"), limit),
        ("POST", ["trees"]) => trees::create(repository, call, limit),
        ("GET", ["commits", id]) => commits::get(repository, call, id),
        ("POST", ["commits"]) => commits::create(repository, call),
        ("GET", ["ref", name @ ..]) => references::get(repository, call, &name.join("/")),
        ("GET", ["matching-refs", name @ ..]) => Ok(references::matching(repository, call, &name.join("/"))),
        ("POST", ["refs"]) => references::create(repository, call),
        ("PATCH", ["refs", name @ ..]) => references::change(repository, call, &name.join("/")),
        ("DELETE", ["refs", name @ ..]) => references::delete(repository, &name.join("/")),
        _ => Err(Answer::not_found()),
    }
}

/// What is needed for comments, on issues and on pull requests.
const COMMENTS: [&str; 2] = ["issues=read; pull_requests=read", "issues=write; pull_requests=write"];

fn repository(state: &mut State, call: &Call, (owner, name): (&str, &str), rest: &[&str]) -> Outcome {
    let codeload = state.codeload.clone();
    let door = Door::find(state, call, owner, name)?;
    match (call.method.as_str(), rest) {
        ("GET", []) => {
            let (repository, may_push) = door.open();
            Ok(Answer::json(200, &about::describe(repository, call, may_push)))
        }
        // The permission that it takes is the one that every token has.
        ("GET", ["collaborators", login, "permission"]) => Ok(people::permission(door.open().0, call, login)),
        ("GET", ["contents", path @ ..]) => contents::get(door.with("contents=read")?, call, &path.join("/")),
        ("PUT", ["contents", path @ ..]) => contents::put(door.with("contents=write")?, call, &path.join("/")),
        ("GET", ["commits", name @ ..]) => history::commit(door.with("contents=read")?, call, &name.join("/")),
        ("GET", ["compare", names @ ..]) => history::compare(door.with("contents=read")?, call, &names.join("/")),
        ("GET", ["tarball", name @ ..]) => history::archive(door.with("contents=read")?, &codeload, &name.join("/")),
        ("GET", ["pulls"]) => Ok(pulls::list(door.with("pull_requests=read")?, call)),
        ("POST", ["pulls"]) => pulls::create(door.with("pull_requests=write")?, call),
        ("GET", ["pulls", number]) => pulls::get(door.with("pull_requests=read")?, call, number),
        ("GET", ["issues"]) => Ok(issues::list(door.with("issues=read")?, call)),
        ("POST", ["issues"]) => issues::create(door.with("issues=write")?, call),
        ("PATCH", ["issues", number]) => issues::change(door.with("issues=write")?, call, number),
        ("GET", ["issues", "comments", id]) => comments::get(door.with(COMMENTS[0])?, call, id),
        ("PATCH", ["issues", "comments", id]) => comments::change(door.with(COMMENTS[1])?, call, id),
        ("DELETE", ["issues", "comments", id]) => comments::delete(door.with(COMMENTS[1])?, id),
        ("GET", ["issues", number, "comments"]) => comments::list(door.with(COMMENTS[0])?, call, number),
        ("POST", ["issues", number, "comments"]) => comments::create(door.with(COMMENTS[1])?, call, number),
        ("GET", ["deployments"]) => Ok(deployments::list(door.with("deployments=read")?, call)),
        ("POST", ["deployments"]) => deployments::create(door.with("deployments=write")?, call),
        ("GET", ["deployments", id]) => deployments::get(door.with("deployments=read")?, id),
        ("GET", ["deployments", id, "statuses"]) => deployments::statuses(door.with("deployments=read")?, call, id),
        ("POST", ["deployments", id, "statuses"]) => deployments::set(door.with("deployments=write")?, call, id),
        ("GET", ["actions", "runs", id]) => workflow_runs::get(door.with("actions=read")?, call, id),
        ("GET", ["actions", "runs", id, "attempts", attempt]) => {
            workflow_runs::attempt(door.with("actions=read")?, call, id, attempt)
        }
        ("POST", ["check-runs"]) => checks::create(door.with("checks=write")?, call),
        ("GET", ["check-runs", id]) => checks::get(door.with("checks=read")?, id),
        ("PATCH", ["check-runs", id]) => checks::change(door.with("checks=write")?, call, id),
        ("GET", ["check-runs", id, "annotations"]) => checks::annotations(door.with("checks=read")?, call, id),
        _ => Err(Answer::not_found()),
    }
}

/// Carries out a call to the host of the archives, to which no token of the API may come.
pub(super) fn archive(state: &State, call: &Call) -> Outcome {
    let parts = call.parts();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let [_, owner, name, "legacy.tar.gz", commit @ ..] = parts.as_slice() else { return Err(Answer::not_found()) };
    let repository = state.repositories.get(&format!("{owner}/{name}").to_lowercase()).ok_or_else(Answer::not_found)?;
    let may = repository.public || call.query().get("token").is_some_and(|token| *token == repository.archive_token());
    let archive = if may { history::pack(repository, &commit.join("/")) } else { None };
    Ok(Answer::new(200, "application/x-gzip", archive.ok_or_else(Answer::not_found)?))
}
