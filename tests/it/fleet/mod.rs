//! Deploys that are spread over many jobs: each is a process of its own, in a work directory of its own, with one context repository.

mod ends;
mod hold;
mod hosted;
mod same;
mod shown;

use std::collections::VecDeque;
use std::process::Command;
use std::sync::Mutex;

use serde_json::Value;

use crate::endure::bench::{Bench, Ended, Running};

/// A fleet as `tieline fleet` prints it.
pub(crate) struct Fleet {
    pub(crate) id: String,
    /// The aliases of each job, by wave.
    pub(crate) waves: Vec<Vec<String>>,
}

impl Fleet {
    /// The fleet that deploys the application.
    pub(crate) fn of(bench: &Bench) -> Self {
        let ran = bench.run(&["fleet", "-C", "app", "-e", "e", "-o", "json", "--allow-local-exec"]).succeeds();
        let shown = ran.json();
        let wave = |wave: &Value| {
            let jobs = wave["include"].as_array().unwrap().iter();
            jobs.map(|job| job["aliases"].as_str().unwrap().to_owned()).collect()
        };
        let waves = shown["waves"].as_array().unwrap().iter().map(wave).collect();
        Self { id: shown["fleet"].as_str().unwrap().to_owned(), waves }
    }

    /// The job for these aliases, from a work directory.
    pub(crate) fn job(&self, bench: &Bench, folder: &str, aliases: &str, more: &[&str]) -> Command {
        let arguments = ["deploy", "-C", folder, "-e", "e", "--allow-local-exec", "--only", aliases, "--fleet", &self.id];
        bench.command(&[&arguments, more].concat())
    }

    /// Starts the job for these aliases.
    pub(crate) fn start(&self, bench: &Bench, aliases: &str) -> Running {
        bench.start(self.job(bench, "app", aliases, &[]))
    }

    /// Runs the job for these aliases.
    pub(crate) fn run(&self, bench: &Bench, aliases: &str) -> Ended {
        self.start(bench, aliases).finish()
    }

    /// Runs the job for these aliases, which must succeed.
    pub(crate) fn runs(&self, bench: &Bench, aliases: &str) {
        let ended = self.run(bench, aliases);
        assert_eq!(ended.code, Some(0), "{}\n{}", ended.err, ended.out);
    }

    /// Runs all jobs, wave after wave, so many at a time, each from a work directory of its own; all must succeed.
    pub(crate) fn run_all(&self, bench: &Bench, at_once: usize, more: &[&str]) {
        for wave in &self.waves {
            let jobs: Mutex<VecDeque<&String>> = Mutex::new(wave.iter().collect());
            std::thread::scope(|threads| {
                for number in 0..at_once {
                    let jobs = &jobs;
                    threads.spawn(move || {
                        loop {
                            let Some(aliases) = jobs.lock().unwrap().pop_front() else { return };
                            let ended = bench.start(self.job(bench, &format!("work{number}/app"), aliases, more)).finish();
                            assert_eq!(ended.code, Some(0), "{aliases}:\n{}{}", ended.err, ended.out);
                        }
                    });
                }
            });
        }
    }

    /// `fleet finish`.
    pub(crate) fn finish(&self, bench: &Bench, more: &[&str]) -> Ended {
        let arguments = ["fleet", "finish", "-C", "app", "-e", "e", "--allow-local-exec", "--fleet", &self.id];
        bench.start(bench.command(&[&arguments, more].concat())).finish()
    }
}

/// What each alias of the application's newest run came to: `alias: status (because)`, one a line.
pub(crate) fn newest_tasks(bench: &Bench) -> String {
    let run = bench.runs("app").pop().unwrap();
    crate::harness::tasks(&serde_json::json!({"run": run}))
}

/// The refs of claims and journals that there are.
pub(crate) fn held(bench: &Bench) -> String {
    bench.ask_git(&["for-each-ref", "--format=%(refname)", "refs/tieline/claims"]).unwrap()
}
