//! `GET /v1/auth/{mount}/role/{role_name}`: a role.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::Ttl;
use crate::auth::approle::Approle;
use crate::engine::{Cx, Data, Endpoint, LegacySettings, Route, TokenSettings};
use crate::error::{Error, Result};

use super::{Role, RolePath};

/// Asks for nothing.
#[derive(Deserialize, JsonSchema)]
pub(in crate::auth::approle) struct ReadRole {}

/// A role as it is shown.
#[derive(Serialize, JsonSchema)]
pub(in crate::auth::approle) struct Shown {
    bind_secret_id: bool,
    local_secret_ids: bool,
    secret_id_bound_cidrs: Option<Vec<String>>,
    secret_id_num_uses: u64,
    secret_id_ttl: Ttl,
    #[serde(flatten)]
    token: TokenSettings,
    #[serde(flatten)]
    legacy: LegacySettings,
}

impl Endpoint for ReadRole {
    type Target = Approle;
    type Path = RolePath;
    type Reply = Data<Shown>;

    const ROUTE: Route = Route::read("role/{role_name:name}").summary("Read a role.");

    async fn handle(self, approle: &Approle, RolePath { role_name }: RolePath, _: &mut Cx<'_>) -> Result<Data<Shown>> {
        let role = approle.role(&role_name).await?.ok_or_else(Error::absent)?;
        Ok(Data::new(role.into()))
    }
}

impl From<Role> for Shown {
    fn from(role: Role) -> Self {
        let legacy = role.legacy.shown(&role.token);
        Self {
            bind_secret_id: role.bind_secret_id,
            local_secret_ids: role.local_secret_ids,
            secret_id_bound_cidrs: role.secret_id_bound_cidrs,
            secret_id_num_uses: role.secret_id_num_uses,
            secret_id_ttl: role.secret_id_ttl,
            token: role.token,
            legacy,
        }
    }
}
