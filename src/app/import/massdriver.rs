//! A Massdriver bundle as plugins of ours, one for each step that runs Terraform: its module as it is adapted, told where it runs by Tieline.

use std::collections::{BTreeMap, BTreeSet};

use hcl_edit::Span as _;

use super::draft::Draft;
use super::tokens::{is_named, renamed};
use super::{Comments, Converted, Texts, sensitive};
use crate::documents::Kind;
use crate::domain::connection_type::ConnectionType;
use crate::domain::diagnostic::Pointer;
use crate::domain::foreign::{Bundle, PRESET};
use crate::domain::names::{InputName, SlotName};
use crate::domain::plugin::Plugin;
use crate::sources::TreeFile;

/// The variable that Massdriver tells its modules where they run.
const METADATA: &str = "md_metadata";

/// The file that takes its place.
const TIELINE_FILE: &str = "tieline.tf";

/// A step's plugin, and the files of its bundle with the step's module adapted.
pub(super) struct Step<'a> {
    pub(super) plugin: &'a Plugin,
    pub(super) bundle: &'a Bundle,
    pub(super) files: &'a BTreeMap<String, TreeFile>,
    /// Whether it is applied under the bundle's own alias.
    pub(super) is_main: bool,
    /// The variables of its module.
    pub(super) variables: &'a BTreeSet<String>,
}

/// Converts a step.
pub(super) fn converted(step: &Step<'_>, known: &[ConnectionType]) -> Converted {
    let Step { plugin, bundle, variables, .. } = *step;
    let mut native = Plugin { foreign: None, ..plugin.clone() };
    let mut comments = Comments::new();
    for (name, slot) in &mut native.requires {
        comments.extend(sensitive(name, slot, known));
    }
    drop_untaken(&mut native, variables, &mut comments);
    about_annotations(bundle, &mut comments);
    about_steps(bundle, step.is_main, &mut comments);
    let mut files = own_files(step);
    let module = plugin.module().unwrap_or(".");
    if variables.contains(METADATA) {
        told_by_tieline(&mut files, module, bundle);
    }
    let mut draft = Draft::new("plugin.yaml", Kind::Plugin, &native);
    draft.comment_all(comments);
    Converted { drafts: vec![draft], files }
}

/// What of the bundle belongs to the step: not its document, and not the folders of other steps.
fn own_files(step: &Step<'_>) -> BTreeMap<String, TreeFile> {
    let others: Vec<String> =
        step.bundle.steps.iter().filter(|other| **other != step.bundle.step).map(|other| format!("{other}/")).collect();
    let is_left_out = |path: &str| {
        path.starts_with('.') || path.starts_with("massdriver.y") || others.iter().any(|folder| path.starts_with(folder.as_str()))
    };
    let kept = step.files.iter().filter(|(path, _)| !is_left_out(path));
    kept.map(|(path, file)| (path.clone(), file.clone())).collect()
}

/// Takes away what the module takes nowhere: it would be refused.
fn drop_untaken(plugin: &mut Plugin, variables: &BTreeSet<String>, comments: &mut Comments) {
    let mapped: BTreeSet<String> = plugin.variables().map(|(_, source)| super::source_name(source).to_owned()).collect();
    let taken = |name: &str| mapped.contains(name) || variables.contains(name) || variables.contains(&name.replace('-', "_"));
    let names = plugin.input_names();
    let unused: BTreeSet<String> = names.iter().map(InputName::as_str).filter(|name| !taken(name)).map(str::to_owned).collect();
    super::drop_inputs(plugin, &unused);
    // That a preset can be chosen is said with the presets.
    comments.extend(unused.iter().filter(|name| *name != PRESET).map(|name| {
        let text = format!(
            "decide: the param `{name}` is gone: the module has no variable of its name; take it out of manifests as well"
        );
        (Pointer::keys(["inputs"]), text)
    }));
    let slots: Vec<SlotName> = plugin.requires.keys().filter(|name| !taken(name.as_str())).cloned().collect();
    for name in slots {
        plugin.requires.remove(&name);
        let text = format!("decide: the connection `{name}` is gone: the module has no variable of its name");
        comments.push((Pointer::keys(["requires"]), text));
    }
}

