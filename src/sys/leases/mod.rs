//! `/v1/sys/leases`: what ends by itself, looked up, renewed and ended before its time.

mod count;
mod irrevocable;
mod list;
mod lookup;
mod renew;
mod renew_path;
mod revoke;
mod revoke_force;
mod revoke_path;
mod revoke_prefix;
mod tidy;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::LooseBool;
use crate::engine::Routes;
use crate::error::{Error, Result};
use crate::vault::Unsealed;

/// Adds what is below `sys/leases`.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    routes
        .endpoint::<irrevocable::ReadLeases>()
        .endpoint::<count::CountLeases>()
        .endpoint::<lookup::LookUpLease>()
        .endpoint::<list::ListLeases>()
        .endpoint::<renew::RenewLease>()
        .endpoint::<renew_path::RenewLease>()
        .endpoint::<revoke::RevokeLease>()
        .endpoint::<revoke_path::RevokeLease>()
        .endpoint::<revoke_prefix::RevokePrefix>()
        .endpoint::<revoke_force::RevokeForce>()
        .endpoint::<tidy::TidyLeases>()
}

/// The id of a lease in the path.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct LeasePath {
    /// The id.
    url_lease_id: String,
}

/// What the ids of leases begin with.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct PrefixPath {
    /// A path, taken as a folder.
    prefix: String,
}

/// Whether a revocation is waited for where the request does not say.
fn waits() -> LooseBool {
    LooseBool(true)
}

/// The id that came in the body.
fn given(lease_id: String) -> Result<String> {
    if lease_id.is_empty() {
        return Err(Error::invalid("lease_id must be specified"));
    }
    Ok(lease_id)
}
