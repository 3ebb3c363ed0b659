//! The registry of secrets engines: one folder and one line each.

pub mod database;

use crate::engine::Kind;

/// Every secrets engine that can be mounted.
pub fn kinds() -> Vec<Kind> {
    vec![Kind::secrets_engine::<database::Database>()]
}
