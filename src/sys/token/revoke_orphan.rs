//! `POST /v1/auth/token/revoke-orphan`: ends a token and its leases, and leaves its children.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::{Error, Result};
use crate::secret::ClientToken;
use crate::vault::{LookedUp, Unsealed};

use super::super::NoPath;
use super::revoke::target;

/// What is to end.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct RevokeOrphan {
    /// The token.
    token: Option<ClientToken>,
}

impl Endpoint for RevokeOrphan {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("revoke-orphan").sudo().summary("End a token, and leave its children");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Done> {
        let found = target(self.token, unsealed).await?;
        let LookedUp { home, id, .. } = found.ok_or_else(|| Error::invalid("token to revoke not found"))?;
        home.revoke_token_alone(&id).await?;
        Ok(Done)
    }
}
