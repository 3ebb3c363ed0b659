//! `GET /v1/sys/policy/{name}`: one ACL policy, its text as `rules`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::{Error, Result};
use crate::vault::Unsealed;

use super::super::acl::PolicyPath;
use super::super::acl::read::{PolicyFacts, policy};

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadPolicy {}

/// A policy.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PolicyInfo {
    /// Its name.
    name: String,
    /// Its text; empty for `root`, which allows everything.
    rules: String,
    #[serde(flatten)]
    facts: PolicyFacts,
}

impl Endpoint for ReadPolicy {
    type Target = Arc<Unsealed>;
    type Path = PolicyPath;
    type Reply = Data<PolicyInfo>;
    const ROUTE: Route = Route::read("policy/{name..:lower}").summary("An ACL policy");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: PolicyPath, cx: &mut Cx<'_>) -> Result<Self::Reply> {
        let (name, rules, facts) = policy(unsealed, &path.name()?, cx.now()).await?.ok_or_else(Error::absent)?;
        Ok(Data::new(PolicyInfo { name, rules, facts }).repeated())
    }
}
