//! `GET /v1/sys/policies/password/{name}`: one password policy.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::vault::Unsealed;

use super::{PolicyPath, absent};

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadPolicy {}

/// A password policy.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PasswordPolicyInfo {
    /// Its text.
    policy: String,
}

impl Endpoint for ReadPolicy {
    type Target = Arc<Unsealed>;
    type Path = PolicyPath;
    type Reply = Data<PasswordPolicyInfo>;
    const ROUTE: Route = Route::read("policies/password/{name..}").summary("A password policy");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: PolicyPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        let record = unsealed.passwords.policy(&path.name).await?.ok_or_else(absent)?;
        Ok(Data::new(PasswordPolicyInfo { policy: record.text }))
    }
}
