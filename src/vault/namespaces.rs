//! `Namespaces`: vaults within the vault. Each has mounts, policies, identities, tokens and leases of its own.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};

use crate::api::{ROOT_NAMESPACE, namespace_suffix};
use crate::barrier::{Record, Txn, View};
use crate::error::Result;
use crate::storage::Page;

use super::unsealed::Unsealed;

/// What is stored of a namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namespace {
    /// Six characters that end the names of its tokens, accessors and leases; a word for the root.
    pub id: String,
    /// Names it for good.
    pub uuid: String,
    /// Where it is, with a slash at its end: `team/`, `team/web/`. Empty for the root.
    pub path: String,
    /// What operators wrote beside it.
    pub custom_metadata: BTreeMap<String, String>,
    /// Whether it is being removed; it serves nothing then.
    pub removing: bool,
    /// While it is locked, SHA-256 in hex of the key that unlocks it: it is random and long.
    #[serde(default)]
    pub lock: Option<String>,
}

impl Record for Namespace {}

impl Namespace {
    /// The root.
    pub fn root() -> Self {
        Self { id: ROOT_NAMESPACE.to_owned(), ..Self::default() }
    }

    /// Whether it is the root.
    pub fn is_root(&self) -> bool {
        self.path.is_empty()
    }

    /// Whether the namespace at `path` is this one or lies in it.
    pub fn contains(&self, path: &str) -> bool {
        path.starts_with(&self.path)
    }

    /// How the names of what is made in it end: `.` and its id; empty for the root.
    pub fn suffix(&self) -> String {
        namespace_suffix(&self.id)
    }
}

/// The namespaces of an unsealed vault.
pub struct Namespaces {
    records: View,
    serving: RwLock<Arc<BTreeMap<String, Arc<Unsealed>>>>,
    by_id: RwLock<HashMap<String, Arc<Unsealed>>>,
    /// The paths of those that are locked.
    locked: RwLock<Arc<BTreeSet<String>>>,
}

impl Namespaces {
    /// None yet, over the records of all.
    pub(super) fn new(records: View) -> Self {
        Self { records, serving: RwLock::default(), by_id: RwLock::default(), locked: RwLock::default() }
    }

    /// Every stored namespace but the root, whether or not it serves; those that lie in others after them.
    pub(super) async fn stored(&self) -> Result<Vec<Namespace>> {
        let mut found: Vec<Namespace> = Vec::new();
        for id in self.records.list("", Page::all()).await? {
            found.extend(self.records.get(&id).await?);
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    /// The namespace at exactly this path.
    pub fn at(&self, path: &str) -> Option<Arc<Unsealed>> {
        self.serving().get(path).cloned()
    }

    /// The namespace of this id, also while it is being removed.
    pub fn by_id(&self, id: &str) -> Option<Arc<Unsealed>> {
        self.by_id.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// What is stored of the namespace `id`.
    pub async fn record(&self, id: &str) -> Result<Option<Namespace>> {
        self.records.get(id).await
    }

    /// The same, which must be unchanged when `txn` is committed.
    pub(super) async fn fetch(&self, id: &str, txn: &mut Txn) -> Result<Option<Namespace>> {
        self.records.fetch(txn, id).await
    }

    /// Every namespace, the root first, those that lie in others after them.
    pub fn all(&self) -> Vec<Arc<Unsealed>> {
        self.serving().values().cloned().collect()
    }

    /// Every namespace, also those that are being removed, in no particular order.
    pub(super) fn known(&self) -> Vec<Arc<Unsealed>> {
        self.by_id.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The namespaces that lie in the one at `path`, at any depth.
    pub fn within(&self, path: &str) -> Vec<Arc<Unsealed>> {
        let after = (Bound::Excluded(path.to_owned()), Bound::Unbounded);
        let serving = self.serving();
        let within = serving.range::<String, _>(after).take_while(|(other, _)| other.starts_with(path));
        within.map(|(_, unsealed)| unsealed.clone()).collect()
    }

    /// The innermost namespace that `path`, which begins in the namespace at `base`, leads into, and the rest of the path.
    pub fn resolve<'p>(&self, base: &str, path: &'p str) -> Option<(Arc<Unsealed>, &'p str)> {
        let serving = self.serving();
        let mut found = serving.get(base)?;
        let mut rest = path;
        if serving.len() > 1 {
            let mut full = base.to_owned();
            while let Some((segment, behind)) = rest.split_once('/') {
                full.push_str(segment);
                full.push('/');
                let Some(inner) = serving.get(&full) else { break };
                (found, rest) = (inner, behind);
            }
        }
        Some((found.clone(), rest))
    }

    /// Writes what is stored of a namespace.
    pub(super) fn store(&self, namespace: &Namespace, txn: &mut Txn) -> Result<()> {
        self.records.put(txn, &namespace.id, namespace)
    }

    /// Removes what is stored of a namespace.
    pub(super) fn erase(&self, id: &str, txn: &mut Txn) -> Result<()> {
        self.records.delete(txn, id)
    }

    /// Takes a namespace in; one that is being removed serves nothing.
    pub(super) fn install(&self, unsealed: Arc<Unsealed>) {
        let Namespace { id, path, removing, lock, .. } = unsealed.namespace.clone();
        self.set_locked(&path, lock.is_some());
        self.by_id.write().unwrap_or_else(PoisonError::into_inner).insert(id, unsealed.clone());
        if !removing {
            self.change(|serving| drop(serving.insert(path, unsealed)));
        }
    }

    /// Lets the namespace at `path` serve no more.
    pub(super) fn withdraw(&self, path: &str) {
        self.change(|serving| drop(serving.remove(path)));
        self.set_locked(path, false);
    }

    /// The outermost locked namespace that the one at `path` is or lies in.
    pub fn lock_over(&self, path: &str) -> Option<String> {
        let locked = self.locked.read().unwrap_or_else(PoisonError::into_inner).clone();
        locked.iter().find(|outer| path.starts_with(*outer)).cloned()
    }

    /// Locks the namespace at `path`, or unlocks it.
    pub(super) fn set_locked(&self, path: &str, is_locked: bool) {
        let mut locked = self.locked.write().unwrap_or_else(PoisonError::into_inner);
        if locked.contains(path) != is_locked {
            let next = Arc::make_mut(&mut locked);
            if is_locked {
                next.insert(path.to_owned())
            } else {
                next.remove(path)
            };
        }
    }

    /// Forgets a namespace whose record is gone.
    pub(super) fn forget(&self, id: &str) {
        self.by_id.write().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// Lets go of all of them.
    pub(super) fn clear(&self) {
        self.change(BTreeMap::clear);
        self.by_id.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn change(&self, change: impl FnOnce(&mut BTreeMap<String, Arc<Unsealed>>)) {
        let mut serving = self.serving.write().unwrap_or_else(PoisonError::into_inner);
        let mut next = BTreeMap::clone(&serving);
        change(&mut next);
        *serving = Arc::new(next);
    }

    fn serving(&self) -> Arc<BTreeMap<String, Arc<Unsealed>>> {
        self.serving.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Namespaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Namespaces").finish_non_exhaustive()
    }
}
