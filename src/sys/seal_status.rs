//! `GET /v1/sys/seal-status`: whether the vault is sealed, and how far unsealing has come.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::SealStatus;
use crate::engine::{Cx, Endpoint, Raw, Route};
use crate::error::Result;
use crate::vault::{Standing, Vault};

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadSealStatus {}

impl Endpoint for ReadSealStatus {
    type Target = Arc<Vault>;
    type Path = super::NoPath;
    type Reply = Raw<SealStatus>;
    const ROUTE: Route = Route::read("seal-status").public().summary("Whether the vault is sealed");

    async fn handle(self, vault: &Arc<Vault>, _: super::NoPath, _: &mut Cx<'_>) -> Result<Raw<SealStatus>> {
        Ok(Raw::new(status(vault)))
    }
}

/// The status as clients read it.
pub(super) fn status(vault: &Vault) -> SealStatus {
    let Standing { initialised, sealed, threshold, progress, nonce, cluster } = vault.standing();
    let (cluster_name, cluster_id) = cluster.unzip();
    SealStatus {
        kind: "shamir".to_owned(),
        initialized: initialised,
        sealed,
        t: threshold.map_or(0, crate::seal::Threshold::required),
        n: threshold.map_or(0, crate::seal::Threshold::shares),
        progress,
        nonce,
        version: super::VERSION.to_owned(),
        build_date: super::BUILD_DATE.to_owned(),
        commit_date: super::BUILD_DATE.to_owned(),
        migration: false,
        cluster_name,
        cluster_id,
        recovery_seal: false,
        storage_type: vault.parts().storage.kind().to_owned(),
    }
}
