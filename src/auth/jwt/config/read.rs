//! `GET /v1/auth/{mount}/config`: the configuration, without the client's secret.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::auth::jwt::{Jwt, NoPath};
use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::{Error, Result};

use super::{Config, KEY};

/// Asks for nothing.
#[derive(Deserialize, JsonSchema)]
pub(in crate::auth::jwt) struct ReadConfig {}

/// The configuration as it is shown.
#[derive(Serialize, JsonSchema)]
pub(in crate::auth::jwt) struct Shown {
    bound_issuer: String,
    default_role: String,
    jwks_ca_pem: String,
    jwks_url: String,
    jwt_supported_algs: Vec<String>,
    jwt_validation_pubkeys: Vec<String>,
    namespace_in_state: bool,
    oidc_client_id: String,
    oidc_discovery_ca_pem: String,
    oidc_discovery_url: String,
    oidc_response_mode: String,
    oidc_response_types: Vec<String>,
    override_allowed_server_names: Vec<String>,
    provider_config: Map<String, Value>,
    /// `valid`, or `invalid` where the provider's discovery document cannot be had.
    status: &'static str,
}

impl Endpoint for ReadConfig {
    type Target = Jwt;
    type Path = NoPath;
    type Reply = Data<Shown>;

    const ROUTE: Route = Route::read("config").summary("Read whose tokens are taken.");

    async fn handle(self, jwt: &Jwt, _: NoPath, cx: &mut Cx<'_>) -> Result<Data<Shown>> {
        let config: Config = jwt.view.get(KEY).await?.ok_or_else(Error::absent)?;
        let status = match jwt.provider_of(&config)?.is_reachable(cx.now()).await {
            Ok(()) => "valid",
            Err(error) => {
                cx.warn(format!("the discovery document cannot be had: {error}"));
                "invalid"
            }
        };
        Ok(Data::new(Shown {
            bound_issuer: config.bound_issuer,
            default_role: config.default_role,
            jwks_ca_pem: config.jwks_ca_pem,
            jwks_url: config.jwks_url,
            jwt_supported_algs: config.jwt_supported_algs,
            jwt_validation_pubkeys: config.jwt_validation_pubkeys,
            namespace_in_state: config.namespace_in_state,
            oidc_client_id: config.oidc_client_id,
            oidc_discovery_ca_pem: config.oidc_discovery_ca_pem,
            oidc_discovery_url: config.oidc_discovery_url,
            oidc_response_mode: config.oidc_response_mode,
            oidc_response_types: config.oidc_response_types,
            override_allowed_server_names: config.override_allowed_server_names,
            provider_config: config.provider.into(),
            status,
        }))
    }
}
