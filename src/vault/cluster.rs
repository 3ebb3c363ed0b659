//! What is made once, at initialisation, and kept for good: the cluster's name and the keys beside the keyring.

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::barrier::Record;
use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::secret::TokenKey;
use crate::time::Timestamp;

/// What is made once, at initialisation.
#[derive(Debug, Serialize, Deserialize)]
pub struct Cluster {
    /// How the cluster is called.
    pub name: String,
    /// A UUID.
    pub id: String,
    /// When it was made.
    pub created: Timestamp,
    /// The key that tokens are hashed under, in base64.
    token_key: Zeroizing<String>,
}

impl Record for Cluster {}

impl Cluster {
    /// Its key in the scope `core`.
    pub(super) const KEY: &'static str = "cluster";

    /// A new cluster.
    pub(super) fn generate(name: Option<String>, entropy: &dyn Entropy, now: Timestamp) -> Result<Self> {
        let name = match name {
            Some(name) => name,
            None => format!("arca-cluster-{}", entropy.base62(8)?.to_lowercase()),
        };
        let key = TokenKey::generate(entropy)?;
        let token_key = Zeroizing::new(BASE64.encode(key.expose()));
        Ok(Self { name, id: entropy.uuid()?, created: now, token_key })
    }

    /// The key that tokens are hashed under.
    pub(super) fn token_key(&self) -> Result<TokenKey> {
        let bytes = BASE64.decode(self.token_key.as_bytes()).map_err(|_| Error::corrupt("the token key is damaged"))?;
        TokenKey::from_slice(&Zeroizing::new(bytes))
    }
}
