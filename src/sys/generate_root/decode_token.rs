//! `POST /v1/sys/decode-token`: undoes the encoding of a generated root token.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::seal::decode_token;
use crate::secret::{self, ClientToken, SecretText};
use crate::vault::Unsealed;

use super::super::NoPath;

/// An encoded token and what it was encoded with.
#[derive(Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct DecodeToken {
    /// The token as it was answered.
    encoded_token: String,
    /// The one-time password.
    otp: SecretText,
}

impl Default for DecodeToken {
    fn default() -> Self {
        Self { encoded_token: String::new(), otp: SecretText::new(String::new()) }
    }
}

/// The token.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DecodedToken {
    #[serde(serialize_with = "secret::on_wire")]
    token: ClientToken,
}

impl Endpoint for DecodeToken {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<DecodedToken>;
    const ROUTE: Route = Route::write("decode-token").public().summary("Decode a generated root token");

    async fn handle(self, _: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Data<DecodedToken>> {
        let token = decode_token(&self.encoded_token, &self.otp)?;
        Ok(Data::new(DecodedToken { token }))
    }
}
