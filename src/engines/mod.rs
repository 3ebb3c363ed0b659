//! The registry of secrets engines: one folder and one line each.

pub mod cubbyhole;
pub mod database;
pub mod kv;

use crate::engine::Kind;

/// Every secrets engine that can be mounted.
pub fn kinds() -> Vec<Kind> {
    vec![
        Kind::secrets_engine::<kv::v1::Kv1>(),
        Kind::secrets_engine::<kv::v2::Kv2>(),
        Kind::secrets_engine::<cubbyhole::Cubbyhole>(),
        Kind::secrets_engine::<database::Database>(),
    ]
}