/// What Massdriver's annotations said, which has no place in a plugin of ours.
fn about_annotations(bundle: &Bundle, comments: &mut Comments) {
    let mut about = |names: Vec<String>, what: &str| {
        if !names.is_empty() {
            comments.push((Pointer::keys(["inputs"]), format!("decide: {} {what}", names.join(", "))));
        }
    };
    let path = |path: &Vec<String>| format!("`{}`", path.join("."));
    about(
        bundle.immutable.iter().map(path).collect(),
        "could not be changed once applied (`$md.immutable`); nothing keeps that here",
    );
    about(
        bundle.not_copyable.iter().map(path).collect(),
        "went into no copy of an environment (`$md.copyable`); previews take what their base has",
    );
    about(
        bundle.choices.iter().map(|choice| path(&choice.path)).collect(),
        "had to be among what a connection offers (`$md.enum`); nothing checks that here",
    );
    about(
        bundle.envs.keys().map(|name| format!("`{name}`")).collect(),
        "were variables of the application (`app.envs`); publish what it needs, or make it in the module",
    );
    about(
        bundle.presets.keys().map(|name| format!("`{name}`")).collect(),
        "were presets of params (`examples`); write their values into manifests",
    );
}

/// What the manifest has to say where the bundle had several steps.
fn about_steps(bundle: &Bundle, is_main: bool, comments: &mut Comments) {
    let Some(position) = bundle.steps.iter().position(|step| *step == bundle.step).filter(|_| bundle.steps.len() > 1) else {
        return;
    };
    let alias = if is_main { "<alias>".to_owned() } else { format!("<alias>--{}", suffix(&bundle.step)) };
    let mut text = format!(
        "decide: this is step {} of {} of the bundle; apply it as `{alias}`, so that its state stays where it is",
        position + 1,
        bundle.steps.len()
    );
    if let Some(before) = position.checked_sub(1).and_then(|before| bundle.steps.get(before)) {
        text.push_str(&format!(", and name the alias of the step `{before}` in its `after:`"));
    }
    comments.push((Pointer::default(), text));
}

/// What a step's alias ends with.
fn suffix(step: &str) -> String {
    step.to_lowercase().replace('_', "-")
}

/// Has the module take from Tieline what Massdriver told it, by the same name.
fn told_by_tieline(files: &mut BTreeMap<String, TreeFile>, module: &str, bundle: &Bundle) {
    let folder = if module == "." { String::new() } else { format!("{}/", module.trim_end_matches('/')) };
    let is_own = |path: &str| path.strip_prefix(&folder).is_some_and(|name| !name.contains('/'));
    let mut local = METADATA;
    let mut declares_tieline = false;
    let mut texts = Texts::new();
    for (path, file) in files.iter().filter(|(path, _)| is_own(path)) {
        texts.insert(path, &file.bytes);
    }
    for text in texts.values().filter_map(|bytes| std::str::from_utf8(bytes).ok()) {
        if is_named(text, &format!("local.{METADATA}")) {
            local = "massdriver_metadata";
        }
        declares_tieline |= text.contains("variable \"tieline\"");
    }
    for (path, file) in files.iter_mut().filter(|(path, _)| is_own(path)) {
        let Ok(text) = std::str::from_utf8(&file.bytes) else { continue };
        let text = if path.ends_with(".tf.json") { without_json_variable(text) } else { without_variable(path, text) };
        file.bytes = renamed(&text, &format!("var.{METADATA}"), &format!("local.{local}")).into_bytes();
    }
    files.retain(|path, file| !is_own(path) || !path.ends_with(".tf") || !file.bytes.trim_ascii().is_empty());
    let step = Some(suffix(&bundle.step)).filter(|_| bundle.steps.len() > 1);
    let text = metadata(local, step.as_deref(), declares_tieline);
    files.insert(format!("{folder}{TIELINE_FILE}"), TreeFile { executable: false, bytes: text.into_bytes() });
}

/// A file without the block that declares the variable.
fn without_variable(file: &str, text: &str) -> String {
    let Some(body) = Some(text).filter(|_| file.ends_with(".tf")).and_then(|text| hcl_edit::parser::parse_body(text).ok()) else {
        return text.to_owned();
    };
    let is_meant = |block: &&hcl_edit::structure::Block| {
        block.ident.as_str() == "variable" && block.labels.first().is_some_and(|label| label.as_str() == METADATA)
    };
    let mut kept = text.to_owned();
    let mut spans: Vec<_> = body.blocks().filter(is_meant).filter_map(hcl_edit::structure::Block::span).collect();
    spans.sort_by_key(|span| std::cmp::Reverse(span.start));
    for span in spans {
        let end = text[span.end..].find('\n').map_or(text.len(), |at| span.end + at + 1);
        kept.replace_range(span.start..end, "");
    }
    kept
}

