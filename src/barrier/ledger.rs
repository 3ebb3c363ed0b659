//! The ledger: one record that says which records there are, and as they were written last. It has a hash of all of them, which
//! each transaction renews along with what it writes, and which a check compares with what it finds.
//!
//! What is written without the barrier is not entered: the copying of a backup's records into an empty store, which copies
//! their ledger too. Everything else is, the keyring and how the vault is sealed among it.
//!
//! A ledger that is missing or cannot be read is left alone: writing goes on without it, and a check says so. One that does not
//! fit the records stays so however much is written, until [`Barrier::count_anew`].

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::secret::RootKey;
use crate::storage::{Changes, Committed, Expected, Key, Ledger, Snapshot, StorageError, Write};
use crate::time::Timestamp;

use super::keyring::{Keyring, Keys};
use super::multiset::{Hasher, MultisetHash, Name};
use super::{Barrier, KEYRING, LEDGER, Txn};

/// The version of what is stored.
const VERSION: [u8; 2] = [0, 1];

/// The ledger as it is stored: the version, since when it is kept (nanoseconds since 1970, 8 bytes, big endian), the hash.
struct Account {
    since: Timestamp,
    hash: MultisetHash,
}

/// The ledger of the vault's store.
pub(super) struct KeptLedger {
    keys: Arc<Keys>,
    entropy: Arc<dyn Entropy>,
    /// The log has heard that it cannot be kept.
    told: AtomicBool,
}

/// All records of a store, counted one by one, to be compared with its ledger.
pub struct Count {
    keyring: Arc<Keyring>,
    hash: MultisetHash,
    ledger: Option<Vec<u8>>,
}

/// What came of comparing all records with the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Balance {
    /// The records are those that were written last; the ledger is kept since then.
    Even(Timestamp),
    /// They are not.
    Uneven(Timestamp, Discrepancy),
    /// There is no ledger yet: the vault was not unsealed since it has one.
    Unkept,
    /// The ledger is not there.
    Missing,
    /// The ledger does not open, or cannot be read.
    Unreadable,
    /// There is a ledger, and a keyring without a key for it: one from before there was a ledger.
    Keyless,
}

/// How records differ from those that were written last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discrepancy {
    /// So many more are there than should be; fewer, if negative.
    pub surplus: i64,
    /// Which one differs; nothing if there are several.
    pub name: Option<Name>,
}

/// The first ledger of a vault, without a record in it yet.
pub(super) fn begun(keyring: &Keyring, now: Timestamp, entropy: &dyn Entropy) -> Result<Vec<u8>> {
    Account { since: now, hash: MultisetHash::empty() }.sealed(keyring, entropy)
}

impl Barrier {
    /// Begins to count the records of a store. Each is then to be given to [`Count::take`].
    pub fn count(&self) -> Result<Count> {
        Ok(Count::new(self.keyring()?))
    }

    /// Begins a ledger for a vault that has none yet, out of what is in its store. To be called before anything is
    /// served. One that is missing, or whose key is, is not replaced: a check will say so.
    pub async fn keep_ledger(&self, root: &RootKey, now: Timestamp) -> Result<()> {
        let stored = self.storage.get(&Key::new(LEDGER)?).await?;
        match (self.keyring()?.hasher(), stored) {
            (Some(_), Some(_)) => Ok(()),
            (None, None) => {
                let records = self.count_anew(root, now, Txn::new()).await?;
                tracing::warn!(
                    records,
                    "a ledger is kept from now on: what was changed in the store before is not noticed"
                );
                Ok(())
            }
            (Some(_), None) => {
                tracing::error!("the store's ledger is missing: somebody removed it; check the store");
                Ok(())
            }
            (None, Some(_)) => {
                tracing::error!("the keyring is older than the store's ledger: it was put back; check the store");
                Ok(())
            }
        }
    }

    /// Takes what is in the store for what was written last: begins a new ledger out of it, under a new key, in one
    /// transaction with `txn`. Nobody else may write meanwhile. Gives the number of records.
    ///
    /// Fails if a record cannot be read, and with a conflict if somebody else writes.
    pub async fn count_anew(&self, root: &RootKey, now: Timestamp, txn: Txn) -> Result<u64> {
        let _writing = self.writing.lock().await;
        let keys = Arc::new(Keys::new(self.keyring()?.with_new_ledger(&*self.entropy)?));
        let next = keys.present()?;
        let (storage, keyring) = (self.storage.clone(), next.clone());
        let counting = tokio::task::spawn_blocking(move || Count::all(keyring, &mut *storage.snapshot()?));
        let (count, replaced) =
            counting.await.map_err(|error| Error::internal("counting was broken off").with_source(error))??;
        let account = Account { since: now, hash: count.hash.clone() };
        let (mut batch, on_commit) = txn.into_parts();
        batch.expect(Key::new(LEDGER)?, Expected::unchanged(count.ledger.as_deref()));
        batch.expect(Key::new(KEYRING)?, Expected::unchanged(replaced.as_deref()));
        batch.put(Key::new(KEYRING)?, next.sealed_under(root, &*self.entropy)?);
        batch.put(Key::new(LEDGER)?, account.sealed(&next, &*self.entropy)?);
        batch.enter_in(Arc::new(KeptLedger::new(keys, self.entropy.clone())));
        self.storage.commit(batch).await?;
        self.keys.replace(next)?;
        for action in on_commit {
            action();
        }
        Ok(count.hash.records())
    }
}

