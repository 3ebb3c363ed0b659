//! Checkpoints: lines that sign the chain up to themselves (Ed25519, RFC 8032).

use std::fmt;

use data_encoding::{BASE64, BASE64_MIME_PERMISSIVE, HEXLOWER};
use ring::digest::{SHA256, digest};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::secret::SecretBytes;

use super::{ChainError, LineHash, NodeId};

/// Why a checkpoint was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// The log was opened.
    Start,
    /// So many lines were written since the last one.
    Interval,
    /// The file is about to be reopened; the chain goes on in the next one.
    Rotate,
    /// The log was closed in order.
    Stop,
}

impl Reason {
    /// The word for it on the line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Interval => "interval",
            Self::Rotate => "rotate",
            Self::Stop => "stop",
        }
    }
}

/// What a checkpoint signs.
pub(super) struct Statement<'a> {
    pub(super) node: &'a str,
    pub(super) log: &'a str,
    pub(super) reason: Reason,
    pub(super) time: &'a str,
    pub(super) every: u64,
    pub(super) seq: u64,
    pub(super) prev: LineHash,
}

impl Statement<'_> {
    /// The signed text: a name for the purpose, then one value a line.
    fn text(&self) -> String {
        let Self { node, log, reason, time, every, seq, prev } = self;
        let reason = reason.as_str();
        format!("arca-audit-checkpoint-v1\n{node}\n{log}\n{reason}\n{time}\n{every}\n{seq}\n{prev}\n")
    }
}

/// Signs checkpoints. One per vault; its public half goes to those who verify.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    id: String,
}

impl SigningKey {
    /// A new key as PKCS#8 (RFC 8410, 48 bytes), for the store.
    pub fn generate(entropy: &dyn Entropy) -> Result<SecretBytes> {
        let mut pkcs8 = SecretBytes::new(vec![0; PKCS8_PREFIX.len() + SEED_LEN]);
        let (prefix, seed) = pkcs8.split_at_mut(PKCS8_PREFIX.len());
        prefix.copy_from_slice(PKCS8_PREFIX);
        entropy.fill(seed)?;
        Ok(pkcs8)
    }

    /// Reads a key in PKCS#8.
    pub fn from_pkcs8(pkcs8: &SecretBytes) -> Result<Self> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8)
            .map_err(|_| Error::corrupt("the audit log's signing key cannot be read"))?;
        let id = key_id(pair.public_key().as_ref());
        Ok(Self { pair, id })
    }

    /// The public half.
    pub fn verifying_key(&self) -> VerifyingKey {
        let mut raw = [0; PUBLIC_LEN];
        raw.copy_from_slice(self.pair.public_key().as_ref());
        VerifyingKey { raw, id: self.id.clone() }
    }

    /// Signs a statement about something else than a log: a text whose first line names the purpose, which no other
    /// statement has. In base64.
    pub fn sign_statement(&self, text: &str) -> String {
        BASE64.encode(self.pair.sign(text.as_bytes()).as_ref())
    }

    /// Names the key on checkpoints.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn sign(&self, statement: &Statement<'_>) -> String {
        BASE64.encode(self.pair.sign(statement.text().as_bytes()).as_ref())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Verifies checkpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKey {
    raw: [u8; PUBLIC_LEN],
    id: String,
}

impl VerifyingKey {
    /// Reads a key: PEM (`PUBLIC KEY`, as OpenSSL writes it), or base64 of the 32 raw bytes.
    pub fn parse(text: &str) -> Result<Self, ChainError> {
        let text = text.trim();
        let bytes = match text.strip_prefix(PEM_BEGIN).and_then(|rest| rest.strip_suffix(PEM_END)) {
            Some(body) => {
                let der = BASE64_MIME_PERMISSIVE.decode(body.trim().as_bytes()).map_err(|_| ChainError::Key)?;
                der.strip_prefix(SPKI_PREFIX).ok_or(ChainError::Key)?.to_vec()
            }
            None => BASE64.decode(text.as_bytes()).map_err(|_| ChainError::Key)?,
        };
        let raw: [u8; PUBLIC_LEN] = bytes.try_into().map_err(|_| ChainError::Key)?;
        Ok(Self { id: key_id(&raw), raw })
    }

    /// The key in PEM.
    pub fn to_pem(&self) -> String {
        let der = [SPKI_PREFIX, &self.raw].concat();
        format!("{PEM_BEGIN}\n{}\n{PEM_END}\n", BASE64.encode(&der))
    }

