//! Documents of Signadot: resource plugins, read into plugins of steps.

mod expand;
mod fields;
mod outputs;
mod plugin;
mod steps;

#[cfg(test)]
mod tests;

pub(super) use plugin::plugin;
