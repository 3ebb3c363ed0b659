//! `POST /v1/auth/token/renew-accessor`: makes a token last longer, by its accessor.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::Ttl;
use crate::engine::{Cx, Endpoint, Route, Token};
use crate::error::Result;
use crate::secret::ClientToken;
use crate::vault::Unsealed;

use super::super::NoPath;
use super::accessor;
use super::renew::renewed;

/// What is to be renewed, and for how long.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct RenewAccessor {
    /// The accessor.
    accessor: Option<String>,
    /// How long the token is to last from now; its own length if it is zero.
    #[serde(default)]
    increment: Ttl,
}

impl Endpoint for RenewAccessor {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Token;
    const ROUTE: Route = Route::write("renew-accessor").summary("Make a token last longer, by its accessor");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Token> {
        let (id, _) = accessor::resolved(self.accessor, unsealed).await?;
        renewed(&id, ClientToken::new(String::new()), self.increment, unsealed, cx).await
    }
}
