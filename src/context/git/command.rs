//! The git binary: how it is started, and what its failures mean.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use tokio_util::sync::CancellationToken;

use crate::context::StoreError;
use crate::context::location::hide_credentials;
use crate::world::{Apart, Captured, OnCancel, ProcessSpec, Variables, World};

/// What git keeps of our own variables: where programs and its configuration are, and all by which people give it access.
const INHERITED: [&str; 27] = [
    "PATH",
    "HOME",
    "XDG_CONFIG_HOME",
    "TMPDIR",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_ASKPASS",
    "SSH_ASKPASS",
    "SSH_AUTH_SOCK",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSH_VARIANT",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "GIT_SSL_CERT",
    "GIT_SSL_KEY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
];

/// What git is told whatever our own variables say: plain words, no questions, paths as they are, no fetch that was not asked for.
const PINNED: [(&str, &str); 5] = [
    ("LC_ALL", "C"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("SSH_ASKPASS_REQUIRE", "force"),
    ("GIT_LITERAL_PATHSPECS", "1"),
    ("GIT_NO_LAZY_FETCH", "1"),
];

/// Settings that hold for every git process, whatever the repository or the user say.
const SETTINGS: [(&str, &str); 7] = [
    // Hundreds of small files cost more than one pack (measured: 120 ms against 20 for the publication of 20 plugins).
    ("fastimport.unpackLimit", "20"),
    // A repository that came with a checkout must not make us run its programs.
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("protocol.ext.allow", "never"),
    ("protocol.version", "2"),
    // What a fetch cleans up, it cleans up before it ends: nothing of ours stays behind on a runner.
    ("gc.autoDetach", "false"),
    ("maintenance.autoDetach", "false"),
];

/// A remote that does not answer for so long never will.
const NETWORK_LIMIT: Duration = Duration::from_mins(2);

/// A repository, and how git is run on it.
#[derive(Clone)]
pub(super) struct Git {
    pub(super) world: World,
    directory: PathBuf,
    environment: BTreeMap<String, String>,
    /// Where the context is, for messages.
    what: String,
}

/// What a git command touches; it decides what may stop it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// This machine: it ends soon, and killing it would leave lock files behind.
    Local,
    /// A remote too: interrupted when it takes too long, so that it can take its lock files away.
    Network,
}

impl Git {
    /// Git on the bare repository `directory`, with further `settings`; `what` names the context in messages.
    pub(super) fn new(world: &World, directory: &Path, settings: &[(&str, &str)], what: String) -> Self {
        let environment = environment(&world.variables, directory, settings);
        Self { world: world.clone(), directory: directory.to_owned(), environment, what }
    }

    /// Runs git to its end; the exit code is the caller's to judge.
    pub(super) async fn run(&self, reach: Reach, arguments: &[&str], stdin: Option<Vec<u8>>) -> Result<Captured, StoreError> {
        let (on_cancel, time_limit) = match reach {
            Reach::Local => (OnCancel::Finish, None),
            Reach::Network => (OnCancel::InterruptOnce, Some(NETWORK_LIMIT)),
        };
        let spec = ProcessSpec {
            program: "git".into(),
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            directory: self.directory.clone(),
            environment: self.environment.clone(),
            stdin,
            on_cancel,
            time_limit,
            apart: Apart::default(),
        };
        let captured = self.world.exec.capture(&spec, &CancellationToken::new()).await;
        captured.map_err(|problem| self.unavailable(&problem.to_string()))
    }

    /// Runs git and takes its output; any exit code but 0 is a failure.
    pub(super) async fn output(&self, reach: Reach, arguments: &[&str], stdin: Option<Vec<u8>>) -> Result<Vec<u8>, StoreError> {
        let captured = self.run(reach, arguments, stdin).await?;
        if captured.exit.success() { Ok(captured.stdout) } else { Err(self.failure(&captured)) }
    }

    /// Runs git as [`Self::output`] does, again after each of `delays` while the failure is one that may pass. Each time is said
    /// once. Only for what can be done twice.
    pub(super) async fn output_in_the_end(
        &self,
        reach: Reach,
        arguments: &[&str],
        stdin: Option<Vec<u8>>,
        delays: ExponentialBuilder,
        may_pass: fn(&StoreError) -> bool,
    ) -> Result<Vec<u8>, StoreError> {
        let mut delays = delays.build();
        loop {
            let problem = match self.output(reach, arguments, stdin.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(problem) => problem,
            };
            match delays.next() {
                Some(delay) if may_pass(&problem) => {
                    tracing::warn!("{problem}; trying again in {} ms", delay.as_millis());
                    self.world.clock.sleep(delay).await;
                }
                _ => return Err(problem),
            }
        }
    }

