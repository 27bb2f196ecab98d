//! The context repository: the documents people change by pull request, the ledger that runs write, and the claims of runs in
//! progress.
//!
//! [`layout`] knows every path, [`store`] what a store can do; [`git`] does it with the git binary, [`github`] by the API of a GitHub
//! server. Above them: [`create`] makes a context repository, [`ledger`] reads records, [`publish`] writes them, [`verify`] checks
//! them, [`repair`] mends them, [`prune`] lets go of old ones. [`Proven`] has what is written carry proofs, and [`Trust`] says what is
//! believed.

pub mod create;
pub mod git;
pub mod github;
pub mod layout;
pub mod ledger;
mod location;
mod previews;
mod proven;
pub mod prune;
pub mod publish;
mod references;
mod remembered;
pub mod repair;
pub mod store;
mod trust;
pub mod verify;

pub use location::Location;
pub use proven::{Proven, Signer};
pub use references::RefNames;
pub use remembered::Remembered;
pub use store::{Branch, Change, Changes, CommitId, ContextStore, ListedFile, StoreError};
pub use trust::{Doubt, Trust};
