//! `POST /v1/auth/{mount}/config`: says whose tokens are taken. What is left out is as if it had never been set.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::api::{LooseBool, LooseText, StringList, given};
use crate::auth::jwt::provider::Provider;
use crate::auth::jwt::token::{Algorithm, PublicKey};
use crate::auth::jwt::{Jwt, NoPath};
use crate::engine::{Caller, Cx, Done, Endpoint, Existence, Route};
use crate::error::{Error, Result};
use crate::secret::SecretText;

use super::{Config, KEY, ProviderConfig};

/// The configuration. Exactly one of `jwt_validation_pubkeys`, `jwks_url` and `oidc_discovery_url` is set.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(in crate::auth::jwt) struct WriteConfig {
    /// Public keys as PEM, one each: tokens that one of them verifies are taken.
    jwt_validation_pubkeys: StringList,
    /// Where a JSON Web Key Set is.
    jwks_url: LooseText,
    /// The authorities of that server's certificate, as PEM; those of this machine where it is empty.
    jwks_ca_pem: LooseText,
    /// Several key sets. Not supported.
    jwks_pairs: Option<Vec<Value>>,
    /// The issuer, below which `.well-known/openid-configuration` is.
    oidc_discovery_url: LooseText,
    /// The authorities of that server's certificate, as PEM; those of this machine where it is empty.
    oidc_discovery_ca_pem: LooseText,
    /// How this server is known to the provider.
    oidc_client_id: LooseText,
    /// What proves it to the provider.
    oidc_client_secret: Option<SecretText>,
    /// `query` or `form_post`: how the browser comes back.
    oidc_response_mode: LooseText,
    /// `code` or `id_token`: what it comes back with.
    oidc_response_types: StringList,
    /// Names of which the provider's certificate must have one, in place of that in the URL.
    override_allowed_server_names: StringList,
    /// What the claim `iss` of tokens must be.
    bound_issuer: LooseText,
    /// The role of a login that names none.
    default_role: LooseText,
    /// The algorithms that tokens may be signed by.
    jwt_supported_algs: StringList,
    /// What the provider is, where its tokens need it: `provider` is `azure`, `ibmisam` or `secureauth`.
    provider_config: Option<Map<String, Value>>,
    /// Kept and shown.
    #[serde(deserialize_with = "given")]
    namespace_in_state: Option<LooseBool>,
    /// Whether the configuration is kept although the provider cannot be reached now.
    skip_jwks_validation: LooseBool,
}

impl Endpoint for WriteConfig {
    type Target = Jwt;
    type Path = NoPath;
    type Reply = Done;

    const ROUTE: Route = Route::write("config").summary("Say whose tokens are taken.");

    async fn handle(self, jwt: &Jwt, _: NoPath, cx: &mut Cx<'_>) -> Result<Done> {
        let before: Option<Config> = jwt.view.fetch(cx.txn(), KEY).await?;
        let may_be_unreachable = self.skip_jwks_validation.0;
        let in_state = before.is_none_or(|before| before.namespace_in_state);
        let config = self.config(cx.entropy().uuid()?, in_state)?;
        let provider = Provider::new(&config)?;
        match provider.check().await {
            Ok(()) => {}
            Err(error) if may_be_unreachable => cx.warn(error.to_string()),
            Err(error) => return Err(error),
        }
        jwt.view.put(cx.txn(), KEY, &config)?;
        Ok(Done)
    }

    async fn existence(jwt: &Jwt, _: NoPath, _: Option<&Caller>) -> Result<Existence> {
        Ok(jwt.view.exists(KEY).await?.into())
    }
}

impl WriteConfig {
    fn config(self, revision: String, in_state: bool) -> Result<Config> {
        let config = Config {
            revision,
            jwt_validation_pubkeys: self.jwt_validation_pubkeys.all(),
            jwks_url: self.jwks_url.0,
            jwks_ca_pem: self.jwks_ca_pem.0,
            oidc_discovery_url: self.oidc_discovery_url.0,
            oidc_discovery_ca_pem: self.oidc_discovery_ca_pem.0,
            oidc_client_id: self.oidc_client_id.0,
            oidc_client_secret: self.oidc_client_secret.unwrap_or_else(|| SecretText::new(String::new())),
            oidc_response_mode: self.oidc_response_mode.0,
            oidc_response_types: self.oidc_response_types.all(),
            override_allowed_server_names: self.override_allowed_server_names.filled(),
            bound_issuer: self.bound_issuer.0,
            default_role: self.default_role.0.to_lowercase(),
            jwt_supported_algs: self.jwt_supported_algs.all(),
            namespace_in_state: self.namespace_in_state.map_or(in_state, |flag| flag.0),
            provider: ProviderConfig::try_from(self.provider_config.unwrap_or_default())?,
        };
        if self.jwks_pairs.is_some_and(|pairs| !pairs.is_empty()) {
            return Err(Error::invalid("'jwks_pairs' is not supported: mount the method once for each key set"));
        }
        config.check_sources()?;
        config.check_client()?;
        config.check_responses()?;
        if config.jwt_supported_algs.iter().any(|name| Algorithm::parse(name).is_none()) {
            return Err(Error::invalid(
                "invalid jwt_supported_algs: unsupported signing algorithm; use RS256, RS384, RS512, ES256, ES384, \
                 ES512, PS256, PS384, PS512 or EdDSA",
            ));
        }
        Ok(config)
    }
}

impl Config {
    fn check_sources(&self) -> Result<()> {
        let sources =
            [!self.jwt_validation_pubkeys.is_empty(), !self.jwks_url.is_empty(), !self.oidc_discovery_url.is_empty()];
        if sources.into_iter().filter(|is_set| *is_set).count() != 1 {
            return Err(Error::invalid(
                "exactly one of 'jwt_validation_pubkeys', 'jwks_url' or 'oidc_discovery_url' must be set",
            ));
        }
        for key in &self.jwt_validation_pubkeys {
            PublicKey::from_pem(key).map_err(|error| Error::invalid(format!("error parsing public key: {error}")))?;
        }
        Ok(())
    }

    fn check_client(&self) -> Result<()> {
        if self.oidc_client_id.is_empty() != self.oidc_client_secret.is_empty() {
            return Err(Error::invalid("both 'oidc_client_id' and 'oidc_client_secret' must be set for OIDC"));
        }
        if self.has_client() && self.oidc_discovery_url.is_empty() {
            return Err(Error::invalid("'oidc_discovery_url' must be set for OIDC"));
        }
        Ok(())
    }

    fn check_responses(&self) -> Result<()> {
        if !matches!(self.oidc_response_mode.as_str(), "" | "query" | "form_post") {
            return Err(Error::invalid("invalid response_mode: use 'query' or 'form_post'"));
        }
        if self.oidc_response_types.iter().any(|name| !matches!(name.as_str(), "code" | "id_token")) {
            return Err(Error::invalid("invalid response_types: 'code' and 'id_token' are allowed"));
        }
        if self.is_implicit() && !self.is_form_post() {
            return Err(Error::invalid("query response_mode may not be used with an id_token response_type"));
        }
        Ok(())
    }
}
