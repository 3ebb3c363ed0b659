//! The registry of auth methods: one folder and one line each.

use crate::engine::Kind;

/// Every auth method that can be mounted.
pub fn kinds() -> Vec<Kind> {
    Vec::new()
}
