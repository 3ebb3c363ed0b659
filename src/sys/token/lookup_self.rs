//! `GET` and `POST /v1/auth/token/lookup-self`: the token that asks.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Data, Endpoint, Route, TokenType};
use crate::error::{Error, Result};
use crate::secret::ClientToken;
use crate::vault::Unsealed;

use super::super::NoPath;
use super::info::TokenInfo;

/// `GET`. The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct LookUpSelf {}

impl Endpoint for LookUpSelf {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<TokenInfo>;
    const ROUTE: Route = Route::read("lookup-self").summary("The token that asks");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Data<TokenInfo>> {
        own(unsealed, cx).await
    }
}

/// `POST`. The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct PostLookUpSelf {}

impl Endpoint for PostLookUpSelf {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<TokenInfo>;
    const ROUTE: Route = Route::write("lookup-self").summary("The token that asks");
    const ALIASES: &'static [&'static str] = &["token"];

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Data<TokenInfo>> {
        own(unsealed, cx).await
    }
}

/// The look-up of the caller's own token, also with its last use.
pub(super) async fn own(unsealed: &Unsealed, cx: &mut Cx<'_>) -> Result<Data<TokenInfo>> {
    let caller = cx.caller()?;
    let token = cx.token.ok_or_else(Error::bad_token)?;
    let record = match caller.token_type {
        TokenType::Service => unsealed.tokens.stored(&caller.token_id).await?,
        TokenType::Batch => unsealed.tokens.look_up(token).await?.map(|(_, record)| record),
    };
    let record = record.ok_or_else(Error::bad_token)?;
    let shown = ClientToken::new(token.expose().to_owned());
    Ok(Data::new(TokenInfo::of(shown, record, unsealed, cx.now()).await?))
}
