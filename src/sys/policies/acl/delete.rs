//! `DELETE /v1/sys/policies/acl/{name}`: removes an ACL policy.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Route, Txn};
use crate::error::{Error, Result};
use crate::policy::PolicyName;
use crate::vault::Unsealed;

use super::PolicyPath;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct DeletePolicy {}

impl Endpoint for DeletePolicy {
    type Target = Arc<Unsealed>;
    type Path = PolicyPath;
    type Reply = Done;
    const ROUTE: Route = Route::delete("policies/acl/{name..:lower}").summary("Removes an ACL policy");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: PolicyPath, cx: &mut Cx<'_>) -> Result<Done> {
        delete(unsealed, &path.name()?, cx.txn())
    }
}

/// Removes the policy `name`, unless it is built in; one that is not there is a success.
pub(in crate::sys) fn delete(unsealed: &Unsealed, name: &PolicyName, txn: &mut Txn) -> Result<Done> {
    if name.is_fixed() {
        return Err(Error::invalid(format!("cannot delete {:?} policy", name.as_str())));
    }
    if *name == PolicyName::default_policy() {
        return Err(Error::invalid("cannot delete default policy"));
    }
    unsealed.policies.delete(name, txn)?;
    Ok(Done)
}
