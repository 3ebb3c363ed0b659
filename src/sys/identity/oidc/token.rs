//! `GET /v1/identity/oidc/token/{name}`: a signed token that says who the caller is.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::{Error, Result};
use crate::identity::oidc::Claims;
use crate::secret::{self, SecretText};
use crate::vault::Unsealed;

use super::super::NamePath;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct IssueToken {}

/// A signed token.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct IdentityToken {
    /// Whom it is for.
    client_id: String,
    /// The token.
    #[serde(serialize_with = "secret::on_wire")]
    token: SecretText,
    /// How long it lasts, in seconds.
    ttl: u64,
}

impl Endpoint for IssueToken {
    type Target = Arc<Unsealed>;
    type Path = NamePath;
    type Reply = Data<IdentityToken>;
    const ROUTE: Route = Route::read("oidc/token/{name}").summary("A signed token that says who the caller is");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: NamePath, cx: &mut Cx<'_>) -> Result<Self::Reply> {
        let caller = cx.caller()?;
        let oidc = &unsealed.identity.oidc;
        if oidc.role(&path.name).await?.is_none() {
            return Err(Error::invalid(format!("role {:?} not found", path.name)));
        }
        // An entity of an outer namespace is nobody here.
        let is_ours = caller.namespace_id == unsealed.namespace.id;
        let entity = caller.identity.entity.as_ref().filter(|_| is_ours);
        let entity = entity.ok_or_else(|| Error::invalid("no entity associated with the request's token"))?;
        let issuer = super::issuer(unsealed).await?;
        let namespace = unsealed.identity.namespace_id();
        let claims = Claims { issuer: &issuer, namespace, entity_id: &entity.id, facts: &caller.identity };
        let (client_id, token, ttl) = oidc.token(&path.name, &claims, cx.txn()).await?;
        Ok(Data::new(IdentityToken { client_id, token, ttl: ttl.seconds() }))
    }
}
