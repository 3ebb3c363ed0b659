//! `PATCH /v1/sys/policies/acl/{name}`: changes what it names of an ACL policy and keeps the rest.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Answer, Content, Cx, Endpoint, Route, StatusCode};
use crate::error::Result;
use crate::vault::Unsealed;

use super::PolicyPath;
use super::revision::Revision;

/// See [`Revision`].
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct PatchPolicy(Revision);

impl Endpoint for PatchPolicy {
    type Target = Arc<Unsealed>;
    type Path = PolicyPath;
    type Reply = Answer;
    const ROUTE: Route = Route::patch("policies/acl/{name..:lower}").summary("Changes a part of an ACL policy");

    /// Answers 200 with an envelope without data, as the peer does.
    async fn handle(self, unsealed: &Arc<Unsealed>, path: PolicyPath, cx: &mut Cx<'_>) -> Result<Answer> {
        let now = cx.now();
        self.0.patch(unsealed, path.name()?, now, cx.txn()).await?;
        Ok(Answer { status: StatusCode::OK, content: Content::Nothing, warnings: Vec::new() })
    }
}
