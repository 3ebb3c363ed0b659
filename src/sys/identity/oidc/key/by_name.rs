//! `/v1/identity/oidc/key/{name}`: one named key.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::{LooseText, StringList, Ttl};
use crate::engine::{Cx, Data, Done, Endpoint, Route};
use crate::error::{Error, Result};
use crate::identity::oidc::{Algorithm, KeyChange};
use crate::vault::Unsealed;

use super::super::super::NamePath;

/// `GET`. The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadKey {}

/// A named key as it is shown.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct KeyInfo {
    algorithm: &'static str,
    allowed_client_ids: Vec<String>,
    /// Seconds.
    rotation_period: Ttl,
    /// Seconds.
    verification_ttl: Ttl,
}

impl Endpoint for ReadKey {
    type Target = Arc<Unsealed>;
    type Path = NamePath;
    type Reply = Data<KeyInfo>;
    const ROUTE: Route = Route::read("oidc/key/{name}").summary("A key that signs identity tokens");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: NamePath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        let facts = unsealed.identity.oidc.key_facts(&path.name).await?.ok_or_else(Error::absent)?;
        let KeyChange { algorithm, rotation_period, verification_ttl, allowed_client_ids } = facts;
        Ok(Data::new(KeyInfo {
            algorithm: algorithm.unwrap_or_default().as_str(),
            allowed_client_ids: allowed_client_ids.unwrap_or_default(),
            rotation_period: rotation_period.unwrap_or_default(),
            verification_ttl: verification_ttl.unwrap_or_default(),
        }))
    }
}

/// `POST`: what the key is to be like; what is left out stays as it is.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct WriteKey {
    /// How it signs: RS256, RS384, RS512, ES256, ES384, ES512 or EdDSA.
    algorithm: Option<LooseText>,
    /// How long a signing key is used; at least a minute, a day if nothing is said.
    rotation_period: Option<Ttl>,
    /// How long it is published after that; a day if nothing is said.
    verification_ttl: Option<Ttl>,
    /// The clients whose roles may use it; `*` is all.
    allowed_client_ids: Option<StringList>,
}

impl Endpoint for WriteKey {
    type Target = Arc<Unsealed>;
    type Path = NamePath;
    type Reply = Done;
    const ROUTE: Route = Route::write("oidc/key/{name}").summary("Make or change a key that signs identity tokens");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: NamePath, cx: &mut Cx<'_>) -> Result<Done> {
        let change = KeyChange {
            algorithm: self.algorithm.map(|name| Algorithm::parse(&name.0)).transpose()?,
            rotation_period: self.rotation_period,
            verification_ttl: self.verification_ttl,
            allowed_client_ids: self.allowed_client_ids.map(StringList::filled),
        };
        unsealed.identity.oidc.write_key(&path.name, change, cx.txn()).await?;
        Ok(Done)
    }
}

/// `DELETE`. The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct DeleteKey {}

impl Endpoint for DeleteKey {
    type Target = Arc<Unsealed>;
    type Path = NamePath;
    type Reply = Done;
    const ROUTE: Route = Route::delete("oidc/key/{name}").summary("Delete a key that no role uses");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: NamePath, cx: &mut Cx<'_>) -> Result<Done> {
        unsealed.identity.oidc.delete_key(&path.name, cx.txn()).await?;
        Ok(Done)
    }
}
