//! `GET /v1/sys/leader`: which node serves.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::Leader;
use crate::engine::{Cx, Endpoint, Raw, Route};
use crate::error::Result;
use crate::vault::Vault;

use super::NoPath;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadLeader {}

/// The moment that stands for «never».
const NEVER: &str = "0001-01-01T00:00:00Z";

impl Endpoint for ReadLeader {
    type Target = Arc<Vault>;
    type Path = NoPath;
    type Reply = Raw<Leader>;
    const ROUTE: Route = Route::read("leader").public().summary("Which node serves");

    async fn handle(self, vault: &Arc<Vault>, _: NoPath, _: &mut Cx<'_>) -> Result<Raw<Leader>> {
        vault.unsealed()?;
        // Where there is one node, no one was elected: there is neither a leader's address nor a moment of election.
        Ok(Raw::new(Leader {
            ha_enabled: false,
            is_self: false,
            active_time: NEVER.to_owned(),
            leader_address: String::new(),
            leader_cluster_address: String::new(),
            performance_standby: false,
            performance_standby_last_remote_wal: 0,
        }))
    }
}
