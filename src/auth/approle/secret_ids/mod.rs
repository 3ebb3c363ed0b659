//! The secret ids.
//!
//! A record lies below its role's uuid and is named by the keyed hash of the secret id; beside it is an entry that leads
//! from the accessor to that name. What asks for a secret id or an accessor asks within one role, so another role's
//! cannot be reached. Records end when they say so, whether or not they were tidied away.

mod accessor;
mod destroy;
mod generate;
mod list;
mod look_up;

pub(super) use accessor::{DestroyAccessor, DestroyAccessorByDelete, LookUpAccessor};
pub(super) use destroy::{Destroy, DestroyByDelete};
pub(super) use generate::{Generate, GenerateCustom};
pub(super) use list::ListAccessors;
pub(super) use look_up::LookUp;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::Ttl;
use crate::engine::{Data, Record, Txn};
use crate::error::Result;
use crate::time::Timestamp;

use super::Approle;
use super::roles::Role;

/// Where the records are.
pub(super) const SECRETS: &str = "secret-id/";

/// Where the entries of accessors are.
pub(super) const ACCESSORS: &str = "accessor/";

/// A secret id; the id itself is not in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SecretId {
    accessor: String,
    created: Timestamp,
    updated: Timestamp,
    /// Nothing is never.
    expires: Option<Timestamp>,
    ttl: Ttl,
    /// How often it can still be used; nothing is any number.
    uses_left: Option<u64>,
    pub(super) cidr_list: Vec<String>,
    pub(super) token_bound_cidrs: Vec<String>,
    pub(super) metadata: BTreeMap<String, String>,
}

impl Record for SecretId {}

/// Leads from an accessor to the name of a secret id.
#[derive(Debug, Serialize, Deserialize)]
struct Accessor {
    name: String,
}

impl Record for Accessor {}

/// A secret id as it is shown.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Shown {
    secret_id_accessor: String,
    secret_id_num_uses: u64,
    secret_id_ttl: Ttl,
    creation_time: Timestamp,
    /// The year 1 where it does not end.
    expiration_time: String,
    last_updated_time: Timestamp,
    cidr_list: Vec<String>,
    token_bound_cidrs: Vec<String>,
    metadata: BTreeMap<String, String>,
}

impl SecretId {
    /// Whether it can no longer be used.
    pub(super) fn has_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| now >= expires)
    }

    /// Whether using it changes it.
    pub(super) fn is_spent_by_use(&self) -> bool {
        self.uses_left.is_some()
    }
}

impl Shown {
    /// The answer, whose wrapping tells the accessor; 204 without a secret id.
    pub(super) fn answer(secret: Option<SecretId>) -> Data<Self> {
        let accessor = secret.as_ref().map(|secret| secret.accessor.clone()).unwrap_or_default();
        Data::or_nothing(secret.map(Self::from)).with_accessor(accessor)
    }
}

impl From<SecretId> for Shown {
    fn from(secret: SecretId) -> Self {
        let never = || "0001-01-01T00:00:00Z".to_owned();
        Self {
            secret_id_accessor: secret.accessor,
            secret_id_num_uses: secret.uses_left.unwrap_or_default(),
            secret_id_ttl: secret.ttl,
            creation_time: secret.created,
            expiration_time: secret.expires.map_or_else(never, |expires| expires.to_string()),
            last_updated_time: secret.updated,
            cidr_list: secret.cidr_list,
            token_bound_cidrs: secret.token_bound_cidrs,
            metadata: secret.metadata,
        }
    }
}

impl Approle {
    /// The key of a role's secret id.
    pub(super) fn secret_key(&self, role: &Role, secret_id: &str) -> String {
        format!("{SECRETS}{}/{}", role.uuid, self.hash(&["secret-id", &role.uuid, secret_id]))
    }

    /// A secret id of the role that can be used now.
    pub(super) async fn secret_id(&self, key: &str, now: Timestamp) -> Result<Option<SecretId>> {
        let secret: Option<SecretId> = self.view.get(key).await?;
        Ok(secret.filter(|secret| !secret.has_expired(now)))
    }

    /// Takes one use off a secret id, or says that there is none left. The transaction fails if anyone else has used it
    /// in the meantime; the last use removes it.
    pub(super) async fn spend(&self, txn: &mut Txn, role: &Role, key: &str, now: Timestamp) -> Result<bool> {
        let secret: Option<SecretId> = self.view.fetch(txn, key).await?;
        let Some(mut secret) = secret.filter(|secret| !secret.has_expired(now)) else { return Ok(false) };
        let Some(left) = secret.uses_left else { return Ok(true) };
        match left.checked_sub(1) {
            None => return Ok(false),
            Some(0) => self.delete_secret_id(txn, role, key, &secret.accessor)?,
            Some(left) => {
                secret.uses_left = Some(left);
                secret.updated = now;
                self.view.put(txn, key, &secret)?;
            }
        }
        Ok(true)
    }

    /// Removes a secret id and the entry of its accessor.
    fn delete_secret_id(&self, txn: &mut Txn, role: &Role, key: &str, accessor: &str) -> Result<()> {
        self.view.delete(txn, key)?;
        self.view.delete(txn, &accessor_key(role, accessor))
    }

    /// Removes all secret ids below a role's uuid.
    pub(super) async fn delete_secret_ids(&self, txn: &mut Txn, role_uuid: &str) -> Result<()> {
        for folder in [SECRETS, ACCESSORS] {
            let folder = format!("{folder}{role_uuid}/");
            for name in self.view.scan(&folder).await? {
                self.view.delete(txn, &format!("{folder}{name}"))?;
            }
        }
        Ok(())
    }

    /// Removes those secret ids below a role's uuid that have expired.
    pub(super) async fn delete_expired(&self, txn: &mut Txn, role_uuid: &str, now: Timestamp) -> Result<()> {
        let folder = format!("{SECRETS}{role_uuid}/");
        for name in self.view.scan(&folder).await? {
            let key = format!("{folder}{name}");
            // Expected to be unchanged: an id of the caller's choice may be registered again in the meantime.
            if !self.view.get::<SecretId>(&key).await?.is_some_and(|secret| secret.has_expired(now)) {
                continue;
            }
            if let Some(secret) = self.view.fetch::<SecretId>(txn, &key).await? {
                self.view.delete(txn, &key)?;
                self.view.delete(txn, &format!("{ACCESSORS}{role_uuid}/{}", secret.accessor))?;
            }
        }
        Ok(())
    }
}

fn accessor_key(role: &Role, accessor: &str) -> String {
    format!("{ACCESSORS}{}/{accessor}", role.uuid)
}
