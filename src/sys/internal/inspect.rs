//! `GET /v1/sys/internal/inspect/request`: what the server makes of the very request, to find out what a proxy changes.
//!
//! The token that came with it is not answered with: whoever reads over the operator's shoulder would have it.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::sys::{NoPath, VERSION};
use crate::vault::Unsealed;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct InspectRequest {}

/// The request, and who answers it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Inspected {
    cluster_id: String,
    vault_version: &'static str,
    req: Seen,
}

/// The request as it came through.
#[derive(Debug, Serialize, JsonSchema)]
struct Seen {
    operation: &'static str,
    path: &'static str,
    mount_point: String,
    mount_type: String,
    display_name: String,
    client_token_accessor: String,
    entity_id: String,
    connection: Connection,
}

/// Where it came from.
#[derive(Debug, Serialize, JsonSchema)]
struct Connection {
    remote_addr: String,
    remote_port: u16,
    /// How many certificates the client showed.
    peer_certificates: usize,
}

impl Endpoint for InspectRequest {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<Inspected>;
    const ROUTE: Route =
        Route::read("internal/inspect/request").sudo().summary("What the server makes of the very request");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Self::Reply> {
        let caller = cx.caller()?;
        Ok(Data::new(Inspected {
            cluster_id: unsealed.core.cluster.id.clone(),
            vault_version: VERSION,
            req: Seen {
                operation: "read",
                path: "internal/inspect/request",
                mount_point: cx.mount.path.clone(),
                mount_type: cx.mount.kind.clone(),
                display_name: caller.display_name.clone(),
                client_token_accessor: caller.accessor.clone(),
                entity_id: caller.entity_id.clone(),
                connection: Connection {
                    remote_addr: cx.client.address.map_or_else(String::new, |address| address.to_string()),
                    remote_port: cx.client.port,
                    peer_certificates: cx.client.certificates.len(),
                },
            },
        }))
    }
}
