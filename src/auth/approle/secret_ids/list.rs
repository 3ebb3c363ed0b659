//! `LIST /v1/auth/{mount}/role/{role_name}/secret-id`: the accessors of a role's secret ids.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::approle::Approle;
use crate::auth::approle::roles::RolePath;
use crate::engine::{Cx, Endpoint, Listing, Paging, Route};
use crate::error::{Error, Result};

use super::ACCESSORS;

/// Which part of the list is wanted.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(in crate::auth::approle) struct ListAccessors(Paging);

impl Endpoint for ListAccessors {
    type Target = Approle;
    type Path = RolePath;
    type Reply = Listing;

    const ROUTE: Route =
        Route::list("role/{role_name:name}/secret-id").summary("List the accessors of a role's secret ids.");

    async fn handle(self, approle: &Approle, path: RolePath, _: &mut Cx<'_>) -> Result<Listing> {
        let role = approle.role(&path.role_name).await?;
        let role = role.ok_or_else(|| Error::invalid("this role does not exist"))?;
        let folder = format!("{ACCESSORS}{}/", role.uuid);
        Ok(Listing::of(approle.view.list(&folder, self.0.page()).await?))
    }
}
