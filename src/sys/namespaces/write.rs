//! `POST /v1/sys/namespaces/{path}`: creates a namespace, or replaces the metadata of one that is there.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::vault::Unsealed;

use super::{Named, NamespaceInfo};

/// A namespace that is to be.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct WriteNamespace {
    /// What operators want to write beside it.
    custom_metadata: BTreeMap<String, String>,
}

impl Endpoint for WriteNamespace {
    type Target = Arc<Unsealed>;
    type Path = Named;
    type Reply = Data<NamespaceInfo>;
    const ROUTE: Route = Route::write("namespaces/{path..}").summary("Create a namespace");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: Named, _: &mut Cx<'_>) -> Result<Self::Reply> {
        let namespace = unsealed.create_namespace(&path.path, self.custom_metadata).await?;
        Ok(Data::new(namespace.into()))
    }
}
