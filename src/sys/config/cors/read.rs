//! `GET /v1/sys/config/cors`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::sys::NoPath;
use crate::vault::Unsealed;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadCors {}

/// Which web pages may call the API.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CorsInfo {
    /// Always false: the API knows no cookies.
    #[serde(skip_serializing_if = "Option::is_none")]
    allow_credentials: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed_headers: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed_origins: Option<Vec<String>>,
    enabled: bool,
}

impl Endpoint for ReadCors {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<CorsInfo>;
    const ROUTE: Route = Route::read("config/cors").sudo().summary("Which web pages may call the API");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        let cors = unsealed.core.cors.current();
        let enabled = cors.is_enabled();
        Ok(Data::new(CorsInfo {
            allow_credentials: enabled.then_some(false),
            allowed_headers: enabled.then(|| cors.headers().into_iter().map(str::to_owned).collect()),
            allowed_origins: enabled.then(|| cors.allowed_origins.clone()),
            enabled,
        })
        .repeated())
    }
}
