//! Real shapes
