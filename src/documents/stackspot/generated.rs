//! What a plugin publishes: its generated connections with the outputs that their attributes come from.

use std::collections::BTreeMap;

use super::connections::{Connection, own_name};
use super::fields::{Fields, Report};
use crate::documents::finding::{Finding, listed};
use crate::documents::native::is_identifier;
use crate::domain::names::{AttributeName, OutputName};
use crate::domain::plugin::Output;

/// The outputs of what is generated. `module` are the Terraform outputs that the templates name.
pub(super) fn outputs(generated: &[Connection<'_>], module: &[String], report: &mut Report) -> BTreeMap<OutputName, Output> {
    let mut taken: BTreeMap<OutputName, String> = BTreeMap::new();
    let mut outputs = BTreeMap::new();
    for connection in generated {
        let Some(name) = own_name(connection, &taken, report) else { continue };
        taken.insert(name.clone(), connection.alias.clone());
        let mapped = connection.fields.as_ref().filter(|fields| !fields.list("outputs").is_empty());
        let from = match mapped {
            Some(fields) => mapping(fields, report),
            None => by_convention(connection, module, report),
        };
        outputs.insert(name, Output { type_ref: Some(connection.type_ref.clone()), types: Vec::new(), from });
    }
    outputs
}

/// What `outputs` says: contract attribute to Terraform output.
fn mapping(fields: &Fields<'_>, report: &mut Report) -> BTreeMap<AttributeName, String> {
    let mut mapping = BTreeMap::new();
    for (at, entry) in fields.list("outputs") {
        let entry = Fields::of(entry, at, report);
        entry.only(&["from", "to"], report);
        let (from, to) = (entry.needed("from", "an output", report), entry.needed("to", "an output", report));
        let (Some(from), Some(to)) = (from, to) else { continue };
        if !is_identifier(&from) {
            let finding = Finding::new(entry.place("from"), format!("`{from}` cannot be the name of a Terraform output"));
            report.refuse(finding.help("write the name of an `output` block, the same for every use of the plugin"));
        }
        match AttributeName::new(to) {
            Ok(to) if mapping.contains_key(&to) => {
                report.refuse(Finding::new(entry.place("to"), format!("`{to}` is mapped twice")).help("keep one of the two"));
            }
            Ok(to) => {
                mapping.insert(to, from);
            }
            Err(error) => report.refuse(Finding::new(entry.place("to"), error.to_string())),
        }
    }
    mapping
}

/// Where nothing is mapped, what the names of outputs say, as the scaffold of such plugins names them: `<alias>-<attribute>`.
fn by_convention(connection: &Connection<'_>, module: &[String], report: &mut Report) -> BTreeMap<AttributeName, String> {
    let Connection { alias, type_ref, at, .. } = connection;
    let prefixed = |prefix: &str| -> BTreeMap<AttributeName, String> {
        let attribute = |output: &String| {
            let rest = output.strip_prefix(prefix)?;
            Some((AttributeName::new(rest).ok()?, output.clone()))
        };
        module.iter().filter_map(attribute).collect()
    };
    let starts = [format!("{alias}-"), format!("{}-", type_ref.name), String::new()];
    let found = starts.iter().map(|prefix| prefixed(prefix)).find(|mapping| !mapping.is_empty()).unwrap_or_default();
    if found.is_empty() {
        let message = format!("nothing says where the attributes of `{alias}` come from, and the templates have no `output`");
        report.refuse(
            Finding::new(at.clone(), message)
                .label("no outputs")
                .help("list them under `outputs`, each with `from`, a Terraform output, and `to`, an attribute of the type"),
        );
        return found;
    }
    let pairs: Vec<String> = found.iter().map(|(attribute, output)| format!("{attribute} = {output}")).collect();
    report.warn(
        Finding::new(at.clone(), format!("nothing says where the attributes of `{alias}` come from: the names of outputs do"))
            .note(format!("taken is {}", listed(pairs.iter().map(String::as_str))))
            .help("list them under `outputs` of `generates.connections` to be sure"),
    );
    found
}

/// The names of the `output` blocks in a text of Terraform, as far as they are the same for every use.
pub(super) fn output_blocks(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter_map(|line| {
        let name = line.trim_start().strip_prefix("output")?.trim_start().strip_prefix('"')?;
        let (name, _) = name.split_once('"')?;
        is_identifier(name).then(|| name.to_owned())
    })
}
