//! Deployments with what people really run: remote backends and the AWS provider.
//!
//! What a machine may lack is looked for. A test that lacks something is counted as skipped, says so, and passes; with the
//! variable `TIELINE_TEST_REQUIRE` (such as `pg,s3,aws,openapi,namespaces,docker`) it fails.

mod aws;
mod certificates;
mod hand_over;
mod http;
mod moto;
mod pg;
mod s3;
mod server;

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

/// What the machine has. Where that is an error, which says what is lacking, the test is to return at once.
pub(crate) fn need<T>(name: &str, found: Result<T, String>) -> Option<T> {
    let lacking = match found {
        Ok(found) => return Some(found),
        Err(lacking) => lacking,
    };
    let required = std::env::var("TIELINE_TEST_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|required| required.trim() == name), "{lacking}, and TIELINE_TEST_REQUIRE names `{name}`");
    let test = std::thread::current().name().unwrap_or(name).rsplit("::").next().unwrap_or(name).to_owned();
    eprintln!("skipped: {lacking}");
    if let Ok(file) = std::env::var("TIELINE_TEST_SKIPPED") {
        let mut file = File::options().append(true).create(true).open(file).unwrap();
        // One write, so that the lines of tests that run at once stay whole.
        file.write_all(format!("{test}: {lacking}\n").as_bytes()).unwrap();
    }
    None
}

/// A program of this name on the PATH, or in one of the further folders.
pub(crate) fn program(name: &str, elsewhere: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).chain(elsewhere.iter().cloned()).map(|folder| folder.join(name)).find(|file| file.is_file())
}
