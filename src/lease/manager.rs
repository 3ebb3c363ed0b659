//! `LeaseManager`: registers, looks up, lists, ends.

use std::fmt;
use std::sync::Arc;

use crate::api::{ROOT_NAMESPACE, Ttl, namespace_suffix};
use crate::barrier::{Barrier, Scope, Txn, View};
use crate::engine::{Bounds, Granted, Intent, NewLease, grant};
use crate::entropy::Entropy;
use crate::error::{Error, Kind, Result};
use crate::secret::SecretJson;
use crate::storage::Page;
use crate::time::{Clock, Timestamp};

use super::census::Census;
use super::record::{Due, Lease, LeaseState, Target, due_key};

/// The leases of one namespace.
pub struct LeaseManager {
    pub(super) barrier: Arc<Barrier>,
    pub(super) records: View,
    pub(super) due: View,
    owned: View,
    namespace_id: String,
    entropy: Arc<dyn Entropy>,
    pub(super) clock: Arc<dyn Clock>,
    census: Arc<dyn Census>,
}

/// Whom a lease belongs to.
#[derive(Clone, Copy, Debug)]
pub struct LeaseOwner<'a> {
    /// The id of the token; empty for none.
    pub token_id: &'a str,
    /// When a token that cannot own a lease (a batch token) ends: so does the lease.
    pub ends: Option<Timestamp>,
}

/// A lease that ends with a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedLease {
    /// Its id.
    pub lease_id: String,
    /// The id of the namespace that it is in.
    pub namespace_id: String,
}

/// The lease that ends a token, before it is registered.
#[derive(Debug)]
pub struct TokenLease {
    /// Its id.
    pub lease_id: String,
    /// The id of the token.
    pub token_id: String,
    /// The role that its holder logged in with; empty for none.
    pub role: String,
    /// When it ends.
    pub expires: Timestamp,
    /// Whether it begins although there are too many.
    pub forced: bool,
}

/// What is to be granted, beside what the engine says.
#[derive(Debug)]
pub struct Grant<'a> {
    /// The path of the request.
    pub path: &'a str,
    /// The id of the mount.
    pub mount: &'a str,
    /// The mount's default and maximum.
    pub bounds: Bounds,
    /// Whom it belongs to.
    pub owner: LeaseOwner<'a>,
}

/// How long an intent may stand before it is taken for abandoned.
const INTENT_SECONDS: u64 = 300;

impl LeaseManager {
    /// The leases of a namespace, of which `census` is told.
    pub fn new(
        barrier: Arc<Barrier>,
        namespace_id: &str,
        entropy: Arc<dyn Entropy>,
        clock: Arc<dyn Clock>,
        census: Arc<dyn Census>,
    ) -> Self {
        let view = barrier.view(Scope::new(namespace_id, "lease"));
        Self {
            records: view.within("id"),
            due: view.within("due"),
            // A token may own leases in namespaces below its own: one index tells all of them.
            owned: barrier.view(Scope::new(ROOT_NAMESPACE, "lease")).within("owner"),
            namespace_id: namespace_id.to_owned(),
            barrier,
            entropy,
            clock,
            census,
        }
    }

    /// Records that something is about to be made; `txn` is to be committed before it is.
    pub fn intend(&self, new: NewLease, grant: &Grant<'_>, txn: &mut Txn) -> Result<Intent> {
        let now = self.clock.now();
        let lease = Lease {
            id: self.new_id(grant.path)?,
            target: Target::Secret { mount: grant.mount.to_owned(), data: new.data },
            owner: grant.owner.token_id.to_owned(),
            role: String::new(),
            issued: now,
            expires: Some(now.plus(Ttl::from_seconds(INTENT_SECONDS).duration())),
            last_renewal: None,
            renewable: false,
            ttl: Ttl::default(),
            max_ttl: Ttl::default(),
            latest: None,
            state: LeaseState::Intended,
        };
        self.count(&lease, false, txn)?;
        self.write(&lease, None, txn)?;
        Ok(Intent { lease_id: lease.id })
    }

    /// Gives an intent up: whatever it may have led to is undone, now or later. The record is written whether or not it
    /// is still there, since the intent may have been undone before the thing was made.
    pub async fn give_up(&self, id: &str, mount: &str, data: SecretJson) -> Result<()> {
        loop {
            let mut txn = Txn::new();
            let before: Option<Lease> = self.records.fetch(&mut txn, id).await?;
            let now = self.clock.now();
            let lease = Lease {
                id: id.to_owned(),
                target: Target::Secret { mount: mount.to_owned(), data: data.copy() },
                owner: String::new(),
                role: String::new(),
                issued: now,
                expires: Some(now),
                last_renewal: None,
                renewable: false,
                ttl: Ttl::default(),
                max_ttl: Ttl::default(),
                latest: None,
                state: LeaseState::Revoking { attempts: 0 },
            };
            if before.is_none() {
                self.count(&lease, true, &mut txn)?;
            }
            self.write(&lease, before.as_ref(), &mut txn)?;
            match self.barrier.commit(txn).await {
                Err(error) if error.kind() == Kind::Conflict => {}
                outcome => return outcome,
            }
        }
    }

