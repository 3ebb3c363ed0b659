//! A mount as `sys/mounts` and `sys/auth` show it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::api::{ROOT_NAMESPACE, Ttl};
use crate::engine::Role;
use crate::mount::{Backend, MountConfig, MountEntry, MountPoint, UserLockout, Visibility};

/// A mount.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MountInfo {
    /// Names the mount for good.
    accessor: String,
    /// How it is tuned; zero lengths are the server's.
    config: ConfigInfo,
    /// `supported` for every engine that can be mounted.
    #[serde(skip_serializing_if = "Option::is_none")]
    deprecation_status: Option<&'static str>,
    description: String,
    external_entropy_access: bool,
    local: bool,
    /// The options of its engine; null for what is a part of the vault.
    options: Option<BTreeMap<String, String>>,
    plugin_version: &'static str,
    running_plugin_version: String,
    running_sha256: &'static str,
    seal_wrap: bool,
    #[serde(rename = "type")]
    kind: String,
    uuid: String,
}

/// How a mount is tuned.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ConfigInfo {
    /// In seconds.
    default_lease_ttl: Ttl,
    /// In seconds.
    max_lease_ttl: Ttl,
    force_no_cache: bool,
    #[serde(flatten)]
    rest: SharedInfo,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_lockout_config: Option<LockoutInfo>,
}

/// What `config` and the tuning have in common; what says nothing is left out.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SharedInfo {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allowed_response_headers: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    audit_non_hmac_request_keys: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    audit_non_hmac_response_keys: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    listing_visibility: Option<Visibility>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    passthrough_request_headers: Vec<String>,
    /// Of an auth method.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
}

/// How failed logins lock users out; lengths in seconds.
#[derive(Debug, Serialize, JsonSchema)]
#[expect(clippy::struct_field_names, reason = "the names of the wire format")]
pub(crate) struct LockoutInfo {
    user_lockout_counter_reset_duration: Ttl,
    user_lockout_disable: bool,
    user_lockout_duration: Ttl,
    user_lockout_threshold: u64,
}

impl MountInfo {
    /// The mount at `point`.
    pub(in crate::sys) fn of(point: &MountPoint) -> Self {
        let entry = &point.entry;
        let built_in = is_built_in(point);
        Self {
            accessor: entry.accessor.clone(),
            config: ConfigInfo::of(entry),
            deprecation_status: (!built_in).then_some("supported"),
            description: entry.description.clone(),
            external_entropy_access: entry.config.external_entropy_access,
            local: entry.local,
            options: (!built_in).then(|| entry.options.clone()),
            plugin_version: "",
            running_plugin_version: running_version(),
            running_sha256: "",
            seal_wrap: entry.seal_wrap,
            kind: shown_kind(point, built_in),
            uuid: entry.uuid.clone(),
        }
    }
}

/// The version of every engine: they are all built in.
pub(crate) fn running_version() -> String {
    format!("v{}+builtin.arca", crate::sys::VERSION)
}

/// The type as it is shown: the built-in mounts of a namespace other than the root say so.
fn shown_kind(point: &MountPoint, built_in: bool) -> String {
    let prefix = if built_in && point.facts.namespace_id != ROOT_NAMESPACE { "ns_" } else { "" };
    format!("{prefix}{}", point.entry.kind)
}

/// Whether the mount is a part of the vault that nobody enabled.
fn is_built_in(point: &MountPoint) -> bool {
    match &point.backend {
        Backend::System | Backend::Token | Backend::Identity => true,
        Backend::Unopened | Backend::Engine(_) => matches!(point.entry.kind.as_str(), "cubbyhole" | "identity"),
    }
}

impl ConfigInfo {
    fn of(entry: &MountEntry) -> Self {
        Self {
            default_lease_ttl: entry.config.default_lease_ttl,
            max_lease_ttl: entry.config.max_lease_ttl,
            force_no_cache: entry.config.force_no_cache,
            rest: SharedInfo::of(entry),
            user_lockout_config: LockoutInfo::of(&entry.config),
        }
    }
}

impl SharedInfo {
    /// What the config of `entry` says.
    pub(super) fn of(entry: &MountEntry) -> Self {
        let config = &entry.config;
        Self {
            allowed_response_headers: config.allowed_response_headers.clone(),
            audit_non_hmac_request_keys: config.audit_non_hmac_request_keys.clone(),
            audit_non_hmac_response_keys: config.audit_non_hmac_response_keys.clone(),
            listing_visibility: Some(config.listing_visibility).filter(|shown| *shown != Visibility::Unset),
            passthrough_request_headers: config.passthrough_request_headers.clone(),
            token_type: (entry.role == Role::Auth).then(|| config.token_type.as_str()),
        }
    }
}

impl LockoutInfo {
    /// What `config` says, if it says anything.
    pub(super) fn of(config: &MountConfig) -> Option<Self> {
        let UserLockout { lockout_threshold, lockout_duration, lockout_counter_reset, lockout_disable } =
            config.user_lockout_config.clone()?;
        Some(Self {
            user_lockout_counter_reset_duration: lockout_counter_reset,
            user_lockout_disable: lockout_disable,
            user_lockout_duration: lockout_duration,
            user_lockout_threshold: lockout_threshold,
        })
    }
}
