//! `POST /v1/auth/{mount}/oidc/poll`: asks for a login that ended at this server.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::LooseText;
use crate::auth::jwt::{Jwt, NoPath, grant};
use crate::engine::{Cx, Endpoint, Login, Route};
use crate::error::{Error, Result};
use crate::secret::SecretText;

use super::callback::over;
use super::flows::Stage;

/// Asks for a login.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(in crate::auth::jwt) struct Poll {
    /// Names the login.
    state: LooseText,
    /// What the client sent when the login began.
    client_nonce: Option<SecretText>,
}

impl Endpoint for Poll {
    type Target = Jwt;
    type Path = NoPath;
    type Reply = Login;

    const ROUTE: Route = Route::write("oidc/poll").summary("Ask for a login that was begun with a browser.").public();

    async fn handle(self, jwt: &Jwt, _: NoPath, cx: &mut Cx<'_>) -> Result<Login> {
        let flow = jwt.flows.take(&self.state.0, cx.now()).ok_or_else(over)?;
        if flow.client_nonce.is_empty() || !flow.is_of(self.client_nonce.as_ref()) {
            return Err(Error::invalid("invalid client_nonce"));
        }
        let claims = match &flow.stage {
            Stage::Proved(claims) => claims,
            Stage::Away | Stage::Back(_) | Stage::Redeemed(_, _) => {
                jwt.flows.put_back(self.state.0, flow);
                return Err(Error::invalid("authorization_pending"));
            }
        };
        let role = jwt.role(&flow.role).await?.ok_or_else(|| Error::invalid("role could not be found"))?;
        let (config, _) = jwt.configured().await?;
        let login = grant::login(&flow.role, &role, claims, config.provider.product(), cx)?;
        jwt.flows.end_with(self.state.0, flow, cx.txn());
        Ok(login)
    }
}
