//! `GET /v1/sys/storage/raft/snapshot`: a backup of the whole store. The path is Vault's, whose clients then take backups of
//! any store; what is in the archive is specified in docs/backup.md.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Answer, Content, Cx, Endpoint, Route, StatusCode};
use crate::error::Result;
use crate::vault::Unsealed;

use super::super::NoPath;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct TakeSnapshot {}

impl Endpoint for TakeSnapshot {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Answer;
    const ROUTE: Route = Route::read("storage/raft/snapshot").sudo().summary("Take a backup of the store");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Answer> {
        let download = unsealed.core.backup().await?;
        let content = Content::Download { media_type: "application/gzip", download };
        Ok(Answer { status: StatusCode::OK, content, warnings: Vec::new() })
    }
}
