//! `POST /v1/auth/token/renew`: makes a token last longer.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::Ttl;
use crate::engine::{Cx, Endpoint, Route, Token, TokenType};
use crate::error::{Error, Result};
use crate::secret::ClientToken;
use crate::token::Issued;
use crate::vault::{LookedUp, RoleBounds, Unsealed};

use super::super::NoPath;
use super::roles::TokenRole;

/// What is to be renewed, and for how long.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Renew {
    /// The token.
    token: Option<ClientToken>,
    /// How long it is to last from now; its own length if it is zero.
    #[serde(default)]
    increment: Ttl,
}

impl Endpoint for Renew {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Token;
    const ROUTE: Route = Route::write("renew").summary("Make a token last longer");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Token> {
        let token = self.token.filter(|token| !token.is_empty());
        let token = token.ok_or_else(|| Error::invalid("missing token ID"))?;
        let found = unsealed.look_up(&token).await?;
        let LookedUp { home, id, record } = found.ok_or_else(|| Error::invalid("token not found"))?;
        if record.batch {
            return Err(batch_tokens_last_as_they_are());
        }
        renewed(&id, token, self.increment, &home, cx).await
    }
}

/// Renews the token `id` of the namespace `unsealed`. `shown` is what the answer has as the token.
pub(super) async fn renewed(
    id: &str,
    shown: ClientToken,
    increment: Ttl,
    unsealed: &Unsealed,
    cx: &mut Cx<'_>,
) -> Result<Token> {
    let client = cx.client;
    let role = role_of(id, unsealed).await?;
    let renewed = unsealed.renew_token(id, increment, role, client, cx.txn()).await?;
    if let Some(warning) = renewed.warning {
        cx.warn(warning);
    }
    let issued = Issued { token: shown, id: id.to_owned(), record: renewed.record, token_type: TokenType::Service };
    let identity_policies = unsealed.identity_policies(&issued.record).await?;
    Ok(Token(unsealed.auth_of(issued, identity_policies)))
}

/// What the role says now that the token `id` was made by. Without its role a token is not renewed.
async fn role_of(id: &str, unsealed: &Unsealed) -> Result<RoleBounds> {
    let record = unsealed.tokens.stored(id).await?;
    let Some(name) = record.map(|record| record.role).filter(|role| !role.is_empty()) else {
        return Ok(RoleBounds::default());
    };
    let gone = || Error::invalid(format!("original token role {name:?} could not be found, not renewing"));
    let TokenRole { period, explicit_max_ttl, .. } = TokenRole::load(&name, unsealed).await?.ok_or_else(gone)?;
    Ok(RoleBounds { period, explicit_max_ttl })
}

/// The refusal to renew a batch token.
pub(super) fn batch_tokens_last_as_they_are() -> Error {
    Error::invalid("batch tokens cannot be renewed")
}
