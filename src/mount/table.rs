//! `MountTable`: which mount a path belongs to.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use crate::audit::AuditedMount;
use crate::barrier::{Txn, View};
use crate::engine::{Kind, Mount, Mounted, Role};
use crate::error::{Error, Result};
use crate::metrics::MountMeter;
use crate::storage::Page;

use super::entry::{MountEntry, MountState, MountTune};
use super::gate::Gate;

/// The kinds of engine that can be mounted.
#[derive(Clone, Debug)]
pub struct Registry(Arc<[Kind]>);

impl Registry {
    /// A registry of these kinds.
    pub fn new(kinds: Vec<Kind>) -> Self {
        Self(kinds.into())
    }

    /// Every kind.
    pub fn kinds(&self) -> &[Kind] {
        &self.0
    }

    /// The kind that serves mounts of type `name` with these options. `kv` of version 2 is a kind of its own.
    pub fn find(&self, role: Role, name: &str, version: Option<&str>) -> Option<&Kind> {
        let name = match (name, version) {
            ("kv", Some("2")) => "kv-v2",
            ("generic", _) => "kv",
            (name, _) => name,
        };
        self.0.iter().find(|kind| kind.role == role && kind.name == name)
    }
}

/// What answers behind a mount.
#[derive(Clone, Debug)]
pub enum Backend {
    /// An engine of the registry.
    Engine(Arc<dyn Mounted>),
    /// `sys/`, which is a part of the core.
    System,
    /// `auth/token/`, which is a part of the core.
    Token,
    /// `identity/`, which is a part of the core.
    Identity,
    /// An engine that could not be opened: it answers nothing, and keeps what it has.
    Unopened,
}

/// A mount that serves.
#[derive(Debug)]
pub struct MountPoint {
    /// What is stored of it.
    pub entry: MountEntry,
    /// The same as its handlers see it.
    pub facts: Mount,
    /// The same as the audit log shows it.
    pub audit: Arc<AuditedMount>,
    /// What answers.
    pub backend: Backend,
    /// The requests that it is answering.
    pub gate: Gate,
    /// What is counted of it.
    pub meter: Arc<MountMeter>,
}

/// The mounts that answer.
#[derive(Default)]
struct Serving {
    /// By their paths without the slash at the end.
    by_path: BTreeMap<String, Arc<MountPoint>>,
    by_accessor: HashMap<String, Arc<MountPoint>>,
}

impl Serving {
    /// The mount that `path` lies in, and the path of that mount as it stands in `path`.
    fn over<'p>(&self, path: &'p str) -> Option<(&Arc<MountPoint>, &'p str)> {
        let mut end = path.len();
        loop {
            let candidate = path.get(..end)?.trim_end_matches('/');
            if let Some(point) = self.by_path.get(candidate) {
                return Some((point, candidate));
            }
            end = candidate.rfind('/')?;
        }
    }

    fn insert(&mut self, point: Arc<MountPoint>) {
        self.by_accessor.insert(point.entry.accessor.clone(), point.clone());
        self.by_path.insert(point.entry.path.trim_end_matches('/').to_owned(), point);
    }

    fn remove(&mut self, point: &MountPoint) {
        self.by_accessor.remove(&point.entry.accessor);
        self.by_path.remove(point.entry.path.trim_end_matches('/'));
    }
}

/// The mounts of one namespace.
pub struct MountTable {
    records: View,
    serving: RwLock<Serving>,
    by_id: RwLock<HashMap<String, Arc<MountPoint>>>,
    namespace_id: String,
    server: MountTune,
}

impl MountTable {
    /// An empty table over its records.
    pub fn new(records: View, namespace_id: &str, server: MountTune) -> Self {
        Self {
            records,
            serving: RwLock::default(),
            by_id: RwLock::default(),
            namespace_id: namespace_id.to_owned(),
            server,
        }
    }

    /// Every stored mount, whether or not it serves.
    pub async fn stored(&self) -> Result<Vec<MountEntry>> {
        let mut entries = Vec::new();
        for name in self.records.list("", Page::all()).await? {
            entries.extend(self.records.get::<MountEntry>(&name).await?);
        }
        Ok(entries)
    }

