//! `POST /v1/auth/token/renew-self`: makes the token that asks last longer.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::Ttl;
use crate::engine::{Cx, Endpoint, Route, Token, TokenType};
use crate::error::{Error, Result};
use crate::secret::ClientToken;
use crate::vault::Unsealed;

use super::super::NoPath;
use super::renew::{batch_tokens_last_as_they_are, renewed};

/// For how long.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct RenewSelf {
    /// How long the token is to last from now; its own length if it is zero.
    #[serde(default)]
    increment: Ttl,
    /// Read and not looked at: some clients send it.
    #[serde(default, rename = "token")]
    _token: Option<ClientToken>,
}

impl Endpoint for RenewSelf {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Token;
    const ROUTE: Route = Route::write("renew-self").summary("Make the token that asks last longer");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Token> {
        let caller = cx.caller()?;
        if caller.token_type == TokenType::Batch {
            return Err(batch_tokens_last_as_they_are());
        }
        let token = cx.token.ok_or_else(Error::bad_token)?;
        let shown = ClientToken::new(token.expose().to_owned());
        renewed(&caller.token_id, shown, self.increment, unsealed, cx).await
    }
}
