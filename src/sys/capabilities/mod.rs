//! `/v1/sys/capabilities`: what a token may do at which paths.

mod by_accessor;
mod by_token;
mod own;

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::StringList;
use crate::engine::{Caller, Data, Routes};
use crate::error::{Error, Kind, Result};
use crate::token::TokenRecord;
use crate::vault::Unsealed;

use super::router::Router;

/// Adds the three endpoints of `sys/capabilities`.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    routes
        .endpoint::<by_token::TokenCapabilities>()
        .endpoint::<by_accessor::AccessorCapabilities>()
        .endpoint::<own::OwnCapabilities>()
}

/// The paths that are asked about.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Asked {
    /// The paths; a path that ends in a slash is asked about as a list.
    paths: Option<StringList>,
    /// The same, under its first name; counts where `paths` is not given.
    path: Option<StringList>,
}

/// Capabilities by path, sorted by name; of a single path also as `capabilities`.
pub(crate) type Capabilities = Data<BTreeMap<String, Vec<&'static str>>>;

impl Asked {
    /// What `caller` may do.
    async fn answer(self, unsealed: &Unsealed, caller: &Caller) -> Result<Capabilities> {
        let paths = self.paths.or(self.path).unwrap_or_default().filled();
        if paths.is_empty() {
            return Err(Error::invalid("paths must be supplied"));
        }
        // A token of a namespace that this one does not lie in may do nothing here.
        let acl = match unsealed.acl(caller, unsealed.deps.clock.now()).await {
            Err(error) if error.kind() == Kind::Forbidden => None,
            acl => Some(acl?),
        };
        let single = paths.len() == 1;
        let mut found = BTreeMap::new();
        for path in paths {
            let spelling = Router::shared().spelling(unsealed, path.strip_prefix('/').unwrap_or(&path));
            let capabilities = acl.as_ref().map_or_else(|| vec!["deny"], |acl| acl.capabilities(&spelling));
            if single {
                found.insert("capabilities".to_owned(), capabilities.clone());
            }
            found.insert(path, capabilities);
        }
        Ok(Data::new(found).repeated())
    }
}

/// Whoever holds a token that is stored as `record`. One whose entity is disabled or gone is no good.
async fn holder(unsealed: &Unsealed, id: String, record: &TokenRecord) -> Result<Caller> {
    let caller = unsealed.holder(id, record).await?;
    caller.ok_or_else(|| Error::invalid("1 error occurred:\n\t* invalid token\n\n"))
}
