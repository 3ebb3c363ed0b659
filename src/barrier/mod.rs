//! The barrier encrypts everything on its way to storage. A [`Barrier`] that exists is unlocked.
//!
//! A ciphertext is bound to its place: format version, key term and the full key are associated data, so a record that
//! was moved, or kept from an older format, does not open. Names of keys are not hidden, and an older copy of one record
//! that is put back in its own place opens: that, and a record that is missing or back, is found by comparing all
//! records with the ledger (see [`Barrier::count`]), which is written along with each of them.

mod cached;
mod envelope;
mod kept;
mod keyring;
mod ledger;
mod multiset;
mod record;
mod txn;
mod view;

pub use cached::Cached;
pub use kept::Kept;
pub use keyring::{KeyStatus, RotationConfig};
pub use ledger::{Balance, Count, Discrepancy};
pub use multiset::Name;
pub use record::Record;
pub use txn::Txn;
pub use view::{Scope, View};

use std::fmt;
use std::sync::Arc;

use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::secret::{RootKey, SecretBytes};
use crate::storage::{Batch, Key, Storage, StorageError};
use crate::time::Timestamp;

use keyring::{Keyring, Keys};
use ledger::KeptLedger;

/// Where the keyring lies, encrypted under the root key.
pub(crate) const KEYRING: &str = "core/keyring";
/// Where the ledger lies, encrypted as every record.
pub(crate) const LEDGER: &str = "core/ledger";

/// Why the barrier did not open.
#[derive(Debug, thiserror::Error)]
pub enum BarrierError {
    /// There is no keyring in the store: it was never initialised.
    #[error("there is no keyring in the store")]
    Missing,
    /// The root key does not open the keyring.
    #[error("the root key does not open the keyring")]
    WrongKey,
    /// A ciphertext is damaged, was moved, or is of an unknown format or term.
    #[error("a record cannot be decrypted")]
    Undecryptable,
    /// The keyring decrypts and cannot be read.
    #[error("the keyring cannot be read")]
    Malformed,
    /// The keys are gone: the vault was sealed.
    #[error("the barrier is sealed")]
    Wiped,
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<BarrierError> for Error {
    fn from(error: BarrierError) -> Self {
        match error {
            BarrierError::Missing => Self::new(crate::error::Kind::NotInitialised, "the vault is not initialized"),
            BarrierError::WrongKey => Self::invalid("the key does not open this vault"),
            BarrierError::Undecryptable | BarrierError::Malformed => {
                Self::corrupt("a stored record cannot be decrypted; see the server's log").with_source(error)
            }
            BarrierError::Wiped => Self::sealed(),
            BarrierError::Storage(error) => error.into(),
        }
    }
}

/// Whether a stored value has the form of a ciphertext of the barrier. Whether it is one, only the key can tell.
pub fn is_ciphertext(stored: &[u8]) -> bool {
    envelope::term(stored).is_some()
}

/// Encrypts and decrypts with the keyring it holds, until [`Barrier::wipe`].
pub struct Barrier {
    storage: Arc<dyn Storage>,
    keys: Arc<Keys>,
    ledger: Arc<KeptLedger>,
    /// The keyring is written by one at a time: an older one that is written last would lose the newest term, and with
    /// it all that was encrypted since.
    writing: tokio::sync::Mutex<()>,
    entropy: Arc<dyn Entropy>,
}

impl Barrier {
    /// A barrier with a new keyring, which is there once `txn` is committed through it. The commit fails if there
    /// already is a keyring.
    pub fn create(
        storage: Arc<dyn Storage>,
        root: &RootKey,
        entropy: Arc<dyn Entropy>,
        now: Timestamp,
        txn: &mut Txn,
    ) -> Result<Arc<Self>> {
        let keyring = Keyring::generate(&*entropy, now)?;
        txn.expect(Key::new(KEYRING)?, crate::storage::Expected::Absent);
        txn.put(Key::new(KEYRING)?, keyring.sealed_under(root, &*entropy)?);
        txn.put(Key::new(LEDGER)?, ledger::begun(&keyring, now, &*entropy)?);
        Ok(Arc::new(Self::with(storage, keyring, entropy)))
    }

