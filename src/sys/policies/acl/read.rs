//! `GET /v1/sys/policies/acl/{name}`: one ACL policy.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::{Error, Result};
use crate::policy::{PolicyName, RESPONSE_WRAPPING_POLICY};
use crate::time::Timestamp;
use crate::vault::{PolicyRecord, Unsealed};

use super::PolicyPath;
use super::revision::holds;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadPolicy {}

/// A policy.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PolicyInfo {
    /// Its name.
    name: String,
    /// Its text; empty for `root`, which allows everything.
    policy: String,
    #[serde(flatten)]
    facts: PolicyFacts,
}

/// What is known of a policy beside its text.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PolicyFacts {
    /// Always false: a placeholder whose value has a slash lets its rule out.
    allow_slashes_in_identity_templates: bool,
    /// Always false: a placeholder whose value has a wildcard lets its rule out.
    allow_wildcards_in_identity_templates: bool,
    /// Whether a write must name the version that it replaces.
    cas_required: bool,
    /// When it stops to hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration: Option<Timestamp>,
    /// When it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    modified: Option<Timestamp>,
    /// Counts its revisions, from 1; 0 for `root`.
    version: u64,
}

impl Endpoint for ReadPolicy {
    type Target = Arc<Unsealed>;
    type Path = PolicyPath;
    type Reply = Data<PolicyInfo>;
    const ROUTE: Route = Route::read("policies/acl/{name..:lower}").summary("An ACL policy");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: PolicyPath, cx: &mut Cx<'_>) -> Result<Self::Reply> {
        let (name, policy, facts) = policy(unsealed, &path.name()?, cx.now()).await?.ok_or_else(Error::absent)?;
        Ok(Data::new(PolicyInfo { name, policy, facts }))
    }
}

impl PolicyInfo {
    /// Of what [`policy`] gave.
    pub(super) fn of((name, policy, facts): (String, String, PolicyFacts)) -> Self {
        Self { name, policy, facts }
    }
}

/// The name, text and facts of a policy that still holds at `now`, built in or stored.
pub(in crate::sys) async fn policy(
    unsealed: &Unsealed,
    name: &PolicyName,
    now: Timestamp,
) -> Result<Option<(String, String, PolicyFacts)>> {
    if name.is_fixed() {
        let text = if name.is_root() { "" } else { RESPONSE_WRAPPING_POLICY };
        let version = u64::from(!name.is_root());
        return Ok(Some((name.to_string(), text.to_owned(), PolicyFacts::new(version))));
    }
    let record = unsealed.policies.policy(name).await?.filter(|record| holds(record, now));
    Ok(record.map(|record| {
        let PolicyRecord { name, text, version, cas_required, modified, expires } = record;
        let facts =
            PolicyFacts { cas_required, expiration: expires, modified: Some(modified), ..PolicyFacts::new(version) };
        (name.to_string(), text, facts)
    }))
}

impl PolicyFacts {
    fn new(version: u64) -> Self {
        Self {
            allow_slashes_in_identity_templates: false,
            allow_wildcards_in_identity_templates: false,
            cas_required: false,
            expiration: None,
            modified: None,
            version,
        }
    }
}
