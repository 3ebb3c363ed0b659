//! `GET /v1/sys/ha-status`: the nodes of the cluster.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::time::Timestamp;
use crate::vault::Unsealed;

use super::NoPath;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadHaStatus {}

/// The nodes of the cluster.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct HaStatus {
    nodes: Vec<Node>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Node {
    /// The machine's name; empty if it has none.
    hostname: String,
    /// Where clients reach the node.
    api_address: String,
    /// Where other nodes reach it; empty, since there are none.
    cluster_address: String,
    /// Whether it is the one that serves.
    #[serde(rename = "active_node")]
    active: bool,
    /// When it last answered the active node; nothing for the active node itself.
    last_echo: Option<Timestamp>,
    /// Its version.
    version: String,
}

impl Endpoint for ReadHaStatus {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<HaStatus>;
    const ROUTE: Route = Route::read("ha-status").summary("The nodes of the cluster");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Data<HaStatus>> {
        let node = Node {
            hostname: hostname().await,
            api_address: unsealed.core.settings().api_addr.clone(),
            cluster_address: String::new(),
            active: true,
            last_echo: None,
            version: super::VERSION.to_owned(),
        };
        Ok(Data::new(HaStatus { nodes: vec![node] }).repeated())
    }
}

/// The machine's name, as the kernel has it.
async fn hostname() -> String {
    let name = tokio::fs::read_to_string("/proc/sys/kernel/hostname").await.unwrap_or_default();
    name.trim().to_owned()
}
