//! The configuration: whose tokens are taken.

mod product;
mod read;
mod write;

pub(super) use product::{Product, ProviderConfig};
pub(super) use read::ReadConfig;
pub(super) use write::WriteConfig;

use serde::{Deserialize, Serialize};

use crate::engine::Record;
use crate::outbound::Trust;
use crate::secret::{self, SecretText};

use super::token::Algorithm;

/// Where the record is.
pub(super) const KEY: &str = "config";

/// The configuration.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Config {
    /// Another one with each write: what was fetched under an older configuration is not used under a newer one.
    pub(super) revision: String,
    pub(super) jwt_validation_pubkeys: Vec<String>,
    pub(super) jwks_url: String,
    pub(super) jwks_ca_pem: String,
    pub(super) oidc_discovery_url: String,
    pub(super) oidc_discovery_ca_pem: String,
    pub(super) oidc_client_id: String,
    #[serde(with = "secret::at_rest")]
    pub(super) oidc_client_secret: SecretText,
    pub(super) oidc_response_mode: String,
    pub(super) oidc_response_types: Vec<String>,
    pub(super) override_allowed_server_names: Vec<String>,
    pub(super) bound_issuer: String,
    pub(super) default_role: String,
    pub(super) jwt_supported_algs: Vec<String>,
    pub(super) namespace_in_state: bool,
    #[serde(default)]
    pub(super) provider: ProviderConfig,
}

impl Record for Config {}

impl Config {
    /// The algorithms that are allowed by name; none where the configuration names none.
    pub(super) fn algorithms(&self) -> Vec<Algorithm> {
        self.jwt_supported_algs.iter().filter_map(|name| Algorithm::parse(name)).collect()
    }

    /// Whom the connection to the provider trusts.
    pub(super) fn trust(&self) -> Trust<'_> {
        let authorities = if self.jwks_url.is_empty() { &self.oidc_discovery_ca_pem } else { &self.jwks_ca_pem };
        Trust { authorities, server_names: &self.override_allowed_server_names }
    }

    /// Whether callers can be sent to the provider.
    pub(super) fn has_client(&self) -> bool {
        !self.oidc_client_id.is_empty()
    }

    /// Whether the provider sends a token with the browser, rather than a code.
    pub(super) fn is_implicit(&self) -> bool {
        self.oidc_response_types.iter().any(|name| name == "id_token")
    }

    /// Whether the provider sends the browser back with a form.
    pub(super) fn is_form_post(&self) -> bool {
        self.oidc_response_mode == "form_post"
    }
}
