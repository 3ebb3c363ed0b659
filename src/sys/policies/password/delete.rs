//! `DELETE /v1/sys/policies/password/{name}`: removes a password policy.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;
use crate::vault::Unsealed;

use super::PolicyPath;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct DeletePolicy {}

impl Endpoint for DeletePolicy {
    type Target = Arc<Unsealed>;
    type Path = PolicyPath;
    type Reply = Done;
    const ROUTE: Route = Route::delete("policies/password/{name..}").summary("Removes a password policy");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: PolicyPath, cx: &mut Cx<'_>) -> Result<Done> {
        unsealed.passwords.delete(&path.name, cx.txn())?;
        Ok(Done)
    }
}
