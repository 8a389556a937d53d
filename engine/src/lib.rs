//! Placeholder while the crate is laid out.

pub mod log;