    /// Registers a lease of the length that is granted: its record goes into `txn`. An intent becomes the lease, unless
    /// it was given up meanwhile.
    pub async fn register(&self, new: NewLease, grant_to: &Grant<'_>, txn: &mut Txn) -> Result<(Lease, Granted)> {
        let NewLease { ttl, max_ttl, renewable, data, intent } = new;
        let now = self.clock.now();
        let bounds = Bounds { max_ttl: max_ttl.shorter(grant_to.bounds.max_ttl), ..grant_to.bounds };
        let granted = grant(ttl, bounds);
        let mut expires = now.plus(granted.ttl.duration());
        if let Some(end) = grant_to.owner.ends {
            expires = expires.min(end);
        }
        let mut lease = Lease {
            id: String::new(),
            target: Target::Secret { mount: grant_to.mount.to_owned(), data },
            owner: grant_to.owner.token_id.to_owned(),
            role: String::new(),
            issued: now,
            expires: Some(expires),
            last_renewal: None,
            renewable,
            ttl: Ttl::from_seconds(expires.since(now).as_secs()),
            max_ttl,
            latest: grant_to.owner.ends,
            state: LeaseState::Active,
        };
        match intent {
            None => {
                lease.id = self.new_id(grant_to.path)?;
                self.count(&lease, false, txn)?;
                self.write(&lease, None, txn)?;
            }
            Some(Intent { lease_id }) => {
                let intended: Option<Lease> = self.records.fetch(txn, &lease_id).await?;
                let intended = intended.filter(|lease| lease.state == LeaseState::Intended);
                let intended = intended.ok_or_else(|| {
                    Error::new(Kind::Unavailable, "the request took too long and was undone; try again")
                })?;
                lease.id = lease_id;
                self.write(&lease, Some(&intended), txn)?;
            }
        }
        Ok((lease, granted))
    }

    /// Registers the lease that ends a token. That of a root token is never one too many.
    pub fn register_token(&self, token: TokenLease, txn: &mut Txn) -> Result<()> {
        let TokenLease { lease_id, token_id, role, expires, forced } = token;
        let now = self.clock.now();
        let lease = Lease {
            id: lease_id,
            target: Target::Token { id: token_id },
            owner: String::new(),
            role,
            issued: now,
            expires: Some(expires),
            last_renewal: None,
            renewable: true,
            ttl: Ttl::from_seconds(expires.since(now).as_secs()),
            max_ttl: Ttl::default(),
            latest: None,
            state: LeaseState::Active,
        };
        self.count(&lease, forced, txn)?;
        self.write(&lease, None, txn)
    }

    /// Refuses what has no lease but may not be made either when there are too many: a batch token.
    pub fn require_room(&self, lease_id: &str, role: &str) -> Result<()> {
        self.census.begin(lease_id, role, false).map(drop)
    }

    /// Moves the end of the lease of a token.
    pub async fn extend_token(&self, lease_id: &str, expires: Timestamp, txn: &mut Txn) -> Result<()> {
        let Some(mut lease) = self.records.fetch::<Lease>(txn, lease_id).await? else { return Ok(()) };
        let before = lease.expires;
        lease.last_renewal = Some(self.clock.now());
        lease.expires = Some(expires);
        self.rewrite(&lease, before, txn)
    }

    /// Makes a token end at `expires`, whether or not it has a lease.
    pub async fn end_token(&self, lease_id: String, token_id: &str, expires: Timestamp, txn: &mut Txn) -> Result<()> {
        if let Some(mut lease) = self.records.fetch::<Lease>(txn, &lease_id).await? {
            let before = lease.expires;
            lease.expires = Some(expires);
            return self.rewrite(&lease, before, txn);
        }
        let (token_id, role) = (token_id.to_owned(), String::new());
        self.register_token(TokenLease { lease_id, token_id, role, expires, forced: true }, txn)
    }

    /// Removes the lease of a token that ends by other means.
    pub async fn forget(&self, lease_id: &str, txn: &mut Txn) -> Result<()> {
        let Some(lease) = self.records.fetch::<Lease>(txn, lease_id).await? else { return Ok(()) };
        self.erase(&lease, txn)
    }

