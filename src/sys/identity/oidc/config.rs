//! `/v1/identity/oidc/config`: the issuer of identity tokens.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::LooseText;
use crate::engine::{Cx, Data, Done, Endpoint, Route};
use crate::error::Result;
use crate::sys::NoPath;
use crate::vault::Unsealed;

/// `GET`. The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadConfig {}

/// The issuer.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ConfigInfo {
    /// Empty for the address of this server.
    issuer: String,
}

impl Endpoint for ReadConfig {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<ConfigInfo>;
    const ROUTE: Route = Route::read("oidc/config").summary("The issuer of identity tokens");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        Ok(Data::new(ConfigInfo { issuer: unsealed.identity.oidc.issuer().await? }))
    }
}

/// `POST`.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct WriteConfig {
    /// A scheme, a host and maybe a port; empty for the address of this server.
    issuer: Option<LooseText>,
}

impl Endpoint for WriteConfig {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("oidc/config").summary("Choose the issuer of identity tokens");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Done> {
        let Some(LooseText(issuer)) = self.issuer else { return Ok(Done) };
        if !issuer.is_empty() {
            cx.warn(
                "If \"issuer\" is set explicitly, all tokens must be validated against that address. Setting issuer to \
                 \"\" restores the default: the server's api_addr.",
            );
        }
        unsealed.identity.oidc.set_issuer(issuer, cx.txn())?;
        Ok(Done)
    }
}
