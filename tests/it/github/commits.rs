//! Commits: of the Git data API, and as the rest of the API tells of them.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::call::{Answer, Call, Outcome, now, stamp, text};
use super::git::{Git, is_id};
use super::objects::node;
use super::repository::Repository;

/// A commit as git keeps it.
pub(super) struct Commit {
    id: String,
    tree: String,
    parents: Vec<String>,
    author: Person,
    committer: Person,
    message: String,
}

#[derive(Clone)]
struct Person {
    name: String,
    email: String,
    when: DateTime<Utc>,
}

/// Who commits when nobody says who.
fn bot() -> Person {
    Person { name: "double[bot]".to_owned(), email: "1+double[bot]@users.noreply.github.com".to_owned(), when: now() }
}

impl Person {
    /// `name <email> seconds zone`
    fn parse(line: &str) -> Option<Self> {
        let (name, rest) = line.split_once(" <").or_else(|| line.split_once('<'))?;
        let (email, when) = rest.split_once("> ")?;
        let seconds = when.split(' ').next()?.parse().ok()?;
        Some(Self { name: name.to_owned(), email: email.to_owned(), when: DateTime::from_timestamp(seconds, 0)? })
    }

    fn read(person: &Value) -> Result<Self, Answer> {
        let invalid = || Answer::refused(422, "Invalid request.\n\n\"date\" is not a valid timestamp.");
        let when = match person["date"].as_str() {
            Some(date) => DateTime::parse_from_rfc3339(date).map_err(|_| invalid())?.to_utc(),
            None => now(),
        };
        Ok(Self { name: text(person, "name")?.to_owned(), email: text(person, "email")?.to_owned(), when })
    }

    fn json(&self) -> Value {
        json!({"name": self.name, "email": self.email, "date": stamp(self.when)})
    }

    fn line(&self) -> String {
        format!("{} <{}> {} +0000", self.name, self.email, self.when.timestamp())
    }
}

impl Commit {
    /// Reads a commit; none where there is none with this id.
    pub(super) fn read(git: &Git, id: &str) -> Option<Self> {
        let (kind, content) = git.object(id)?;
        if kind != "commit" {
            return None;
        }
        let content = String::from_utf8_lossy(&content).into_owned();
        let (head, message) = content.split_once("\n\n").unwrap_or((&content, ""));
        let all =
            |name: &str| head.lines().filter_map(move |line| line.strip_prefix(name)).map(str::to_owned).collect::<Vec<_>>();
        Some(Self {
            id: id.to_owned(),
            tree: all("tree ").pop()?,
            parents: all("parent "),
            author: Person::parse(&all("author ").pop()?)?,
            committer: Person::parse(&all("committer ").pop()?)?,
            message: message.to_owned(),
        })
    }

    /// As the Git data API tells it.
    pub(super) fn json(&self, repository: &Repository, call: &Call) -> Value {
        let (api, web) =
            (format!("{}/repos/{}/git", call.base, repository.name), format!("https://github.com/{}", repository.name));
        let parent =
            |id: &String| json!({"sha": id, "url": format!("{api}/commits/{id}"), "html_url": format!("{web}/commit/{id}")});
        json!({
            "sha": self.id,
            "node_id": node("C", repository.id, &self.id),
            "url": format!("{api}/commits/{}", self.id),
            "html_url": format!("{web}/commit/{}", self.id),
            "author": self.author.json(),
            "committer": self.committer.json(),
            "message": self.message,
            "tree": {"sha": self.tree, "url": format!("{api}/trees/{}", self.tree)},
            "parents": self.parents.iter().map(parent).collect::<Vec<_>>(),
            "verification": unsigned(),
        })
    }
}

fn unsigned() -> Value {
    json!({"verified": false, "reason": "unsigned", "signature": null, "payload": null, "verified_at": null})
}

pub(super) fn get(repository: &Repository, call: &Call, id: &str) -> Outcome {
    let commit = Commit::read(&repository.git, id).ok_or_else(Answer::not_found)?;
    Ok(Answer::json(200, &commit.json(repository, call)))
}

pub(super) fn create(repository: &Repository, call: &Call) -> Outcome {
    let body = call.json()?;
    let git = &repository.git;
    let (message, tree) = (text(&body, "message")?, text(&body, "tree")?);
    if !is_id(tree) || git.object(tree).is_none_or(|(kind, _)| kind != "tree") {
        return Err(Answer::refused(422, "Tree SHA does not exist"));
    }
    let mut parents = Vec::new();
    for parent in body["parents"].as_array().unwrap_or(&Vec::new()) {
        let parent = parent.as_str().filter(|parent| Commit::read(git, parent).is_some());
        let missing = || Answer::refused(422, "Parent SHA does not exist or is not a commit object");
        parents.push(parent.ok_or_else(missing)?.to_owned());
    }
    let person = |field: &str, other: Person| if body[field].is_object() { Person::read(&body[field]) } else { Ok(other) };
    let author = person("author", bot())?;
    let committer = person("committer", author.clone())?;
    let id = write_as(git, tree, &parents, message, &author, &committer).map_err(|why| Answer::refused(422, &why))?;
    Ok(Answer::json(201, &Commit::read(git, &id).unwrap().json(repository, call)))
}

/// Writes a commit of the double's own; its id.
pub(super) fn write(git: &Git, tree: &str, parents: &[String], message: &str) -> Result<String, String> {
    write_as(git, tree, parents, message, &bot(), &bot())
}

fn write_as(
    git: &Git,
    tree: &str,
    parents: &[String],
    message: &str,
    author: &Person,
    committer: &Person,
) -> Result<String, String> {
    let parents = parents.iter().fold(String::new(), |all, parent| format!("{all}parent {parent}\n"));
    let content = format!("tree {tree}\n{parents}author {}\ncommitter {}\n\n{message}", author.line(), committer.line());
    git.write("commit", content.as_bytes())
}
