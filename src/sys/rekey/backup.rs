//! `/v1/sys/rekey/backup`: the encrypted shares that are kept for those who lose theirs.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Data, Done, Endpoint, Route};
use crate::error::{Error, Result};
use crate::vault::Vault;

use super::super::NoPath;
use super::BackupInfo;

/// `GET`. The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadBackup {}

impl Endpoint for ReadBackup {
    type Target = Arc<Vault>;
    type Path = NoPath;
    type Reply = Data<BackupInfo>;
    const ROUTE: Route = Route::read("rekey/backup").summary("The encrypted shares that are kept");

    async fn handle(self, vault: &Arc<Vault>, _: NoPath, _: &mut Cx<'_>) -> Result<Data<BackupInfo>> {
        let backup = vault.unsealed()?.core.share_backup().await?;
        let backup = backup.ok_or_else(|| Error::invalid("no backed-up keys found"))?;
        Ok(Data::new(backup.into()))
    }
}

/// `DELETE`. The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct DeleteBackup {}

impl Endpoint for DeleteBackup {
    type Target = Arc<Vault>;
    type Path = NoPath;
    type Reply = Done;
    const ROUTE: Route = Route::delete("rekey/backup").summary("Remove the encrypted shares");

    async fn handle(self, vault: &Arc<Vault>, _: NoPath, cx: &mut Cx<'_>) -> Result<Done> {
        vault.unsealed()?.core.delete_share_backup(cx.txn())?;
        Ok(Done)
    }
}
