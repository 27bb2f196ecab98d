//! The code keeps to ARCHITECTURE.md: its tables are read here.

use std::collections::{BTreeMap, BTreeSet};

use crate::generated::{read, sources};

/// Lines of a file, tests left out.
const CEILING: usize = 500;

#[test]
fn modules_import_only_what_the_table_allows() {
    let allowed: BTreeMap<String, BTreeSet<String>> = table("Who may import whom")
        .into_iter()
        .map(|row| (named(&row[0])[0].clone(), named(&row[1]).into_iter().collect()))
        .collect();
    let modules: BTreeSet<String> = read("src/lib.rs")
        .lines()
        .filter_map(|line| Some(line.strip_prefix("pub mod ")?.trim_end_matches(';').to_owned()))
        .collect();
    assert_eq!(allowed.keys().cloned().collect::<BTreeSet<_>>(), modules, "the table's modules are not those of src/lib.rs");
    let mut wrong = BTreeSet::new();
    for (path, text) in sources() {
        let Some(module) = module_of(&path) else { continue };
        for import in imports(&text).into_iter().filter(|import| import != module && modules.contains(import)) {
            if !allowed[module].contains(&import) && !allowed[module].contains("all") {
                wrong.insert(format!("{path} imports `{import}`: `{module}` must not"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn effects_are_named_only_where_the_table_says() {
    let mut wrong = BTreeSet::new();
    for row in table("Who may touch the world") {
        let (effects, places) = (named(&row[0]), named(&row[1]));
        for (path, text) in sources() {
            if places.iter().any(|place| path.starts_with(&format!("src/{place}"))) {
                continue;
            }
            let code = without_comments(&text);
            wrong.extend(effects.iter().filter(|effect| code.contains(*effect)).map(|effect| format!("{path} names `{effect}`")));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn pure_modules_neither_wait_nor_know_the_world() {
    let pure: Vec<String> = table("Who may import whom")
        .into_iter()
        .filter(|row| row[2].trim() == "pure")
        .map(|row| named(&row[0])[0].clone())
        .collect();
    assert!(pure.len() >= 5, "only {pure:?} are pure");
    let mut wrong = BTreeSet::new();
    for (path, text) in sources() {
        if module_of(&path).is_some_and(|module| pure.iter().any(|pure| pure == module)) {
            let code = without_comments(&text);
            let words = ["async fn", ".await", "tokio::", "tracing::", "crate::world"];
            wrong.extend(words.iter().filter(|word| code.contains(*word)).map(|word| format!("{path} has `{word}`")));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn files_are_short() {
    let long: Vec<String> = sources()
        .into_iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > CEILING)
        .map(|(path, lines)| format!("{path} has {lines} lines"))
        .collect();
    assert!(long.is_empty(), "over {CEILING} lines, tests not counted: {long:#?}");
}

#[test]
fn every_folder_is_on_the_code_map() {
    let map = read("ARCHITECTURE.md");
    for (path, _) in sources() {
        let Some(module) = module_of(&path) else { continue };
        assert!(map.contains(&format!("`{module}/`")), "the code map does not name `{module}/`");
    }
}

#[test]
fn the_rust_version_is_the_documented_one() {
    let manifest = read("Cargo.toml");
    let version = manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap().trim_matches('"');
    for page in ["README.md", "CONTRIBUTING.md"] {
        assert!(read(page).contains(&format!("Rust {version}")), "{page} does not say Rust {version}");
    }
}

/// The rows of the table under a heading of ARCHITECTURE.md.
fn table(heading: &str) -> Vec<Vec<String>> {
    let text = read("ARCHITECTURE.md");
    let (_, rest) = text.split_once(&format!("# {heading}\n")).unwrap_or_else(|| panic!("ARCHITECTURE.md has no `{heading}`"));
    let rows = rest.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|')).skip(2);
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// What stands in backticks.
fn named(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The module that a file belongs to; none for the crate's own two files.
fn module_of(path: &str) -> Option<&str> {
    let module = path.strip_prefix("src/")?.split('/').next()?;
    (!module.ends_with(".rs")).then_some(module)
}

/// What a text imports from its own crate.
fn imports(text: &str) -> BTreeSet<String> {
    let code = without_comments(text);
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        if let Some(list) = rest.strip_prefix('{') {
            // `use crate::{a, b::c}`: the first name after each comma. Names that are no module are left out by the caller.
            let list = list.split(';').next().unwrap_or_default();
            found.extend(list.split([',', '{']).map(|part| part.trim().chars().take_while(|c| is_name(*c)).collect()));
        } else {
            found.insert(rest.chars().take_while(|c| is_name(*c)).collect());
        }
    }
    found
}

fn without_comments(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}
