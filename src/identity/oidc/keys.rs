//! Named keys: written, rotated, published.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::api::Ttl;
use crate::barrier::{Record, Txn};
use crate::error::{Error, Kind, Result};
use crate::storage::Page;
use crate::time::Timestamp;

use super::algorithm::Algorithm;
use super::signing::{Jwk, KeyPair, PublicKey};
use super::{OidcStore, can_be_name};

/// The key that is there without being made.
pub const DEFAULT_KEY: &str = "default";
/// How long a key signs, and is verified with, unless its operator says otherwise.
const DAY: Ttl = Ttl::from_seconds(86_400);
/// The least time between two rotations, in seconds.
const SHORTEST: u64 = 60;
/// How many rotations an old key can be verified with for.
const LONGEST: u64 = 10;

/// A named key.
#[derive(Debug, Serialize, Deserialize)]
pub struct NamedKey {
    /// How it signs.
    pub algorithm: Algorithm,
    /// How long a signing key is used.
    pub rotation_period: Ttl,
    /// How long it is published after that.
    pub verification_ttl: Ttl,
    /// The clients whose roles may use it; `*` is all.
    pub allowed_client_ids: Vec<String>,
    /// What signs now.
    pub(super) present: KeyPair,
    /// What signs after that. Published already.
    next: KeyPair,
    /// What signed before.
    retired: Vec<Retired>,
    /// When the next one takes its place.
    rotates: Timestamp,
}

impl Record for NamedKey {}

#[derive(Debug, Serialize, Deserialize)]
struct Retired {
    public: PublicKey,
    until: Timestamp,
}

/// What is to be changed of a named key; what is left out stays as it is.
#[derive(Clone, Debug, Default)]
pub struct KeyChange {
    /// How it signs.
    pub algorithm: Option<Algorithm>,
    /// How long a signing key is used.
    pub rotation_period: Option<Ttl>,
    /// How long it is published after that.
    pub verification_ttl: Option<Ttl>,
    /// The clients whose roles may use it.
    pub allowed_client_ids: Option<Vec<String>>,
}

impl KeyChange {
    /// The key that is there without being made.
    fn of_default() -> Self {
        Self { allowed_client_ids: Some(vec!["*".to_owned()]), ..Self::default() }
    }
}

impl OidcStore {
    /// The names of the keys, sorted.
    pub async fn key_names(&self) -> Result<Vec<String>> {
        let mut names: BTreeSet<String> = self.keys.list("", Page::all()).await?.into_iter().collect();
        names.insert(DEFAULT_KEY.to_owned());
        Ok(names.into_iter().collect())
    }

    /// What a key is like, without making the one that is there without being made.
    pub async fn key_facts(&self, name: &str) -> Result<Option<KeyChange>> {
        match self.key(name).await? {
            Some(key) => Ok(Some(KeyChange {
                algorithm: Some(key.algorithm),
                rotation_period: Some(key.rotation_period),
                verification_ttl: Some(key.verification_ttl),
                allowed_client_ids: Some(key.allowed_client_ids),
            })),
            None if name == DEFAULT_KEY => Ok(Some(KeyChange {
                algorithm: Some(Algorithm::default()),
                rotation_period: Some(DAY),
                verification_ttl: Some(DAY),
                ..KeyChange::of_default()
            })),
            None => Ok(None),
        }
    }

    /// Makes or changes the key `name`.
    pub async fn write_key(&self, name: &str, change: KeyChange, txn: &mut Txn) -> Result<()> {
        if !can_be_name(name) {
            return Err(Error::invalid("a key's name must not be empty or have slashes in it"));
        }
        let found: Option<NamedKey> = self.keys.fetch(txn, name).await?;
        let (period, ttl) = (
            change.rotation_period.or(found.as_ref().map(|key| key.rotation_period)).unwrap_or(DAY),
            change.verification_ttl.or(found.as_ref().map(|key| key.verification_ttl)).unwrap_or(DAY),
        );
        if period.seconds() < SHORTEST {
            return Err(Error::invalid("rotation_period must be at least one minute"));
        }
        if ttl.seconds() > period.seconds().saturating_mul(LONGEST) {
            return Err(Error::invalid("verification_ttl cannot be longer than 10x rotation_period"));
        }
        if found.is_some() && self.roles_of(name).await?.iter().any(|(_, role)| role.ttl > ttl) {
            return Err(Error::invalid(format!(
                "unable to update key {name:?} because it is currently referenced by one or more roles with a token ttl \
                 greater than {} seconds",
                ttl.seconds()
            )));
        }
        let mut key = match found {
            Some(key) => key,
            None => self.new_key(change.algorithm.unwrap_or_default(), period).await?,
        };
        if key.rotation_period != period {
            key.rotates = self.clock.now().plus(period.duration());
        }
        (key.rotation_period, key.verification_ttl) = (period, ttl);
        key.allowed_client_ids = change.allowed_client_ids.unwrap_or(key.allowed_client_ids);
        if let Some(algorithm) = change.algorithm.filter(|algorithm| *algorithm != key.algorithm) {
            // What was to come next is of the old kind: both are replaced, and the present one stays for verification.
            key.algorithm = algorithm;
            key.next = self.key_pair(algorithm).await?;
            self.turn(&mut key, ttl).await?;
        }
        self.keys.put(txn, name, &key)
    }

