//! `GET /v1/{mount}/metadata/{path}`: the metadata of a secret.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::engines::kv::path::SecretPath;
use crate::engines::kv::v2::Kv2;
use crate::error::{Error, Result};

use super::Details;

/// Asks for the metadata of a secret.
#[derive(Debug, Deserialize, JsonSchema)]
pub(in crate::engines::kv::v2) struct Read {}

impl Endpoint for Read {
    type Target = Kv2;
    type Path = SecretPath;
    type Reply = Data<Details>;
    const ROUTE: Route = Route::read("metadata/{path..}").summary("Read the metadata of a secret");

    async fn handle(self, kv: &Kv2, SecretPath { path }: SecretPath, _: &mut Cx<'_>) -> Result<Data<Details>> {
        let secret = kv.secret(&path).await?.ok_or_else(Error::absent)?;
        Ok(Data::new(secret.into()))
    }
}
