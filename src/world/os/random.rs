//! The system's randomness.

/// The system's randomness.
pub(super) struct OsRandom;

impl crate::world::Random for OsRandom {
    fn bits(&self) -> u128 {
        let mut bytes = [0_u8; 16];
        let mut filled = 0;
        while filled < bytes.len() {
            match rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty()) {
                Ok(count) => filled += count,
                // Only an interrupt can fail such a small request.
                Err(_) => continue,
            }
        }
        u128::from_le_bytes(bytes)
    }
}
