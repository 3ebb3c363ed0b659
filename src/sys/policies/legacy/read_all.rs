//! `GET /v1/sys/policy`: the same as a list.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::sys::NoPath;
use crate::vault::Unsealed;

use super::list::{PolicyNames, listed};

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadPolicies {}

impl Endpoint for ReadPolicies {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<PolicyNames>;
    const ROUTE: Route = Route::read("policy").summary("The names of ACL policies");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Self::Reply> {
        listed(unsealed, "", cx.now()).await
    }
}
