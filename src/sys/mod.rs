//! `/v1/sys/*`, `/v1/identity/*` and `/v1/auth/token/*` as ordinary endpoints, one file each.
//!
//! Two targets: [`Vault`] for what is there while the vault is sealed, or turns it; [`Unsealed`] for the rest.

mod audit;
mod audit_key;
mod auth;
mod capabilities;
mod config;
mod generate_root;
mod ha_status;
mod health;
mod host_info;
mod identity;
mod in_flight;
mod init;
mod internal;
mod key_status;
mod leader;
mod leases;
mod locked_users;
mod loggers;
mod metrics;
mod mounts;
mod namespaces;
pub(crate) mod openapi;
mod plugins;
mod policies;
mod quotas;
mod rekey;
mod rotate;
mod router;
mod seal;
mod seal_status;
mod step_down;
mod storage;
mod token;
mod tools;
mod unseal;
mod version_history;
mod wrapping;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::Routes;
use crate::vault::{Unsealed, Vault};

pub(crate) use metrics::{MetricsForm, answer as metrics_answer};
pub(crate) use router::{Found, Route, Routed, Router};

/// The version that the server says it has.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// When this version was made, RFC 3339.
pub const BUILD_DATE: &str = "2026-11-22T00:00:00Z";

/// A path without parameters.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct NoPath {}

/// What is below `sys/` whether or not the vault is sealed.
pub fn vault_routes() -> Routes<Arc<Vault>> {
    let routes = Routes::new().endpoint::<seal_status::ReadSealStatus>().endpoint::<leader::ReadLeader>();
    routes.in_root_only(|routes| {
        let routes = rekey::add(routes);
        let routes = rotate::add_root(routes);
        let routes = generate_root::add(routes);
        routes
            .endpoint::<init::ReadInit>()
            .endpoint::<init::Initialise>()
            .endpoint::<unseal::Unseal>()
            .endpoint::<health::ReadHealth>()
    })
}

/// What is below `sys/` once the vault is unsealed.
pub fn routes() -> Routes<Arc<Unsealed>> {
    let routes = Routes::new();
    let routes = mounts::add(routes);
    let routes = auth::add(routes);
    let routes = policies::add(routes);
    let routes = capabilities::add(routes);
    let routes = locked_users::add(routes);
    let routes = leases::add(routes);
    let routes = internal::add(routes);
    let routes = namespaces::add(routes);
    let routes = tools::add(routes);
    let routes = plugins::add(routes);
    let routes = wrapping::add(routes);
    let routes = generate_root::add_decoding(routes);
    let routes = routes.endpoint::<version_history::ListVersions>().endpoint::<ha_status::ReadHaStatus>();
    routes.in_root_only(|routes| {
        let routes = config::add(routes);
        let routes = quotas::add(routes);
        let routes = audit::add(routes);
        let routes = rotate::add(routes);
        let routes = loggers::add(routes);
        let routes = storage::add(routes);
        routes
            .endpoint::<in_flight::ReadInFlight>()
            .endpoint::<metrics::ReadMetrics>()
            .endpoint::<host_info::ReadHostInfo>()
            .endpoint::<key_status::ReadKeyStatus>()
            .endpoint::<audit_key::ReadAuditKey>()
            .endpoint::<seal::Seal>()
            .endpoint::<step_down::StepDown>()
    })
}

/// What is below `auth/token/`.
pub fn token_routes() -> Routes<Arc<Unsealed>> {
    token::routes()
}

/// What is below `identity/`.
pub fn identity_routes() -> Routes<Arc<Unsealed>> {
    identity::routes()
}
