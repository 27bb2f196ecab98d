//! `docs/documents.md`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Map, Value};
use tieline::documents::{self, Kind};

use super::{cell, read};

const HEAD: &str = "\
# Documents

All documents are YAML (JSON is YAML), in UTF-8, at most 1 MiB. Unknown fields, duplicate keys, merge keys and custom tags are errors.
Every problem is reported at once, with file, line and column. There is no interpolation: what varies from run to run comes by
`--inputs`, and what is secret by `--secrets`. `tieline schema <kind>` prints the JSON Schema of a kind, for editors.

A **name** (of a workspace, environment, deployable, alias, slot or output) is a lower-case letter followed by up to 62 lower-case
letters, digits and `-`. The **address** of a connection is `<workspace>/<environment>/<deployable>/<alias>.<output>`, or
`<workspace>/<environment>/imported/<name>`; parts may be left out from the left where they are the deployable's own.

Fields marked *not in effect* are read and checked, and change nothing in this version.

This page is generated from the code.
";

/// Where a kind of document is, what is to be said of it, and an example.
fn about(kind: Kind) -> (&'static str, String) {
    match kind {
        Kind::Manifest => (
            "`tieline.yaml`, in the application's repository. Input values, weakest first: the plugin's default, the workspace's `values`, the \
             environment's `values`, `inputs` here, `inputs` of the overlay, `--inputs`. A slot takes, first of all that is there: a reference, \
             or an address in `connections`; a link; the environment's default for `type:slot`, then for `type`. A source that is named and fails \
             a check is an error: the next one is never tried in its place. `tieline plan --explain` shows what was taken, and why.",
            read("examples/quickstart/shop/tieline.yaml"),
        ),
        Kind::Plugin => (
            "`plugin.yaml`, beside a Terraform module. A variable of the module receives the input or slot of its name, with `-` for `_`; a slot \
             arrives as an object of its attributes. A module that declares `variable \"tieline\"` receives `workspace`, `environment`, \
             `deployable`, `alias`, `name_prefix` (short, and different for each environment), `tags` and `preview`. In `inputs`, \
             `x-sensitive: true` marks an input whose value may only come by `--secrets`.",
            read("examples/quickstart/plugins/web/plugin.yaml"),
        ),
        Kind::ConnectionInterfaceType => (
            "`types/<name>/<version>.yaml` of the context repository. A plugin may bring one under its own `types/`, which is used where the \
             context has none of that name. In `attributes`, `x-sensitive: true` marks a sensitive one: its value is never recorded.",
            read("examples/quickstart/context/types/postgres-conn/1.0.0.yaml"),
        ),
        Kind::Context => ("`context.yaml` of the context repository.", read("examples/quickstart/context/context.yaml")),
        Kind::Catalog => (
            "`catalog.yaml` of the context repository. With it, `use: postgres@^1.4` in a manifest is enough.",
            CATALOG.to_owned(),
        ),
        Kind::Workspace => (
            "`workspaces/<workspace>/workspace.yaml` of the context repository.",
            read("examples/quickstart/context/workspaces/platform/workspace.yaml"),
        ),
        Kind::Environment => (
            "`workspaces/<workspace>/environments/<environment>.yaml` of the context repository. The backend's key is filled in: \
             `<workspace>/<environment>/<deployable>/<alias>`, in the form that the backend takes. For `local`, `path` is a folder, from the \
             folder that the context repository is in. Passwords and keys in `config` are refused: they come by the environment.",
            read("examples/quickstart/context/workspaces/retail/environments/staging.yaml"),
        ),
        Kind::ImportedConnection => (
            "`workspaces/<workspace>/imported/<environment>/<name>.yaml` of the context repository: something that Tieline does not manage.",
            IMPORTED.to_owned(),
        ),
    }
}

const CATALOG: &str = "\
apiVersion: tieline/v1
kind: Catalog
plugins:
  postgres:
    source: github:acme/plugins//postgres@{version}
    versions:
      1.3.2: {yanked: it loses the password at an upgrade}
      1.4.0: {}