    /// The lease `id`.
    pub async fn lease(&self, id: &str) -> Result<Option<Lease>> {
        if self.can_be_id(id) { self.records.get(id).await } else { Ok(None) }
    }

    /// The lease `id`, which must be the same when `txn` is committed.
    pub(super) async fn fetch(&self, id: &str, txn: &mut Txn) -> Result<Option<Lease>> {
        if self.can_be_id(id) { self.records.fetch(txn, id).await } else { Ok(None) }
    }

    /// Whether a lease could have this id: what callers send may be too long for a key, or have an empty segment.
    fn can_be_id(&self, id: &str) -> bool {
        Scope::new(&self.namespace_id, "lease/id").key(id).is_ok()
    }

    /// The names of leases and folders directly below `prefix` (empty, or ending in a slash).
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>> {
        self.records.list(prefix, Page::all()).await
    }

    /// The ids of all leases below `prefix`, which counts as a folder, and that of the lease `prefix` itself.
    pub async fn below(&self, prefix: &str) -> Result<Vec<String>> {
        let folder = prefix.trim_end_matches('/');
        if folder.is_empty() {
            return self.records.scan("").await;
        }
        let names = self.records.scan(&format!("{folder}/")).await?;
        let mut ids: Vec<String> = names.into_iter().map(|name| format!("{folder}/{name}")).collect();
        if self.records.exists(folder).await? {
            ids.push(folder.to_owned());
        }
        Ok(ids)
    }

    /// The leases that end with a token, those in other namespaces among them.
    pub async fn owned_by(&self, token_id: &str) -> Result<Vec<OwnedLease>> {
        let mut found = Vec::new();
        for lease_id in self.owned.scan(&format!("{token_id}/")).await? {
            let owned = self.owned.get::<Due>(&format!("{token_id}/{lease_id}")).await?;
            found.extend(owned.map(|owned| OwnedLease { lease_id: owned.lease_id, namespace_id: owned.namespace_id }));
        }
        Ok(found)
    }

    /// Writes a lease where `before` (an intent), or nothing, was.
    fn write(&self, lease: &Lease, before: Option<&Lease>, txn: &mut Txn) -> Result<()> {
        if let Some(old) = before {
            self.unindex(old, old.expires, txn)?;
        }
        self.records.put(txn, &lease.id, lease)?;
        self.index(lease, txn)
    }

    /// Writes a changed lease that ended `before`.
    pub(super) fn rewrite(&self, lease: &Lease, before: Option<Timestamp>, txn: &mut Txn) -> Result<()> {
        self.unindex(lease, before, txn)?;
        self.records.put(txn, &lease.id, lease)?;
        self.index(lease, txn)
    }

    pub(super) fn erase(&self, lease: &Lease, txn: &mut Txn) -> Result<()> {
        self.unindex(lease, lease.expires, txn)?;
        txn.on_commit(self.census.end(&lease.id, &lease.role));
        self.records.delete(txn, &lease.id)
    }

    /// Counts a lease where none was.
    fn count(&self, lease: &Lease, forced: bool, txn: &mut Txn) -> Result<()> {
        txn.on_commit(self.census.begin(&lease.id, &lease.role, forced)?);
        Ok(())
    }

    fn index(&self, lease: &Lease, txn: &mut Txn) -> Result<()> {
        let due = Due { lease_id: lease.id.clone(), namespace_id: self.namespace_id.clone() };
        if let Some(expires) = lease.expires {
            self.due.put(txn, &due_key(expires, &lease.id), &due)?;
        }
        if !lease.owner.is_empty() {
            self.owned.put(txn, &format!("{}/{}", lease.owner, lease.id), &due)?;
        }
        Ok(())
    }

    fn unindex(&self, lease: &Lease, expires: Option<Timestamp>, txn: &mut Txn) -> Result<()> {
        if let Some(expires) = expires {
            self.due.delete(txn, &due_key(expires, &lease.id))?;
        }
        if !lease.owner.is_empty() {
            self.owned.delete(txn, &format!("{}/{}", lease.owner, lease.id))?;
        }
        Ok(())
    }

    pub(super) async fn commit(&self, txn: Txn) -> Result<()> {
        self.barrier.commit(txn).await
    }

    fn new_id(&self, path: &str) -> Result<String> {
        let ending = namespace_suffix(&self.namespace_id);
        Ok(format!("{}/{}{ending}", path.trim_end_matches('/'), self.entropy.base62(24)?))
    }
}

impl fmt::Debug for LeaseManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaseManager").finish_non_exhaustive()
    }
}
