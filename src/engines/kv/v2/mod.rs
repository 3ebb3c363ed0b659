//! `kv` version 2: several versions of one secret at each path, with metadata.
//!
//! What is stored, below the mount:
//!
//! | key | record |
//! |---|---|
//! | `config` | `config::Config`: the mount's settings |
//! | `meta/<path>` | `secret::Secret`: settings, table of versions, and the payload of the current version |
//! | `version/<path>/<n>` | `secret::Payload`: the payload of the older version n |
//!
//! So the newest version takes one read, one decryption. A new version moves the payload of the one before it to its own
//! record, in the same transaction. The last segment of a key below `version/` is always a number, so that the versions
//! of a secret `a` and those of a secret `a/1` never have the same key. Every change begins with a fetch of the secret's
//! record: of two changes at the same time one is tried again.

mod config;
mod custom_metadata;
mod data;
mod delete_after;
mod elsewhere;
mod merge_patch;
mod metadata;
mod secret;
mod subkeys;
mod upgrade;
mod versions;

use serde_json::Value;

use crate::engine::{Deps, Engine, Routes, SecretsEngine, Txn, View};
use crate::error::{Error, Result};
use crate::secret::SecretJson;
use crate::time::Timestamp;

use config::Config;
pub use upgrade::upgrade;

use secret::{Payload, Secret, Version, VersionInfo};

/// A mounted `kv` engine of version 2.
#[derive(Debug)]
pub struct Kv2 {
    view: View,
    secrets: View,
    payloads: View,
}

impl Engine for Kv2 {
    const KIND: &'static str = "kv-v2";

    async fn open(view: View, _options: &Value, _deps: Deps) -> Result<Self> {
        Ok(Self::over(view))
    }

    async fn maintain(&self, now: Timestamp) -> Result<()> {
        upgrade::late(self, now).await
    }

    fn routes() -> Routes<Self> {
        let routes = Routes::new()
            .endpoint::<config::read::Read>()
            .endpoint::<config::write::Write>()
            .endpoint::<data::read::Read>()
            .endpoint::<data::write::Write>()
            .endpoint::<data::patch::Patch>()
            .endpoint::<data::delete::Delete>()
            .endpoint::<versions::delete::Delete>()
            .endpoint::<versions::undelete::Undelete>()
            .endpoint::<versions::destroy::Destroy>()
            .endpoint::<metadata::read::Read>()
            .endpoint::<metadata::write::Write>()
            .endpoint::<metadata::patch::Patch>()
            .endpoint::<metadata::delete::Delete>()
            .endpoint::<metadata::list::List>()
            .endpoint::<metadata::scan::Scan>()
            .endpoint::<metadata::detailed::List>()
            .endpoint::<metadata::detailed::Scan>()
            .endpoint::<subkeys::Read>();
        elsewhere::add(routes)
    }
}

impl SecretsEngine for Kv2 {}

/// One version of a secret, as a reader sees it.
struct Snapshot {
    info: VersionInfo,
    /// Whether the version is there to be read: neither deleted nor destroyed.
    live: bool,
    /// The payload of a live version; nothing is `null`.
    payload: Option<SecretJson>,
}

/// Where the secrets of a mount lie.
pub(super) const SECRETS: &str = "meta";

/// How often a reader of an older version starts again because the secret was changed meanwhile.
const READ_ATTEMPTS: usize = 4;

impl Kv2 {
    /// The engine over its part of the barrier.
    fn over(view: View) -> Self {
        Self { secrets: view.within(SECRETS), payloads: view.within("version"), view }
    }

    /// The mount's settings.
    async fn config(&self) -> Result<Config> {
        Ok(self.view.get(config::KEY).await?.unwrap_or_default())
    }

    /// The secret at `path`, to be looked at.
    async fn secret(&self, path: &str) -> Result<Option<Secret>> {
        self.secrets.get(path).await
    }

