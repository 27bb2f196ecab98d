//! From the files of a folder to what the module in it declares and uses.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::Deserialize;
use serde_json::Value;

use super::block::{Block, blocks, has_extension};
use crate::domain::diagnostic::{Diagnostic, Origin, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::module::{Finding, Flows, Module, ModuleCall, ModuleOutput, ProviderUse, Reference, Variable};

/// The data sources and actions that run programs or reach the network on their author's word.
const PROGRAMS: [&str; 3] = ["external", "http", "local_command"];

/// Reads the module in `folder` of a tree: only the files directly in it, `.tf` and `.tf.json`, and `OpenTofu`'s `.tofu` and
/// `.tofu.json`. Override files count like all others.
///
/// # Errors
/// Every file that cannot be read as Terraform, at its line; or that there is none.
pub fn read(files: &BTreeMap<String, Vec<u8>>, folder: &str) -> Result<Module, Problems> {
    let folder = resolve("", folder).ok_or_else(|| folder_outside(folder))?;
    let mut module = Module::default();
    let mut problems = Problems::default();
    let mut seen = false;
    for (path, bytes) in files {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        if parent != folder || !is_terraform(name) {
            continue;
        }
        seen = true;
        match blocks(path, bytes) {
            Ok(blocks) => blocks.iter().for_each(|block| add(&mut module, block)),
            Err(more) => problems.extend(more),
        }
    }
    if !seen {
        let folder = if folder.is_empty() { "." } else { &folder };
        problems.push(
            Diagnostic::error(FailureReason::InvalidDocument, format!("the folder `{folder}` holds no Terraform files"))
                .help("name the folder with the `.tf` files in `terraform.module`"),
        );
    }
    if problems.any_error() { Err(problems) } else { Ok(module) }
}

/// Reads the module in `folder` and every module of the same tree that it reaches by local sources; the first is its own. Each
/// comes with its folder.
///
/// # Errors
/// As for [`read`], and a local source that leaves the tree.
pub fn read_tree(files: &BTreeMap<String, Vec<u8>>, folder: &str) -> Result<Vec<(String, Module)>, Problems> {
    let mut problems = Problems::default();
    let mut modules = Vec::new();
    let start = resolve("", folder).ok_or_else(|| folder_outside(folder))?;
    let mut known = BTreeSet::from([start.clone()]);
    let mut waiting = VecDeque::from([start]);
    while let Some(folder) = waiting.pop_front() {
        match read(files, &folder) {
            Err(more) => problems.extend(more),
            Ok(module) => {
                for call in &module.calls {
                    match call.source.as_deref().filter(|source| is_local(source)).map(|source| resolve(&folder, source)) {
                        None => {}
                        Some(Some(next)) if known.contains(&next) => {}
                        Some(Some(next)) => {
                            known.insert(next.clone());
                            waiting.push_back(next);
                        }
                        Some(None) => problems.push(leaves_the_tree(call)),
                    }
                }
                modules.push((folder, module));
            }
        }
    }
    if problems.any_error() { Err(problems) } else { Ok(modules) }
}

fn folder_outside(folder: &str) -> Diagnostic {
    Diagnostic::error(FailureReason::InvalidDocument, format!("the folder `{folder}` is outside the plugin"))
        .help("name a folder of the plugin in `terraform.module`")
}

fn leaves_the_tree(call: &ModuleCall) -> Diagnostic {
    let source = call.source.as_deref().unwrap_or_default();
    Diagnostic {
        origin: Some(call.origin.clone()),
        ..Diagnostic::error(
            FailureReason::ModuleDenied,
            format!("module `{}`: its source `{source}` is outside the plugin", call.name),
        )
    }
    .help("move the module into the plugin's folder, or give it a source of its own")
}

/// A module that init fetched.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct FetchedModule {
    /// The way to it from the root, such as `plugin.vpc`; empty for the root itself.
    pub key: String,
    /// Its source, as Terraform completed it.
    pub source: String,
    /// Its folder, from the root module's.
    pub dir: String,
}

/// Reads Terraform's list of installed modules, `modules/modules.json` in its data directory.
///
/// # Errors
/// When it is not such a list.
pub fn fetched_modules(manifest: &[u8]) -> Result<Vec<FetchedModule>, Problems> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Manifest {
        modules: Vec<FetchedModule>,
    }
    serde_json::from_slice::<Manifest>(manifest).map(|manifest| manifest.modules).map_err(|error| {
        Diagnostic::error(FailureReason::InitFailed, format!("Terraform's list of installed modules cannot be read: {error}"))
            .help("check that the version of Terraform is one that Tieline supports")
            .into()
    })
}

/// Whether Terraform or `OpenTofu` reads a file of this name.
pub fn is_terraform(name: &str) -> bool {
    let ignored = name.starts_with('.') || name.ends_with('~') || (name.starts_with('#') && name.ends_with('#'));
    !ignored && ["tf", "tf.json", "tofu", "tofu.json"].iter().any(|extension| has_extension(name, extension))
}

/// Whether a module's source is a folder beside it.
pub(super) fn is_local(source: &str) -> bool {
    source == "." || source == ".." || source.starts_with("./") || source.starts_with("../")
}