    /// Names the key on checkpoints: the first 16 hexadecimal digits of the SHA-256 hash of its 32 bytes.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether `signature` is what [`SigningKey::sign_statement`] made of `text`.
    pub fn verifies_statement(&self, text: &str, signature: &str) -> bool {
        let Ok(signature) = BASE64.decode(signature.as_bytes()) else { return false };
        UnparsedPublicKey::new(&ED25519, &self.raw).verify(text.as_bytes(), &signature).is_ok()
    }

    pub(super) fn verifies(&self, statement: &Statement<'_>, signature: &str) -> bool {
        let Ok(signature) = BASE64.decode(signature.as_bytes()) else { return false };
        UnparsedPublicKey::new(&ED25519, &self.raw).verify(statement.text().as_bytes(), &signature).is_ok()
    }
}

fn key_id(raw: &[u8]) -> String {
    let hash = digest(&SHA256, raw);
    HEXLOWER.encode(hash.as_ref().get(..8).unwrap_or_default())
}

/// The member `checkpoint` of a checkpoint line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    pub(super) log: String,
    pub(super) reason: Reason,
    pub(super) every: u64,
    pub(super) key: String,
    pub(super) signature: String,
}

impl Checkpoint {
    pub(super) fn statement<'a>(&'a self, node: &'a str, time: &'a str, seq: u64, prev: LineHash) -> Statement<'a> {
        Statement { node, log: &self.log, reason: self.reason, time, every: self.every, seq, prev }
    }
}

/// The member `resume` of a resume line: what was found when the log was opened after a crash.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Resume {
    /// The sequence number of the last whole line before; 0 if there was none.
    pub(super) last_good_seq: u64,
    /// How many bytes of no whole line stand between that line and this one, the newline behind them not counted.
    pub(super) torn_bytes: u64,
    /// Their SHA-256 hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) torn_sha256: Option<String>,
    /// The last sequence number on the vault's own record, where that is higher: the lines between are lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) recorded_seq: Option<u64>,
    /// The hash on the vault's own record for that line, where the line before has another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) recorded_hash: Option<String>,
}

/// Checks a log's name.
pub(super) fn check_log_name(log: &str) -> Result<(), ChainError> {
    let fits = !log.is_empty() && log.len() <= 512 && !log.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(ChainError::LogName) }
}

/// The text of a statement as a writer makes it.
pub(super) fn signed(
    key: &SigningKey,
    checkpoint: &mut Checkpoint,
    node: &NodeId,
    time: &str,
    seq: u64,
    prev: LineHash,
) {
    let signature = key.sign(&checkpoint.statement(node.as_str(), time, seq, prev));
    checkpoint.signature = signature;
}

const SEED_LEN: usize = 32;
const PUBLIC_LEN: usize = 32;
const PKCS8_PREFIX: &[u8] = &[0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
const SPKI_PREFIX: &[u8] = &[0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
const PEM_BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const PEM_END: &str = "-----END PUBLIC KEY-----";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    fn key(seed: u64) -> SigningKey {
        SigningKey::from_pkcs8(&SigningKey::generate(&SeededEntropy::new(seed)).unwrap()).unwrap()
    }

    #[test]
    fn a_known_key_has_its_known_public_half() {
        // RFC 8032, section 7.1, test 1.
        let seed = HEXLOWER.decode(b"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").unwrap();
        let pkcs8 = SecretBytes::new([PKCS8_PREFIX, &seed].concat());
        let public = SigningKey::from_pkcs8(&pkcs8).unwrap().verifying_key();
        assert_eq!(HEXLOWER.encode(&public.raw), "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    }

    #[test]
    fn a_public_key_is_read_in_both_forms() {
        let public = key(1).verifying_key();
        assert_eq!(VerifyingKey::parse(&public.to_pem()).unwrap(), public);
        assert_eq!(VerifyingKey::parse(&BASE64.encode(&public.raw)).unwrap(), public);
        assert_eq!(public.id().len(), 16);
        for bad in ["", "AAAA", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "!"] {
            assert_eq!(VerifyingKey::parse(bad), Err(ChainError::Key));
        }
    }

    #[test]
    fn a_signature_holds_for_its_statement_and_key_only() {
        let statement = |seq, log| Statement {
            node: "n1",
            log,
            reason: Reason::Start,
            time: "t",
            every: 5,
            seq,
            prev: LineHash::GENESIS,
        };
        let signature = key(1).sign(&statement(1, "file/"));
        assert!(key(1).verifying_key().verifies(&statement(1, "file/"), &signature));
        assert!(!key(1).verifying_key().verifies(&statement(2, "file/"), &signature));
        assert!(!key(1).verifying_key().verifies(&statement(1, "other/"), &signature));
        assert!(!key(2).verifying_key().verifies(&statement(1, "file/"), &signature));
        assert!(!key(1).verifying_key().verifies(&statement(1, "file/"), "AAAA"));
    }
}
