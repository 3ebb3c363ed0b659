//! `sys/init`, `sys/seal-status` and `sys/unseal`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::secret::{self, ClientToken, SecretText};

use super::loose::{LooseInt, StringList};

/// The body of `sys/init`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct InitRequest {
    /// Into how many shares the seal key is split, 1 to 255.
    pub secret_shares: Option<LooseInt>,
    /// How many of them unseal, 2 to `secret_shares` (1 if there is one share).
    pub secret_threshold: Option<LooseInt>,
    /// One public key (base64 of the binary form, or armoured) for each share to be encrypted to.
    pub pgp_keys: StringList,
    /// A public key for the root token to be encrypted to.
    pub root_token_pgp_key: Option<String>,
}

/// The answer of `sys/init`: the only time that the shares and the root token are shown.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct InitResponse {
    /// The shares in hexadecimal.
    #[serde(serialize_with = "secrets_on_wire")]
    pub keys: Vec<SecretText>,
    /// The same shares in base64.
    #[serde(serialize_with = "secrets_on_wire")]
    pub keys_base64: Vec<SecretText>,
    /// The root token, encrypted if a key was given for it.
    #[serde(serialize_with = "secret::on_wire")]
    pub root_token: ClientToken,
}

fn secrets_on_wire<S: serde::Serializer>(secrets: &[SecretText], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(secrets.iter().map(SecretText::expose))
}

/// The body of `sys/unseal`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct UnsealRequest {
    /// One share, hexadecimal or base64.
    pub key: Option<SecretText>,
    /// Forget the shares given so far.
    pub reset: bool,
    /// Not supported: there is one kind of seal.
    pub migrate: bool,
}

/// The answer of `sys/seal-status` and of `sys/unseal`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct SealStatus {
    /// The kind of seal: `shamir`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether `sys/init` has been called.
    pub initialized: bool,
    /// Whether the vault is sealed.
    pub sealed: bool,
    /// How many shares unseal.
    pub t: u8,
    /// How many shares there are.
    pub n: u8,
    /// How many shares have been given.
    pub progress: u8,
    /// Names this attempt to unseal; empty before the first share.
    pub nonce: String,
    /// The server's version.
    pub version: String,
    /// When the server was built, RFC 3339.
    pub build_date: String,
    /// The same, as OpenBao names it.
    pub commit_date: String,
    /// Always false: there is no seal to migrate from.
    pub migration: bool,
    /// The cluster's name, once unsealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_name: Option<String>,
    /// The cluster's id, once unsealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_id: Option<String>,
    /// Always false: shares are not recovery keys.
    pub recovery_seal: bool,
    /// The kind of store.
    pub storage_type: String,
}
