//! The keyring: one key a term. The newest term encrypts, every term decrypts.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::secret::{BarrierKey, LedgerKey, RootKey, SecretBytes};
use crate::time::Timestamp;

use super::envelope::{self, Cipher};
use super::multiset::Hasher;
use super::{BarrierError, KEYRING};

/// The most encryptions of one key, a little under 2^32: the bound of NIST SP 800-38D for random 96-bit nonces.
const MOST_ENCRYPTIONS: u64 = 3_865_470_566;
/// What a restart adds to the count: more than can be encrypted between two writes of the count.
const RESTART_MARGIN: u64 = 1 << 24;

/// The active term, as `sys/key-status` shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyStatus {
    /// The term's number, from 1.
    pub term: u32,
    /// When its key was made.
    pub installed: Timestamp,
    /// How often it was used, at least.
    pub encryptions: u64,
}

/// When the keyring is rotated without being asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotationConfig {
    /// Whether it is rotated by itself at all (the bound on encryptions holds all the same).
    pub enabled: bool,
    /// After so many encryptions, 1,000,000 to 3,865,470,566.
    pub max_operations: u64,
    /// After so many seconds, at least a day; 0 is never.
    pub interval_seconds: u64,
}

impl Default for RotationConfig {
    fn default() -> Self {
        Self { enabled: true, max_operations: MOST_ENCRYPTIONS, interval_seconds: 0 }
    }
}

impl RotationConfig {
    /// The fewest and the most operations that can be configured.
    pub const OPERATIONS: std::ops::RangeInclusive<u64> = 1_000_000..=MOST_ENCRYPTIONS;
}

/// The keys by term, and that of the ledger.
#[derive(Clone)]
pub(super) struct Keyring {
    terms: BTreeMap<u32, Arc<TermKey>>,
    active: Arc<TermKey>,
    rotation: RotationConfig,
    /// Nothing in a keyring that was written before there were ledgers.
    ledger: Option<Arc<LedgerTools>>,
}

/// The key of the ledger, ready for use.
struct LedgerTools {
    key: LedgerKey,
    hasher: Hasher,
}

/// The keyring that is in force; nothing once the vault is sealed.
pub(super) struct Keys(RwLock<Option<Arc<Keyring>>>);

struct TermKey {
    term: u32,
    key: BarrierKey,
    cipher: Cipher,
    installed: Timestamp,
    /// How often it was used, at most: what was counted, and the margins of all restarts.
    encryptions: AtomicU64,
    /// The margins among them.
    margin: u64,
}

/// The keyring as it is written, encrypted under the root key.
#[derive(Serialize, Deserialize)]
struct Stored {
    terms: Vec<StoredTerm>,
    rotation: RotationConfig,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ledger: Option<Zeroizing<String>>,
}

#[derive(Serialize, Deserialize)]
struct StoredTerm {
    term: u32,
    key: Zeroizing<String>,
    installed: Timestamp,
    encryptions: u64,
    #[serde(default)]
    margin: u64,
}

impl Keyring {
    /// A keyring of one new key.
    pub(super) fn generate(entropy: &dyn Entropy, now: Timestamp) -> Result<Self> {
        let first = Arc::new(TermKey::new(1, BarrierKey::generate(entropy)?, now));
        Ok(Self {
            terms: BTreeMap::from([(1, first.clone())]),
            active: first,
            rotation: RotationConfig::default(),
            ledger: Some(LedgerTools::generate(entropy)?),
        })
    }

    /// The same keys and a new one, which is the active one.
    pub(super) fn rotated(&self, entropy: &dyn Entropy, now: Timestamp) -> Result<Self> {
        let term = self.active.term + 1;
        let active = Arc::new(TermKey::new(term, BarrierKey::generate(entropy)?, now));
        let mut terms = self.terms.clone();
        terms.insert(term, active.clone());
        Ok(Self { terms, active, ..self.clone() })
    }

    /// The same keys, with a new one for the ledger.
    pub(super) fn with_new_ledger(&self, entropy: &dyn Entropy) -> Result<Self> {
        Ok(Self { ledger: Some(LedgerTools::generate(entropy)?), ..self.clone() })
    }