    /// The mount that `path` (with or without a slash at its end) lies in, and the rest of the path.
    pub fn route<'p>(&self, path: &'p str) -> Option<(Arc<MountPoint>, &'p str)> {
        let serving = self.serving.read().unwrap_or_else(PoisonError::into_inner);
        let (point, at) = serving.over(path)?;
        let rest = path.get(at.len()..).unwrap_or_default();
        Some((point.clone(), rest.strip_prefix('/').unwrap_or(rest)))
    }

    /// The mount at exactly this path.
    pub fn at(&self, path: &str) -> Option<Arc<MountPoint>> {
        let serving = self.serving.read().unwrap_or_else(PoisonError::into_inner);
        serving.by_path.get(path.trim_end_matches('/')).cloned()
    }

    /// The mount of this id, also while it is being removed.
    pub fn by_id(&self, uuid: &str) -> Option<Arc<MountPoint>> {
        self.by_id.read().unwrap_or_else(PoisonError::into_inner).get(uuid).cloned()
    }

    /// The mount of this accessor.
    pub fn by_accessor(&self, accessor: &str) -> Option<Arc<MountPoint>> {
        self.serving.read().unwrap_or_else(PoisonError::into_inner).by_accessor.get(accessor).cloned()
    }

    /// Every mount that serves, by path.
    pub fn serving(&self) -> Vec<Arc<MountPoint>> {
        self.serving.read().unwrap_or_else(PoisonError::into_inner).by_path.values().cloned().collect()
    }

    /// The ids of the mounts that are being removed.
    pub fn removing(&self) -> Vec<String> {
        let known = self.by_id.read().unwrap_or_else(PoisonError::into_inner);
        let removing = known.values().filter(|point| point.entry.state == MountState::Removing);
        removing.map(|point| point.entry.uuid.clone()).collect()
    }

    /// Makes the commit of `txn` fail unless the mount `uuid` serves at that moment: what a request makes of a mount that
    /// is disabled meanwhile would outlive it.
    pub async fn require_serving(&self, uuid: &str, txn: &mut Txn) -> Result<()> {
        let entry: Option<MountEntry> = self.records.fetch(txn, uuid).await?;
        match entry.map(|entry| entry.state) {
            Some(MountState::Active) => Ok(()),
            Some(MountState::Removing) | None => Err(Error::not_found("the mount was disabled meanwhile")),
        }
    }

    /// The path of a mount that is in the way of a new one at `path`: over it, under it, or at it.
    pub fn in_the_way(&self, path: &str) -> Option<String> {
        // `auth/` itself is no mount, and every auth method lies below it.
        let serving = self.serving.read().unwrap_or_else(PoisonError::into_inner);
        let below = || serving.by_path.range(path.to_owned()..).next().filter(|(other, _)| other.starts_with(path));
        let found = serving.over(path).map(|(point, _)| point).or_else(|| below().map(|(_, point)| point));
        found.map(|point| point.entry.path.clone())
    }

    /// Puts the record of a mount into `txn`.
    pub fn store(&self, entry: &MountEntry, txn: &mut Txn) -> Result<()> {
        self.records.put(txn, &entry.uuid, entry)
    }

    /// Removes the record of a mount.
    pub fn erase(&self, entry: &MountEntry, txn: &mut Txn) -> Result<()> {
        self.records.delete(txn, &entry.uuid)
    }

    /// Takes a mount into the table, or replaces what is known of it; one that is being removed serves nothing. Its requests
    /// are counted in `meter`.
    pub fn install(&self, entry: MountEntry, backend: Backend, meter: Arc<MountMeter>) {
        let facts = entry.facts(&self.namespace_id, self.server);
        let audit = Arc::new(AuditedMount::new(entry.audit_facts()));
        let uuid = entry.uuid.clone();
        let gate = self.by_id(&uuid).map(|point| point.gate.clone()).unwrap_or_default();
        let point = Arc::new(MountPoint { entry, facts, audit, backend, gate, meter });
        let previous = self.by_id.write().unwrap_or_else(PoisonError::into_inner).insert(uuid, point.clone());
        let mut serving = self.serving.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(previous) = previous {
            serving.remove(&previous);
        }
        if point.entry.state == MountState::Active {
            serving.insert(point);
        }
    }

    /// Forgets a mount whose record is gone.
    pub fn forget(&self, uuid: &str) {
        self.by_id.write().unwrap_or_else(PoisonError::into_inner).remove(uuid);
    }

    /// The backend of the mount at `path`, for one that is to be installed again with another entry.
    pub fn backend(&self, uuid: &str) -> Result<Backend> {
        let point = self.by_id(uuid).ok_or_else(|| Error::internal("the mount is gone"))?;
        Ok(point.backend.clone())
    }

    /// The server's own bounds.
    pub fn server(&self) -> MountTune {
        self.server
    }
}

impl fmt::Debug for MountTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MountTable").field("namespace_id", &self.namespace_id).finish_non_exhaustive()
    }
}
