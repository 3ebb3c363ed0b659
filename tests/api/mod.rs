//! What clients get, by URL.

mod audit;
mod audit_collectors;
mod audit_sinks;
mod auth;
mod cubbyhole;
pub(crate) mod database;
mod identity;
mod kv;
mod limits;
mod sys;
