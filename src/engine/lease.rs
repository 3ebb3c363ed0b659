//! Leases, as engines see them.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::api::Ttl;
use crate::error::{Error, Result};
use crate::secret::SecretJson;
use crate::time::Timestamp;

/// A lease that an engine asks for.
#[derive(Debug)]
pub struct NewLease {
    /// How long it lasts; zero is the mount's default.
    pub ttl: Ttl,
    /// The longest it can be renewed to, from now; zero is the mount's maximum.
    pub max_ttl: Ttl,
    /// Whether it can be renewed.
    pub renewable: bool,
    /// What the engine needs to renew and to revoke it. Stored encrypted, never shown.
    pub data: SecretJson,
    /// The intent that was recorded before the thing was made, if it lies outside of the vault.
    pub intent: Option<Intent>,
}

impl NewLease {
    /// A renewable lease of the mount's default length.
    pub fn of<T: Serialize>(data: &T) -> Result<Self> {
        let data = SecretJson::of(data).map_err(|_| Error::internal("a lease cannot be written"))?;
        Ok(Self { ttl: Ttl::default(), max_ttl: Ttl::default(), renewable: true, data, intent: None })
    }
}

/// A recorded intent to make something outside of the vault: a lease that is not granted yet. If the request does not
/// end in a granted lease, for whatever reason, it is revoked like any other.
#[derive(Debug)]
pub struct Intent {
    /// The id that the lease will have.
    pub lease_id: String,
}

/// A granted lease, as its engine gets it back.
#[derive(Debug)]
pub struct LeaseData {
    /// The lease's id.
    pub id: String,
    /// When it was granted.
    pub issued: Timestamp,
    /// What the engine gave to it.
    pub data: SecretJson,
}

impl LeaseData {
    /// What the engine gave to the lease.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(self.data.expose()).map_err(|_| Error::corrupt("a lease has an unknown form"))
    }
}

/// What an engine says to a renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// As long as was asked for, within the bounds of the mount and of the lease.
    AsAsked,
    /// With these lengths in place of those the lease was made with; zero is the mount's.
    Terms {
        /// The length when none is asked for.
        ttl: Ttl,
        /// The longest, from when the lease was granted.
        max_ttl: Ttl,
    },
}
