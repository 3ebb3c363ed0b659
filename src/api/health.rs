//! `sys/health` and `sys/leader`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The answer of `sys/health`; the status says the same in a number.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Health {
    /// Whether `sys/init` has been called.
    pub initialized: bool,
    /// Whether the vault is sealed.
    pub sealed: bool,
    /// Whether another node answers requests; true while this one cannot.
    pub standby: bool,
    /// Always false: there is no performance standby. OpenBao leaves it out; clients written for Vault demand it.
    pub performance_standby: bool,
    /// `disabled`, or `unknown` while the node is sealed.
    pub replication_performance_mode: String,
    /// `disabled`, or `unknown` while the node is sealed.
    pub replication_dr_mode: String,
    /// The server's time, seconds since the epoch.
    pub server_time_utc: i64,
    /// The server's version.
    pub version: String,
    /// The cluster's name, once unsealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_name: Option<String>,
    /// The cluster's id, once unsealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_id: Option<String>,
    /// How the audit devices stand, once unsealed. Arca's own: neither Vault nor OpenBao says it here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<AuditHealth>,
    /// What the process gave up before it served, sealed or not. Arca's own, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confinement: Option<Confinement>,
}

/// What the process gave up before it served, part by part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Confinement {
    /// Core dumps, and debuggers of the same user.
    pub dumps_kept_out: Held,
    /// Swap: its memory is locked.
    pub memory_locked: Held,
    /// Files that the configuration does not name, running programs, other ports (landlock(7)).
    pub landlock: Held,
    /// System calls that a server does not make (seccomp(2)).
    pub seccomp: Held,
}

/// Whether the operating system holds the process to a part of its confinement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// It does.
    On,
    /// It does as far as this kernel can; a newer one can do more.
    Partial,
    /// It does not, as the configuration says.
    Off,
    /// It does not: the kernel, or the rights of the user, do not allow it. The server's log says why.
    Unavailable,
}

/// How the audit devices stand, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditHealth {
    /// Devices that are enabled.
    pub enabled: u64,
    /// Those among them whose last write, or last delivery to another machine, did not succeed.
    pub failing: u64,
}

/// The answer of `sys/leader`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Leader {
    /// Whether more than one node can serve.
    pub ha_enabled: bool,
    /// Whether this node is the one that serves.
    pub is_self: bool,
    /// When it became so, RFC 3339.
    pub active_time: String,
    /// The leader's API address.
    pub leader_address: String,
    /// The leader's cluster address.
    pub leader_cluster_address: String,
    /// Always false: there is no performance standby.
    pub performance_standby: bool,
    /// Always 0.
    pub performance_standby_last_remote_wal: u64,
}
