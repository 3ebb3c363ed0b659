//! `GET /v1/auth/{mount}/role/{name}`: a role.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::api::Ttl;
use crate::auth::jwt::Jwt;
use crate::engine::{Cx, Data, Endpoint, LegacySettings, Route, TokenSettings};
use crate::error::{Error, Result};

use super::{CallbackMode, ClaimsType, Role, RolePath, RoleType};

/// Asks for nothing.
#[derive(Deserialize, JsonSchema)]
pub(in crate::auth::jwt) struct ReadRole {}

/// A role as it is shown.
#[derive(Serialize, JsonSchema)]
pub(in crate::auth::jwt) struct Shown {
    role_type: RoleType,
    bound_audiences: Option<Vec<String>>,
    bound_subject: String,
    bound_claims: Option<Map<String, Value>>,
    bound_claims_type: ClaimsType,
    claim_mappings: Option<BTreeMap<String, String>>,
    user_claim: String,
    user_claim_json_pointer: bool,
    groups_claim: String,
    clock_skew_leeway: i64,
    expiration_leeway: i64,
    not_before_leeway: i64,
    allowed_redirect_uris: Option<Vec<String>>,
    oidc_scopes: Option<Vec<String>>,
    max_age: Ttl,
    callback_mode: CallbackMode,
    #[serde(skip_serializing_if = "Option::is_none")]
    poll_interval: Option<u64>,
    oauth2_metadata: Option<Vec<String>>,
    oidc_disable_confirmation: bool,
    verbose_oidc_logging: bool,
    token_policies_template_claims: bool,
    #[serde(flatten)]
    token: TokenSettings,
    #[serde(flatten)]
    legacy: LegacySettings,
}

impl Endpoint for ReadRole {
    type Target = Jwt;
    type Path = RolePath;
    type Reply = Data<Shown>;

    const ROUTE: Route = Route::read("role/{name:name}").summary("Read a role for tokens of identity providers.");

    async fn handle(self, jwt: &Jwt, RolePath { name }: RolePath, _: &mut Cx<'_>) -> Result<Data<Shown>> {
        let role = jwt.role(&name).await?.ok_or_else(Error::absent)?;
        Ok(Data::new(role.into()))
    }
}

impl From<Role> for Shown {
    fn from(role: Role) -> Self {
        let legacy = role.legacy.shown(&role.token);
        Self {
            role_type: role.role_type,
            bound_audiences: role.bound_audiences,
            bound_subject: role.bound_subject,
            bound_claims: role.bound_claims,
            bound_claims_type: role.bound_claims_type,
            claim_mappings: role.claim_mappings,
            user_claim: role.user_claim,
            user_claim_json_pointer: role.user_claim_json_pointer,
            groups_claim: role.groups_claim,
            clock_skew_leeway: role.clock_skew_leeway,
            expiration_leeway: role.expiration_leeway,
            not_before_leeway: role.not_before_leeway,
            allowed_redirect_uris: role.allowed_redirect_uris,
            oidc_scopes: role.oidc_scopes,
            max_age: role.max_age,
            callback_mode: role.callback_mode,
            poll_interval: (role.poll_interval != 0).then_some(role.poll_interval),
            oauth2_metadata: None,
            oidc_disable_confirmation: role.oidc_disable_confirmation,
            verbose_oidc_logging: role.verbose_oidc_logging,
            token_policies_template_claims: role.token_policies_template_claims,
            token: role.token,
            legacy,
        }
    }
}
