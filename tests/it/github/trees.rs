//! Trees of the Git data API.

use serde_json::{Value, json};

use super::call::{Answer, Call, Outcome};
use super::git::{Git, is_id};
use super::repository::Repository;

/// What becomes of a path in a new tree.
pub(super) struct Entry {
    path: String,
    becomes: Becomes,
}

enum Becomes {
    /// A file with this mode and content.
    Content(String, Vec<u8>),
    /// What has this mode and id.
    Object(String, String),
    Gone,
}

impl Entry {
    pub(super) fn file(path: &str, content: &[u8]) -> Self {
        Self { path: path.to_owned(), becomes: Becomes::Content("100644".to_owned(), content.to_vec()) }
    }

    fn read(entry: &Value) -> Result<Self, Answer> {
        let refused = |message: &str| Answer::refused(422, message);
        let path = entry["path"]
            .as_str()
            .filter(|path| is_path(path))
            .ok_or_else(|| refused("tree.path contains a malformed path component"))?;
        let mode = || {
            let modes = ["100644", "100755", "040000", "160000", "120000"];
            let mode = entry["mode"].as_str().filter(|mode| modes.contains(mode));
            mode.map(str::to_owned).ok_or_else(|| refused("Must supply a valid tree.mode"))
        };
        let becomes = match (entry.get("sha"), entry.get("content").and_then(Value::as_str)) {
            (Some(Value::Null), None) => Becomes::Gone,
            (Some(Value::String(id)), None) => Becomes::Object(mode()?, id.clone()),
            (None, Some(content)) => Becomes::Content(mode()?, content.as_bytes().to_vec()),
            _ => {
                let message = "Must supply either tree.sha or tree.content. Request will be rejected if both are present.";
                return Err(refused(message));
            }
        };
        Ok(Self { path: path.to_owned(), becomes })
    }
}

/// Whether git would have it in a tree.
fn is_path(path: &str) -> bool {
    !path.contains('\0') && path.split('/').all(|part| !matches!(part, "" | "." | ".." | ".git"))
}

pub(super) fn get(repository: &Repository, call: &Call, name: &str, limit: usize) -> Outcome {
    let id = repository.git.resolve(name, "tree").ok_or_else(Answer::not_found)?;
    // Any value of the parameter means yes.
    let (entries, truncated) = list(repository, call, &id, call.query().contains_key("recursive"), limit);
    Ok(Answer::json(200, &describe(repository, call, &id, &entries, truncated)))
}

pub(super) fn create(repository: &Repository, call: &Call, limit: usize) -> Outcome {
    let body = call.json()?;
    let git = &repository.git;
    let base = match &body["base_tree"] {
        Value::Null => None,
        // A commit's id does as well.
        Value::String(id) => {
            let base = is_id(id).then(|| git.resolve(id, "tree")).flatten();
            Some(base.ok_or_else(|| Answer::refused(422, "base_tree is not a valid tree oid"))?)
        }
        _ => return Err(Answer::refused(422, "Invalid tree info")),
    };
    let entries = body["tree"].as_array().filter(|entries| !entries.is_empty());
    let entries = entries.ok_or_else(|| Answer::refused(422, "Invalid tree info"))?;
    let entries: Vec<Entry> = entries.iter().map(Entry::read).collect::<Result<_, _>>()?;
    let id = build(git, base.as_deref(), &entries).map_err(|why| Answer::refused(422, &why))?;
    let (listed, truncated) = list(repository, call, &id, false, limit);
    Ok(Answer::json(201, &describe(repository, call, &id, &listed, truncated)))
}

/// Writes a tree: `base` with these entries changed.
///
/// # Errors
/// GitHub's word for it, where an object is not there, or what is to go never was.
pub(super) fn build(git: &Git, base: Option<&str>, entries: &[Entry]) -> Result<String, String> {
    let mut stream =
        b"feature done\nfeature cat-blob\ncommit refs/double/unborn\nmark :1\ncommitter double <> 0 +0000\ndata 0\n".to_vec();
    if let Some(base) = base {
        stream.extend(format!("M 040000 {base} \"\"\n").into_bytes());
    }
    check(git, base, entries)?;
    for entry in entries {
        let path = format!("\"{}\"", entry.path.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"));
        match &entry.becomes {
            Becomes::Gone => stream.extend(format!("D {path}\n").into_bytes()),
            Becomes::Object(mode, id) => stream.extend(format!("M {mode} {id} {path}\n").into_bytes()),
            Becomes::Content(mode, content) => {
                stream.extend(format!("M {mode} inline {path}\ndata {}\n", content.len()).into_bytes());
                stream.extend(content);
                stream.push(b'\n');
            }
        }
    }
    stream.extend(b"ls \"\"\nreset refs/double/unborn\n\ndone\n");
    let said = git.run(&["fast-import", "--quiet", "--force"], &stream).map_err(|_| "GitRPC::BadObjectState".to_owned())?;
    // `040000 tree <id>\t`, or `missing `, where nothing is left.
    let said = String::from_utf8_lossy(&said).into_owned();
    let id = said.split([' ', '\t']).nth(2).filter(|id| is_id(id));
    id.map(str::to_owned).map_or_else(|| git.write("tree", b""), Ok)
}

/// Whether all that the entries name is there.
fn check(git: &Git, base: Option<&str>, entries: &[Entry]) -> Result<(), String> {
    let named = entries.iter().filter_map(|entry| match &entry.becomes {
        Becomes::Object(_, id) => Some(format!("{id}\n")),
        Becomes::Gone => Some(format!("{}:{}\n", base.unwrap_or_default(), entry.path)),
        Becomes::Content(..) => None,
    });
    let said = git.run(&["cat-file", "--batch-check=%(objecttype)"], named.collect::<String>().as_bytes())?;
    let said = String::from_utf8_lossy(&said).into_owned();
    if said.lines().any(|line| line.ends_with(" missing")) { Err("GitRPC::BadObjectState".to_owned()) } else { Ok(()) }
}

/// The entries of a tree, at any depth if `recursive`, and whether there are more.
fn list(repository: &Repository, call: &Call, id: &str, recursive: bool, limit: usize) -> (Vec<Value>, bool) {
    let arguments: &[&str] = if recursive { &["ls-tree", "-z", "-l", "-r", "-t", id] } else { &["ls-tree", "-z", "-l", id] };
    let said = String::from_utf8_lossy(&repository.git.run(arguments, b"").unwrap()).into_owned();
    let lines: Vec<&str> = said.split_terminator('\0').collect();
    let entries = lines.iter().take(limit).map(|line| {
        let (about, path) = line.split_once('\t').unwrap();
        let [mode, kind, id, size] = about.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{line}") };
        let folder = if kind == "tree" { "trees" } else { "blobs" };
        let url = format!("{}/repos/{}/git/{folder}/{id}", call.base, repository.name);
        let mut entry = json!({"path": path, "mode": mode, "type": kind, "sha": id, "url": url});
        if let Ok(size) = size.parse::<u64>() {
            entry["size"] = size.into();
        }
        entry
    });
    (entries.collect(), lines.len() > limit)
}

fn describe(repository: &Repository, call: &Call, id: &str, entries: &[Value], truncated: bool) -> Value {
    let url = format!("{}/repos/{}/git/trees/{id}", call.base, repository.name);
    json!({"sha": id, "url": url, "tree": entries, "truncated": truncated})
}
