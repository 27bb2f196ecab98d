//! Every environment variable that Tieline reads for itself. Each input is also `TIELINE_<NAME>`; those are named beside their
//! flags in [`super::cli`].

/// Where temporary files go; `/tmp` when it is not set.
pub const TMPDIR: &str = "TMPDIR";
/// The user's home, for the cache of fetched plugins.
pub const HOME: &str = "HOME";
/// Where caches go instead of `~/.cache`.
pub const XDG_CACHE_HOME: &str = "XDG_CACHE_HOME";
/// Set to anything, it turns colors off.
pub const NO_COLOR: &str = "NO_COLOR";
/// `dumb` turns colors and progress off.
pub const TERM: &str = "TERM";
/// The user's name, recorded as the run's actor.
pub const USER: &str = "USER";
/// Set in automation: plain lines instead of progress, and a lock file that must be complete.
pub const CI: &str = "CI";
