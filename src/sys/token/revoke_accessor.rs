//! `POST /v1/auth/token/revoke-accessor`: ends a token, its children and their leases, by its accessor.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;
use crate::vault::Unsealed;

use super::super::NoPath;
use super::accessor;

/// What is to end.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct RevokeAccessor {
    /// The accessor.
    accessor: Option<String>,
}

impl Endpoint for RevokeAccessor {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Done;
    const ROUTE: Route =
        Route::write("revoke-accessor").summary("End a token, its children and their leases, by its accessor");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Done> {
        let accessor = accessor::given(self.accessor)?;
        match unsealed.by_accessor(&accessor).await? {
            Some((id, _)) => unsealed.revoke_token(&id).await?,
            None => cx.warn("No token found with this accessor"),
        }
        Ok(Done)
    }
}
