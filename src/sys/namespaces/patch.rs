//! `PATCH /v1/sys/namespaces/{path}`: changes the metadata of a namespace; null removes a key (RFC 7396).

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::{Error, Result};
use crate::vault::Unsealed;

use super::{Named, NamespaceInfo, named};

/// What is to be changed.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct PatchNamespace {
    /// The keys that are to be changed, and with null those that are to be removed.
    custom_metadata: BTreeMap<String, Option<String>>,
}

impl Endpoint for PatchNamespace {
    type Target = Arc<Unsealed>;
    type Path = Named;
    type Reply = Data<NamespaceInfo>;
    const ROUTE: Route = Route::patch("namespaces/{path..}").summary("Change the metadata of a namespace");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: Named, _: &mut Cx<'_>) -> Result<Self::Reply> {
        let found = named(unsealed, &path.path)?.ok_or_else(Error::absent)?;
        let changed = found.change_namespace(|metadata| {
            for (key, value) in &self.custom_metadata {
                match value {
                    Some(value) => drop(metadata.insert(key.clone(), value.clone())),
                    None => drop(metadata.remove(key)),
                }
            }
        });
        Ok(Data::new(changed.await?.into()))
    }
}
