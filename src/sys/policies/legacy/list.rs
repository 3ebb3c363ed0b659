//! `LIST /v1/sys/policy`: the names of ACL policies, under two field names.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::{Error, Result};
use crate::time::Timestamp;
use crate::vault::Unsealed;

use super::super::acl::{PrefixPath, list::names};

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ListPolicies {}

/// The names, twice.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PolicyNames {
    keys: Vec<String>,
    policies: Vec<String>,
}

impl Endpoint for ListPolicies {
    type Target = Arc<Unsealed>;
    type Path = PrefixPath;
    type Reply = Data<PolicyNames>;
    const ROUTE: Route = Route::list("policy/{prefix..:lower}").summary("The names of ACL policies");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: PrefixPath, cx: &mut Cx<'_>) -> Result<Self::Reply> {
        listed(unsealed, &path.prefix, cx.now()).await
    }
}

/// The names below `prefix`; no names is nothing found.
pub(super) async fn listed(unsealed: &Unsealed, prefix: &str, now: Timestamp) -> Result<Data<PolicyNames>> {
    let keys = names(unsealed, prefix, now).await?;
    if keys.is_empty() {
        return Err(Error::absent());
    }
    Ok(Data::new(PolicyNames { policies: keys.clone(), keys }).repeated())
}
