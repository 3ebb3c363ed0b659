//! `LIST /v1/sys/namespaces`: the namespaces in this one, and not those in them.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::sys::NoPath;
use crate::vault::Unsealed;

use super::{NamespaceList, listed};

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ListNamespaces {}

impl Endpoint for ListNamespaces {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<NamespaceList>;
    const ROUTE: Route = Route::list("namespaces").summary("The namespaces in this one");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        listed(unsealed, false).await.map(Data::new)
    }
}
