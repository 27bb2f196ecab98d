//! What a step is handed.
