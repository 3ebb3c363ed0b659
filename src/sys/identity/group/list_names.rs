//! `LIST /v1/identity/group/name`: the names of groups.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Endpoint, Listing, Route};
use crate::error::Result;
use crate::sys::NoPath;
use crate::vault::Unsealed;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ListGroupNames {}

impl Endpoint for ListGroupNames {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Listing;
    const ROUTE: Route = Route::list("group/name").summary("The names of groups");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Listing> {
        let mut names = Vec::new();
        for id in unsealed.identity.group_ids().await? {
            names.extend(unsealed.identity.group(&id).await?.map(|group| group.name));
        }
        names.sort_unstable();
        Ok(Listing::of(names))
    }
}
