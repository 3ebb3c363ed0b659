//! Enabling, tuning, moving and disabling mounts, for secrets engines and auth methods alike.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::barrier::Txn;
use crate::engine::Role;
use crate::engines::kv;
use crate::error::{Error, Kind, Result};
use crate::mount::{Backend, MountConfig, MountEntry, MountPoint, MountState};

use super::init::accessor;
use super::unsealed::Unsealed;

/// A mount that is to be enabled.
#[derive(Debug)]
pub struct NewMount {
    /// Its role.
    pub role: Role,
    /// Where, without `auth/`; with or without slashes at its ends.
    pub path: String,
    /// What.
    pub kind: String,
    /// What its operator says about it.
    pub description: String,
    /// The options of its engine.
    pub options: BTreeMap<String, String>,
    /// How it is tuned.
    pub config: MountConfig,
    /// Kept and shown.
    pub local: bool,
    /// Kept and shown.
    pub seal_wrap: bool,
}

/// How long the answer to disabling a mount waits for what the mount has given out.
const REMOVAL_WAITS: Duration = Duration::from_secs(5);

/// How often an upgrade is tried again because a secret was written meanwhile.
const UPGRADE_ATTEMPTS: usize = 16;

/// Paths that belong to the core.
const RESERVED: [&str; 4] = ["sys/", "auth/", "cubbyhole/", "identity/"];

impl Unsealed {
    /// The mount of `role` at `path`, as operators name it.
    pub fn mount_at(&self, role: Role, path: &str) -> Option<Arc<MountPoint>> {
        self.mounts.at(&full_path(role, path)).filter(|point| point.entry.role == role)
    }

    /// Enables a mount.
    pub async fn enable(&self, new: NewMount) -> Result<()> {
        let _mounting = self.mounting.lock().await;
        let NewMount { role, path, kind, description, mut options, config, local, seal_wrap } = new;
        let path = self.free_path(role, &path)?;
        let mut kind = kind;
        if kind == "kv-v2" {
            "kv".clone_into(&mut kind);
            options.insert("version".to_owned(), "2".to_owned());
        }
        if ["system", "token", "cubbyhole", "identity"].contains(&kind.as_str()) {
            return Err(Error::invalid(format!("mount type of {kind:?} is not mountable")));
        }
        let version = options.get("version").map(String::as_str);
        if kind == "kv" && !matches!(version, None | Some("" | "1" | "2")) {
            return Err(Error::invalid("the option 'version' of a kv mount must be 1 or 2"));
        }
        checked(&config)?;
        let entry = MountEntry {
            uuid: self.core.parts.entropy.uuid()?,
            accessor: accessor(role, &kind, &self.core.parts)?,
            path,
            role,
            kind,
            description,
            options,
            config,
            local,
            seal_wrap,
            state: MountState::Active,
        };
        let backend = self.open_backend(&entry).await?;
        self.write_entry(&entry).await?;
        self.install(entry, backend);
        Ok(())
    }

    /// Changes how a mount is tuned; `change` sees its entry as it is.
    pub async fn tune(
        &self,
        role: Role,
        path: &str,
        change: impl FnOnce(&mut MountEntry) -> Result<()> + Send,
    ) -> Result<()> {
        let _mounting = self.mounting.lock().await;
        let point = self.mount_at(role, path).ok_or_else(|| no_mount(role, path))?;
        let mut entry = point.entry.clone();
        change(&mut entry)?;
        checked(&entry.config)?;
        let backend = if entry.options == point.entry.options {
            point.backend.clone()
        } else {
            self.open_backend(&entry).await?
        };
        if is_versioned(&entry) && !is_versioned(&point.entry) {
            self.upgrade(&entry).await?;
        } else {
            self.write_entry(&entry).await?;
        }
        self.install(entry, backend);
        Ok(())
    }

    /// Writes a mount that becomes one of `kv` version 2, and its secrets, all at once.
    async fn upgrade(&self, entry: &MountEntry) -> Result<()> {
        for _ in 0..UPGRADE_ATTEMPTS {
            let mut txn = Txn::new();
            let view = self.view(&format!("mount/{}", entry.uuid));
            kv::v2::upgrade(view, self.deps.clock.now(), &mut txn).await?;
            self.mounts.store(entry, &mut txn)?;
            match self.commit(txn).await {
                Err(error) if error.kind() == Kind::Conflict => {}
                done => return done,
            }
        }
        Err(Error::new(Kind::Unavailable, "the mount is written to all the time; try again"))
    }

