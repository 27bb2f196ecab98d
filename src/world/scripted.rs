//! Effects for tests: a clock that stands still, ids that count, processes that refuse to start.
