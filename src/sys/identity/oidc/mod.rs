//! `/v1/identity/oidc/*`: signed identity tokens, the keys that sign them, and the roles that say what is in them.

mod config;
mod discovery;
mod introspect;
mod key;
mod keys;
mod role;
mod token;

use std::sync::Arc;

use crate::engine::Routes;
use crate::error::Result;
use crate::vault::Unsealed;

/// Adds what is below `identity/oidc`.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    let routes = key::add(routes);
    let routes = role::add(routes);
    routes
        .endpoint::<config::ReadConfig>()
        .endpoint::<config::WriteConfig>()
        .endpoint::<token::IssueToken>()
        .endpoint::<introspect::Introspect>()
        .endpoint::<keys::ReadKeys>()
        .endpoint::<discovery::Discover>()
}

/// The issuer's URL: what operators chose, or the address of this server, with the path of these endpoints.
async fn issuer(unsealed: &Unsealed) -> Result<String> {
    let chosen = unsealed.identity.oidc.issuer().await?;
    let origin =
        if chosen.is_empty() { unsealed.core.settings().api_addr.trim_end_matches('/').to_owned() } else { chosen };
    Ok(format!("{origin}/v1/{}identity/oidc", unsealed.namespace.path))
}
