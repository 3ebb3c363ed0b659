//! Signed identity tokens (OpenID Connect ID tokens): named keys that sign them, and roles that say what is in them.
//!
//! A named key has a present signing key, the next one, which is published before it is used, and the public halves of
//! those before it for as long as what they signed is to be verified.

mod algorithm;
mod jws;
mod keys;
mod roles;
mod signing;
mod template;

pub use algorithm::Algorithm;
#[doc(hidden)]
pub use jws::fuzz as fuzz_token;
pub use jws::{Claims, Introspection};
pub use keys::{DEFAULT_KEY, KeyChange, NamedKey};
pub use roles::{RoleChange, TokenRole};
pub use signing::Jwk;
#[doc(hidden)]
pub use template::fuzz as fuzz_template;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::barrier::{Record, Txn, View};
use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::time::Clock;

/// The signing keys, the roles and the issuer of the identity tokens of one namespace.
pub struct OidcStore {
    keys: View,
    roles: View,
    config: View,
    entropy: Arc<dyn Entropy>,
    clock: Arc<dyn Clock>,
}

/// What operators say about the issuer.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Config {
    issuer: String,
}

impl Record for Config {}

const CONFIG: &str = "issuer";

impl OidcStore {
    /// The store over its part of the barrier.
    pub(super) fn new(view: &View, entropy: Arc<dyn Entropy>, clock: Arc<dyn Clock>) -> Self {
        let view = view.within("oidc");
        Self { keys: view.within("key"), roles: view.within("role"), config: view.within("config"), entropy, clock }
    }

    /// The issuer that operators chose: a scheme, a host and maybe a port; empty where they chose none.
    pub async fn issuer(&self) -> Result<String> {
        Ok(self.config.get::<Config>(CONFIG).await?.unwrap_or_default().issuer)
    }

    /// Chooses the issuer; an empty text is the address of this server.
    pub fn set_issuer(&self, issuer: String, txn: &mut Txn) -> Result<()> {
        if !issuer.is_empty() && !is_origin(&issuer) {
            return Err(Error::invalid(
                "invalid issuer, which must include only a scheme, host, and optional port (e.g. https://example.com:8200)",
            ));
        }
        self.config.put(txn, CONFIG, &Config { issuer })
    }
}

impl fmt::Debug for OidcStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OidcStore").finish_non_exhaustive()
    }
}

/// Whether a text is a scheme, a host and maybe a port, and nothing else.
fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| {
        !host.is_empty()
            && host.chars().all(|character| {
                character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_' | ':' | '[' | ']')
            })
    })
}

/// Whether a text can be the name of a key or of a role.
fn can_be_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 512 && !name.contains('/')
}

#[cfg(test)]
mod tests;
