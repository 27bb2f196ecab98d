//! The files of a step's module, parsed.

use std::collections::{BTreeMap, BTreeSet};

use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, Body};

use super::Trouble;
use super::payload::Locals;

/// No Terraform file that a person wrote comes near.
const LARGEST: usize = 1024 * 1024;

/// The parsed files of one folder, by their paths in the bundle.
#[derive(Debug, Default)]
pub(super) struct Folder {
    pub(super) files: BTreeMap<String, Body>,
}

impl Folder {
    /// Every block, with the file that it is in.
    pub(super) fn blocks(&self) -> impl Iterator<Item = (&str, &Block)> {
        self.files.iter().flat_map(|(file, body)| body.blocks().map(move |block| (file.as_str(), block)))
    }

    /// Those of one kind, such as `output`, with their last label.
    pub(super) fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a str, &'a Block)> {
        self.blocks()
            .filter(move |(_, block)| block.ident.as_str() == kind)
            .filter_map(|(file, block)| Some((file, block.labels.last()?.as_str(), block)))
    }

    pub(super) fn locals(&self) -> Locals<'_> {
        let blocks = self.blocks().filter(|(_, block)| block.ident.as_str() == "locals");
        blocks.flat_map(|(_, block)| block.body.attributes()).map(|one| (one.key.as_str(), &one.value)).collect()
    }

    /// The values of its outputs.
    pub(super) fn outputs(&self) -> BTreeMap<&str, &Expression> {
        self.of_kind("output").filter_map(|(_, name, block)| Some((name, value_of(block, "value")?))).collect()
    }

    pub(super) fn variables(&self) -> BTreeSet<&str> {
        self.of_kind("variable").map(|(_, name, _)| name).collect()
    }
}

/// The value of a block's attribute.
pub(super) fn value_of<'a>(block: &'a Block, attribute: &str) -> Option<&'a Expression> {
    block.body.get_attribute(attribute).map(|found| &found.value)
}

/// The way to a resource, data source or module from the rest of its module.
pub(super) fn address(block: &Block) -> Option<Vec<String>> {
    let labels: Vec<String> = block.labels.iter().map(|label| label.as_str().to_owned()).collect();
    match (block.ident.as_str(), labels.len()) {
        ("resource", 2) => Some(labels),
        ("data", 2) => Some(std::iter::once("data".to_owned()).chain(labels).collect()),
        ("module", 1) => Some(std::iter::once("module".to_owned()).chain(labels).collect()),
        _ => None,
    }
}

/// The folders with Terraform files that belong to the step: all but those of other steps.
pub(super) fn folders(
    step: &str,
    others: &[String],
    files: &BTreeMap<&str, &[u8]>,
    troubles: &mut Vec<Trouble>,
) -> BTreeMap<String, Folder> {
    let mut folders: BTreeMap<String, Folder> = BTreeMap::new();
    for (path, bytes) in files {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let first = folder.split('/').next().unwrap_or_default();
        let of_another = first != step && others.iter().any(|other| other == first);
        if of_another || folder.split('/').any(|part| part.starts_with('.')) {
            continue;
        }
        if name.ends_with(".tf.json") && mentions_vendor(bytes) {
            troubles.push(Trouble::new(
                path,
                format!("`{path}` is in Terraform's JSON syntax and uses Massdriver's provider"),
                "write what it uses of the provider in a `.tf` file",
            ));
        }
        if !name.ends_with(".tf") {
            continue;
        }
        match parsed(path, bytes) {
            Ok(body) => _ = folders.entry(folder.to_owned()).or_default().files.insert((*path).to_owned(), body),
            Err(trouble) => troubles.push(trouble),
        }
    }
    folders
}

fn mentions_vendor(bytes: &[u8]) -> bool {
    String::from_utf8_lossy(bytes.get(..LARGEST).unwrap_or(bytes)).contains("massdriver")
}

pub(super) fn parsed(path: &str, bytes: &[u8]) -> Result<Body, Trouble> {
    let wrong = |why: String| Trouble::new(path, format!("`{path}` cannot be read: {why}"), "make it a Terraform file");
    if bytes.len() > LARGEST {
        return Err(wrong("it is larger than 1 MiB".to_owned()));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8 text".to_owned()))?;
    hcl_edit::parser::parse_body(text).map_err(|error| wrong(format!("line {}: {}", error.location().line(), error.message())))
}
