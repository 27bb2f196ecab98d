//! Every route there is, and the permission it takes.

use super::access::Door;
use super::call::{Answer, Call, Outcome};
use super::state::State;
use super::{commits, contents, objects, references, trees};

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
        ["repos", owner, name, rest @ ..] => repository(state, call, (owner, name), rest),
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
        ("GET", ["matching-refs", name @ ..]) => references::matching(repository, call, &name.join("/")),
        ("POST", ["refs"]) => references::create(repository, call),
        ("PATCH", ["refs", name @ ..]) => references::change(repository, call, &name.join("/")),
        ("DELETE", ["refs", name @ ..]) => references::delete(repository, &name.join("/")),
        _ => Err(Answer::not_found()),
    }
}

fn repository(state: &mut State, call: &Call, (owner, name): (&str, &str), rest: &[&str]) -> Outcome {
    let door = Door::find(state, call, owner, name)?;
    match (call.method.as_str(), rest) {
        ("GET", ["contents", path @ ..]) => contents::get(door.with("contents=read")?, call, &path.join("/")),
        ("PUT", ["contents", path @ ..]) => contents::put(door.with("contents=write")?, call, &path.join("/")),
        _ => Err(Answer::not_found()),
    }
}
