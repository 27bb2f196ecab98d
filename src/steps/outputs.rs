//! What a step left, checked (R59).

/// An output holds at most this many bytes.
pub const LARGEST_OUTPUT: usize = 1 << 20;
