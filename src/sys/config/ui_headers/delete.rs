//! `DELETE /v1/sys/config/ui/headers/{header}`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;
use crate::vault::Unsealed;

use super::{HeaderPath, headers};

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct DeleteHeader {}

impl Endpoint for DeleteHeader {
    type Target = Arc<Unsealed>;
    type Path = HeaderPath;
    type Reply = Done;
    const ROUTE: Route =
        Route::delete("config/ui/headers/{header:lower}").sudo().summary("Removes a header of a user interface");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: HeaderPath, cx: &mut Cx<'_>) -> Result<Done> {
        headers(unsealed).delete(cx.txn(), &path.header)?;
        Ok(Done)
    }
}
