//! `GET /v1/identity/oidc/.well-known/openid-configuration`: where the keys are (OpenID Connect Discovery 1.0).

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Cx, Endpoint, Raw, Route};
use crate::error::Result;
use crate::identity::oidc::Algorithm;
use crate::sys::NoPath;
use crate::vault::Unsealed;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Discover {}

/// What whoever verifies tokens needs to know.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Discovery {
    issuer: String,
    jwks_uri: String,
    response_types_supported: [&'static str; 1],
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: Vec<&'static str>,
}

impl Endpoint for Discover {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Raw<Discovery>;
    const ROUTE: Route =
        Route::read("oidc/.well-known/openid-configuration").public().summary("How identity tokens are verified");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        let issuer = super::issuer(unsealed).await?;
        Ok(Raw::new(Discovery {
            jwks_uri: format!("{issuer}/.well-known/keys"),
            issuer,
            response_types_supported: ["id_token"],
            subject_types_supported: ["public"],
            id_token_signing_alg_values_supported: Algorithm::ALL.map(Algorithm::as_str).to_vec(),
        }))
    }
}
