//! What is deployed is called otherwise: moved, not made anew (R40).

mod adopting;
mod crashing;
mod refusing;
mod renaming;
mod splitting;

use serde_json::Value;

use crate::harness::{Project, Ran};

impl Project {
    /// `move`; the ledger must agree with itself afterwards and nothing be claimed, however it ended.
    fn relocate(&self, arguments: &[&str]) -> Ran {
        let ran = self.run(&[&["move"], arguments].concat());
        self.verify();
        assert_eq!(self.claims(), "", "a move that ended holds no claim: {ran}");
        ran
    }

    /// The ids of the managed resources in a state, in order of their addresses: they change when something is made anew.
    fn made(&self, key: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.state_path(key)).unwrap_or_else(|problem| panic!("{key}: {problem}"));
        let state: Value = serde_json::from_str(&text).unwrap();
        let managed = state["resources"].as_array().unwrap().iter().filter(|resource| resource["mode"] == "managed");
        managed.map(|resource| resource["instances"][0]["attributes"]["id"].as_str().unwrap().to_owned()).collect()
    }

    /// The text of every file of the ledger but of runs and plugins, with its path.
    fn ledger_without_runs(&self) -> Vec<(String, String)> {
        let paths = self.ledger_paths().into_iter().filter(|path| !path.contains("/runs/"));
        paths.map(|path| (path.clone(), self.ledger_text(&path))).collect()
    }
}

/// The statuses of the runs of a place, oldest first, with their types.
fn runs(project: &Project, place: &str) -> Vec<String> {
    let paths = project.ledger_paths().into_iter().filter(|path| path.starts_with(&format!("{place}/runs/")));
    let word = |run: &Value, field: &str| run[field].as_str().unwrap().to_owned();
    paths.map(|path| project.ledger(&path)).map(|run| format!("{} {}", word(&run, "type"), word(&run, "status"))).collect()
}
