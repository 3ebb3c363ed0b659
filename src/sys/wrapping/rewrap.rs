//! `POST /v1/sys/wrapping/rewrap`: puts a wrapped answer behind another token. The old one is good for nothing more.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Answer, Content, Cx, Endpoint, Route, StatusCode};
use crate::error::Result;
use crate::secret::ClientToken;
use crate::vault::{Unsealed, Unwrapped, Wrapped, Wrapping, invalid_wrapping_token};

use super::super::NoPath;
use super::presented::{Presented, spent};

/// What is to be wrapped anew.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Rewrap {
    /// The wrapping token; the caller's own if there is none.
    token: Option<ClientToken>,
}

impl Endpoint for Rewrap {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Answer;
    const ROUTE: Route = Route::write("wrapping/rewrap").summary("Put a wrapped answer behind another token");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Answer> {
        let Presented { id, home } = spent(self.token, unsealed, cx).await?;
        let Wrapped { creation_path, creation_ttl, .. } =
            home.wrapped(&id).await?.ok_or_else(invalid_wrapping_token)?;
        let Unwrapped { body, status } = home.unwrap(&id, cx.txn()).await?;
        // As long as whoever wrapped it said, whatever the caller asks for.
        let wrapping = Wrapping { body, status, ttl: creation_ttl, creation_path, wrapped_accessor: String::new() };
        let content = Content::Wrapped(Box::new(home.wrap(wrapping, cx.txn())?));
        Ok(Answer { status: StatusCode::OK, content, warnings: Vec::new() })
    }
}
