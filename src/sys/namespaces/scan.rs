//! `SCAN /v1/sys/namespaces`: the namespaces in this one at any depth.

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
pub(crate) struct ScanNamespaces {}

impl Endpoint for ScanNamespaces {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<NamespaceList>;
    const ROUTE: Route = Route::scan("namespaces").summary("The namespaces in this one, at any depth");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        listed(unsealed, true).await.map(Data::new)
    }
}
