//! `LIST /v1/sys/policies/detailed/acl`: ACL policies with their text.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Map;

use crate::engine::{Cx, Endpoint, Listing, Route};
use crate::error::{Error, Result};
use crate::policy::PolicyName;
use crate::vault::Unsealed;

use super::PrefixPath;
use super::list::names;
use super::read::{PolicyInfo, policy};

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ListDetailed {}

impl Endpoint for ListDetailed {
    type Target = Arc<Unsealed>;
    type Path = PrefixPath;
    type Reply = Listing;
    const ROUTE: Route =
        Route::list("policies/detailed/acl/{prefix..:lower}").summary("The ACL policies with their text");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: PrefixPath, cx: &mut Cx<'_>) -> Result<Listing> {
        let keys = names(unsealed, &path.prefix, cx.now()).await?;
        let mut info = Map::new();
        for key in &keys {
            let name = PolicyName::parse(key).map_err(|error| Error::corrupt(error.to_string()))?;
            if let Some(known) = policy(unsealed, &name, cx.now()).await? {
                let shown = serde_json::to_value(PolicyInfo::of(known))
                    .map_err(|error| Error::internal("a policy cannot be shown").with_source(error))?;
                info.insert(key.clone(), shown);
            }
        }
        Ok(Listing { keys, key_info: Some(info) })
    }
}
