//! What the operator configured, as far as the vault itself goes by it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::api::{Confinement, Ttl};
use crate::engine::LockoutPolicy;
use crate::metrics::PEER_PREFIX;
use crate::mount::MountTune;

use super::checkpoint::Checkpoint;
use super::log_level::LogControl;

/// What the operator configured.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The bounds of leases and tokens.
    pub ttl: MountTune,
    /// Where clients reach this node.
    pub api_addr: String,
    /// How the cluster is called; a name is made up where none is given.
    pub cluster_name: Option<String>,
    /// The audit devices of the configuration file.
    pub audit: Vec<DeclaredAudit>,
    /// Where audit devices keep lines for another machine, unless they have a `spool_path`; nothing where the server has
    /// no folder of its own.
    pub spools: Option<PathBuf>,
    /// How long after a check of the store the server makes the next one by itself; zero is never.
    pub check_interval: Ttl,
    /// Whether the store is checked before anything of it is served, and must be sound.
    pub check_on_unseal: bool,
    /// How far the store had come at least, as somebody noted elsewhere: a store that was put back is not served.
    pub checkpoint: Option<Checkpoint>,
    /// Whether audit devices may be enabled through the API.
    pub allow_api_audit: bool,
    /// Whether `sys/rekey/*` may be used without a token, as older clients do.
    pub unauthed_rekey: bool,
    /// Whether `sys/generate-root/*` may be used without a token, as older clients do.
    pub unauthed_generate_root: bool,
    /// How failed logins lock users out, by kind of auth method; `all` is for the kinds that are not named.
    pub lockouts: BTreeMap<String, LockoutPolicy>,
    /// Whether metrics are shown in Prometheus' form.
    pub prometheus: bool,
    /// What the names of metrics begin with that Vault has too.
    pub metrics_prefix: String,
    /// The configuration as `sys/config/state/sanitized` shows it: listed fields only, no secret.
    pub sanitized: Map<String, Value>,
    /// What the process gave up; nothing where it is not the server's own.
    pub confinement: Option<Confinement>,
    /// The level of the log.
    pub log: Arc<LogControl>,
}

/// An audit device of the configuration file.
#[derive(Clone, Debug)]
pub struct DeclaredAudit {
    /// Its type: `file`, `http`, `socket` or `syslog`.
    pub kind: String,
    /// Its path, with a slash at its end.
    pub path: String,
    /// What its operator says about it.
    pub description: String,
    /// Its options.
    pub options: BTreeMap<String, String>,
}

impl Default for Settings {
    fn default() -> Self {
        let month = Ttl::from_seconds(768 * 3600);
        Self {
            ttl: MountTune { default_ttl: month, max_ttl: month },
            api_addr: String::new(),
            cluster_name: None,
            audit: Vec::new(),
            spools: None,
            check_interval: Ttl::default(),
            check_on_unseal: true,
            checkpoint: None,
            allow_api_audit: false,
            unauthed_rekey: false,
            unauthed_generate_root: false,
            lockouts: BTreeMap::new(),
            prometheus: false,
            metrics_prefix: PEER_PREFIX.to_owned(),
            sanitized: Map::new(),
            confinement: None,
            log: Arc::default(),
        }
    }
}
