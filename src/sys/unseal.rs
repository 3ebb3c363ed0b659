//! `PUT /v1/sys/unseal`: one share of the seal key.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::{SealStatus, UnsealRequest};
use crate::engine::{Cx, Endpoint, Raw, Route};
use crate::error::{Error, Result};
use crate::vault::Vault;

use super::NoPath;
use super::seal_status::status;

/// A share, or the wish to begin anew.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Unseal(UnsealRequest);

impl Endpoint for Unseal {
    type Target = Arc<Vault>;
    type Path = NoPath;
    type Reply = Raw<SealStatus>;
    const ROUTE: Route = Route::write("unseal").public().summary("Give one share of the seal key");

    async fn handle(self, vault: &Arc<Vault>, _: NoPath, _: &mut Cx<'_>) -> Result<Raw<SealStatus>> {
        let UnsealRequest { key, reset, migrate } = self.0;
        if !vault.standing().initialised {
            return Err(Error::invalid("Vault is not initialized; call sys/init first"));
        }
        if reset {
            vault.reset_unseal();
            return Ok(Raw::new(status(vault)));
        }
        if migrate {
            return Err(Error::invalid("there is no seal to migrate from; unseal without 'migrate'"));
        }
        let key = key
            .filter(|key| !key.is_empty())
            .ok_or_else(|| Error::invalid("'key' must be specified in request body as JSON, or 'reset' set to true"))?;
        vault.give_share(&key).await?;
        Ok(Raw::new(status(vault)))
    }
}
