//! `POST /v1/auth/token/revoke`: ends a token, its children and their leases.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::{Error, Result};
use crate::secret::ClientToken;
use crate::vault::{LookedUp, Unsealed};

use super::super::NoPath;

/// What is to end.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Revoke {
    /// The token.
    token: Option<ClientToken>,
}

impl Endpoint for Revoke {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("revoke").summary("End a token, its children and their leases");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Done> {
        if let Some(LookedUp { home, id, .. }) = target(self.token, unsealed).await? {
            home.revoke_token(&id).await?;
        }
        Ok(Done)
    }
}

/// The token that is to end, if there is one to end.
pub(super) async fn target(token: Option<ClientToken>, unsealed: &Unsealed) -> Result<Option<LookedUp>> {
    let token = token.filter(|token| !token.is_empty()).ok_or_else(|| Error::invalid("missing token ID"))?;
    match unsealed.look_up(&token).await? {
        Some(found) if found.record.batch => Err(batch_tokens_end_by_themselves()),
        found => Ok(found),
    }
}

/// The refusal to revoke a batch token.
pub(super) fn batch_tokens_end_by_themselves() -> Error {
    Error::invalid("batch tokens cannot be revoked")
}
