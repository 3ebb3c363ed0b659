//! `GET /v1/sys/internal/ui/namespaces`: the namespaces below this one that the caller may know of: there are none.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::sys::NoPath;
use crate::vault::Unsealed;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadNamespaces {}

/// Namespaces; without any, an empty object, as the peer answers.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Namespaces {}

impl Endpoint for ReadNamespaces {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<Namespaces>;
    const ROUTE: Route =
        Route::read("internal/ui/namespaces").any_token().summary("The namespaces that the caller may know of");

    async fn handle(self, _: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        Ok(Data::new(Namespaces {}))
    }
}
