//! `/v1/identity/*`: entities, the aliases by which auth methods know them, and groups.
//!
//! Names are found whatever their case, and policies decide about a path as it is spelt: whoever may reach one entity of
//! many only is better given its id.

mod alias_info;
mod entity;
mod entity_alias;
mod group;
mod group_alias;
mod lookup;
mod oidc;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Routes};
use crate::error::{Error, Result};
use crate::mount::MountPoint;
use crate::vault::Unsealed;

/// Everything below `identity/`.
pub(super) fn routes() -> Routes<Arc<Unsealed>> {
    let routes = entity::add(Routes::new());
    let routes = entity_alias::add(routes);
    let routes = group::add(routes);
    let routes = group_alias::add(routes);
    let routes = lookup::add(routes);
    oidc::add(routes)
}

/// The id of something.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct IdPath {
    /// The id.
    id: String,
}

/// The name of something.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct NamePath {
    /// The name; its case does not count.
    name: String,
}

/// The mount that an alias is to be at, which must serve still when the alias is written.
async fn serving(accessor: &str, unsealed: &Unsealed, cx: &mut Cx<'_>) -> Result<Arc<MountPoint>> {
    let point = unsealed.mounts.by_accessor(accessor);
    let point = point.ok_or_else(|| Error::invalid("invalid mount accessor; no mount has it"))?;
    unsealed.mounts.require_serving(&point.entry.uuid, cx.txn()).await?;
    Ok(point)
}