    /// The same keys under another configuration.
    pub(super) fn with_rotation_config(&self, rotation: RotationConfig) -> Result<Self> {
        if !RotationConfig::OPERATIONS.contains(&rotation.max_operations) {
            return Err(Error::invalid("max_operations must be between 1000000 and 3865470566"));
        }
        if rotation.interval_seconds != 0 && rotation.interval_seconds < 86_400 {
            return Err(Error::invalid("interval must be at least 24h, or 0 for none"));
        }
        Ok(Self { rotation, ..self.clone() })
    }

    /// As it would have been before there were ledgers.
    #[cfg(test)]
    pub(super) fn before_ledgers(&self) -> Self {
        Self { ledger: None, ..self.clone() }
    }

    /// What hashes records for the ledger; nothing if there is no key for that yet.
    pub(super) fn hasher(&self) -> Option<&Hasher> {
        self.ledger.as_deref().map(|ledger| &ledger.hasher)
    }

    pub(super) fn rotation_config(&self) -> RotationConfig {
        self.rotation
    }

    pub(super) fn status(&self) -> KeyStatus {
        KeyStatus {
            term: self.active.term,
            installed: self.active.installed,
            encryptions: self.active.most_encryptions().saturating_sub(self.active.margin),
        }
    }

    pub(super) fn rotation_is_due(&self, now: Timestamp) -> bool {
        let status = self.status();
        let old = now.since(status.installed).as_secs() >= self.rotation.interval_seconds;
        let aged = self.rotation.interval_seconds > 0 && old;
        let used = status.encryptions >= self.rotation.max_operations;
        self.active.most_encryptions() >= MOST_ENCRYPTIONS || (self.rotation.enabled && (used || aged))
    }

    pub(super) fn encrypt(&self, context: &str, plaintext: &[u8], entropy: &dyn Entropy) -> Result<Vec<u8>> {
        self.active.encryptions.fetch_add(1, Ordering::Relaxed);
        envelope::encrypt(&self.active.cipher, self.active.term, context, plaintext, entropy)
    }

    pub(super) fn decrypt(&self, context: &str, ciphertext: Vec<u8>) -> Result<SecretBytes, BarrierError> {
        let term = envelope::term(&ciphertext).ok_or(BarrierError::Undecryptable)?;
        let key = self.terms.get(&term).ok_or(BarrierError::Undecryptable)?;
        envelope::decrypt(&key.cipher, context, ciphertext)
    }

    /// The keyring, encrypted under the root key.
    pub(super) fn sealed_under(&self, root: &RootKey, entropy: &dyn Entropy) -> Result<Vec<u8>> {
        let terms = self.terms.values().map(|term| StoredTerm {
            term: term.term,
            key: Zeroizing::new(BASE64.encode(term.key.expose())),
            installed: term.installed,
            encryptions: term.most_encryptions(),
            margin: term.margin,
        });
        let ledger = self.ledger.as_ref().map(|ledger| Zeroizing::new(BASE64.encode(ledger.key.expose())));
        let stored = Stored { terms: terms.collect(), rotation: self.rotation, ledger };
        // Sized up front: a buffer that grows leaves copies of the keys behind.
        let mut plaintext = Zeroizing::new(Vec::with_capacity(160 * (self.terms.len() + 3)));
        serde_json::to_writer(&mut *plaintext, &stored)
            .map_err(|error| Error::internal("the keyring cannot be written").with_source(error))?;
        envelope::encrypt(&Cipher::new(root.expose()), 0, KEYRING, &plaintext, entropy)
    }

    /// Opens what [`Keyring::sealed_under`] wrote.
    pub(super) fn opened_with(root: &RootKey, ciphertext: Vec<u8>) -> Result<Self, BarrierError> {
        let plaintext =
            envelope::decrypt(&Cipher::new(root.expose()), KEYRING, ciphertext).map_err(|_| BarrierError::WrongKey)?;
        let stored: Stored = serde_json::from_slice(&plaintext).map_err(|_| BarrierError::Malformed)?;
        let mut terms = BTreeMap::new();
        for stored in stored.terms {
            let key = BarrierKey::from_slice(&decoded(&stored.key)?).map_err(|_| BarrierError::Malformed)?;
            let term = TermKey {
                encryptions: AtomicU64::new(stored.encryptions.saturating_add(RESTART_MARGIN)),
                margin: stored.margin.saturating_add(RESTART_MARGIN),
                ..TermKey::new(stored.term, key, stored.installed)
            };
            terms.insert(stored.term, Arc::new(term));
        }
        let active = terms.values().next_back().cloned().ok_or(BarrierError::Malformed)?;
        let ledger = stored.ledger.map(|key| {
            let key = LedgerKey::from_slice(&decoded(&key)?).map_err(|_| BarrierError::Malformed)?;
            Ok::<_, BarrierError>(LedgerTools::new(key))
        });
        Ok(Self { terms, active, rotation: stored.rotation, ledger: ledger.transpose()? })
    }
}