    /// Moves a mount. Its leases are revoked first, since their ids name the old path.
    pub async fn move_mount(&self, role: Role, from: &str, to: &str) -> Result<()> {
        let _mounting = self.mounting.lock().await;
        let point = self.mount_at(role, from).ok_or_else(|| Error::invalid("no matching mount at 'from'"))?;
        refuse_built_in(&point)?;
        let target = self.free_path(role, to)?;
        self.doom_leases_of(&point).await?;
        let mut entry = point.entry.clone();
        entry.path = target;
        self.write_entry(&entry).await?;
        let target = self.whole(&entry);
        self.install(entry, point.backend.clone());
        self.core.move_quotas(&self.whole(&point.entry), &target).await
    }

    /// Disables a mount: it serves nothing from now on; its leases are revoked and its records removed in the
    /// background, also after a restart. A mount that is not there is a success.
    pub async fn disable(self: &Arc<Self>, role: Role, path: &str) -> Result<()> {
        let (begun, uuid) = {
            let _mounting = self.mounting.lock().await;
            let Some(point) = self.mount_at(role, path) else { return Ok(()) };
            refuse_built_in(&point)?;
            let mut entry = point.entry.clone();
            entry.state = MountState::Removing;
            self.write_entry(&entry).await?;
            let uuid = entry.uuid.clone();
            self.install(entry, point.backend.clone());
            (self.begin_removal(&point).await, uuid)
        };
        let (done, finished) = tokio::sync::oneshot::channel();
        let unsealed = self.clone();
        self.core.spawn_to_its_end("remove a mount", async move {
            // Now rather than when it is next looked at; what fails stays due.
            let _ = unsealed.leases.sweep(&*unsealed, &unsealed.shutdown).await;
            let removed = unsealed.shutdown.run_until_cancelled(unsealed.remove(&uuid)).await;
            let _ = done.send(());
            removed.unwrap_or(Ok(()))
        });
        // The mount is gone from now on, whatever failed here: that is done again behind the answer.
        begun?;
        // Whoever disables an auth method expects its tokens to be gone with the answer, which they are by then unless
        // something else has to be reached for them and cannot be. That is gone on with behind the answer.
        let _ = tokio::time::timeout(REMOVAL_WAITS, finished).await;
        Ok(())
    }

    /// Removes a mount that was disabled. What fails is tried again: a disk that is full now may have room later.
    pub(super) async fn remove(&self, uuid: &str) -> Result<()> {
        let mut pause = Duration::from_millis(100);
        loop {
            match self.finish_removal(uuid).await {
                Err(error) if error.kind() != Kind::Sealed => {
                    tracing::warn!(%error, "a mount that was disabled could not be removed; it is tried again");
                }
                ended => return ended,
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_mins(1));
        }
    }

    async fn begin_removal(&self, point: &MountPoint) -> Result<()> {
        self.doom_leases_of(point).await?;
        if self.is_followed(point) {
            return Ok(());
        }
        self.core.drop_quotas(&self.whole(&point.entry)).await
    }

    /// Whether another mount stands where this one stood.
    fn is_followed(&self, point: &MountPoint) -> bool {
        self.mounts.at(&point.entry.path).is_some_and(|present| present.entry.uuid != point.entry.uuid)
    }