    /// Opens the keyring in `storage` with `root`.
    pub async fn unlock(
        storage: Arc<dyn Storage>,
        root: &RootKey,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Arc<Self>, BarrierError> {
        let stored = storage.get(&Key::new(KEYRING)?).await?.ok_or(BarrierError::Missing)?;
        let keyring = Keyring::opened_with(root, stored)?;
        Ok(Arc::new(Self::with(storage, keyring, entropy)))
    }

    /// One area of the barrier.
    pub fn view(self: &Arc<Self>, scope: Scope) -> View {
        View::new(self.clone(), scope)
    }

    /// Writes all of `txn` or nothing, durably, and then runs what was to happen on commit.
    pub async fn commit(&self, txn: Txn) -> Result<()> {
        let (batch, on_commit) = txn.into_parts();
        if !batch.is_empty() {
            // After sealing nothing may be written, not even what was encrypted before.
            self.keyring()?;
            self.write(batch).await?;
        }
        for action in on_commit {
            action();
        }
        Ok(())
    }

    /// Adds a new term, which encrypts from now on; records of older terms stay readable.
    pub async fn rotate(&self, root: &RootKey, now: Timestamp) -> Result<u32> {
        let _writing = self.writing.lock().await;
        let next = self.keyring()?.rotated(&*self.entropy, now)?;
        let term = next.status().term;
        self.replace(next, root).await?;
        Ok(term)
    }

    /// The active term: when it was made, how often it was used.
    pub fn key_status(&self) -> Result<KeyStatus> {
        Ok(self.keyring()?.status())
    }

    /// When the keyring is to be rotated by itself.
    pub fn rotation_config(&self) -> Result<RotationConfig> {
        Ok(self.keyring()?.rotation_config())
    }

    /// Changes when the keyring is to be rotated by itself.
    pub async fn configure_rotation(&self, config: RotationConfig, root: &RootKey) -> Result<()> {
        let _writing = self.writing.lock().await;
        let next = self.keyring()?.with_rotation_config(config)?;
        self.replace(next, root).await
    }

    /// Whether the active term has done its share of encryptions, or is old enough, to be followed by the next.
    pub fn rotation_is_due(&self, now: Timestamp) -> Result<bool> {
        Ok(self.keyring()?.rotation_is_due(now))
    }

    /// Writes the keyring with the number of encryptions so far, so that a restart goes on counting.
    pub async fn persist_count(&self, root: &RootKey) -> Result<()> {
        let _writing = self.writing.lock().await;
        self.store(&*self.keyring()?, root).await
    }

    /// Sealing: the keys are gone when this returns and the requests in flight have ended, whoever still holds a view.
    pub fn wipe(&self) {
        self.keys.wipe();
    }

    /// Encrypts `plaintext` for the place that `context` names; for what is kept outside of the store (batch tokens).
    pub fn seal(&self, context: &str, plaintext: &[u8]) -> Result<Vec<u8>> {
        self.keyring()?.encrypt(context, plaintext, &*self.entropy)
    }

    /// Decrypts what [`Barrier::seal`] made for the same `context`.
    pub fn open(&self, context: &str, ciphertext: Vec<u8>) -> Result<SecretBytes> {
        Ok(self.keyring()?.decrypt(context, ciphertext)?)
    }

    fn with(storage: Arc<dyn Storage>, keyring: Keyring, entropy: Arc<dyn Entropy>) -> Self {
        let keys = Arc::new(Keys::new(keyring));
        let ledger = Arc::new(KeptLedger::new(keys.clone(), entropy.clone()));
        Self { storage, keys, ledger, writing: tokio::sync::Mutex::default(), entropy }
    }

    /// Stores `next` and encrypts with it from then on. To be called with `writing` held, as is [`Barrier::store`].
    async fn replace(&self, next: Keyring, root: &RootKey) -> Result<()> {
        self.store(&next, root).await?;
        Ok(self.keys.replace(Arc::new(next))?)
    }

    async fn store(&self, keyring: &Keyring, root: &RootKey) -> Result<()> {
        let mut batch = Batch::new();
        batch.put(Key::new(KEYRING)?, keyring.sealed_under(root, &*self.entropy)?);
        self.write(batch).await
    }

    /// Writes `batch`, and the ledger with it.
    async fn write(&self, mut batch: Batch) -> Result<()> {
        batch.enter_in(self.ledger.clone());
        let written = self.storage.commit(batch).await;
        // If the keys were wiped in between, the ledger could not be written.
        written.map_err(|error| if self.keyring().is_err() { Error::sealed() } else { error.into() })
    }

    fn keyring(&self) -> Result<Arc<Keyring>, BarrierError> {
        self.keys.present()
    }

    fn storage(&self) -> &dyn Storage {
        &*self.storage
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
