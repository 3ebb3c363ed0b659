//! `POST /v1/sys/leases/lookup`: how a lease stands.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::LooseText;
use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::{Error, Result};
use crate::lease::LeaseState;
use crate::sys::NoPath;
use crate::time::Timestamp;
use crate::vault::Unsealed;

use super::given;

/// Which lease.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct LookUpLease {
    /// Its id.
    lease_id: LooseText,
}

/// How a lease stands.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct LeaseStanding {
    /// When it ends; null for never.
    expire_time: Option<Timestamp>,
    id: String,
    issue_time: Timestamp,
    last_renewal: Option<Timestamp>,
    /// The path of the request that it came from.
    path: String,
    renewable: bool,
    /// Whole seconds until it ends.
    ttl: u64,
}

impl Endpoint for LookUpLease {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<LeaseStanding>;
    const ROUTE: Route = Route::write("leases/lookup").summary("How a lease stands");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Self::Reply> {
        let lease = unsealed.leases.lease(&given(self.lease_id.0)?).await?;
        // An intent is not a lease yet: nobody was given its id.
        let lease = lease.filter(|lease| lease.state != LeaseState::Intended);
        let lease = lease.ok_or_else(|| Error::invalid("invalid lease"))?;
        let path = lease.id.rsplit_once('/').map_or("", |(path, _)| path).to_owned();
        Ok(Data::new(LeaseStanding {
            expire_time: lease.expires,
            issue_time: lease.issued,
            last_renewal: lease.last_renewal,
            path,
            renewable: lease.renewable && lease.is_live(cx.now()),
            ttl: lease.remaining(cx.now()),
            id: lease.id,
        }))
    }
}
