//! `LIST /v1/auth/{mount}/role/{role_name}/secret-id`: the accessors of a role's secret ids.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::LooseInt;
use crate::auth::approle::Approle;
use crate::auth::approle::roles::RolePath;
use crate::engine::{Cx, Endpoint, Listing, Page, Route};
use crate::error::{Error, Result};

use super::ACCESSORS;

/// Which part of the list is wanted.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(in crate::auth::approle) struct ListAccessors {
    /// Only accessors behind this one.
    after: String,
    /// At most so many; 0 is all.
    limit: LooseInt,
}

impl Endpoint for ListAccessors {
    type Target = Approle;
    type Path = RolePath;
    type Reply = Listing;

    const ROUTE: Route =
        Route::list("role/{role_name:lower}/secret-id").summary("List the accessors of a role's secret ids.");

    async fn handle(self, approle: &Approle, path: RolePath, _: &mut Cx<'_>) -> Result<Listing> {
        let role = approle.role(&path.role_name).await?;
        let role = role.ok_or_else(|| Error::invalid("this role does not exist"))?;
        let after = Some(self.after).filter(|after| !after.is_empty());
        let limit = usize::try_from(self.limit.0).ok().filter(|limit| *limit > 0);
        let folder = format!("{ACCESSORS}{}/", role.uuid);
        Ok(Listing::of(approle.view.list(&folder, Page { after, limit }).await?))
    }
}
