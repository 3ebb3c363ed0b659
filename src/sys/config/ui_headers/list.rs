//! `LIST /v1/sys/config/ui/headers`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Endpoint, Listing, Page, Route};
use crate::error::Result;
use crate::sys::NoPath;
use crate::vault::Unsealed;

use super::{Header, headers};

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ListHeaders {}

impl Endpoint for ListHeaders {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Listing;
    const ROUTE: Route = Route::list("config/ui/headers").sudo().summary("The headers of a user interface");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Listing> {
        let view = headers(unsealed);
        let mut names = Vec::new();
        for key in view.list("", Page::all()).await? {
            names.extend(view.get::<Header>(&key).await?.map(|header| header.name));
        }
        Ok(Listing::of(names))
    }
}