impl Keys {
    pub(super) fn new(keyring: Keyring) -> Self {
        Self(RwLock::new(Some(Arc::new(keyring))))
    }

    /// The keyring.
    pub(super) fn present(&self) -> Result<Arc<Keyring>, BarrierError> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone().ok_or(BarrierError::Wiped)
    }

    /// Has `next` in force from now on, unless the keys are gone.
    pub(super) fn replace(&self, next: Arc<Keyring>) -> Result<(), BarrierError> {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if current.is_none() {
            return Err(BarrierError::Wiped);
        }
        *current = Some(next);
        Ok(())
    }

    /// Lets go of the keys.
    pub(super) fn wipe(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl LedgerTools {
    fn generate(entropy: &dyn Entropy) -> Result<Arc<Self>> {
        Ok(Self::new(LedgerKey::generate(entropy)?))
    }

    fn new(key: LedgerKey) -> Arc<Self> {
        Arc::new(Self { hasher: Hasher::new(key.expose()), key })
    }
}

fn decoded(base64: &Zeroizing<String>) -> Result<Zeroizing<Vec<u8>>, BarrierError> {
    BASE64.decode(base64.as_bytes()).map(Zeroizing::new).map_err(|_| BarrierError::Malformed)
}

impl TermKey {
    fn new(term: u32, key: BarrierKey, installed: Timestamp) -> Self {
        let cipher = Cipher::new(key.expose());
        Self { term, key, cipher, installed, encryptions: AtomicU64::new(0), margin: 0 }
    }

    fn most_encryptions(&self) -> u64 {
        self.encryptions.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    const NOW: Timestamp = Timestamp::from_unix_nanos(1);

    fn used(keyring: &Keyring, times: u64) {
        keyring.active.encryptions.store(times + keyring.active.margin, Ordering::Relaxed);
    }

    #[test]
    fn a_key_that_did_its_share_of_encryptions_is_due_to_be_followed() {
        let entropy = SeededEntropy::new(1);
        let root = RootKey::generate(&entropy).unwrap();
        let config = RotationConfig { enabled: true, max_operations: 1_000_000, interval_seconds: 0 };
        let keyring = Keyring::generate(&entropy, NOW).unwrap().with_rotation_config(config).unwrap();
        let again = Keyring::opened_with(&root, keyring.sealed_under(&root, &entropy).unwrap()).unwrap();
        for keyring in [keyring, again] {
            for (times, is_due) in [(0, false), (999_999, false), (1_000_000, true)] {
                used(&keyring, times);
                assert_eq!(keyring.rotation_is_due(NOW), is_due, "{times}");
                assert_eq!(keyring.status().encryptions, times);
            }
            let never = keyring.with_rotation_config(RotationConfig { enabled: false, ..config }).unwrap();
            assert!(!never.rotation_is_due(NOW), "the bound is then that of the cipher alone");
            used(&never, MOST_ENCRYPTIONS);
            assert!(never.rotation_is_due(NOW));
        }
    }

    #[test]
    fn what_a_restart_may_not_have_counted_counts_against_the_bound_of_the_cipher() {
        let entropy = SeededEntropy::new(1);
        let root = RootKey::generate(&entropy).unwrap();
        let mut keyring = Keyring::generate(&entropy, NOW).unwrap();
        used(&keyring, 5);
        for restarts in 1..4 {
            keyring = Keyring::opened_with(&root, keyring.sealed_under(&root, &entropy).unwrap()).unwrap();
            assert_eq!(keyring.active.most_encryptions(), 5 + restarts * 16_777_216);
            assert_eq!(keyring.status().encryptions, 5, "what was counted is what is shown");
        }
        keyring.active.encryptions.store(MOST_ENCRYPTIONS, Ordering::Relaxed);
        let never = RotationConfig { enabled: false, ..RotationConfig::default() };
        assert!(keyring.with_rotation_config(never).unwrap().rotation_is_due(NOW));
    }
}
