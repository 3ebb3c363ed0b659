//! `POST /v1/auth/token/revoke-self`: ends the token that asks, its children and their leases.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Route, TokenType};
use crate::error::Result;
use crate::vault::Unsealed;

use super::super::NoPath;
use super::revoke::batch_tokens_end_by_themselves;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct RevokeSelf {}

impl Endpoint for RevokeSelf {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("revoke-self").summary("End the token that asks, its children and their leases");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Done> {
        let caller = cx.caller()?;
        if caller.token_type == TokenType::Batch {
            return Err(batch_tokens_end_by_themselves());
        }
        unsealed.revoke_token(&caller.token_id).await?;
        Ok(Done)
    }
}
