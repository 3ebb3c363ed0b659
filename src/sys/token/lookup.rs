//! `GET` and `POST /v1/auth/token/lookup`: any token, by itself.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::{Error, Kind, Result};
use crate::secret::ClientToken;
use crate::vault::{LookedUp, Unsealed};

use super::super::NoPath;
use super::info::TokenInfo;
use super::lookup_self::own;

/// `POST`.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct LookUp {
    /// The token; the caller's own if there is none.
    token: Option<ClientToken>,
}

impl Endpoint for LookUp {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<TokenInfo>;
    const ROUTE: Route = Route::write("lookup").summary("What is known of a token");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Data<TokenInfo>> {
        look_up(self.token, unsealed, cx).await
    }
}

/// `GET`.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct GetLookUp {
    /// The token; the caller's own if there is none. In a URL it is easily logged: better use `POST`.
    token: Option<ClientToken>,
}

impl Endpoint for GetLookUp {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<TokenInfo>;
    const ROUTE: Route = Route::read("lookup").summary("What is known of a token");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Data<TokenInfo>> {
        look_up(self.token, unsealed, cx).await
    }
}

async fn look_up(token: Option<ClientToken>, unsealed: &Unsealed, cx: &mut Cx<'_>) -> Result<Data<TokenInfo>> {
    let Some(token) = token.filter(|token| !token.is_empty()) else { return own(unsealed, cx).await };
    let found = unsealed.look_up(&token).await?;
    let LookedUp { home, record, .. } = found.ok_or_else(|| Error::new(Kind::Forbidden, "bad token"))?;
    Ok(Data::new(TokenInfo::of(token, record, &home, cx.now()).await?))
}
