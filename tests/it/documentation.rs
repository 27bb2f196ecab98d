//! What the documentation shows is true: its documents are valid, its commands are commands, its links lead somewhere.

use clap::Parser as _;
use tieline::documents;
use tieline::request::cli::Cli;

use crate::generated::{read, root};

const PAGES: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "examples/context-repository/README.md",
    "examples/preview/README.md",
    "examples/quickstart/README.md",
    "examples/sharing/README.md",
    "docs/action.md",
    "docs/commands.md",
    "docs/context-repository.md",
    "docs/destroy.md",
    "docs/documents.md",
    "docs/environment.md",
    "docs/errors.md",
    "docs/fleet.md",
    "docs/moving.md",
    "docs/policies.md",
    "docs/previews.md",
    "docs/rollback.md",
    "docs/rules.md",
    "docs/secrets.md",
    "docs/stackspot.md",
    "docs/status.md",
    "docs/trust.md",
    "docs/workflows.md",
];

#[test]
fn documents_are_valid() {
    for (page, block) in blocks("yaml").into_iter().filter(|(_, block)| block.contains("apiVersion:")) {
        let kind = block.lines().find_map(|line| line.strip_prefix("kind: ")).unwrap().split_whitespace().next().unwrap();
        let bytes = block.as_bytes();
        let read = match kind {
            "Application" | "SharedInfra" => documents::manifest(page, bytes).map(drop),
            "Plugin" => documents::plugin(page, bytes).map(drop),
            "ConnectionInterfaceType" => documents::connection_type(page, bytes).map(drop),
            "Context" => documents::context(page, bytes).map(drop),
            "Catalog" => documents::catalog(page, bytes).map(drop),
            "Workspace" => documents::workspace(page, bytes).map(drop),
            "Environment" => documents::environment(page, bytes).map(drop),
            "ImportedConnection" => documents::imported(page, bytes).map(drop),
            kind => panic!("{page} has a document of kind {kind}"),
        };
        assert!(read.is_ok(), "{page}: {:#?}\n{block}", read.err());
    }
}

#[test]
fn commands_are_commands() {
    let mut seen = 0;
    for (page, block) in blocks("") {
        for line in block.lines() {
            let words = words(line.split("   ").map(str::trim).find(|part| !part.is_empty()).unwrap_or_default());
            let words = words.iter().skip_while(|word| *word == "$" || word.starts_with("TIELINE_"));
            let words: Vec<&String> = words.take_while(|word| *word != ">" && *word != "|" && *word != "#").collect();
            if words.first().is_some_and(|word| *word == "tieline") {
                let parsed = Cli::try_parse_from(&words);
                let is_known = parsed.as_ref().map_or_else(|problem| !problem.use_stderr(), |_| true);
                assert!(is_known, "{page}: `{line}`: {}", parsed.unwrap_err());
                seen += 1;
            }
        }
    }
    assert!(seen > 30, "only {seen} commands were found");
}

#[test]
fn links_lead_somewhere() {
    for &page in PAGES {
        let text = read(page);
        let folder = root().join(page).parent().unwrap().to_owned();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("https://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let file = if file.is_empty() { root().join(page) } else { folder.join(file) };
            assert!(file.exists(), "{page} links to `{link}`, which is not there");
            if !anchor.is_empty() {
                let target = std::fs::read_to_string(&file).unwrap();
                let mut headings = target.lines().filter(|line| line.starts_with('#')).map(slug);
                assert!(headings.any(|heading| heading == anchor), "{page} links to `{link}`, and there is no such heading");
            }
        }
    }
}

#[test]
fn rules_that_the_code_names_are_written_down() {
    let rules = read("docs/rules.md");
    for (path, text) in crate::generated::sources() {
        for (_, rest) in text.match_indices('R').map(|(at, found)| text.split_at(at + found.len())) {
            let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
            let is_rule = !number.is_empty() && rest[number.len()..].starts_with([')', ',', ' ', '.', ':', ';']);
            assert!(
                !is_rule || rules.contains(&format!("| R{number} |")),
                "{path} names R{number}, which docs/rules.md does not"
            );
        }
    }
}

/// The anchor of a heading.
fn slug(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars().filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-').map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The fenced blocks of every page, of one language or, for none, of all.
fn blocks(language: &str) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for &page in PAGES {
        let text = read(page);
        for (number, part) in text.split("\n```").enumerate() {
            let (of, block) = part.split_once('\n').unwrap_or_default();
            if number % 2 == 1 && (language.is_empty() || of == language) {
                found.push((page, block.to_owned() + "\n"));
            }
        }
    }
    found
}

/// A line as a shell's words; enough for examples.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, ' ') => words.push(String::new()),
            _ => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
