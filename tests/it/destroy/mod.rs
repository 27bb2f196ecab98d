//! Taking everything down, on the worst day too (R29 to R35).

mod approved;
mod blocked;
mod broken_off;
mod everything;
mod race;
mod worst_day;

use crate::harness::{Project, Ran};

impl Project {
    /// `destroy` of a place, `<workspace>/<environment>/<deployable>`, without its manifest; the ledger must agree with itself
    /// afterwards, however it ended.
    pub(crate) fn destroy(&self, place: &str) -> Ran {
        self.destroy_with(place, &[])
    }

    /// The same, with further arguments.
    pub(crate) fn destroy_with(&self, place: &str, arguments: &[&str]) -> Ran {
        let ran = self.run(&destroy_arguments(place, arguments));
        self.verify();
        assert_eq!(self.claims(), "", "a run that ended holds no claim");
        ran
    }

    /// Nothing of a place is left in the ledger but what happened there, and none of its states holds a resource.
    #[track_caller]
    pub(crate) fn is_gone(&self, place: &str, aliases: &[&str]) {
        let folders = ["applied", "connections", "consumers"].map(|kind| format!("{place}/{kind}/"));
        let mut left = self.ledger_paths();
        left.retain(|path| folders.iter().any(|folder| path.starts_with(folder)));
        assert_eq!(left, Vec::<String>::new(), "what is left of {place} in the ledger");
        for alias in aliases {
            assert_eq!(self.state_resources(&format!("{place}/{alias}")), Vec::<String>::new(), "the state of {place}/{alias}");
        }
    }
}

/// The command line of a destroy of `<workspace>/<environment>/<deployable>`.
pub(crate) fn destroy_arguments<'a>(place: &'a str, arguments: &[&'a str]) -> Vec<&'a str> {
    let [workspace, environment, deployable] = place.split('/').collect::<Vec<_>>()[..] else { panic!("{place} is no place") };
    [&["destroy", "--workspace", workspace, "--environment", environment, "--deployable", deployable], arguments].concat()
}
