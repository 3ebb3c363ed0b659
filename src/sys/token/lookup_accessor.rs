//! `POST /v1/auth/token/lookup-accessor`: a token by its accessor, without the token itself.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::secret::ClientToken;
use crate::vault::Unsealed;

use super::super::NoPath;
use super::accessor;
use super::info::TokenInfo;

/// Whose facts are asked for.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct LookUpAccessor {
    /// The accessor.
    accessor: Option<String>,
}

impl Endpoint for LookUpAccessor {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<TokenInfo>;
    const ROUTE: Route = Route::write("lookup-accessor").summary("What is known of a token, by its accessor");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Data<TokenInfo>> {
        let (_, record) = accessor::resolved(self.accessor, unsealed).await?;
        Ok(Data::new(TokenInfo::of(ClientToken::new(String::new()), record, unsealed, cx.now()).await?))
    }
}
