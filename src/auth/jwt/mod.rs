//! `jwt` and `oidc`: a token that an identity provider signed is the proof. One method under two names.
//!
//! A caller either brings the token (role type `jwt`: machines, whose platform gives them one), or is sent to the
//! provider with a browser and comes back with a code that this server redeems (role type `oidc`: people).
//!
//! What is signed is believed, and nothing before that: `token::Presented` has no way to its claims but a key.

mod bound;
mod config;
mod fuzzing;
mod grant;
mod login;
mod oidc;
mod policies;
mod provider;
mod roles;
mod token;

#[doc(hidden)]
pub use fuzzing::{fuzz, fuzz_answer};

use std::sync::{Arc, PoisonError, RwLock};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::engine::{AuthMethod, Body, Client, Deps, Engine, Identity, Routes, Terms, View};
use crate::error::{Error, Result};

use config::Config;
use oidc::Flows;
use provider::Provider;

/// The `jwt` auth method.
#[derive(Debug)]
pub struct Jwt {
    view: View,
    /// The provider of the configuration that was read last, with the keys that were fetched from it.
    provider: RwLock<Option<Arc<Provider>>>,
    flows: Arc<Flows>,
}

impl Engine for Jwt {
    const KIND: &'static str = "jwt";

    async fn open(view: View, _options: &Value, _deps: Deps) -> Result<Self> {
        Ok(Self { view, provider: RwLock::new(None), flows: Arc::new(Flows::new()) })
    }

    fn routes() -> Routes<Self> {
        Routes::new()
            .endpoint::<config::ReadConfig>()
            .endpoint::<config::WriteConfig>()
            .endpoint::<login::LogIn>()
            .endpoint::<roles::WriteRole>()
            .endpoint::<roles::ReadRole>()
            .endpoint::<roles::DeleteRole>()
            .endpoint::<roles::ListRoles>()
            .endpoint::<oidc::AuthUrl>()
            .endpoint::<oidc::Callback>()
            .endpoint::<oidc::PostCallback>()
            .endpoint::<oidc::Poll>()
    }
}

impl AuthMethod for Jwt {
    const HAS_ROLES: bool = true;

    async fn login_role(&self, path: &str, body: &Body, _client: &Client) -> Result<Option<String>> {
        if matches!(path, "login" | "oidc/auth_url") { login::role(self, body).await } else { Ok(None) }
    }

    async fn renew(&self, identity: &Identity, _client: &Client) -> Result<Option<Terms>> {
        grant::renew(self, identity).await
    }
}

/// The path has no parameters.
#[derive(Deserialize, JsonSchema)]
struct NoPath {}

impl Jwt {
    /// The configuration, and the provider that it is of.
    async fn configured(&self) -> Result<(Config, Arc<Provider>)> {
        let config: Option<Config> = self.view.get(config::KEY).await?;
        let config = config.ok_or_else(|| Error::invalid("could not load configuration: write 'config' first"))?;
        let provider = self.provider_of(&config)?;
        Ok((config, provider))
    }

    /// The provider of `config`. The one that is in use stays as long as the configuration is the same, and its keys
    /// with it.
    fn provider_of(&self, config: &Config) -> Result<Arc<Provider>> {
        let known = self.provider.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(provider) = known.filter(|provider| provider.is_of(config)) {
            return Ok(provider);
        }
        let made = Arc::new(Provider::new(config)?);
        *self.provider.write().unwrap_or_else(PoisonError::into_inner) = Some(made.clone());
        Ok(made)
    }
}

#[cfg(test)]
mod tests;
