//! `LIST /v1/cubbyhole/{path}`: the names in a folder of the caller's token.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Endpoint, Listing, Page, Route};
use crate::error::Result;

use super::{Cubbyhole, SecretPath, key, own_token_id};

/// Asks for the names in a folder.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct List {}

impl Endpoint for List {
    type Target = Cubbyhole;
    type Path = SecretPath;
    type Reply = Listing;
    const ROUTE: Route = Route::list("{path..}").summary("List the names in a folder of the caller's token");

    async fn handle(self, target: &Cubbyhole, SecretPath { path }: SecretPath, cx: &mut Cx<'_>) -> Result<Listing> {
        let folder = key(own_token_id(cx)?, &path);
        let prefix = if path.is_empty() { folder } else { format!("{folder}/") };
        target.view.list(&prefix, Page::all()).await.map(Listing::of)
    }
}
