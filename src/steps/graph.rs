//! What can run now.
