//! The system's randomness.

/// The system's randomness.
pub(super) struct OsRandom;

impl crate::world::Random for OsRandom {
    fn bits(&self) -> u128 {
        let mut bytes = [0_u8; 16];
        let mut filled = 0;
        while filled < bytes.len() {
            // Only an interrupt can fail such a small request; then it is made again.
            filled += rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty()).unwrap_or(0);
        }
        u128::from_le_bytes(bytes)
    }
}