    /// Puts the next signing key in the place of the present one. `verification_ttl` is how long that one is published
    /// from now; the key's own if there is none.
    pub async fn rotate_key(&self, name: &str, verification_ttl: Option<Ttl>, txn: &mut Txn) -> Result<()> {
        let key = self.fetch_key(name, txn).await?;
        let mut key = key.ok_or_else(|| Error::invalid(format!("no named key found at {name:?}")))?;
        let ttl = verification_ttl.unwrap_or(key.verification_ttl);
        self.turn(&mut key, ttl).await?;
        self.keys.put(txn, name, &key)
    }

    /// Deletes the key `name`. One that a role uses stays, and so does the one that is there without being made.
    pub async fn delete_key(&self, name: &str, txn: &mut Txn) -> Result<()> {
        if name == DEFAULT_KEY {
            return Err(Error::invalid("deletion of key \"default\" not allowed"));
        }
        let roles: Vec<String> = self.roles_of(name).await?.into_iter().map(|(role, _)| role).collect();
        if !roles.is_empty() {
            return Err(Error::invalid(format!(
                "unable to delete key {name:?} because it is currently referenced by these roles: {}",
                roles.join(", ")
            )));
        }
        if can_be_name(name) { self.keys.delete(txn, name) } else { Ok(()) }
    }

    /// The public keys of all that roles use.
    pub async fn published(&self) -> Result<Vec<Jwk>> {
        let mut names = BTreeSet::new();
        for role in self.role_names().await? {
            names.extend(self.role(&role).await?.map(|role| role.key));
        }
        let mut found = Vec::new();
        for name in names {
            if let Some(key) = self.key(&name).await? {
                found.extend(key.public(self.clock.now()).map(PublicKey::jwk));
            }
        }
        Ok(found)
    }

    /// The public key of this id.
    pub(super) async fn public_key(&self, id: &str) -> Result<Option<PublicKey>> {
        for name in self.keys.list("", Page::all()).await? {
            let Some(key) = self.key(&name).await? else { continue };
            if let Some(public) = key.public(self.clock.now()).find(|public| public.id == id) {
                return Ok(Some(public.clone()));
            }
        }
        Ok(None)
    }

    /// Rotates the keys whose time has come, each in a commit of its own. Twice is as good as once.
    pub async fn maintain(&self) -> Result<()> {
        let now = self.clock.now();
        for name in self.keys.list("", Page::all()).await? {
            let mut txn = Txn::new();
            let Some(mut key) = self.keys.fetch::<NamedKey>(&mut txn, &name).await? else { continue };
            if key.rotates > now {
                continue;
            }
            let ttl = key.verification_ttl;
            self.turn(&mut key, ttl).await?;
            self.keys.put(&mut txn, &name, &key)?;
            match self.keys.commit(txn).await {
                Err(error) if error.kind() == Kind::Conflict => {}
                outcome => outcome?,
            }
        }
        Ok(())
    }

    pub(super) async fn key(&self, name: &str) -> Result<Option<NamedKey>> {
        if can_be_name(name) { self.keys.get(name).await } else { Ok(None) }
    }

    /// The key, which must be the same when `txn` is committed. The one that is there without being made is made.
    pub(super) async fn fetch_key(&self, name: &str, txn: &mut Txn) -> Result<Option<NamedKey>> {
        if !can_be_name(name) {
            return Ok(None);
        }
        let found: Option<NamedKey> = self.keys.fetch(txn, name).await?;
        if found.is_some() || name != DEFAULT_KEY {
            return Ok(found);
        }
        let mut key = self.new_key(Algorithm::default(), DAY).await?;
        key.allowed_client_ids = KeyChange::of_default().allowed_client_ids.unwrap_or_default();
        self.keys.put(txn, name, &key)?;
        Ok(Some(key))
    }

    async fn new_key(&self, algorithm: Algorithm, period: Ttl) -> Result<NamedKey> {
        Ok(NamedKey {
            algorithm,
            rotation_period: period,
            verification_ttl: DAY,
            allowed_client_ids: Vec::new(),
            present: self.key_pair(algorithm).await?,
            next: self.key_pair(algorithm).await?,
            retired: Vec::new(),
            rotates: self.clock.now().plus(period.duration()),
        })
    }

    async fn turn(&self, key: &mut NamedKey, verification_ttl: Ttl) -> Result<()> {
        let now = self.clock.now();
        let after = self.key_pair(key.algorithm).await?;
        let next = std::mem::replace(&mut key.next, after);
        let past = std::mem::replace(&mut key.present, next);
        key.retired.retain(|retired| retired.until > now);
        key.retired.push(Retired { public: past.public, until: now.plus(verification_ttl.duration()) });
        key.rotates = now.plus(key.rotation_period.duration());
        Ok(())
    }

    async fn key_pair(&self, algorithm: Algorithm) -> Result<KeyPair> {
        let id = self.entropy.uuid()?;
        let made = tokio::task::spawn_blocking(move || KeyPair::generate(algorithm, id)).await;
        made.map_err(|error| Error::internal("a signing key could not be made").with_source(error))?
    }
}

impl NamedKey {
    /// The public keys that something may be verified with at `now`.
    fn public(&self, now: Timestamp) -> impl Iterator<Item = &PublicKey> {
        let retired = self.retired.iter().filter(move |retired| retired.until > now);
        [&self.present.public, &self.next.public].into_iter().chain(retired.map(|retired| &retired.public))
    }

    /// Whether a role of this client may use it.
    pub(super) fn allows(&self, client_id: &str) -> bool {
        self.allowed_client_ids.iter().any(|allowed| allowed == "*" || allowed == client_id)
    }
}
