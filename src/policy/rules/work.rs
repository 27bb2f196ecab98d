//! How much work a rule may be, counted in steps of its evaluation and not in time: a policy is refused everywhere or nowhere.

use std::cell::Cell;
use std::num::NonZeroU32;
use std::time::Duration;

use regorus::utils::limits::{ExecutionTimerConfig, TimeSource, set_time_source};

/// How many steps go by between two looks at the count.
const STRIDE: u32 = 1000;

/// Five million steps, about a second: hundreds of times what a rule about a large plan needs. Unoptimized as tests are, they have less.
const MOST_STEPS: u64 = if cfg!(test) { 500_000 } else { 5_000_000 };

/// Each look counts as a nanosecond.
pub(super) const LIMIT: ExecutionTimerConfig = ExecutionTimerConfig {
    limit: Duration::from_nanos(MOST_STEPS / STRIDE as u64),
    check_interval: match NonZeroU32::new(STRIDE) {
        Some(stride) => stride,
        None => NonZeroU32::MIN,
    },
};

thread_local! {
    /// An evaluation stays on its thread.
    static LOOKS: Cell<u64> = const { Cell::new(0) };
}

/// A clock that goes on by being looked at.
struct Looks;

impl TimeSource for Looks {
    fn now(&self) -> Option<Duration> {
        LOOKS.set(LOOKS.get() + 1);
        Some(Duration::from_nanos(LOOKS.get()))
    }
}

/// Makes limits count; without it there would be no end to them.
pub(super) fn bound() {
    // It fails where it was set before, which is as well.
    let _ = set_time_source(&Looks);
}