    /// Revokes what is left of the leases of a mount that was disabled, then removes its records and itself.
    async fn finish_removal(&self, uuid: &str) -> Result<()> {
        let Some(point) = self.mounts.by_id(uuid) else { return Ok(()) };
        self.begin_removal(&point).await?;
        point.gate.drain().await;
        let mut pause = Duration::from_millis(10);
        loop {
            self.doom_leases_of(&point).await?;
            if self.leases_of(&point).await?.is_empty() {
                break;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
        let view = self.view(&format!("mount/{uuid}"));
        // A batch at a time, so that a large mount does not become one huge commit.
        let keys = view.scan("").await?;
        for part in keys.chunks(256) {
            let mut txn = Txn::new();
            for key in part {
                view.delete(&mut txn, key)?;
            }
            self.commit(txn).await?;
        }
        self.forget_aliases(&point.entry.accessor).await?;
        let mut txn = Txn::new();
        self.mounts.erase(&point.entry, &mut txn)?;
        self.commit(txn).await?;
        self.mounts.forget(uuid);
        Ok(())
    }

    /// The path of a mount as it is called in the root namespace.
    fn whole(&self, entry: &MountEntry) -> String {
        format!("{}{}", self.namespace.path, entry.path)
    }

    async fn write_entry(&self, entry: &MountEntry) -> Result<()> {
        let mut txn = Txn::new();
        self.mounts.store(entry, &mut txn)?;
        self.commit(txn).await
    }

    /// The ids of the leases that this very mount made. A token's lease says only by its path which mount made it: once
    /// another one stands there they are taken for the other's, those of this one having been doomed before.
    async fn leases_of(&self, point: &MountPoint) -> Result<Vec<String>> {
        let mut found = Vec::new();
        let is_followed = self.is_followed(point);
        for id in self.leases.below(&point.entry.path).await? {
            let Some(lease) = self.leases.lease(&id).await? else { continue };
            let is_ours = match lease.mount() {
                Some(mount) => mount == point.entry.uuid,
                None => point.entry.role == Role::Auth && !is_followed,
            };
            if is_ours {
                found.push(id);
            }
        }
        Ok(found)
    }

    async fn doom_leases_of(&self, point: &MountPoint) -> Result<()> {
        self.leases.doom_all(&self.leases_of(point).await?).await
    }

    /// The full path of a new mount, if nothing is in its way.
    fn free_path(&self, role: Role, path: &str) -> Result<String> {
        let shown = format!("{}/", path.trim_matches('/'));
        if shown == "/" {
            return Err(Error::invalid("the path of a mount must not be empty"));
        }
        crate::api::ApiPath::parse(&shown).map_err(|error| Error::invalid(error.to_string()))?;
        let full = full_path(role, path);
        let reserved = role == Role::Secret && RESERVED.iter().any(|reserved| full.starts_with(reserved));
        let reserved = reserved || full.starts_with("auth/token/");
        if reserved {
            return Err(Error::invalid(format!("cannot mount {shown:?}")));
        }
        // What begins with a namespace's name is that namespace's.
        let inner = self.core.namespaces.resolve(&self.namespace.path, &full);
        if let Some((inner, _)) = inner.filter(|(inner, _)| inner.namespace != self.namespace) {
            let at = inner.namespace.path.strip_prefix(&self.namespace.path).unwrap_or_default();
            return Err(Error::invalid(format!("existing mount at {at}: it is a namespace")));
        }
        match self.mounts.in_the_way(&full) {
            Some(other) => {
                let other = if role == Role::Auth { other.strip_prefix("auth/").unwrap_or(&other) } else { &*other };
                Err(Error::invalid(format!("path is already in use at {other}")))
            }
            None => Ok(full),
        }
    }

    /// The engine behind a mount that is gone or going.
    pub(super) fn engine_of(&self, mount: &str) -> Option<Backend> {
        self.mounts.by_id(mount).map(|point| point.backend.clone())
    }
}

/// Whether a mount keeps versions of its secrets.
pub(super) fn is_versioned(entry: &MountEntry) -> bool {
    entry.kind == "kv" && entry.options.get("version").is_some_and(|version| version == "2")
}

/// The path in the mount table of what operators call `path`.
fn full_path(role: Role, path: &str) -> String {
    let path = path.trim_matches('/');
    match role {
        Role::Secret => format!("{path}/"),
        Role::Auth => format!("auth/{path}/"),
    }
}

fn refuse_built_in(point: &MountPoint) -> Result<()> {
    let path = point.entry.path.as_str();
    if RESERVED.contains(&path) || path == "auth/token/" {
        return Err(Error::invalid(format!("the mount {path:?} is a part of the vault and stays where it is")));
    }
    Ok(())
}

fn no_mount(role: Role, path: &str) -> Error {
    match role {
        Role::Secret => Error::invalid(format!("No secret engine mount at {}/", path.trim_matches('/'))),
        Role::Auth => Error::invalid(format!("No auth engine at {}/", path.trim_matches('/'))),
    }
}

fn checked(config: &MountConfig) -> Result<()> {
    let (default, max) = (config.default_lease_ttl, config.max_lease_ttl);
    if !max.is_zero() && default > max {
        return Err(Error::invalid("backend default lease TTL must be less than or equal to its max lease TTL"));
    }
    Ok(())
}
