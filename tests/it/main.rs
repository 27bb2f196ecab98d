//! The integration tests, in one binary. They run the real program; those that need the real terraform start with `tf_`, fail where
//! it is missing in automation (`CI` is set), and say that they are skipped elsewhere.
#![allow(clippy::disallowed_methods, reason = "the effects of a test are its own, not the program's")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

mod acceptance;
mod architecture;
mod documentation;
mod generated;
mod harness;
mod quickstart;
mod shop;
