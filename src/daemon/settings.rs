//! What of the configuration the vault itself goes by.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use crate::api::Confinement;
use crate::config::{AuditDevice, Config, Storage};
use crate::metrics::PEER_PREFIX;
use crate::mount::MountTune;
use crate::vault::{DeclaredAudit, LogControl, Settings};

/// The settings of `config`, in a process that is confined like this.
pub(super) fn of(config: &Config, confinement: Confinement, log: Arc<LogControl>) -> Settings {
    let sanitized = match config.sanitized() {
        Value::Object(fields) => fields,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => serde_json::Map::new(),
    };
    let api_addr = config.api_addr.clone().unwrap_or_else(|| {
        let first = config.listeners.first();
        let scheme = if first.is_some_and(|listener| listener.tls.is_none()) { "http" } else { "https" };
        first.map_or_else(String::new, |listener| format!("{scheme}://{}", listener.address))
    });
    Settings {
        ttl: MountTune { default_ttl: config.default_lease_ttl, max_ttl: config.max_lease_ttl },
        api_addr,
        cluster_name: config.cluster_name.clone(),
        audit: config.audit.iter().map(declared).collect(),
        spools: spools(&config.storage),
        check_interval: config.check_interval,
        check_on_unseal: config.check_on_unseal,
        checkpoint: None,
        allow_api_audit: config.unsafe_allow_api_audit_creation,
        unauthed_rekey: config.listeners.iter().any(|listener| listener.unauthenticated.rekey),
        unauthed_generate_root: config.listeners.iter().any(|listener| listener.unauthenticated.generate_root),
        lockouts: config.user_lockout.policies().clone(),
        prometheus: !config.telemetry.prometheus_retention_time.is_zero(),
        metrics_prefix: config.telemetry.metrics_prefix.clone().unwrap_or_else(|| PEER_PREFIX.to_owned()),
        sanitized,
        confinement: Some(confinement),
        log,
    }
}

/// A folder in that of the store, which is the one place where the server may surely write.
fn spools(storage: &Storage) -> Option<PathBuf> {
    match storage {
        Storage::Memory => None,
        Storage::Redb(path) | Storage::Sled(path) => Some(path.join("audit-spool")),
    }
}

fn declared(device: &AuditDevice) -> DeclaredAudit {
    DeclaredAudit {
        kind: device.kind.as_str().to_owned(),
        path: format!("{}/", device.path),
        description: device.description.clone(),
        options: device.options.clone(),
    }
}
