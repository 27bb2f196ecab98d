//! A fleet leaves what one process would: the same states, and the same ledger.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::time::Instant;

use regex::{Captures, Regex};

use super::{Fleet, held};
use crate::endure::bench::{Bench, files_below};
use crate::harness::needs_terraform;

const WAVES: usize = 5;
const IN_A_WAVE: usize = 8;
const AT_ONCE: usize = 6;

/// A plugin that publishes a secret and reads that of another.
const KEEPER: &str = "
apiVersion: tieline/v1
kind: Plugin
name: keeper
version: 1.0.0
inputs:
  type: object
  additionalProperties: false
  properties: {value: {type: string, default: plain}}
requires: {from: {type: value-conn, optional: true, sensitive: [secret]}}
generates: {out: {type: value-conn, from: {value: value, secret: secret}}}
terraform: {}
";

const KEEPER_MODULE: &str = r#"
variable "value" { type = string }
variable "from" {
  type    = object({ value = string, secret = string })
  default = null
}
resource "terraform_data" "it" { input = var.value }
resource "terraform_data" "seen" { input = sha256(try("${var.from.value} ${var.from.secret}", "nothing")) }
output "value" { value = terraform_data.it.output }
output "secret" {
  value     = sha256("${var.value} ${terraform_data.seen.output}")
  sensitive = true
}
"#;

/// An application of forty applied plugins in five waves; `second` is another state of it, in which one is gone, one is new and one has
/// another value.
fn manifest(second: bool) -> String {
    let mut plugins = String::new();
    for wave in 0..WAVES {
        for number in 0..IN_A_WAVE {
            if second && (wave, number) == (WAVES - 1, 7) {
                continue;
            }
            let value = if second && (wave, number) == (2, 3) { "other" } else { "plain" };
            let _ = write!(plugins, "  w{wave}-p{number}: {{use: ../plugins/keeper, inputs: {{value: {value}}}");
            match (wave, number % 4) {
                (0, _) => {}
                (_, 2) => _ = write!(plugins, ", after: [w{}-p{number}]", wave - 1),
                _ => _ = write!(plugins, ", connections: {{from: w{}-p{number}.out}}", wave - 1),
            }
            plugins.push_str("}\n");
        }
    }
    if second {
        plugins.push_str("  late: {use: ../plugins/keeper, connections: {from: w3-p0.out}}\n");
    }
    format!("apiVersion: tieline/v1\nkind: Application\nname: app\nworkspace: w\nplugins:\n{plugins}")
}

/// A bench with that application in its own folder, and in as many work directories as there are machines.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.plugin("plugins/keeper", KEEPER, KEEPER_MODULE);
    for number in 0..AT_ONCE {
        bench.plugin(&format!("work{number}/plugins/keeper"), KEEPER, KEEPER_MODULE);
    }
    bench
}

fn write_manifest(bench: &Bench, second: bool) {
    let folders = (0..AT_ONCE).map(|number| format!("work{number}/app")).chain(["app".to_owned()]);
    folders.for_each(|folder| bench.write(&format!("{folder}/tieline.yaml"), &manifest(second)));
}

/// All files of the ledger and all states, with times taken out, and ids and digests numbered as they come.
fn all_there_is(bench: &Bench) -> BTreeMap<String, String> {
    let mut found = Vec::new();
    let mut ledger = bench.ledger_paths();
    ledger.sort();
    found.extend(ledger.into_iter().map(|path| (path.clone(), bench.ledger_text(&path))));
    let states = bench.path(".tieline/states");
    let mut files = files_below(&states);
    files.sort();
    let named = |file: &std::path::PathBuf| file.strip_prefix(&states).unwrap().display().to_string();
    found.extend(files.iter().map(|file| (named(file), fs::read_to_string(file).unwrap())));
    let time = Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z").unwrap();
    let root = bench.root().display().to_string();
    let id = r"\b([0-9A-HJKMNP-TV-Z]{26}|tieline_[0-9a-f]{12}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})\b";
    let id = Regex::new(id).unwrap();
    // How often Terraform saved a state on the way is its own affair.
    let saves = Regex::new(r#""serial": \d+"#).unwrap();
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let mut numbered = |text: &str| {
        let text = text.replace(&root, "<folder>");
        let text = time.replace_all(&text, "<time>");
        let text = saves.replace_all(&text, "");
        let number = |found: &Captures<'_>| {
            let next = numbers.len();
            format!("<{}>", numbers.entry(found[0].to_owned()).or_insert(next))
        };
        id.replace_all(&text, number).into_owned()
    };
    found.iter().map(|(path, text)| (numbered(path), numbered(text))).collect()
}

fn assert_same(one: &Bench, fleet: &Bench) {
    let (one, fleet) = (all_there_is(one), all_there_is(fleet));
    assert_eq!(one.keys().collect::<Vec<_>>(), fleet.keys().collect::<Vec<_>>());
    for (path, text) in &one {
        assert_eq!(text, &fleet[path], "{path}");
    }
}

/// Forty applied plugins in five waves over six processes at a time, each in a work directory of its own.
#[test]
fn tf_r16_a_fleet_leaves_what_one_process_would() {
    needs_terraform!();
    let (one, many) = (bench(), bench());
    let context = many.context();
    let allowed = ["--allow-destroy", "--context", context.to_str().unwrap()];
    for (round, second) in [("first", false), ("changed", true)] {
        write_manifest(&one, second);
        let start = Instant::now();
        one.deploys("app", &["--allow-destroy"]);
        let alone = start.elapsed();

        write_manifest(&many, second);
        let start = Instant::now();
        let fleet = Fleet::of(&many);
        let sizes: Vec<usize> = fleet.waves.iter().map(Vec::len).collect();
        assert_eq!(sizes, if second { [9, 8, 8, 8, 8] } else { [8; WAVES] });
        fleet.run_all(&many, AT_ONCE, &allowed);
        let finished = fleet.finish(&many, &[]);
        assert_eq!(finished.code, Some(0), "{}", finished.err);
        eprintln!("{round}: {alone:?} in one process, {:?} as a fleet", start.elapsed());

        assert_eq!(held(&many), "", "claim and journals are gone");
        assert_same(&one, &many);
        many.verify();
    }
    assert_eq!(many.runs("app").len(), 2);
    assert_eq!(many.commits(), one.commits(), "each fleet published once, and what went was marked before");
    assert!(many.is_tidy());
}
