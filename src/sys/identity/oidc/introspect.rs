//! `POST /v1/identity/oidc/introspect`: whether an identity token is good.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::LooseText;
use crate::engine::{Cx, Endpoint, Raw, Route};
use crate::error::Result;
use crate::identity::oidc::Introspection;
use crate::secret::SecretText;
use crate::sys::NoPath;
use crate::vault::Unsealed;

/// Which token.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Introspect {
    /// The token.
    token: Option<SecretText>,
    /// Whom it must be for; anyone if this is left out.
    client_id: Option<LooseText>,
}

/// Whether it is good, and why it is not.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Standing {
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

impl Endpoint for Introspect {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Raw<Standing>;
    const ROUTE: Route = Route::write("oidc/introspect").summary("Whether an identity token is good");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        let issuer = super::issuer(unsealed).await?;
        let token = self.token.unwrap_or_else(|| SecretText::new(String::new()));
        let client_id = self.client_id.map(|id| id.0).unwrap_or_default();
        let error = match unsealed.identity.oidc.introspect(token.expose(), &issuer, &client_id).await? {
            Introspection::Bad(why) => Some(why),
            Introspection::Good(entity) => match unsealed.identity.facts(&entity).await? {
                None => Some("entity was not found"),
                Some(facts) if facts.disabled => Some("entity is disabled"),
                Some(_) => None,
            },
        };
        Ok(Raw::new(Standing { active: error.is_none(), error }))
    }
}
