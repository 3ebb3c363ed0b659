//! `GET /v1/{mount}/{path}`: a secret.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::Ttl;
use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::{Error, Result};
use crate::secret::SecretJson;

use super::{Kv1, Secret};
use crate::engines::kv::path::{NoPath, SecretPath};

/// Asks for a secret.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Read {}

/// Asks for the mount itself, which is no secret.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct ReadRoot {}

impl Endpoint for Read {
    type Target = Kv1;
    type Path = SecretPath;
    type Reply = Data<SecretJson>;
    const ROUTE: Route = Route::read("{path..}").summary("Read a secret");

    async fn handle(self, kv: &Kv1, SecretPath { path }: SecretPath, cx: &mut Cx<'_>) -> Result<Self::Reply> {
        let Secret(secret) = kv.secrets.get(&path).await?.ok_or_else(Error::absent)?;
        let ttl = own_ttl(&secret).unwrap_or(cx.mount.default_ttl);
        Ok(Data::new(secret).lasting(ttl))
    }
}

impl Endpoint for ReadRoot {
    type Target = Kv1;
    type Path = NoPath;
    type Reply = Data<SecretJson>;
    const ROUTE: Route = Route::read("").summary("The mount itself is no secret");

    async fn handle(self, _: &Kv1, _: NoPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        Err(Error::absent())
    }
}

/// The fields by which a secret says how long its readers may keep it.
#[derive(Deserialize)]
struct Hint {
    ttl: Option<SecretJson>,
    lease: Option<SecretJson>,
}

/// What the secret says about itself; nothing if it says nothing that is a length of time.
fn own_ttl(secret: &SecretJson) -> Option<Ttl> {
    let hint: Hint = serde_json::from_str(secret.expose()).ok()?;
    serde_json::from_str(hint.ttl.or(hint.lease)?.expose()).ok()
}
