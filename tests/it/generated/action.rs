//! The tables of `docs/action.md`; its text is written by hand.

use std::fmt::Write as _;

use serde_yaml::Value;

use super::{cell, read};

pub(super) fn page() -> String {
    let action: Value = serde_yaml::from_str(&read("action.yml")).unwrap();
    let page = with_table(&read("docs/action.md"), "inputs", &action);
    with_table(&page, "outputs", &action)
}

/// The page with the table between the two marks of this name written anew.
fn with_table(page: &str, name: &str, action: &Value) -> String {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
    let (before, rest) = page.split_once(&begin).unwrap();
    let (_, after) = rest.split_once(&end).unwrap();
    let mut table = format!("| {} | |\n|---|---|\n", name.trim_end_matches('s'));
    for (name, entry) in action[name].as_mapping().unwrap() {
        let description = cell(entry["description"].as_str().unwrap());
        let _ = writeln!(table, "| `{}` | {description} |", name.as_str().unwrap());
    }
    [before, &begin, &table, &end, after].concat()
}
