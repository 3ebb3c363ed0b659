//! `GET /v1/auth/token/roles/{role_name}`: a role.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::Ttl;
use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::{Error, Result};
use crate::vault::Unsealed;

use super::RolePath;
use super::record::{RoleTokenType, TokenRole};

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadRole {}

/// A role as it is shown.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RoleInfo {
    allowed_entity_aliases: Option<Vec<String>>,
    allowed_policies: Vec<String>,
    allowed_policies_glob: Vec<String>,
    disallowed_policies: Vec<String>,
    disallowed_policies_glob: Vec<String>,
    /// The older name of `token_explicit_max_ttl`, which shows the length; always 0 here, and read by clients.
    explicit_max_ttl: Ttl,
    name: String,
    orphan: bool,
    path_suffix: String,
    /// The older name of `token_period`, which shows the length; always 0 here, and read by clients.
    period: Ttl,
    renewable: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    token_bound_cidrs: Vec<String>,
    token_explicit_max_ttl: Ttl,
    token_no_default_policy: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_num_uses: Option<u64>,
    token_period: Ttl,
    token_type: RoleTokenType,
}

impl Endpoint for ReadRole {
    type Target = Arc<Unsealed>;
    type Path = RolePath;
    type Reply = Data<RoleInfo>;
    const ROUTE: Route = Route::read("roles/{role_name}").summary("A role");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: RolePath, _: &mut Cx<'_>) -> Result<Data<RoleInfo>> {
        let role = TokenRole::load(&path.role_name, unsealed).await?.ok_or_else(Error::absent)?;
        Ok(Data::new(RoleInfo {
            allowed_entity_aliases: Some(role.allowed_entity_aliases).filter(|aliases| !aliases.is_empty()),
            allowed_policies: role.allowed_policies,
            allowed_policies_glob: role.allowed_policies_glob,
            disallowed_policies: role.disallowed_policies,
            disallowed_policies_glob: role.disallowed_policies_glob,
            explicit_max_ttl: Ttl::default(),
            name: role.name,
            orphan: role.orphan,
            path_suffix: role.path_suffix,
            period: Ttl::default(),
            renewable: role.renewable,
            token_bound_cidrs: role.bound_cidrs,
            token_explicit_max_ttl: role.explicit_max_ttl,
            token_no_default_policy: role.no_default_policy,
            token_num_uses: Some(role.num_uses).filter(|uses| *uses > 0),
            token_period: role.period,
            token_type: role.token_type,
        }))
    }
}
