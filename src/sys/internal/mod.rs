//! `/v1/sys/internal`: what user interfaces and the CLI ask before they know what their user may do.

mod counters;
mod inspect;
mod mount;
mod mounts;
mod namespaces;
mod openapi;
mod resultant_acl;

use std::sync::Arc;

use crate::engine::{Caller, Cx, Routes};
use crate::error::{Error, Result};
use crate::vault::Unsealed;

/// Adds what is below `sys/internal`.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    routes
        .endpoint::<mounts::ReadMounts>()
        .endpoint::<mount::ReadMount>()
        .endpoint::<namespaces::ReadNamespaces>()
        .endpoint::<resultant_acl::ReadResultantAcl>()
        .endpoint::<openapi::read::ReadDocument>()
        .endpoint::<openapi::write::RequestDocument>()
        .endpoint::<counters::entities::CountEntities>()
        .endpoint::<counters::tokens::CountTokens>()
        .endpoint::<counters::requests::CountRequests>()
        .endpoint::<inspect::InspectRequest>()
}

/// Whoever holds the token that came with a request to a public endpoint, if one came. No use of it is spent. A token
/// that is not good is refused, as everywhere.
async fn known_caller(unsealed: &Unsealed, cx: &mut Cx<'_>) -> Result<Option<Caller>> {
    let Some(token) = cx.token.filter(|token| !token.expose().is_empty()) else { return Ok(None) };
    let (id, record) = unsealed.tokens.look_up(token).await?.ok_or_else(Error::bad_token)?;
    if !record.allows(cx.client.address) {
        return Err(Error::bad_token());
    }
    unsealed.holder(id, &record).await?.map(Some).ok_or_else(Error::bad_token)
}
