//! `POST /v1/auth/{mount}/role/{role_name}`: makes or changes a role.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::LooseText;
use crate::auth::approle::Approle;
use crate::engine::{Caller, Cx, Done, Endpoint, Existence, Route};
use crate::error::{Error, Result};

use super::{Role, RoleParams, RolePath, check_period, role_key};

/// A role; what is left out stays as it is.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(in crate::auth::approle) struct WriteRole(RoleParams);

impl Endpoint for WriteRole {
    type Target = Approle;
    type Path = RolePath;
    type Reply = Done;

    const ROUTE: Route = Route::write("role/{role_name:name}").summary("Make or change a role.");

    async fn handle(self, approle: &Approle, RolePath { role_name }: RolePath, cx: &mut Cx<'_>) -> Result<Done> {
        let before: Option<Role> = approle.view.fetch(cx.txn(), &role_key(&role_name)).await?;
        if before.is_some() && self.0.local_secret_ids.is_some() {
            return Err(Error::invalid("local_secret_ids can only be modified during role creation"));
        }
        let role = match &before {
            Some(role) => role.clone(),
            None => Role::new(cx.entropy())?,
        };
        let mut asked = self.0;
        if let Some(LooseText(kind)) = &mut asked.token.token_type
            && let Some(meant) = kind.strip_prefix("default-").filter(|meant| matches!(*meant, "service" | "batch"))
        {
            cx.warn(format!("{kind} has no useful meaning; adjusting to {meant}"));
            *kind = meant.to_owned();
        }
        let has_period = asked.period.is_some();
        let role = role.changed(asked)?;
        if has_period {
            check_period(&role, cx.mount)?;
        }
        if role.token.token_max_ttl > cx.mount.max_ttl {
            cx.warn(
                "token_max_ttl is greater than the backend mount's maximum TTL value; issued tokens' max TTL value will be \
                 truncated",
            );
        }
        approle.put_role(cx.txn(), &role_name, &role, before.as_ref()).await?;
        Ok(Done)
    }

    async fn existence(approle: &Approle, RolePath { role_name }: RolePath, _: Option<&Caller>) -> Result<Existence> {
        Ok(approle.view.exists(&role_key(&role_name)).await?.into())
    }
}
