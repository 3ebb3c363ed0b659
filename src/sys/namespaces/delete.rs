//! `DELETE /v1/sys/namespaces/{path}`: removes a namespace with all that is in it, in the background.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Answer, Cx, Data, Done, Endpoint, Reply, Route};
use crate::error::Result;
use crate::vault::Unsealed;

use super::{Named, named};

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct DeleteNamespace {}

/// A removal that goes on.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Removal {
    /// `in-progress`.
    status: &'static str,
}

impl Endpoint for DeleteNamespace {
    type Target = Arc<Unsealed>;
    type Path = Named;
    type Reply = Answer;
    const ROUTE: Route = Route::delete("namespaces/{path..}").summary("Remove a namespace with all that is in it");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: Named, cx: &mut Cx<'_>) -> Result<Answer> {
        named(unsealed, &path.path)?;
        if unsealed.remove_namespace(path.path.trim_end_matches('/')).await? {
            return Data::new(Removal { status: "in-progress" }).into_answer();
        }
        cx.warn("requested namespace does not exist");
        Done.into_answer()
    }
}
