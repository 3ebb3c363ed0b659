//! Locking namespaces: while one is locked, nothing in it answers but its unlocking.

use data_encoding::HEXLOWER;
use ring::digest;
use subtle::ConstantTimeEq as _;

use crate::barrier::Txn;
use crate::error::{Error, Kind, Result};
use crate::secret::SecretText;

use super::namespaces::Namespace;
use super::unsealed::Unsealed;

/// The length of an unlock key, of 62 characters each.
const KEY_LENGTH: usize = 24;

impl Unsealed {
    /// Locks the namespace at `path` from this one (empty for this one itself), and gives the key that unlocks it.
    pub async fn lock_namespace(&self, path: &str) -> Result<SecretText> {
        let key = SecretText::new(self.deps.entropy.base62(KEY_LENGTH)?);
        let lock = digest_of(&key);
        self.change_lock(path, |namespace| {
            let path = &namespace.path;
            // A lock within a lock would have a key that nobody knows of any more when the outer one is gone.
            if let Some(outer) = self.core.namespaces.lock_over(path).filter(|outer| outer != path) {
                return Err(Error::invalid(format!(
                    "cannot lock namespace {path:?}: ancestor namespace {outer:?} is already locked"
                )));
            }
            if namespace.lock.is_some() {
                return Err(Error::invalid(format!("cannot lock namespace {path:?}: is already locked")));
            }
            namespace.lock = Some(lock.clone());
            Ok(())
        })
        .await?;
        Ok(key)
    }

    /// Unlocks the namespace at `path` from this one. Nothing for a key is for operators who need none.
    pub async fn unlock_namespace(&self, path: &str, key: Option<&SecretText>) -> Result<()> {
        let shown = key.map(digest_of);
        self.change_lock(path, |namespace| {
            let Some(lock) = namespace.lock.take() else {
                return Err(Error::invalid(format!("namespace {:?} is not locked", namespace.path)));
            };
            match &shown {
                Some(shown) if !bool::from(shown.as_bytes().ct_eq(lock.as_bytes())) => {
                    Err(Error::invalid("incorrect unlock key"))
                }
                Some(_) | None => Ok(()),
            }
        })
        .await
    }

    async fn change_lock(&self, path: &str, change: impl Fn(&mut Namespace) -> Result<()> + Send) -> Result<()> {
        let path = path.trim_matches('/');
        let end = if path.is_empty() { "" } else { "/" };
        let found = self.core.namespaces.at(&format!("{}{path}{end}", self.namespace.path));
        let found = found.ok_or_else(|| Error::invalid("requested namespace does not exist"))?;
        if found.namespace.is_root() {
            return Err(Error::invalid("root namespace cannot be locked/unlocked"));
        }
        loop {
            let mut txn = Txn::new();
            let record = self.core.namespaces.fetch(&found.namespace.id, &mut txn).await?;
            let mut record = record.ok_or_else(|| Error::corrupt("the record of a namespace is missing"))?;
            change(&mut record)?;
            self.core.namespaces.store(&record, &mut txn)?;
            let (core, locked) = (self.core.clone(), record.lock.is_some());
            txn.on_commit(move || core.namespaces.set_locked(&record.path, locked));
            match self.commit(txn).await {
                Err(error) if error.kind() == Kind::Conflict => {}
                outcome => return outcome,
            }
        }
    }
}

fn digest_of(key: &SecretText) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, key.expose().as_bytes()).as_ref())
}
