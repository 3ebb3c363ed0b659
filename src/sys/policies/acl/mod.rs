//! `/v1/sys/policies/acl`: ACL policies.

pub(super) mod delete;
mod detailed;
pub(super) mod list;
mod patch;
pub(super) mod read;
mod revision;
pub(super) mod write;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::Routes;
use crate::error::{Error, Result};
use crate::policy::PolicyName;
use crate::vault::Unsealed;

/// Adds what is below `sys/policies/acl` and `sys/policies/detailed`.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    routes
        .endpoint::<list::ListPolicies>()
        .endpoint::<read::ReadPolicy>()
        .endpoint::<write::WritePolicy>()
        .endpoint::<patch::PatchPolicy>()
        .endpoint::<delete::DeletePolicy>()
        .endpoint::<detailed::ListDetailed>()
}

/// The name of a policy. Its case is folded before anyone decides about the path.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct PolicyPath {
    /// The name.
    pub(super) name: String,
}

/// A folder of policies' names.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct PrefixPath {
    /// What the names begin with; empty for all.
    pub(super) prefix: String,
}

impl PolicyPath {
    /// The name. A second spelling of it (blanks at its ends) is refused: policies decided about this path as it is.
    pub(super) fn name(&self) -> Result<PolicyName> {
        let name = PolicyName::parse(&self.name).map_err(|error| Error::invalid(error.to_string()))?;
        if name.as_str() != self.name {
            return Err(Error::invalid("a policy's name must not begin or end with a blank"));
        }
        Ok(name)
    }
}
