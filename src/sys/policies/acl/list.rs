//! `LIST /v1/sys/policies/acl`: the names of ACL policies.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Endpoint, Listing, Route};
use crate::error::Result;
use crate::policy::PolicyName;
use crate::time::Timestamp;
use crate::vault::Unsealed;

use super::PrefixPath;
use super::revision::holds;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ListPolicies {}

impl Endpoint for ListPolicies {
    type Target = Arc<Unsealed>;
    type Path = PrefixPath;
    type Reply = Listing;
    const ROUTE: Route = Route::list("policies/acl/{prefix..:lower}").summary("The names of ACL policies");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: PrefixPath, cx: &mut Cx<'_>) -> Result<Listing> {
        Ok(Listing::of(names(unsealed, &path.prefix, cx.now()).await?))
    }
}

/// The names of the policies that hold at `now` and lie below `prefix`, sorted; of all of them `root` is the last.
pub(in crate::sys) async fn names(unsealed: &Unsealed, prefix: &str, now: Timestamp) -> Result<Vec<String>> {
    let prefix = prefix.trim_matches('/');
    let folder = format!("{prefix}/");
    let mut found = Vec::new();
    for name in unsealed.policies.names().await? {
        if !prefix.is_empty() && !name.starts_with(&folder) {
            continue;
        }
        let Ok(parsed) = PolicyName::parse(&name) else { continue };
        if unsealed.policies.policy(&parsed).await?.is_some_and(|record| holds(&record, now)) {
            found.push(name);
        }
    }
    if prefix.is_empty() {
        found.push(PolicyName::root().to_string());
    }
    Ok(found)
}