    /// What a failed process means.
    pub(super) fn failure(&self, captured: &Captured) -> StoreError {
        if captured.exit.cancelled {
            return self.unavailable(&format!("git did not end within {} seconds", NETWORK_LIMIT.as_secs()));
        }
        self.unavailable(&String::from_utf8_lossy(&captured.stderr))
    }

    /// The repository cannot be used because of `why`, which may be git's own words.
    pub(super) fn unavailable(&self, why: &str) -> StoreError {
        StoreError::Unavailable { what: self.what.clone(), why: readable(why) }
    }
}

fn environment(variables: &Variables, directory: &Path, settings: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut environment: BTreeMap<String, String> = INHERITED
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), variables.get(name)?.to_owned())))
        .chain(PINNED.map(|(name, value)| (name.to_owned(), value.to_owned())))
        .collect();
    // SSH asks on the terminal behind our back, where nobody answers: it gets an asker that says no.
    environment.entry("SSH_ASKPASS".to_owned()).or_insert_with(|| "false".to_owned());
    environment.insert("GIT_DIR".to_owned(), directory.display().to_string());
    // Settings travel in variables: on a command line everybody on the machine could read an address with a password. People give
    // theirs the same way; ours come after and win.
    let inherited = variables.get("GIT_CONFIG_COUNT").and_then(|count| count.parse::<usize>().ok()).unwrap_or_default();
    let theirs = (0..inherited).filter_map(|number| {
        let of = |part: &str| variables.get(&format!("GIT_CONFIG_{part}_{number}"));
        Some((of("KEY")?, of("VALUE").unwrap_or_default()))
    });
    let all: Vec<_> = theirs.chain(SETTINGS).chain(settings.iter().copied()).collect();
    for (number, (key, value)) in all.iter().enumerate() {
        environment.insert(format!("GIT_CONFIG_KEY_{number}"), (*key).to_owned());
        environment.insert(format!("GIT_CONFIG_VALUE_{number}"), (*value).to_owned());
    }
    environment.insert("GIT_CONFIG_COUNT".to_owned(), all.len().to_string());
    environment
}

/// Git's words on one line, credentials hidden, the longest cut.
pub(super) fn readable(text: &str) -> String {
    const LONGEST: usize = 600;
    let clean = hide_credentials(text);
    let lines: Vec<_> = clean
        .lines()
        .map(|line| line.trim_start_matches("fatal: ").trim_start_matches("error: ").replace(char::is_control, " "))
        .map(|line| line.trim().trim_end_matches('.').to_owned())
        .filter(|line| !line.is_empty())
        .collect();
    let joined = lines.join("; ");
    match joined.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &joined[..end]),
        None => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r69_git_gets_an_environment_built_from_scratch() {
        let variables = Variables::new(
            [
                ("PATH", "/bin"),
                ("HOME", "/home/u"),
                ("GITHUB_TOKEN", "t"),
                ("GIT_DIR", "/elsewhere"),
                ("GIT_CONFIG_COUNT", "1"),
                ("GIT_CONFIG_KEY_0", "http.extraHeader"),
                ("GIT_CONFIG_VALUE_0", "Authorization: x"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        let environment = environment(&variables, Path::new("/repo"), &[("remote.origin.url", "https://u:p@h/x")]);
        assert_eq!(environment["GIT_DIR"], "/repo");
        assert_eq!(environment["HOME"], "/home/u");
        assert_eq!(environment["GIT_TERMINAL_PROMPT"], "0");
        assert!(!environment.contains_key("GITHUB_TOKEN"));
        assert_eq!(environment["GIT_CONFIG_KEY_0"], "http.extraHeader");
        let last = SETTINGS.len() + 1;
        assert_eq!(environment[&format!("GIT_CONFIG_KEY_{last}")], "remote.origin.url");
        assert_eq!(environment["GIT_CONFIG_COUNT"], (last + 1).to_string());
    }

    #[test]
    fn gits_words_become_one_clean_line() {
        let words = "error: x.\r\nfatal: unable to access 'https://u:p@h/':\u{1b}[31m no\n\n";
        assert_eq!(readable(words), "x; unable to access 'https://***@h/': [31m no");
        assert_eq!(readable(&"é".repeat(1000)).chars().count(), 601);
    }
}
