//! What is stored of a mount.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::Ttl;
use crate::audit::MountFacts;
use crate::barrier::Record;
use crate::engine::{Mount, Role, TokenType};

/// A mount as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountEntry {
    /// The id in its storage keys; a mount keeps it when it moves.
    pub uuid: String,
    /// Names the mount for good: `kv_1a2b3c4d`.
    pub accessor: String,
    /// Where it is mounted, with a slash at its end; an auth method's begins with `auth/`.
    pub path: String,
    /// Its role.
    pub role: Role,
    /// What is mounted: `kv`, `database`, `cert`.
    pub kind: String,
    /// What its operator says about it.
    pub description: String,
    /// The options of its engine: `{"version": "2"}`.
    pub options: BTreeMap<String, String>,
    /// How it is tuned.
    pub config: MountConfig,
    /// Whether it is meant for one cluster only. Kept and shown; it changes nothing.
    pub local: bool,
    /// Whether its records are wrapped by the seal too. Kept and shown; it changes nothing.
    pub seal_wrap: bool,
    /// Where it stands.
    pub state: MountState,
}

impl Record for MountEntry {}

/// Where a mount stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MountState {
    /// It serves.
    #[default]
    Active,
    /// It was disabled: its leases are being revoked and its records removed. It serves no request.
    Removing,
}

/// How a mount is tuned. Zero lengths are the server's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MountConfig {
    /// How long its leases and tokens last when nothing else is said.
    pub default_lease_ttl: Ttl,
    /// The longest they can last.
    pub max_lease_ttl: Ttl,
    /// Kept and shown; there is no cache that it would bypass.
    pub force_no_cache: bool,
    /// Keys of a request whose values are not hashed in the audit log.
    pub audit_non_hmac_request_keys: Vec<String>,
    /// Keys of a response whose values are not hashed in the audit log.
    pub audit_non_hmac_response_keys: Vec<String>,
    /// Whether callers without a token see that it is there.
    pub listing_visibility: Visibility,
    /// Headers of a request that its handlers see.
    pub passthrough_request_headers: Vec<String>,
    /// Headers that its handlers may answer with.
    pub allowed_response_headers: Vec<String>,
    /// The kind of token that an auth method gives when its role does not say.
    pub token_type: MountTokenType,
    /// How failed logins lock users out.
    pub user_lockout_config: Option<UserLockout>,
    /// The version of the plugin that was asked for; there is one of each.
    pub plugin_version: String,
    /// Whether its entropy is to come from elsewhere. Kept and shown; it changes nothing.
    pub external_entropy_access: bool,
}

/// Whether callers without a token see that a mount is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// They do not, since nobody said that they should.
    #[default]
    #[serde(rename = "")]
    Unset,
    /// They do not: its operator said so.
    Hidden,
    /// They see its path, type, description and options.
    Unauth,
}

impl Visibility {
    /// As it is shown: an empty text is the default.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unset => "",
            Self::Hidden => "hidden",
            Self::Unauth => "unauth",
        }
    }
}

/// The kind of token that an auth method gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MountTokenType {
    /// Service tokens, unless the role says otherwise.
    #[default]
    DefaultService,
    /// Batch tokens, unless the role says otherwise.
    DefaultBatch,
    /// Always service tokens.
    Service,
    /// Always batch tokens.
    Batch,
}

impl MountTokenType {
    /// As it is shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DefaultService => "default-service",
            Self::DefaultBatch => "default-batch",
            Self::Service => "service",
            Self::Batch => "batch",
        }
    }

    /// The kind that a login gives whose role says `asked`; nothing where the role leaves it to the mount.
    pub const fn of_login(self, asked: Option<TokenType>) -> TokenType {
        match (self, asked) {
            (Self::Batch, _) | (Self::DefaultBatch, None) => TokenType::Batch,
            (Self::Service, _) | (Self::DefaultService, None) => TokenType::Service,
            (Self::DefaultBatch | Self::DefaultService, Some(asked)) => asked,
        }
    }
}

/// How failed logins lock users out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UserLockout {
    /// After so many failures.
    pub lockout_threshold: u64,
    /// For so long.
    pub lockout_duration: Ttl,
    /// After so long without a failure the count begins anew.
    pub lockout_counter_reset: Ttl,
    /// Whether it is off.
    pub lockout_disable: bool,
}

/// The bounds of the server, for mounts that say nothing.
#[derive(Clone, Copy, Debug)]
pub struct MountTune {
    /// The server's default.
    pub default_ttl: Ttl,
    /// The server's maximum.
    pub max_ttl: Ttl,
}

impl MountEntry {
    /// The longest that leases and tokens of this mount last: its own bound, which may be longer than the server's.
    pub fn max_ttl(&self, server: MountTune) -> Ttl {
        self.config.max_lease_ttl.or(server.max_ttl)
    }

    /// How long they last when nothing else is said; never longer than the maximum.
    pub fn default_ttl(&self, server: MountTune) -> Ttl {
        self.config.default_lease_ttl.or(server.default_ttl).min(self.max_ttl(server))
    }

    /// The mount as its handlers see it.
    pub fn facts(&self, namespace_id: &str, server: MountTune) -> Mount {
        Mount {
            path: self.path.clone(),
            kind: self.kind.clone(),
            accessor: self.accessor.clone(),
            uuid: self.uuid.clone(),
            namespace_id: namespace_id.to_owned(),
            default_ttl: self.default_ttl(server),
            max_ttl: self.max_ttl(server),
        }
    }

    /// The mount as the audit log shows it.
    pub fn audit_facts(&self) -> MountFacts {
        MountFacts {
            point: self.path.clone(),
            kind: self.kind.clone(),
            accessor: self.accessor.clone(),
            running_version: format!("v{}+builtin.arca", env!("CARGO_PKG_VERSION")),
            class: match self.role {
                Role::Secret => "secret",
                Role::Auth => "auth",
            },
            non_hmac_request_keys: self.config.audit_non_hmac_request_keys.clone(),
            non_hmac_response_keys: self.config.audit_non_hmac_response_keys.clone(),
        }
    }

    /// The path as `sys/mounts` and `sys/auth` show it: an auth method's without `auth/`.
    pub fn shown_path(&self) -> &str {
        match self.role {
            Role::Secret => &self.path,
            Role::Auth => self.path.strip_prefix("auth/").unwrap_or(&self.path),
        }
    }
}
