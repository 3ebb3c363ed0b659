//! `GET /v1/sys/namespaces/{path}`: what is known of a namespace.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::{Error, Result};
use crate::vault::Unsealed;

use super::{Named, NamespaceInfo, named};

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadNamespace {}

impl Endpoint for ReadNamespace {
    type Target = Arc<Unsealed>;
    type Path = Named;
    type Reply = Data<NamespaceInfo>;
    const ROUTE: Route = Route::read("namespaces/{path..}").summary("What is known of a namespace");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: Named, _: &mut Cx<'_>) -> Result<Self::Reply> {
        let found = named(unsealed, &path.path)?.ok_or_else(Error::absent)?;
        let record = unsealed.core.namespaces.record(&found.namespace.id).await?.ok_or_else(Error::absent)?;
        Ok(Data::new(record.into()))
    }
}
