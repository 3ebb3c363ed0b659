//! `GET /v1/sys/internal/ui/namespaces`: the namespaces directly in this one that the caller may know of.

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
pub(crate) struct Known {
    /// Their paths from here, with a slash at the end.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    keys: Vec<String>,
}

impl Endpoint for ReadNamespaces {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<Known>;
    const ROUTE: Route =
        Route::read("internal/ui/namespaces").any_token().summary("The namespaces that the caller may know of");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Self::Reply> {
        let acl = unsealed.acl(cx.caller()?, cx.now()).await?;
        let path = &unsealed.namespace.path;
        let within = unsealed.core.namespaces.within(path);
        let relative = within.iter().filter_map(|inner| inner.namespace.path.strip_prefix(path.as_str()));
        let children = relative.filter(|inner| !inner.trim_end_matches('/').contains('/'));
        Ok(Data::new(Known { keys: children.filter(|inner| acl.reaches(inner)).map(str::to_owned).collect() }))
    }
}
