//! Randomness.

/// Makes numbers that nobody can foresee.
pub trait Random: Send + Sync {
    /// 128 random bits.
    fn bits(&self) -> u128;
}
