//! `POST /v1/sys/policies/acl/{name}`: writes an ACL policy.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;
use crate::vault::Unsealed;

use super::PolicyPath;
pub(in crate::sys) use super::revision::Revision;

/// See [`Revision`].
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct WritePolicy(Revision);

impl Endpoint for WritePolicy {
    type Target = Arc<Unsealed>;
    type Path = PolicyPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("policies/acl/{name..:lower}").summary("Writes an ACL policy");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: PolicyPath, cx: &mut Cx<'_>) -> Result<Done> {
        let now = cx.now();
        self.0.write(unsealed, path.name()?, now, cx.txn()).await?;
        Ok(Done)
    }
}
