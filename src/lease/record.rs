//! What is stored of a lease.

use data_encoding::HEXLOWER;
use ring::digest;
use serde::{Deserialize, Serialize};

use crate::api::{ROOT_NAMESPACE, Ttl};
use crate::barrier::Record;
use crate::engine::LeaseData;
use crate::error::Result;
use crate::secret::SecretJson;
use crate::time::Timestamp;

/// A lease as it is stored.
#[derive(Debug, Serialize, Deserialize)]
pub struct Lease {
    /// `<request path>/<24 characters>`, or the path of a login and the id of its token.
    pub id: String,
    /// What ends with it.
    pub target: Target,
    /// The id of the token that it ends with; empty for none.
    pub owner: String,
    /// The role that a token's holder logged in with; empty for none.
    #[serde(default)]
    pub role: String,
    /// When it was granted.
    pub issued: Timestamp,
    /// When it ends; nothing is never.
    pub expires: Option<Timestamp>,
    /// When it was renewed last.
    pub last_renewal: Option<Timestamp>,
    /// Whether it can be renewed.
    pub renewable: bool,
    /// How long it lasts when a renewal does not ask.
    pub ttl: Ttl,
    /// The longest, from when it was granted; zero is the mount's.
    pub max_ttl: Ttl,
    /// When it ends at the latest, however often it is renewed: the end of a token that cannot own it; nothing is never.
    #[serde(default)]
    pub latest: Option<Timestamp>,
    /// Where it stands.
    pub state: LeaseState,
}

impl Record for Lease {}

/// What ends with a lease.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// Something that a secrets engine made.
    Secret {
        /// The id of the mount.
        mount: String,
        /// What the engine gave to the lease.
        data: SecretJson,
    },
    /// A token.
    Token {
        /// Its id.
        id: String,
    },
}

/// Where a lease stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LeaseState {
    /// An intent: what it stands for may or may not have been made.
    Intended,
    /// Granted.
    Active,
    /// To be revoked, and so often tried without success.
    Revoking {
        /// How often it was tried.
        attempts: u32,
    },
}

/// After so many failed attempts a lease is shown as irrevocable; it is tried once an hour all the same.
pub(super) const IRREVOCABLE_AFTER: u32 = 6;

impl Lease {
    /// Whether it has been tried so often that an operator should look.
    pub fn is_irrevocable(&self) -> bool {
        matches!(self.state, LeaseState::Revoking { attempts } if attempts >= IRREVOCABLE_AFTER)
    }

    /// Whether it may still be used at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.state == LeaseState::Active && self.expires.is_none_or(|expires| expires > now)
    }

    /// Whole seconds until it ends at `now`; 0 for never and for ended.
    pub fn remaining(&self, now: Timestamp) -> u64 {
        self.expires.map_or(0, |expires| expires.since(now).as_secs())
    }

    /// Its key in the index of leases by their ends; nothing for one that never ends.
    pub fn due_key(&self) -> Option<String> {
        self.expires.map(|expires| due_key(expires, &self.id))
    }

    /// The id of the mount that made it, for what an engine made.
    pub fn mount(&self) -> Option<&str> {
        match &self.target {
            Target::Secret { mount, .. } => Some(mount),
            Target::Token { .. } => None,
        }
    }

    /// The lease as its engine gets it back; nothing for a token.
    pub fn data(&self) -> Result<Option<LeaseData>> {
        let Target::Secret { data, .. } = &self.target else { return Ok(None) };
        let data = serde_json::from_str(data.expose())
            .map_err(|_| crate::error::Error::corrupt("a lease has an unknown form"))?;
        Ok(Some(LeaseData { id: self.id.clone(), issued: self.issued, data }))
    }
}

/// An entry of the due index, and of that of owners.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Due {
    pub(super) lease_id: String,
    #[serde(default = "root")]
    pub(super) namespace_id: String,
}

fn root() -> String {
    ROOT_NAMESPACE.to_owned()
}

impl Record for Due {}

/// The key of a lease in the due index: the second, then a digest of its id so that each name has one length.
pub(super) fn due_key(at: Timestamp, lease_id: &str) -> String {
    let digest = digest::digest(&digest::SHA256, lease_id.as_bytes());
    let short = digest.as_ref().get(..12).unwrap_or_default();
    format!("{:012}-{}", at.unix_seconds().max(0), HEXLOWER.encode(short))
}

/// The second in a key of the due index.
pub(super) fn due_second(key: &str) -> Option<i64> {
    key.split('-').next()?.parse().ok()
}