    /// The secret at `path`, to be changed.
    async fn fetch(&self, txn: &mut Txn, path: &str) -> Result<Option<Secret>> {
        self.secrets.fetch(txn, path).await
    }

    /// Writes the record of the secret at `path`.
    fn save(&self, txn: &mut Txn, path: &str, secret: &Secret) -> Result<()> {
        self.secrets.put(txn, path, secret)
    }

    /// Version `asked` of the secret at `path`; 0 is the current one. Nothing where there is no such version.
    async fn snapshot(&self, path: &str, asked: u64, now: Timestamp) -> Result<Option<Snapshot>> {
        for _ in 0..READ_ATTEMPTS {
            let Some(mut secret) = self.secret(path).await? else { return Ok(None) };
            let number = if asked == 0 { secret.current } else { asked };
            let Some(version) = secret.versions.get(&number).copied() else { return Ok(None) };
            let live = version.is_live(now);
            let payload = if number == secret.current || !live {
                secret.payload.take().filter(|_| live)
            } else {
                match self.payloads.get::<Payload>(&payload_key(path, number)).await? {
                    Some(payload) if payload.created == version.created => payload.data,
                    // The secret was changed between the two reads.
                    Some(_) | None => continue,
                }
            };
            let info = VersionInfo::new(number, version, secret.custom_metadata);
            return Ok(Some(Snapshot { info, live, payload }));
        }
        Err(Error::corrupt("the payload of a version is missing in the store; see the server's log"))
    }

    /// Writes `new` as the next version of `secret`, and lets the oldest versions go.
    fn write_version(&self, txn: &mut Txn, path: &str, mut secret: Secret, new: NewVersion) -> Result<VersionInfo> {
        let previous = secret.current;
        let number = previous + 1;
        let oldest = number.saturating_sub(new.keep) + 1;
        let kept = secret.versions.split_off(&oldest);
        let dropped = std::mem::replace(&mut secret.versions, kept);
        for number in dropped.keys() {
            self.payloads.delete(txn, &payload_key(path, *number))?;
        }
        if number >= new.keep {
            secret.oldest = oldest;
        }
        if let Some(version) = secret.versions.get(&previous).filter(|version| !version.destroyed) {
            let payload = Payload { created: version.created, data: secret.payload.take() };
            self.payloads.put(txn, &payload_key(path, previous), &payload)?;
        }
        let version = Version::new(new.now, new.deletion);
        secret.versions.insert(number, version);
        secret.current = number;
        secret.updated = new.now.into();
        secret.payload = Some(new.payload);
        self.save(txn, path, &secret)?;
        Ok(VersionInfo::new(number, version, secret.custom_metadata))
    }

    /// Makes a version of `secret` unreadable for good. Whether that changed anything.
    fn destroy(&self, txn: &mut Txn, path: &str, secret: &mut Secret, number: u64) -> Result<bool> {
        let Some(version) = secret.versions.get_mut(&number).filter(|version| !version.destroyed) else {
            return Ok(false);
        };
        version.destroyed = true;
        if number == secret.current {
            secret.payload = None;
        } else {
            self.payloads.delete(txn, &payload_key(path, number))?;
        }
        Ok(true)
    }

    /// Removes all of the secret at `path`.
    fn remove(&self, txn: &mut Txn, path: &str, secret: &Secret) -> Result<()> {
        for number in secret.versions.keys().filter(|number| **number != secret.current) {
            self.payloads.delete(txn, &payload_key(path, *number))?;
        }
        self.secrets.delete(txn, path)
    }
}

/// A version that is to be written.
struct NewVersion {
    payload: SecretJson,
    now: Timestamp,
    /// When it deletes itself.
    deletion: Option<Timestamp>,
    /// How many versions are kept, this one among them.
    keep: u64,
}

fn payload_key(path: &str, number: u64) -> String {
    format!("{path}/{number}")
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
