//! Refs of the Git data API.

use serde_json::{Value, json};

use super::call::{Answer, Call, Outcome, text};
use super::git::{Git, is_id};
use super::objects::node;
use super::repository::Repository;

/// What git takes for "is not there".
const NOTHING: &str = "0000000000000000000000000000000000000000";

pub(super) fn get(repository: &Repository, call: &Call, name: &str) -> Outcome {
    let name = format!("refs/{name}");
    let found = list(repository, call, &name).into_iter().find(|found| found["ref"] == name.as_str());
    found.map(|found| Answer::json(200, &found)).ok_or_else(Answer::not_found)
}

/// The refs that start with these letters, be it in the middle of a name.
pub(super) fn matching(repository: &Repository, call: &Call, name: &str) -> Answer {
    Answer::json(200, &list(repository, call, &format!("refs/{name}")).into())
}

pub(super) fn create(repository: &Repository, call: &Call) -> Outcome {
    let body = call.json()?;
    let (name, id) = (text(&body, "ref")?, text(&body, "sha")?);
    let git = &repository.git;
    if !name.starts_with("refs/") || name.split('/').count() < 3 {
        return Err(Answer::refused(422, "Reference name must start with 'refs/' and contain at least three components."));
    }
    if git.run(&["check-ref-format", name], b"").is_err() {
        return Err(Answer::refused(422, &format!("{name} is not a valid ref name.")));
    }
    kind_of(git, id)?;
    if current(git, name).is_some() {
        return Err(Answer::refused(422, "Reference already exists"));
    }
    update(git, name, id, NOTHING)?;
    Ok(Answer::json(201, &describe(repository, call, name, &kind_of(git, id)?, id)))
}

pub(super) fn change(repository: &Repository, call: &Call, name: &str) -> Outcome {
    let body = call.json()?;
    let (name, id) = (format!("refs/{name}"), text(&body, "sha")?);
    let git = &repository.git;
    let before = current(git, &name).ok_or_else(|| Answer::refused(422, "Reference does not exist"))?;
    let kind = kind_of(git, id)?;
    let is_forward = || git.run(&["merge-base", "--is-ancestor", &before, id], b"").is_ok();
    if body["force"] != json!(true) && !is_forward() {
        return Err(Answer::refused(422, "Update is not a fast forward"));
    }
    update(git, &name, id, &before)?;
    Ok(Answer::json(200, &describe(repository, call, &name, &kind, id)))
}

pub(super) fn delete(repository: &Repository, name: &str) -> Outcome {
    let name = format!("refs/{name}");
    let git = &repository.git;
    let before = current(git, &name).ok_or_else(|| Answer::refused(422, "Reference does not exist"))?;
    git.run(&["update-ref", "-d", &name, &before], b"").map_err(|_| Answer::refused(422, "Reference update failed"))?;
    Ok(Answer::nothing())
}

/// Such as a ref below one that is there: git says no, and GitHub not why.
fn update(git: &Git, name: &str, id: &str, before: &str) -> Result<(), Answer> {
    git.run(&["update-ref", name, id, before], b"").map_err(|_| Answer::refused(422, "Reference update failed")).map(|_| ())
}

/// The object that a ref leads to.
fn current(git: &Git, name: &str) -> Option<String> {
    git.line(&["show-ref", "--verify", "--hash", name])
}

fn kind_of(git: &Git, id: &str) -> Result<String, Answer> {
    let kind = is_id(id).then(|| git.object(id)).flatten().map(|(kind, _)| kind);
    kind.ok_or_else(|| Answer::refused(422, "Object does not exist"))
}

fn list(repository: &Repository, call: &Call, start: &str) -> Vec<Value> {
    let said = repository.git.run(&["for-each-ref", "--format=%(refname) %(objecttype) %(objectname)"], b"").unwrap();
    let said = String::from_utf8_lossy(&said).into_owned();
    let refs = said.lines().filter(|line| line.starts_with(start));
    refs.map(|line| {
        let [name, kind, id] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        describe(repository, call, name, kind, id)
    })
    .collect()
}

fn describe(repository: &Repository, call: &Call, name: &str, kind: &str, id: &str) -> Value {
    let api = format!("{}/repos/{}/git", call.base, repository.name);
    json!({
        "ref": name,
        "node_id": node("REF", repository.id, name),
        "url": format!("{api}/{name}"),
        "object": {"type": kind, "sha": id, "url": format!("{api}/{kind}s/{id}")},
    })
}
