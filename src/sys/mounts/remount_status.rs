//! `GET /v1/sys/remount/status/{migration_id}`: how a move of a mount went.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::{Error, Result};
use crate::vault::Unsealed;

use super::remount::{Migration, moves};

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadRemountStatus {}

/// Which move.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct MigrationPath {
    /// What `sys/remount` answered.
    migration_id: String,
}

/// How a move went.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RemountStatus {
    migration_id: String,
    migration_info: MigrationInfo,
}

/// Where from, where to, and how it went.
#[derive(Debug, Serialize, JsonSchema)]
struct MigrationInfo {
    source_mount: String,
    /// Always `success`: a move that fails is refused at once.
    status: &'static str,
    target_mount: String,
}

impl Endpoint for ReadRemountStatus {
    type Target = Arc<Unsealed>;
    type Path = MigrationPath;
    type Reply = Data<RemountStatus>;
    const ROUTE: Route = Route::read("remount/status/{migration_id}").summary("How a move of a mount went");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: MigrationPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        let migration: Option<Migration> = moves(unsealed).get(&path.migration_id).await?;
        let Migration { source, target, .. } = migration.ok_or_else(Error::absent)?;
        let migration_info = MigrationInfo { source_mount: source, status: "success", target_mount: target };
        Ok(Data::new(RemountStatus { migration_id: path.migration_id, migration_info }))
    }
}
