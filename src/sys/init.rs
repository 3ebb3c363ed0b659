//! `/v1/sys/init`: whether the vault is initialised, and its initialisation.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::{InitRequest, InitResponse};
use crate::engine::{Cx, Endpoint, Raw, Route};
use crate::error::Result;
use crate::seal::{PublicKey, Threshold};
use crate::vault::{Initialised, Vault};

use super::NoPath;

/// `GET /v1/sys/init`. The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadInit {}

/// Whether the vault is initialised.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct InitStatus {
    initialized: bool,
}

impl Endpoint for ReadInit {
    type Target = Arc<Vault>;
    type Path = NoPath;
    type Reply = Raw<InitStatus>;
    const ROUTE: Route = Route::read("init").public().summary("Whether the vault is initialised");

    async fn handle(self, vault: &Arc<Vault>, _: NoPath, _: &mut Cx<'_>) -> Result<Raw<InitStatus>> {
        Ok(Raw::new(InitStatus { initialized: vault.standing().initialised }))
    }
}

/// `PUT` or `POST /v1/sys/init`.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Initialise(InitRequest);

impl Endpoint for Initialise {
    type Target = Arc<Vault>;
    type Path = NoPath;
    type Reply = Raw<InitResponse>;
    const ROUTE: Route = Route::write("init").public().summary("Initialise the vault");

    async fn handle(self, vault: &Arc<Vault>, _: NoPath, cx: &mut Cx<'_>) -> Result<Raw<InitResponse>> {
        let InitRequest { secret_shares, secret_threshold, pgp_keys, root_token_pgp_key } = self.0;
        let number = |given: Option<crate::api::LooseInt>| given.map_or(0, |given| given.0);
        let threshold = Threshold::new(number(secret_shares), number(secret_threshold))?;
        let pgp_keys = PublicKey::parse_all(pgp_keys.as_slice(), cx.now())?;
        let root_key = root_token_pgp_key.filter(|text| !text.is_empty());
        let root_key = root_key.map(|text| PublicKey::parse(&text, cx.now())).transpose()?;
        let made = vault.initialise(threshold, &pgp_keys, root_key.as_ref()).await?;
        let Initialised { keys, keys_base64, root_token } = made;
        Ok(Raw::new(InitResponse { keys, keys_base64, root_token }))
    }
}
