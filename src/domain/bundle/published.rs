//! How a step publishes a field: by a jq program, by a resource of Massdriver's provider, or by an output that is called after it.

use std::collections::{BTreeMap, BTreeSet};

use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, BlockLabel};

use super::module::{Folder, value_of};
use super::reading::{Added, Field};
use super::translate::{Payload, Surroundings, translate};
use super::{Trouble, alarms, payload, text};

/// How names of files and outputs that publish a field begin.
const PREFIXES: [&str; 2] = ["artifact_", "resource_"];

/// What a step's own folder publishes.
pub(super) struct Publisher<'a> {
    pub(super) folder: &'a Folder,
    /// Variables of the application, by name.
    pub(super) envs: &'a BTreeMap<String, String>,
    pub(super) fields: BTreeMap<String, Field>,
    pub(super) troubles: Vec<Trouble>,
    taken: BTreeSet<String>,
}

impl<'a> Publisher<'a> {
    pub(super) fn new(folder: &'a Folder, envs: &'a BTreeMap<String, String>) -> Self {
        let taken = folder.outputs().into_keys().map(str::to_owned).collect();
        Self { folder, envs, fields: BTreeMap::new(), troubles: Vec::new(), taken }
    }

    /// A field that a program makes of what the module puts out.
    pub(super) fn by_program(&mut self, field: &str, file: &str, program: &[u8]) {
        let outputs = self.folder.outputs();
        let locals = self.folder.locals();
        let around = Surroundings { outputs: &outputs, locals: &locals, envs: self.envs };
        let payload = std::str::from_utf8(program)
            .map_err(|_| "it is not UTF-8 text".to_owned())
            .and_then(|program| translate(program, &around));
        match payload {
            Ok(payload) => self.add(field, file, payload, None),
            Err(why) => self.refuse(field, file, format!("`{file}` cannot be made an output of the module: {why}")),
        }
    }

    /// A field that a resource of the provider publishes.
    pub(super) fn by_resource(&mut self, file: &str, block: &Block) {
        let name = block.labels.iter().map(BlockLabel::as_str).collect::<Vec<_>>().join(".");
        let Some(field) = value_of(block, "field").and_then(Expression::as_str).map(str::to_owned) else {
            let message = format!("which field `{name}` publishes is not written as a plain text");
            self.troubles.push(Trouble::new(file, message, "write `field = \"…\"`"));
            return;
        };
        let unsound = ["count", "for_each"].iter().find(|one| block.body.has_attribute(one));
        let unsound = unsound.or_else(|| ["lifecycle", "provisioner"].iter().find(|one| block.body.has_blocks(one)));
        if let Some(what) = unsound {
            self.refuse(&field, file, format!("`{name}` has `{what}`, so when it publishes depends on Massdriver's provider"));
            return;
        }
        let Some(written) = value_of(block, "artifact").or_else(|| value_of(block, "resource")) else {
            self.refuse(&field, file, format!("`{name}` has no `artifact` or `resource`"));
            return;
        };
        let locals = self.folder.locals();
        let payload = match payload::encoded(written, &locals) {
            Some(object) => Payload::of(object, &locals),
            None => Payload::Opaque(format!("jsondecode({})", text::of(written))),
        };
        let after = value_of(block, "depends_on").map(text::of);
        self.add(&field, file, payload, after);
    }

    /// A field that an output gives as it is.
    pub(super) fn by_output(&mut self, file: &str, name: &str, block: &Block) {
        let Some(field) = field_of(name).filter(|field| !self.fields.contains_key(*field)) else { return };
        let Some(value) = value_of(block, "value") else { return };
        let locals = self.folder.locals();
        let hidden = value_of(block, "sensitive").is_some_and(|value| value.as_bool() != Some(false));
        match payload::attributes(value, &locals) {
            // All that an output marked so holds is sensitive: what is public has to come from beside it.
            Some(attributes) if hidden => self.add(field, file, Payload::Object(attributes), None),
            attributes => {
                let from =
                    attributes.map(|found| found.into_iter().map(|(key, _)| (key.clone(), format!("{name}.{key}"))).collect());
                self.fields
                    .insert(field.to_owned(), Field { file: file.to_owned(), whole: name.to_owned(), from, added: Vec::new() });
            }
        }
    }

    fn refuse(&mut self, field: &str, file: &str, message: String) {
        let help = format!("publish it as a Terraform output: `output \"artifact_{field}\" {{ value = {{…}} }}`");
        self.troubles.push(Trouble::new(file, message, help).of(field));
    }

    fn add(&mut self, field: &str, file: &str, payload: Payload, after: Option<String>) {
        if self.fields.contains_key(field) {
            return self.refuse(field, file, format!("the field `{field}` is published twice"));
        }
        let whole = format!("artifact_{field}");
        let (from, added) = match payload {
            Payload::Object(attributes) => {
                let names = attributes.iter().map(|(name, _)| (name.clone(), format!("{whole}_{name}"))).collect();
                let added = attributes.into_iter().map(|(name, value)| Added {
                    name: format!("{whole}_{name}"),
                    value,
                    sensitive: name == "data",
                    after: after.clone(),
                });
                (Some(names), added.collect())
            }
            Payload::Opaque(value) => (None, vec![Added { name: whole.clone(), value, sensitive: false, after }]),
        };
        for output in &added {
            if !text::is_identifier(&output.name) {
                return self.refuse(field, file, format!("`{}` cannot be the name of an output", output.name));
            }
            if !self.taken.insert(output.name.clone()) {
                let trouble =
                    Trouble::new(file, format!("the module already has an output `{}`", output.name), "rename that output");
                return self.troubles.push(trouble.of(field));
            }
        }
        self.fields.insert(field.to_owned(), Field { file: file.to_owned(), whole, from, added });
    }
}

/// The field that a name of an output, or of a file without its ending, publishes.
pub(super) fn field_of(name: &str) -> Option<&str> {
    PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix)).filter(|field| !field.is_empty())
}

/// Everything that the folder publishes.
pub(super) fn published(step: &str, files: &BTreeMap<&str, &[u8]>, publisher: &mut Publisher<'_>) {
    for (path, program) in files {
        let Some(name) = path.strip_prefix(step).and_then(|rest| rest.strip_prefix('/')) else { continue };
        if let Some(field) = name.strip_suffix(".jq").filter(|name| !name.contains('/')).and_then(field_of) {
            publisher.by_program(field, path, program);
        }
    }
    let folder = publisher.folder;
    for (file, _, block) in folder.of_kind("resource") {
        if block.labels.first().is_some_and(|label| alarms::publishes(label.as_str())) {
            publisher.by_resource(file, block);
        }
    }
    for (file, name, block) in folder.of_kind("output") {
        publisher.by_output(file, name, block);
    }
}
