//! `POST /v1/sys/policy/{name}`: writes an ACL policy; its text may also come as `rules`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::LooseText;
use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;
use crate::vault::Unsealed;

use super::super::acl::{PolicyPath, write::Revision};

/// A policy that is to be written.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct WritePolicy {
    #[serde(flatten)]
    revision: Revision,
    /// The text, under its first name.
    rules: LooseText,
}

impl Endpoint for WritePolicy {
    type Target = Arc<Unsealed>;
    type Path = PolicyPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("policy/{name..:lower}").summary("Writes an ACL policy");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: PolicyPath, cx: &mut Cx<'_>) -> Result<Done> {
        let Self { mut revision, rules } = self;
        if revision.policy.0.is_empty() && !rules.0.is_empty() {
            cx.warn("'rules' is deprecated, please use 'policy' instead");
            revision.policy = rules;
        }
        let now = cx.now();
        revision.write(unsealed, path.name()?, now, cx.txn()).await?;
        Ok(Done)
    }
}
