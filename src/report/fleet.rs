//! The waves of a fleet, for people and as job matrices.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::outputs::compact;
use super::{SCHEMA_VERSION, counted, to_json};
use crate::domain::fleet::Waves;
use crate::domain::names::Alias;

/// The waves as text: a line for each job.
pub fn text(waves: &Waves) -> String {
    let jobs: usize = waves.waves.iter().map(Vec::len).sum();
    let (jobs, count) = (counted(jobs, "job", "jobs"), counted(waves.waves.len(), "wave", "waves"));
    let mut text = format!("{}: {jobs} in {count}\n", waves.place);
    for (wave, number) in waves.waves.iter().zip(1..) {
        let _ = writeln!(text, "\nWave {number}");
        for job in wave {
            let _ = writeln!(text, "  {}", aliases(job));
        }
    }
    if waves.waves.is_empty() {
        return text;
    }
    let _ = writeln!(text, "\nEach job, wave after wave:\n  tieline deploy --fleet {} --only <its aliases>", waves.fleet);
    let _ = writeln!(text, "then, however they ended:\n  tieline fleet finish --fleet {}", waves.fleet);
    text
}

/// The waves as JSON.
pub fn json(waves: &Waves) -> String {
    let value = json!({
        "schemaVersion": SCHEMA_VERSION, "command": "fleet", "place": waves.place, "fleet": waves.fleet, "waves": include(waves),
    });
    to_json(&value)
}

/// The output `matrix`: of each wave what `strategy.matrix` takes.
pub fn matrix(waves: &Waves) -> String {
    compact(&json!({"fleet": waves.fleet, "waves": include(waves)}))
}

fn include(waves: &Waves) -> Vec<Value> {
    let job = |job: &Vec<Alias>| json!({"name": name(job), "aliases": aliases(job)});
    waves.waves.iter().map(|wave| json!({"include": wave.iter().map(job).collect::<Vec<_>>()})).collect()
}

/// What a job is called where there is little room.
fn name(job: &[Alias]) -> String {
    match job {
        [] => String::new(),
        [one] => one.to_string(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    }
}

fn aliases(job: &[Alias]) -> String {
    job.join(",")
}
