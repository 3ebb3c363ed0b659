//! `provider_config`: what the provider is, where its tokens are not like those of others.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// What the provider is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::auth::jwt) enum Product {
    /// One whose tokens are as the standards have them.
    #[default]
    Any,
    /// Microsoft Entra ID. It leaves the groups out where there are too many.
    Azure,
    /// IBM Security Access Manager. It writes the groups as one text with blanks between them.
    IbmIsam,
    /// SecureAuth. It writes the groups as one text with commas between them.
    SecureAuth,
}

/// The setting as it was written, of which only `provider` means anything.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>", into = "Map<String, Value>")]
pub(in crate::auth::jwt) struct ProviderConfig {
    written: Map<String, Value>,
    product: Product,
}

impl ProviderConfig {
    /// What the provider is.
    pub(in crate::auth::jwt) const fn product(&self) -> Product {
        self.product
    }
}

impl Product {
    /// The groups in a claim that is a text.
    pub(in crate::auth::jwt) fn groups(self, text: &str) -> Vec<String> {
        match self {
            Self::Any | Self::Azure => vec![text.to_owned()],
            Self::IbmIsam => text.split(' ').map(str::to_owned).collect(),
            Self::SecureAuth => text.split(',').map(str::to_owned).collect(),
        }
    }

    fn parse(name: &str) -> Result<Self> {
        match name {
            "azure" => Ok(Self::Azure),
            "ibmisam" => Ok(Self::IbmIsam),
            "secureauth" => Ok(Self::SecureAuth),
            "gsuite" | "kubernetes" => Err(Error::invalid(
                "invalid provider_config: this provider is not supported; take groups from a claim of the token with \
                 'groups_claim', or keys from 'oidc_discovery_url' or 'jwks_url'",
            )),
            _ => Err(Error::invalid(
                "invalid provider_config: provider not found in custom providers; there are azure, ibmisam and \
                 secureauth",
            )),
        }
    }
}

impl TryFrom<Map<String, Value>> for ProviderConfig {
    type Error = Error;

    fn try_from(written: Map<String, Value>) -> Result<Self> {
        let product = match written.get("provider").and_then(Value::as_str) {
            _ if written.is_empty() => Product::Any,
            Some(name) => Product::parse(name)?,
            None => {
                return Err(Error::invalid("invalid provider_config: 'provider' field not found in provider_config"));
            }
        };
        Ok(Self { written, product })
    }
}

impl From<ProviderConfig> for Map<String, Value> {
    fn from(config: ProviderConfig) -> Self {
        config.written
    }
}