allowed-sources: [\"github:acme/\"]
";

const IMPORTED: &str = "\
apiVersion: tieline/v1
kind: ImportedConnection
name: legacy-orders
type: postgres-conn
version: 1.0.0
attributes: {host: db.acme.test, port: 5432, database: orders, username: orders}
sensitive:
  password: {env: LEGACY_ORDERS_PASSWORD}       # where it is, never what it is
";

/// What is read and checked, and changes nothing yet: kind or part, and field.
const NOT_IN_EFFECT: &[(&str, &str)] =
    &[("Ceilings", "step-runners"), ("context", "sealing"), ("environment", "overrides"), ("environment", "sealing")];

pub(super) fn page() -> String {
    let mut page = HEAD.to_owned();
    let mut told = BTreeSet::new();
    for kind in Kind::ALL {
        let schema = documents::schema(kind);
        let (place, example) = about(kind);
        let _ = writeln!(page, "\n## {}\n\n{place}\n\n```yaml\n{}\n```\n", capitalized(&kind.to_string()), example.trim_end());
        fields(&mut page, kind.as_str(), &schema);
        for (name, part) in schema["$defs"].as_object().unwrap_or(&Map::new()) {
            if constants(part).is_none() && told.insert(name.clone()) {
                let _ = writeln!(page, "\n### {}\n\n{}\n", words(name), text(part));
                fields(&mut page, name, part);
            }
        }
    }
    page
}

#[test]
fn what_is_not_in_effect_is_there() {
    let page = page();
    let marks = page.matches("*Not in effect.*").count();
    assert_eq!(marks, NOT_IN_EFFECT.len() + 1, "a field of NOT_IN_EFFECT is not in any schema");
}

fn fields(page: &mut String, owner: &str, schema: &Value) {
    let Some(properties) = schema["properties"].as_object() else {
        for way in schema["oneOf"].as_array().or(schema["anyOf"].as_array()).into_iter().flatten() {
            let mark =
                if owner == "SecretReference" && way["properties"].get("sealed").is_some() { " *Not in effect.*" } else { "" };
            let _ = writeln!(page, "- {}. {}{mark}", type_of(way), text(way));
        }
        return;
    };
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut names: Vec<&String> = properties.keys().collect();
    let first = ["apiVersion", "kind", "name", "version"];
    let rank = |name: &String| first.iter().position(|first| first == name).unwrap_or(first.len());
    names.sort_by_key(|name| (rank(name), !required.contains(&name.as_str()), (*name).clone()));
    page.push_str("| field | value | |\n|---|---|---|\n");
    for name in names {
        let property = &properties[name];
        let needed = if required.contains(&name.as_str()) { " (required)" } else { "" };
        let mut meaning = text(property);
        if let Some(default) = property.get("default").filter(|default| !default.is_object() && !default.is_array()) {
            let _ = write!(meaning, " Default: `{}`.", default.as_str().map_or_else(|| default.to_string(), str::to_owned));
        }
        if NOT_IN_EFFECT.contains(&(owner, name)) {
            meaning.push_str(" *Not in effect.*");
        }
        let _ = writeln!(page, "| `{name}`{needed} | {} | {} |", cell(&type_of(property)), cell(&meaning));
    }
}

fn text(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_default().replace("[`", "`").replace("`]", "`");
    text.replace("`PostgreSQL`", "PostgreSQL")
}

/// What a value may be, in words.
fn type_of(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        let shown = Kind::ALL.iter().find_map(|kind| documents::schema(*kind)["$defs"].get(name).and_then(constants));
        return shown
            .unwrap_or_else(|| format!("[{}](#{})", words(name).to_lowercase(), words(name).to_lowercase().replace(' ', "-")));
    }
    if let Some(only) = schema.get("const") {
        return format!("`{}`", only.as_str().unwrap_or_default());
    }
    let ways = schema["anyOf"].as_array().or(schema["oneOf"].as_array());
    if let Some(ways) = ways {
        let ways: Vec<String> = ways.iter().filter(|way| way["type"] != "null").map(type_of).collect();
        return ways.join(" or ");
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find(|kind| **kind != "null").and_then(Value::as_str),
        kind => kind.as_str(),
    };
    match kind {
        Some("array") => format!("list of {}", type_of(&schema["items"])),
        Some("object") => mapping(schema),
        Some("string") => match schema["format"].as_str() {
            Some(format) => format.replace('-', " "),
            None if schema["pattern"].as_str().is_some_and(|pattern| pattern.starts_with("^[a-z]")) => "name".to_owned(),
            None => "text".to_owned(),
        },
        Some("integer") => "number".to_owned(),
        Some("boolean") => "`true` or `false`".to_owned(),
        _ => "any value".to_owned(),
    }
}

fn mapping(schema: &Value) -> String {
    if let Some(properties) = schema["properties"].as_object() {
        let fields: Vec<String> = properties.iter().map(|(name, value)| format!("`{name}`: {}", type_of(value))).collect();
        return fields.join(", ");
    }
    let values = schema["patternProperties"].as_object().and_then(|patterns| patterns.values().next());
    match values.or(schema.get("additionalProperties").filter(|values| values.is_object())) {
        Some(values) => format!("mapping to {}", type_of(values)),
        None => "mapping".to_owned(),
    }
}

/// The words of a part that is one of a few words.
fn constants(part: &Value) -> Option<String> {
    let words: Option<Vec<String>> =
        part["oneOf"].as_array()?.iter().map(|way| Some(format!("`{}`", way["const"].as_str()?))).collect();
    words.map(|words| words.join(", "))
}

/// `AppliedPlugin` as `Applied plugin`.
fn words(name: &str) -> String {
    let mut words = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !words.is_empty() {
            words.push(' ');
            words.extend(c.to_lowercase());
        } else {
            words.push(c);
        }
    }
    words
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
