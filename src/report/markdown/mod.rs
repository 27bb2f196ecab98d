//! Markdown as GitHub shows it, that holds together whatever text stands in it.

mod block;
mod inline;
#[cfg(test)]
pub(super) mod tests;

pub(super) use block::{Block, render};
pub(super) use inline::{Inline, code, joined, link, prose};
