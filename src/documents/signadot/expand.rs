//! `@{…}`: what Signadot's own program fills in before a document is sent. Files are put in here as well; variables are not, since
//! nobody sets them: what differs from use to use is an input of the plugin.

use serde_json::Value;

use crate::documents::finding::Finding;
use crate::documents::tree::Files;
use crate::documents::yaml;
use crate::domain::diagnostic::Pointer;

/// All files that are put into a document together have at most this many bytes.
const LARGEST: usize = 4 << 20;

/// What stands between `@{` and `}`.
struct Placeholder<'a> {
    /// `embed:` and a path, or a variable's name.
    what: &'a str,
    /// What is in brackets behind it: `raw`, `yaml` or `binary`.
    form: Option<&'a str>,
}

/// The document with all files put in.
pub(super) struct Expansion<'a> {
    files: &'a Files<'a>,
    taken: usize,
    pub(super) findings: Vec<Finding>,
}

impl<'a> Expansion<'a> {
    pub(super) fn new(files: &'a Files<'a>) -> Self {
        Self { files, taken: 0, findings: Vec::new() }
    }

    pub(super) fn expand(&mut self, value: &Value, at: &Pointer) -> Value {
        match value {
            Value::String(text) if text.contains("@{") => self.expand_text(text, at),
            Value::Array(items) => {
                items.iter().enumerate().map(|(index, item)| self.expand(item, &at.clone().index(index))).collect()
            }
            Value::Object(fields) => {
                fields.iter().map(|(key, value)| (key.clone(), self.expand(value, &at.clone().key(key)))).collect()
            }
            other => other.clone(),
        }
    }

    fn expand_text(&mut self, text: &str, at: &Pointer) -> Value {
        let (mut done, mut rest) = (String::new(), text);
        while let Some((before, placeholder, after)) = next(rest) {
            done.push_str(before);
            match self.filled(&placeholder, at) {
                Ok(content) if placeholder.form == Some("yaml") => {
                    // A value, not a text: only the whole can be one.
                    let alone = done.trim().is_empty() && after.trim().is_empty();
                    return if alone { self.parsed(&content, &placeholder, at) } else { self.refuse_part(&placeholder, at) };
                }
                Ok(content) => done.push_str(&content),
                Err(finding) => {
                    self.findings.push(*finding);
                    return Value::String(text.to_owned());
                }
            }
            rest = after;
        }
        done.push_str(rest);
        Value::String(done)
    }

    /// The text that takes a placeholder's place.
    fn filled(&mut self, placeholder: &Placeholder<'_>, at: &Pointer) -> Result<String, Box<Finding>> {
        let what = placeholder.what;
        let Some(path) = what.strip_prefix("embed:").map(str::trim) else {
            return Err(Finding::new(at.clone(), format!("nothing fills in the variable `@{{{what}}}`"))
                .label("is set with `--set` where Signadot's own program applies the document")
                .help("write the value itself; or, where it differs from use to use, make it an input with `valueFromSandbox: true`").into());
        };
        if let Some(form) = placeholder.form.filter(|form| !["raw", "yaml"].contains(form)) {
            let finding = Finding::new(at.clone(), format!("the file `{path}` cannot be put in as `{form}`"));
            return Err(finding.help("scripts and overlays are texts: leave the brackets out, or write `[raw]`").into());
        }
        let Some(inside) = within(path) else {
            let finding = Finding::new(at.clone(), format!("`{path}` is not in the plugin's folder"));
            return Err(finding.help("move the file beside the document, and name it by its path from there").into());
        };
        let Some(bytes) = self.files.get(inside.as_str()) else {
            let finding = Finding::new(at.clone(), format!("there is no file `{inside}` in the plugin's folder"));
            return Err(finding.suggest(&inside, self.files.keys().copied()).into());
        };
        self.taken += bytes.len();
        if self.taken > LARGEST {
            let finding = Finding::new(at.clone(), format!("the files that the document puts in have more than {LARGEST} bytes"));
            return Err(finding.help("let the script fetch what is large, or put it into the image").into());
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(yaml::without_mark(text).to_owned()),
            Err(_) => Err(Finding::new(at.clone(), format!("the file `{inside}` is not UTF-8")).help("save it as UTF-8").into()),
        }
    }

    fn parsed(&mut self, content: &str, placeholder: &Placeholder<'_>, at: &Pointer) -> Value {
        match yaml::parse(placeholder.what, content.as_bytes()) {
            Ok(value) => value,
            Err(problems) => {
                let why = problems.0.into_iter().next().map(|problem| problem.message).unwrap_or_default();
                self.findings.push(Finding::new(at.clone(), format!("`{}` cannot be put in as YAML: {why}", placeholder.what)));
                Value::Null
            }
        }
    }

    fn refuse_part(&mut self, placeholder: &Placeholder<'_>, at: &Pointer) -> Value {
        let message = format!("`{}` is put in as a value, so nothing else can stand beside it", placeholder.what);
        self.findings.push(Finding::new(at.clone(), message).help("leave `[yaml]` out"));
        Value::Null
    }
}

/// The first placeholder of a text, with what is before and after it. `@{` without an end, or with what is neither an embed nor a
/// name, is text: `HEAD@{1}` in a script is one.
fn next(text: &str) -> Option<(&str, Placeholder<'_>, &str)> {
    let mut from = 0;
    loop {
        let start = from + text.get(from..)?.find("@{")?;
        let inside = text.get(start + 2..)?;
        if let Some(end) = inside.find('}')
            && let Some(placeholder) = placeholder(&inside[..end])
        {
            return Some((&text[..start], placeholder, &inside[end + 1..]));
        }
        from = start + 2;
    }
}

fn placeholder(inside: &str) -> Option<Placeholder<'_>> {
    let inside = inside.trim();
    let (what, form) = match inside.strip_suffix(']').and_then(|inside| inside.rsplit_once('[')) {
        Some((what, form)) => (what.trim(), Some(form.trim())),
        None => (inside, None),
    };
    let is_embed = what.strip_prefix("embed:").is_some_and(|path| !path.trim().is_empty() && !path.contains('\n'));
    let is_name = what.starts_with(|c: char| c.is_ascii_alphabetic())
        && what.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    (is_embed || is_name).then_some(Placeholder { what, form })
}

/// A path from the document as a path in its folder; none where it leads out.
fn within(path: &str) -> Option<String> {
    if path.starts_with('/') || path.contains(['\\', '\0']) {
        return None;
    }
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop()?;
            }
            name => names.push(name),
        }
    }
    Some(names.join("/"))
}