/// `path` seen from `folder`, without `.` and `..`; none where it leaves the tree.
fn resolve(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn add(module: &mut Module, block: &Block) {
    add_flows(&mut module.flows, block);
    match block.kind.as_str() {
        "terraform" => add_settings(module, block),
        "provider" => {
            add_provider(module, block.label(0), None, &block.origin);
            if let Some(what) = program_of(block) {
                module
                    .programs
                    .push(Finding { what: format!("{what} of the provider `{}`", block.label(0)), origin: block.origin.clone() });
            }
            if !block.attributes.contains_key("alias") {
                module.configured.insert(block.label(0).to_owned());
            }
        }
        "variable" => add_variable(module, block),
        "output" => {
            let sensitive = block.may_be_on("sensitive");
            let output = ModuleOutput { sensitive, origin: block.origin.clone() };
            module.outputs.entry(block.label(0).to_owned()).or_insert(output).sensitive |= sensitive;
        }
        "module" => module.calls.push(ModuleCall {
            name: block.label(0).to_owned(),
            source: block.text("source").map(str::to_owned),
            origin: block.origin.clone(),
        }),
        "check" => block.of_kind("data").for_each(|data| add(module, data)),
        "resource" | "data" | "ephemeral" | "action" => add_resource(module, block),
        _ => {}
    }
}

/// What takes its values from what.
fn add_flows(flows: &mut Flows, block: &Block) {
    let named = |kind: &str, names: &[&str]| -> Reference { [&[kind], names].concat().into_iter().map(str::to_owned).collect() };
    match block.kind.as_str() {
        "provider" => flows.providers.extend(block.all_references()),
        "locals" => {
            for (name, references) in &block.references {
                flows.named.entry(named("local", &[name])).or_default().extend(references.iter().cloned());
            }
        }
        "data" => {
            let name = named("data", &[block.label(0), block.label(1)]);
            flows.named.entry(name).or_default().extend(block.all_references());
        }
        "module" => {
            let arguments = flows.arguments.entry(block.label(0).to_owned()).or_default();
            for (name, references) in &block.references {
                arguments.entry(name.clone()).or_default().extend(references.iter().cloned());
            }
        }
        _ => {}
    }
}

fn add_settings(module: &mut Module, settings: &Block) {
    module.required_versions.extend(settings.text("required_version").map(str::to_owned));
    for providers in settings.of_kind("required_providers") {
        for (local, entry) in &providers.attributes {
            let source = entry.get("source").and_then(Value::as_str);
            add_provider(module, local, source, &providers.origin);
        }
    }
    for backend in settings.blocks.iter().filter(|block| matches!(block.kind.as_str(), "backend" | "cloud")) {
        let what = match backend.labels.first() {
            Some(kind) => format!("backend `{kind}`"),
            None => "a `cloud` block".to_owned(),
        };
        module.backends.push(Finding { what, origin: backend.origin.clone() });
    }
}

fn add_provider(module: &mut Module, local: &str, source: Option<&str>, origin: &Origin) {
    let provider =
        module.providers.entry(local.to_owned()).or_insert_with(|| ProviderUse { source: None, origin: origin.clone() });
    if let Some(source) = source {
        *provider = ProviderUse { source: Some(source.to_owned()), origin: origin.clone() };
    }
}

/// What in a provider's settings names a program to start for credentials, as those of `kubernetes` and `helm` can; or may, since it is
/// not written out.
fn program_of(settings: &Block) -> Option<&'static str> {
    const EXEC: &str = "exec";
    let is_exec = |block: &Block| block.kind == EXEC || block.kind == "dynamic" && block.label(0) == EXEC;
    if is_exec(settings) || settings.attributes.contains_key(EXEC) || settings.keys.contains(EXEC) {
        return Some("`exec`");
    }
    if settings.attributes.get("kubernetes").is_some_and(Value::is_null) {
        return Some("`kubernetes`, which is not written out and may have an `exec`,");
    }
    settings.blocks.iter().find_map(program_of)
}

fn add_variable(module: &mut Module, block: &Block) {
    let declared = Variable {
        required: !block.attributes.contains_key("default"),
        sensitive: block.may_be_on("sensitive"),
        origin: block.origin.clone(),
    };
    module
        .variables
        .entry(block.label(0).to_owned())
        .and_modify(|variable| {
            variable.required &= declared.required;
            variable.sensitive |= declared.sensitive;
        })
        .or_insert(declared);
}

fn add_resource(module: &mut Module, block: &Block) {
    let (kind, name) = (block.label(0), block.label(1));
    let chosen = block.text("provider").and_then(|provider| provider.split('.').next());
    let implied = kind.split('_').next().unwrap_or_default();
    add_provider(module, chosen.unwrap_or(implied), None, &block.origin);
    if block.kind != "resource" && PROGRAMS.contains(&kind) {
        let what = match block.kind.as_str() {
            "data" => format!("data source `{kind}.{name}`"),
            other => format!("{other} `{kind}.{name}`"),
        };
        module.programs.push(Finding { what, origin: block.origin.clone() });
    }
    for provisioner in block.of_kind("provisioner") {
        module.programs.push(Finding {
            what: format!("provisioner `{}` of `{kind}.{name}`", provisioner.label(0)),
            origin: provisioner.origin.clone(),
        });
    }
}
