//! `DELETE /v1/sys/policy/{name}`: removes an ACL policy.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;
use crate::vault::Unsealed;

use super::super::acl::{PolicyPath, delete::delete};

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct DeletePolicy {}

impl Endpoint for DeletePolicy {
    type Target = Arc<Unsealed>;
    type Path = PolicyPath;
    type Reply = Done;
    const ROUTE: Route = Route::delete("policy/{name..:lower}").summary("Removes an ACL policy");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: PolicyPath, cx: &mut Cx<'_>) -> Result<Done> {
        delete(unsealed, &path.name()?, cx.txn())
    }
}
