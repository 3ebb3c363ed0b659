//! A token as a look-up shows it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::api::Ttl;
use crate::error::Result;
use crate::secret::{self, ClientToken};
use crate::time::Timestamp;
use crate::token::TokenRecord;
use crate::vault::Unsealed;

/// A token as a look-up shows it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TokenInfo {
    /// The token; empty where it was looked up by its accessor.
    #[serde(serialize_with = "secret::on_wire")]
    id: ClientToken,
    accessor: String,
    policies: Vec<String>,
    path: String,
    meta: Option<BTreeMap<String, String>>,
    display_name: String,
    /// The namespace that it is of, unless that is the root.
    #[serde(skip_serializing_if = "String::is_empty")]
    namespace_path: String,
    num_uses: i64,
    orphan: bool,
    /// Seconds since the epoch.
    creation_time: i64,
    /// Seconds.
    creation_ttl: u64,
    expire_time: Option<Timestamp>,
    /// Seconds.
    explicit_max_ttl: u64,
    /// Seconds.
    ttl: u64,
    #[serde(rename = "type")]
    kind: String,
    entity_id: String,
    renewable: bool,
    issue_time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_renewal: Option<Timestamp>,
    /// Seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_renewal_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    period: Option<Ttl>,
    #[serde(skip_serializing_if = "String::is_empty")]
    role: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    bound_cidrs: Vec<String>,
    /// The policies that come from its entity.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    identity_policies: Vec<String>,
    /// Those of them that are of other namespaces, by namespace; shown beside the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    external_namespace_policies: Option<BTreeMap<String, Vec<String>>>,
}

impl TokenInfo {
    /// The look-up of `record` at `now`.
    pub(super) async fn of(id: ClientToken, record: TokenRecord, unsealed: &Unsealed, now: Timestamp) -> Result<Self> {
        let identity_policies = unsealed.identity_policies(&record).await?;
        let external = (!identity_policies.is_empty()).then(BTreeMap::new);
        let home = unsealed.core.namespaces.by_id(&record.namespace_id);
        let info = Self::new(id, record, now);
        let namespace_path = home.map(|home| home.namespace.path.clone()).unwrap_or_default();
        Ok(Self { namespace_path, identity_policies, external_namespace_policies: external, ..info })
    }

    fn new(id: ClientToken, record: TokenRecord, now: Timestamp) -> Self {
        Self {
            id,
            ttl: record.remaining(now),
            orphan: record.parent.is_none(),
            kind: record.token_type().as_str().to_owned(),
            accessor: record.accessor,
            policies: record.policies,
            path: record.path,
            meta: Some(record.metadata).filter(|metadata| !metadata.is_empty()),
            display_name: record.display_name,
            namespace_path: String::new(),
            num_uses: record.uses.shown(),
            creation_time: record.created.unix_seconds(),
            creation_ttl: record.creation_ttl.seconds(),
            expire_time: record.expires,
            explicit_max_ttl: record.explicit_max_ttl.seconds(),
            entity_id: record.entity_id,
            renewable: record.renewable,
            issue_time: record.created,
            last_renewal: record.last_renewal,
            last_renewal_time: record.last_renewal.map(Timestamp::unix_seconds),
            period: Some(record.period).filter(|period| !period.is_zero()),
            role: record.role,
            bound_cidrs: record.bound_cidrs,
            identity_policies: Vec::new(),
            external_namespace_policies: None,
        }
    }
}