/// The same of a file in Terraform's JSON.
fn without_json_variable(text: &str) -> String {
    let Ok(mut value) = serde_json::from_str::<serde_json::Value>(text) else { return text.to_owned() };
    match value.get_mut("variable").and_then(serde_json::Value::as_object_mut).and_then(|variables| variables.remove(METADATA)) {
        Some(_) => format!("{value:#}\n"),
        None => text.to_owned(),
    }
}

/// What Massdriver told its modules, made of what Tieline tells ours: the same values, so that the plan is the same.
fn metadata(local: &str, step: Option<&str>, declares_tieline: bool) -> String {
    let variable = if declares_tieline { "" } else { "variable \"tieline\" {\n  type = any\n}\n\n" };
    // All steps were told the names that the one under the bundle's own alias was.
    let (alias, prefix) = match step {
        None => ("var.tieline.alias".to_owned(), "  md_prefix = var.tieline.name_prefix\n".to_owned()),
        Some(step) => (
            format!("trimsuffix(var.tieline.alias, \"--{step}\")"),
            "  md_name   = \"${var.tieline.environment}-${var.tieline.deployable}\"\n  md_prefix = \"${replace(substr(local.md_name, 0, min(length(local.md_name), 13)), \"/-+$/\", \"\")}-${substr(local.md_digest, 0, 6)}\"\n".to_owned(),
        ),
    };
    format!(
        r#"# What Massdriver told its modules, made of what Tieline tells them.
{variable}locals {{
  md_alias  = {alias}
  md_digest = sha256("${{var.tieline.workspace}}/${{var.tieline.environment}}/${{var.tieline.deployable}}/${{local.md_alias}}")
{prefix}  {local} = {{
    name_prefix = local.md_prefix
    default_tags = {{
      "managed-by"  = "tieline"
      "md-project"  = var.tieline.deployable
      "md-target"   = var.tieline.environment
      "md-manifest" = local.md_alias
      "md-package"  = local.md_prefix
    }}
    deployment    = {{ id = substr(local.md_digest, 0, 12) }}
    observability = {{ alarm_webhook_url = "" }}
    package = {{
      created_at             = "1970-01-01T00:00:00Z"
      updated_at             = "1970-01-01T00:00:00Z"
      deployment_enqueued_at = "1970-01-01T00:00:00Z"
      previous_status        = "PROVISIONED"
    }}
    target = {{ contact_email = "" }}
  }}
}}
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(list: &[(&str, &str)]) -> BTreeMap<String, TreeFile> {
        let file = |text: &str| TreeFile { executable: false, bytes: text.as_bytes().to_owned() };
        list.iter().map(|(path, text)| ((*path).to_owned(), file(text))).collect()
    }

    fn text(files: &BTreeMap<String, TreeFile>, path: &str) -> String {
        String::from_utf8(files[path].bytes.clone()).unwrap()
    }

    #[test]
    fn the_module_is_told_the_same_by_tieline() {
        let mut files = files(&[
            (
                "src/main.tf",
                "variable \"md_metadata\" {\n  type = any\n}\n\nvariable \"a\" {}\nlocals { n = \"${var.md_metadata.name_prefix}-x\" }\n",
            ),
            ("src/_massdriver_variables.tf", "variable \"md_metadata\" { type = any }\n"),
            ("src/more.tf.json", "{\"variable\": {\"md_metadata\": {}, \"b\": {}}}"),
            ("src/sub/main.tf", "variable \"md_metadata\" {}\n"),
        ]);
        told_by_tieline(&mut files, "src", &Bundle::default());
        assert_eq!(text(&files, "src/main.tf"), "\nvariable \"a\" {}\nlocals { n = \"${local.md_metadata.name_prefix}-x\" }\n");
        assert!(!files.contains_key("src/_massdriver_variables.tf"), "it would be empty");
        assert!(!text(&files, "src/more.tf.json").contains("md_metadata"));
        assert_eq!(text(&files, "src/sub/main.tf"), "variable \"md_metadata\" {}\n", "a module of its own");
        assert!(text(&files, "src/tieline.tf").contains("md_prefix = var.tieline.name_prefix"));
    }
}
