//! A configured connection, as it is stored.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::Ttl;
use crate::engine::Record;
use crate::secret::{self, SecretText};

/// A configured connection. What the operator did not set is not there, because only what was set is shown.
#[derive(Debug, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "`connection_url` is what operators know it as")]
pub(crate) struct Connection {
    /// Changes with each change of the record, so that an open pool knows whether it is of this record.
    pub(crate) revision: u64,
    /// Which kind of database.
    pub(crate) plugin: Plugin,
    /// Kept for clients that set it.
    pub(crate) plugin_version: String,
    /// The roles that may use the connection; `*` stands for any text.
    pub(crate) allowed_roles: Vec<String>,
    /// How the password of the connection's own user is changed; empty for the database's own way.
    pub(crate) root_rotation_statements: Vec<String>,
    /// The policy of all passwords; empty for the built-in one.
    pub(crate) password_policy: String,
    /// May have a password in it.
    #[serde(with = "secret::at_rest")]
    pub(crate) connection_url: SecretText,
    /// For `{{username}}` in the URL.
    pub(crate) username: Option<String>,
    /// For `{{password}}` in the URL; empty for none.
    #[serde(with = "secret::at_rest")]
    pub(crate) password: SecretText,
    /// The password that is being set, or was when the server stopped; empty for none.
    #[serde(with = "secret::at_rest")]
    pub(crate) pending_password: SecretText,
    /// How users are called.
    pub(crate) username_template: Option<String>,
    /// How many connections are kept.
    pub(crate) limits: ConnectionLimits,
    /// PEM text.
    pub(crate) tls_ca: Option<String>,
    /// PEM text.
    pub(crate) tls_certificate: Option<String>,
    /// PEM text; empty for none.
    #[serde(with = "secret::at_rest")]
    pub(crate) private_key: SecretText,
    /// Whether username and password go into the URL as they are.
    pub(crate) disable_escaping: Option<bool>,
    /// In which form the database is given passwords.
    pub(crate) password_authentication: Option<PasswordAuthentication>,
}

impl Record for Connection {}

/// The kinds of databases there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) enum Plugin {
    /// PostgreSQL.
    #[serde(rename = "postgresql-database-plugin")]
    PostgreSql,
}

/// In which form the database is given passwords.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) enum PasswordAuthentication {
    /// As they are.
    #[default]
    #[serde(rename = "password")]
    Password,
    /// As what the database would store for them.
    #[serde(rename = "scram-sha-256")]
    ScramSha256,
}

/// How many connections are kept, as the operator wrote it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[expect(clippy::struct_field_names, reason = "these are the names on the wire")]
pub(crate) struct ConnectionLimits {
    /// At most that many at once; 0 is the default of 4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_open_connections: Option<i64>,
    /// At most that many while nobody uses them; 0 is as many as may be open, less than 0 is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_idle_connections: Option<i64>,
    /// For how long one is used; 0 is for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_connection_lifetime: Option<String>,
}

impl ConnectionLimits {
    /// How many may be open. A pool without bounds would hand the database's limit to whoever asks fastest.
    pub(crate) fn open(&self) -> usize {
        const DEFAULT: i64 = 4;
        const MOST: i64 = 64;
        let asked = self.max_open_connections.unwrap_or_default();
        usize::try_from(if asked <= 0 { DEFAULT } else { asked.min(MOST) }).unwrap_or(1)
    }

    /// How many may stay open while nobody uses them.
    pub(crate) fn idle(&self) -> usize {
        match self.max_idle_connections.unwrap_or_default() {
            0 => self.open(),
            asked => usize::try_from(asked).map_or(0, |asked| asked.min(self.open())),
        }
    }

    /// For how long one is used; the error is a sentence for the caller.
    pub(crate) fn lifetime(&self) -> Result<Duration, &'static str> {
        let text = self.max_connection_lifetime.as_deref().unwrap_or_default();
        let lifetime = Ttl::parse(text).map_err(
            |_| "error creating database object: invalid max_connection_lifetime: write it like 30s, 5m or 1h",
        )?;
        Ok(lifetime.duration())
    }
}

impl Plugin {
    /// The plugin of that name; the error is a sentence for the caller.
    pub(crate) fn named(name: &str) -> Result<Self, &'static str> {
        match name {
            "" => Err("empty plugin name"),
            "postgresql-database-plugin" => Ok(Self::PostgreSql),
            _ => Err("error creating database object: plugin not found in the catalog; this server has \
                      postgresql-database-plugin"),
        }
    }
}

impl PasswordAuthentication {
    /// The form of that name; the error is a sentence for the caller.
    pub(crate) fn named(name: &str) -> Result<Self, &'static str> {
        match name {
            "" | "password" => Ok(Self::Password),
            "scram-sha-256" => Ok(Self::ScramSha256),
            _ => Err("error creating database object: that is not a valid password authentication type; it is \
                      password or scram-sha-256"),
        }
    }
}

impl Connection {
    /// The path of a connection's record.
    pub(crate) fn key(name: &str) -> String {
        format!("config/{name}")
    }

    /// Whether a role may use the connection.
    pub(crate) fn allows(&self, role: &str) -> bool {
        self.allowed_roles.iter().any(|pattern| matches(pattern, role))
    }

    /// Whether the password can be changed without changing the URL.
    pub(crate) fn is_templated(&self) -> bool {
        self.connection_url.expose().contains("{{password}}")
    }
}

/// Whether `text` fits `pattern`, in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut rest) = text.strip_prefix(head) else { return false };
    let mut parts = tail.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        // The first place is as good as any: the stars on both sides take what is left.
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, text, fits) in [
            ("*", "anything", true),
            ("*", "", true),
            ("app-*", "app-one", true),
            ("app-*", "xapp-one", false),
            ("*-ro", "app-ro", true),
            ("*-ro", "app-row", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("*x*", "axb", true),
            ("a*a", "a", false),
            ("app", "app", true),
            ("app", "app2", false),
            ("", "app", false),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn limits_have_bounds() {
        let limits = |open, idle| ConnectionLimits {
            max_open_connections: open,
            max_idle_connections: idle,
            max_connection_lifetime: None,
        };
        for (open, idle, expected) in [
            (None, None, (4, 4)),
            (Some(0), Some(2), (4, 2)),
            (Some(-1), Some(-1), (4, 0)),
            (Some(3), Some(9), (3, 3)),
            (Some(i64::MAX), None, (64, 64)),
        ] {
            let limits = limits(open, idle);
            assert_eq!((limits.open(), limits.idle()), expected);
        }
    }
}