impl Count {
    fn new(keyring: Arc<Keyring>) -> Self {
        Self { keyring, hash: MultisetHash::empty(), ledger: None }
    }

    /// Counts what is stored at `key`.
    pub fn take(&mut self, key: &Key, stored: &[u8]) {
        if key.as_str() == LEDGER {
            self.ledger = Some(stored.to_vec());
        } else if let Some(hasher) = self.keyring.hasher() {
            self.hash.change(hasher, key, None, Some(stored));
        }
    }

    /// Compares all that was counted with the ledger that was among it.
    pub fn balance(self) -> Balance {
        let Self { keyring, hash, ledger } = self;
        match (keyring.hasher(), ledger) {
            (Some(hasher), Some(ledger)) => match Account::opened(&keyring, ledger) {
                Some(Account { since, hash: expected }) if expected == hash => Balance::Even(since),
                Some(Account { since, hash: expected }) => {
                    Balance::Uneven(since, Discrepancy::of(&hash.minus(&expected), hasher))
                }
                None => Balance::Unreadable,
            },
            (None, None) => Balance::Unkept,
            (Some(_), None) => Balance::Missing,
            (None, Some(_)) => Balance::Keyless,
        }
    }

    /// All records of `snapshot`; and the keyring among them.
    fn all(keyring: Arc<Keyring>, snapshot: &mut dyn Snapshot) -> Result<(Self, Option<Vec<u8>>), StorageError> {
        let mut count = Self::new(keyring);
        let mut stored_keyring = None;
        loop {
            let page = snapshot.next_page()?;
            if page.is_empty() {
                return Ok((count, stored_keyring));
            }
            for stored in page {
                let value = stored.value?;
                count.take(&stored.key, &value);
                if stored.key.as_str() == KEYRING {
                    stored_keyring = Some(value);
                }
            }
        }
    }
}

impl Discrepancy {
    fn of(difference: &MultisetHash, hasher: &Hasher) -> Self {
        Self { surplus: difference.records().cast_signed(), name: difference.name(hasher) }
    }
}

impl KeptLedger {
    pub(super) fn new(keys: Arc<Keys>, entropy: Arc<dyn Entropy>) -> Self {
        Self { keys, entropy, told: AtomicBool::new(false) }
    }
}

impl Ledger for KeptLedger {
    fn entry(&self, changes: &Changes, committed: &mut Committed<'_>) -> Result<Option<Write>, StorageError> {
        let keyring = self.keys.present().map_err(|error| StorageError::Failed(error.into()))?;
        let Some(hasher) = keyring.hasher() else { return Ok(None) };
        let place = Key::new(LEDGER)?;
        let stored = changes.get(&place).cloned().map_or_else(|| committed(&place), Ok)?;
        let Some(mut account) = stored.and_then(|stored| Account::opened(&keyring, stored)) else {
            if !self.told.swap(true, Ordering::Relaxed) {
                tracing::error!("the store's ledger is missing or cannot be read: check the store");
            }
            return Ok(None);
        };
        for (key, after) in changes.iter().filter(|(key, _)| **key != place) {
            let before = committed(key)?;
            account.hash.change(hasher, key, before.as_deref(), after.as_deref());
        }
        let sealed = account.sealed(&keyring, &*self.entropy).map_err(|error| StorageError::Failed(error.into()))?;
        Ok(Some((place, Some(sealed))))
    }
}

impl Account {
    fn sealed(&self, keyring: &Keyring, entropy: &dyn Entropy) -> Result<Vec<u8>> {
        let mut plaintext = zeroize::Zeroizing::new(Vec::with_capacity(VERSION.len() + 8 + MultisetHash::LEN));
        plaintext.extend_from_slice(&VERSION);
        plaintext.extend_from_slice(&self.since.unix_nanos().to_be_bytes());
        self.hash.write(&mut plaintext);
        keyring.encrypt(LEDGER, &plaintext, entropy)
    }

    fn opened(keyring: &Keyring, stored: Vec<u8>) -> Option<Self> {
        Self::read(&keyring.decrypt(LEDGER, stored).ok()?)
    }

    fn read(plaintext: &[u8]) -> Option<Self> {
        let (since, hash) = plaintext.strip_prefix(&VERSION)?.split_first_chunk()?;
        let since = Timestamp::from_unix_nanos(i64::from_be_bytes(*since));
        Some(Self { since, hash: MultisetHash::read(hash)? })
    }
}

impl fmt::Debug for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} records", self.hash.records())
    }
}

impl fmt::Debug for KeptLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeptLedger")
    }
}

#[cfg(test)]
mod tests;
