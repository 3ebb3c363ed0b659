//! What grows in a vault.

use std::ops::Range;

use serde_json::{Value, json};

use crate::failure::Failure;

use super::super::contender::{Contender, Kind};
use super::super::ground::Ground;
use super::super::site::connect_database;
use super::super::workload::SMALL;

/// What grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bench) enum Growing {
    /// Secrets of a KV store.
    Secrets,
    /// Tokens without a parent, each with the record of its end.
    Tokens,
    /// Leases of credentials for a database. The statements of the role do nothing: what is measured is the vault.
    Leases,
    /// Policies of one rule.
    Policies,
    /// Mounts of the KV engine.
    Mounts,
}

impl Growing {
    /// All of them.
    pub(in crate::bench) const ALL: [Self; 5] =
        [Self::Secrets, Self::Tokens, Self::Leases, Self::Policies, Self::Mounts];

    /// The word for them in tables.
    pub(in crate::bench) const fn name(self) -> &'static str {
        match self {
            Self::Secrets => "secrets",
            Self::Tokens => "tokens",
            Self::Leases => "leases",
            Self::Policies => "policies",
            Self::Mounts => "mounts",
        }
    }

    /// How many a vault of this kind is given at most, whatever is asked for: what is more takes it out of all proportion.
    pub(in crate::bench) const fn most(self, kind: Kind) -> u64 {
        match (self, kind) {
            // It takes the longer for each mount the more there are.
            (Self::Mounts, Kind::Peer) => 1_000,
            (Self::Mounts, _) => 10_000,
            (Self::Secrets | Self::Leases, _) => 1_000_000,
            (Self::Tokens | Self::Policies, _) => 100_000,
        }
    }

    /// How many a vault of this kind is expected to take in a second, on two cores; for the estimate alone.
    pub(in crate::bench) const fn expected_rate(self, kind: Kind) -> u64 {
        match (self, kind) {
            (Self::Mounts, Kind::Peer) => 50,
            (Self::Leases, Kind::Peer) => 300,
            (Self::Mounts, _) => 500,
            (_, Kind::Peer) => 700,
            (Self::Leases, _) => 1_000,
            (Self::Secrets | Self::Tokens | Self::Policies, _) => 5_000,
        }
    }

    /// What a vault needs before it can have any.
    pub(in crate::bench) fn prepare(self, vault: &Contender, ground: &Ground<'_>) -> Result<(), Failure> {
        match self {
            Self::Leases => {
                let statements = ["creation_statements=SELECT 1", "revocation_statements=SELECT 1"];
                // Both have passwords hashed by the database, which has none to hash.
                connect_database(vault, &ground.postgres, &["password_authentication=password"], &statements)
            }
            Self::Secrets | Self::Tokens | Self::Policies | Self::Mounts => Ok(()),
        }
    }

    /// What makes those with these numbers, as `xtask/load/src/plan.rs` has it.
    pub(in crate::bench) fn work(self, numbers: Range<u64>) -> Value {
        let each = |method: &str, path: &str, body: Value| {
            json!({
                "kind": "each", "method": method, "path": path, "body": body, "from": numbers.start, "to": numbers.end,
            })
        };
        match self {
            Self::Secrets => json!({
                "kind": "fill", "path": "/v1/secret/data", "from": numbers.start, "to": numbers.end, "bytes": SMALL,
            }),
            Self::Tokens => {
                let body = json!({"ttl": "720h", "policies": ["load"], "no_parent": true});
                each("POST", "/v1/auth/token/create", body)
            }
            Self::Leases => each("GET", "/v1/database/creds/load", Value::Null),
            Self::Policies => {
                let body = json!({"policy": "path \"secret/data/team#/*\" { capabilities = [\"read\"] }"});
                each("POST", "/v1/sys/policies/acl/p#", body)
            }
            Self::Mounts => each("POST", "/v1/sys/mounts/m#", json!({"type": "kv"})),
        }
    }
}
