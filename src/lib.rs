//! Arca, a secrets vault that speaks the Vault HTTP API v1.
//!
//! Modules import downwards only, by layer; `tests/layering.rs` holds the code to this table.
//!
//! | layer | module | purpose |
//! |---|---|---|
//! | 0 | [`secret`] | types for what must not leak, and the two ways out of them |
//! | 0 | [`time`], [`entropy`] | the only sources of time and of randomness |
//! | 0 | [`error`] | what a caller may see of a failure, and what only the log sees |
//! | 0 | [`api`] | wire types that the server and the CLI share |
//! | 0 | [`hcl`] | the configuration language of policies and of the server's file |
//! | 0 | [`metrics`] | counters, summaries and histograms, and the forms they are shown in |
//! | 1 | [`authority`] | a certificate authority for a first start |
//! | 1 | [`chain`] | the format of the audit log's hash chain, and its verification |
//! | 1 | [`outbound`] | HTTPS to services that the operator named |
//! | 1 | [`storage`] | ordered, durable bytes: redb, sled, memory |
//! | 2 | [`backup`] | one state of a store in one file, encrypted as a whole |
//! | 2 | [`trace`] | what one request did, for a collector of OpenTelemetry |
//! | 2 | [`barrier`] | encrypts everything on its way to storage, and accounts for it |
//! | 2 | [`seal`] | how the root key comes back: Shamir's shares, PGP |
//! | 3 | [`policy`] | policies, the compiled access-control list, the [`policy::Permit`] |
//! | 4 | [`audit`] | the audit broker and its sinks; makes [`audit::Admitted`] out of a permit |
//! | 5 | [`engine`] | the seam: `Engine`, `SecretsEngine`, `AuthMethod`, `Endpoint`, `Cx` |
//! | 6 | [`identity`] | entities, aliases and groups: who is behind a token, and what that adds to it
//! | 6 | [`token`] | tokens: issue, hash, look up, revoke |
//! | 6 | [`lease`] | leases: register, renew, expire, revoke with retry |
//! | 6 | [`mount`] | the mount table: path to engine, for secrets engines and auth methods alike |
//! | 6 | [`quota`] | quotas: which request comes too early, which lease is one too many |
//! | 7 | [`engines`] | kv, cubbyhole, database, … one folder each |
//! | 7 | [`auth`] | cert, … one folder each |
//! | 8 | [`vault`] | the lifecycle: uninitialised, sealed, unsealed |
//! | 9 | [`sys`] | `/v1/sys/*` and `/v1/auth/token/*` as ordinary endpoints |
//! | 10 | [`pipeline`] | the straight line that every request takes |
//! | 11 | [`http`] | axum and rustls: listener, limits, request in, response out |
//! | 11 | [`config`] | the configuration file: text to checked types |
//! | 12 | [`daemon`] | the process: command line, signals, start and stop |
//!
//! Within a layer nothing is imported, but for these arrows: `entropy` → `error`, `secret` → `error`, `secret` → `entropy`,
//! `api` → `secret`, `metrics` → `time`, `http` → `config`.

pub mod api;
pub mod authority;
pub mod chain;
pub mod entropy;
pub mod error;
pub mod hcl;
pub mod policy;
pub mod secret;
pub mod time;

#[cfg(feature = "server")]
pub mod audit;
#[cfg(feature = "server")]
pub mod auth;
#[cfg(feature = "server")]
pub mod backup;
#[cfg(feature = "server")]
pub mod barrier;
#[cfg(feature = "server")]
pub mod config;
#[cfg(feature = "server")]
pub mod daemon;
#[cfg(feature = "server")]
pub mod engine;
#[cfg(feature = "server")]
pub mod engines;
#[cfg(feature = "server")]
pub mod http;
#[cfg(feature = "server")]
pub mod identity;
#[cfg(feature = "server")]
pub mod lease;
#[cfg(feature = "server")]
pub mod metrics;
#[cfg(feature = "server")]
pub mod mount;
#[cfg(feature = "server")]
pub mod outbound;
#[cfg(feature = "server")]
pub mod pipeline;
#[cfg(feature = "server")]
pub mod quota;
#[cfg(test)]
#[cfg(feature = "server")]
mod schedule;
#[cfg(feature = "server")]
pub mod seal;
#[cfg(feature = "server")]
pub mod storage;
#[cfg(feature = "server")]
pub mod sys;
#[cfg(feature = "server")]
pub mod token;
#[cfg(feature = "server")]
pub mod trace;
#[cfg(feature = "server")]
pub mod vault;
