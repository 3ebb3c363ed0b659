//! The settings of a mount, as callers send them when they enable it and when they tune it.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use crate::api::{LooseBool, LooseInt, LooseText, StringList, Ttl};
use crate::engine::Role;
use crate::error::{Error, Result};
use crate::mount::{MountEntry, MountTokenType, UserLockout, Visibility};

/// Settings of a mount; what is left out stays as it is.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct MountSettings {
    /// How long leases and tokens last when nothing else is said.
    pub(super) default_lease_ttl: LeaseLength,
    /// The longest they can last.
    pub(super) max_lease_ttl: LeaseLength,
    /// Keys of a request whose values are not hashed in the audit log.
    pub(super) audit_non_hmac_request_keys: Option<StringList>,
    /// Keys of a response whose values are not hashed in the audit log.
    pub(super) audit_non_hmac_response_keys: Option<StringList>,
    /// `unauth` shows the mount to callers without a token; `hidden` or nothing does not.
    pub(super) listing_visibility: Option<String>,
    /// Headers of a request that its handlers see.
    pub(super) passthrough_request_headers: Option<StringList>,
    /// Headers that its handlers may answer with.
    pub(super) allowed_response_headers: Option<StringList>,
    /// The kind of token that an auth method gives.
    pub(super) token_type: Option<String>,
    /// How failed logins lock users out.
    pub(super) user_lockout_config: Option<LockoutSettings>,
    /// The version of the plugin; there is one of each, so any other is refused.
    pub(super) plugin_version: LooseText,
}

/// How failed logins lock users out; what is left out stays as it is.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[expect(clippy::struct_field_names, reason = "the names of the wire format")]
pub(crate) struct LockoutSettings {
    /// After so many failures.
    lockout_threshold: Option<LooseInt>,
    /// For so long.
    lockout_duration: Option<Ttl>,
    /// After so long without a failure the count begins anew.
    #[serde(alias = "lockout_counter_reset")]
    lockout_counter_reset_duration: Option<Ttl>,
    /// Whether it is off.
    lockout_disable: Option<LooseBool>,
}

/// A length of leases: one of its own, or the server's (`"system"`, 0). An empty text says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LeaseLength {
    /// Stays as it is.
    #[default]
    Unsaid,
    /// The server's.
    System,
    /// Its own.
    Own(Ttl),
}

impl MountSettings {
    /// Puts these settings into `entry`.
    pub(super) fn apply(&self, entry: &mut MountEntry) -> Result<()> {
        let config = &mut entry.config;
        self.default_lease_ttl.apply(&mut config.default_lease_ttl);
        self.max_lease_ttl.apply(&mut config.max_lease_ttl);
        for (asked, kept) in [
            (&self.audit_non_hmac_request_keys, &mut config.audit_non_hmac_request_keys),
            (&self.audit_non_hmac_response_keys, &mut config.audit_non_hmac_response_keys),
            (&self.passthrough_request_headers, &mut config.passthrough_request_headers),
            (&self.allowed_response_headers, &mut config.allowed_response_headers),
        ] {
            if let Some(asked) = asked {
                *kept = asked.clone().filled();
            }
        }
        if let Some(asked) = &self.listing_visibility {
            config.listing_visibility = visibility(asked)?;
        }
        if let Some(asked) = &self.token_type {
            entry.config.token_type = token_type(entry, asked)?;
        }
        if let Some(asked) = &self.user_lockout_config {
            lock_out(entry, asked)?;
        }
        match self.plugin_version.0.as_str() {
            "" => Ok(()),
            _ => Err(Error::invalid("plugin not found in the catalog: every plugin has one version, the built-in one")),
        }
    }
}

impl LeaseLength {
    fn apply(self, kept: &mut Ttl) {
        match self {
            Self::Unsaid => {}
            Self::System => *kept = Ttl::default(),
            Self::Own(ttl) => *kept = ttl,
        }
    }
}

fn visibility(asked: &str) -> Result<Visibility> {
    match asked {
        "" => Ok(Visibility::Unset),
        "hidden" => Ok(Visibility::Hidden),
        "unauth" => Ok(Visibility::Unauth),
        _ => Err(Error::invalid("invalid listing_visibility: it must be unauth or hidden")),
    }
}

/// Nothing is the kind that a new method has.
fn token_type(entry: &MountEntry, asked: &str) -> Result<MountTokenType> {
    if entry.role == Role::Secret {
        return Err(Error::invalid("'token_type' can only be modified on auth mounts"));
    }
    if entry.kind == "token" {
        return Err(Error::invalid("'token_type' cannot be set for 'token' or 'ns_token' auth mounts"));
    }
    match asked {
        "" | "default-service" => Ok(MountTokenType::DefaultService),
        "default-batch" => Ok(MountTokenType::DefaultBatch),
        "service" => Ok(MountTokenType::Service),
        "batch" => Ok(MountTokenType::Batch),
        _ => {
            Err(Error::invalid("invalid value for 'token_type': use service, batch, default-service or default-batch"))
        }
    }
}

fn lock_out(entry: &mut MountEntry, asked: &LockoutSettings) -> Result<()> {
    if entry.role != Role::Auth || !matches!(entry.kind.as_str(), "userpass" | "approle" | "ldap") {
        let kind = &entry.kind;
        return Err(Error::invalid(format!("tuning of user lockout configuration for auth type {kind:?} not allowed")));
    }
    let LockoutSettings { lockout_threshold, lockout_duration, lockout_counter_reset_duration, lockout_disable } =
        asked;
    let said = lockout_threshold.is_some()
        || lockout_duration.is_some()
        || lockout_counter_reset_duration.is_some()
        || lockout_disable.is_some();
    if !said {
        return Ok(());
    }
    let mut lockout: UserLockout = entry.config.user_lockout_config.clone().unwrap_or_default();
    if let Some(threshold) = lockout_threshold {
        lockout.lockout_threshold =
            u64::try_from(threshold.0).map_err(|_| Error::invalid("'lockout_threshold' cannot be negative"))?;
    }
    lockout.lockout_duration = lockout_duration.unwrap_or(lockout.lockout_duration);
    lockout.lockout_counter_reset = lockout_counter_reset_duration.unwrap_or(lockout.lockout_counter_reset);
    lockout.lockout_disable = lockout_disable.map_or(lockout.lockout_disable, |flag| flag.0);
    entry.config.user_lockout_config = Some(lockout);
    Ok(())
}

impl<'de> Deserialize<'de> for LeaseLength {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Null => Ok(Self::Unsaid),
            Value::String(text) if text.is_empty() => Ok(Self::Unsaid),
            Value::String(text) if text == "system" => Ok(Self::System),
            value @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_)) => {
                Ttl::deserialize(value).map(Self::Own).map_err(de::Error::custom)
            }
        }
    }
}

impl JsonSchema for LeaseLength {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "LeaseLength".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "integer"],
            "description": "Seconds, a duration like 30m, or \"system\" for the server's."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_as_callers_write_them() {
        let read = |text: &str| serde_json::from_str::<LeaseLength>(text);
        assert_eq!(read("\"\"").unwrap(), LeaseLength::Unsaid);
        assert_eq!(read("null").unwrap(), LeaseLength::Unsaid);
        assert_eq!(read("\"system\"").unwrap(), LeaseLength::System);
        assert_eq!(read("\"30m\"").unwrap(), LeaseLength::Own(Ttl::from_seconds(1800)));
        assert_eq!(read("0").unwrap(), LeaseLength::Own(Ttl::default()));
        assert!(read("\"-5\"").is_err() && read("[]").is_err() && read("\"soon\"").is_err());
    }
}
