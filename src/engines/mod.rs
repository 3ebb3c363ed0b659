//! The registry of secrets engines: one folder and one line each.

pub mod cubbyhole;
pub mod kv;

use crate::engine::Kind;

/// Every secrets engine that can be mounted.
pub fn kinds() -> Vec<Kind> {
    vec![Kind::secrets_engine::<cubbyhole::Cubbyhole>(), Kind::secrets_engine::<kv::v1::Kv1>()]
}
