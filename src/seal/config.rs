//! `SealConfig`: what is on record about a seal. It is stored in clear, because it is read while the vault is sealed.

use serde::{Deserialize, Serialize};

use super::{PublicKey, SealError, Threshold};

/// How the seal key is split, and to whom the shares went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealConfig {
    /// Into how many shares, and how many unseal.
    #[serde(flatten)]
    pub threshold: Threshold,
    /// The fingerprints of the keys that the shares were encrypted to, one for each; empty if they were not.
    #[serde(default)]
    pub pgp_fingerprints: Vec<String>,
    /// Names the operation that made this seal.
    pub nonce: String,
    /// Counts the seals of this vault, from 1.
    pub version: u32,
}

impl SealConfig {
    /// A seal whose shares go to the holders of `keys`: one for each share, or none at all.
    pub fn new(threshold: Threshold, keys: &[PublicKey], nonce: String, version: u32) -> Result<Self, SealError> {
        if !keys.is_empty() && keys.len() != usize::from(threshold.shares()) {
            return Err(SealError::PgpKeyCount);
        }
        let pgp_fingerprints = keys.iter().map(|key| key.fingerprint().to_owned()).collect();
        Ok(Self { threshold, pgp_fingerprints, nonce, version })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_survives_being_stored() {
        let config = SealConfig::new(Threshold::new(5, 3).unwrap(), &[], "n".to_owned(), 2).unwrap();
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(json, r#"{"secret_shares":5,"secret_threshold":3,"pgp_fingerprints":[],"nonce":"n","version":2}"#);
        assert_eq!(serde_json::from_str::<SealConfig>(&json).unwrap(), config);
        assert!(serde_json::from_str::<SealConfig>(&json.replace(":3,", ":1,")).is_err());
    }
}
