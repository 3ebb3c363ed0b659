//! `GET /v1/cubbyhole/{path}`: a secret of the caller's token.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::{Error, Result};
use crate::secret::SecretJson;

use super::{Cubbyhole, RESPONSE, Secret, SecretPath, key, own_token_id};

/// The policy of wrapping tokens.
const WRAPPING_POLICY: &str = "response-wrapping";

/// Asks for a secret.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Read {}

impl Endpoint for Read {
    type Target = Cubbyhole;
    type Path = SecretPath;
    type Reply = Data<SecretJson>;
    const ROUTE: Route = Route::read("{path..}").summary("Read a secret of the caller's token");

    async fn handle(self, target: &Cubbyhole, SecretPath { path }: SecretPath, cx: &mut Cx<'_>) -> Result<Self::Reply> {
        let key = key(own_token_id(cx)?, &path);
        let Secret(secret) = target.view.get(&key).await?.ok_or_else(Error::absent)?;
        if path == RESPONSE && cx.caller()?.policies == [WRAPPING_POLICY] {
            cx.warn("Reading 'cubbyhole/response' is deprecated. Use sys/wrapping/unwrap, which checks more.");
        }
        Ok(Data::new(secret))
    }
}
