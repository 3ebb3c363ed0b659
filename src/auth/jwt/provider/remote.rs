//! `Remote`: keys that are fetched, and kept.
//!
//! A login whose token one of the kept keys verifies waits for nobody. Only one that needs another key asks the
//! provider, one at a time and no more often than [`Budget`] allows; those who wait for it take what came of it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::Mutex;

use crate::auth::jwt::token::{JwkSet, Key};
use crate::outbound::{Credential, Destination, HttpClient};
use crate::time::Timestamp;

use super::Unavailable;
use super::budget::Budget;
use super::discovery::{self, Discovery};

/// After this long the keys are fetched again, so that one which the provider has taken back is not taken here for good.
const FRESH: Duration = Duration::from_hours(1);

/// How long keys are good while the provider cannot be reached.
const GOOD: Duration = Duration::from_hours(24);

/// Where keys come from.
#[derive(Debug)]
pub(super) enum Source {
    /// The URL of a key set.
    KeySet(String),
    /// The issuer whose discovery document says where they are.
    Discovery(String),
}

/// Keys that are fetched.
pub(super) struct Remote {
    client: HttpClient,
    source: Source,
    known: RwLock<Option<Arc<Loaded>>>,
    /// How often the provider was asked, whatever came of it.
    asked: AtomicU64,
    asking: Mutex<Asking>,
    issuer: OnceLock<String>,
}

struct Asking {
    budget: Budget,
    /// What the last request came to.
    failed: Option<Unavailable>,
}

/// What was fetched, and when.
pub(super) struct Loaded {
    pub(super) keys: Vec<Key>,
    pub(super) discovery: Option<Arc<Discovery>>,
    since: Timestamp,
}

impl Remote {
    pub(super) fn new(client: HttpClient, source: Source) -> Self {
        Self {
            client,
            source,
            known: RwLock::new(None),
            asked: AtomicU64::new(0),
            asking: Mutex::new(Asking { budget: Budget::new(), failed: None }),
            issuer: OnceLock::new(),
        }
    }

    pub(super) fn client(&self) -> &HttpClient {
        &self.client
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    pub(super) fn is_discovered(&self) -> bool {
        matches!(self.source, Source::Discovery(_))
    }

    /// The issuer of the discovery document, once that was had.
    pub(super) fn issuer(&self) -> Option<&str> {
        self.issuer.get().map(String::as_str)
    }

    /// Asks for what the source names itself, and keeps nothing.
    pub(super) async fn check(&self) -> Result<(), Unavailable> {
        match &self.source {
            Source::KeySet(url) => self.key_set(&Destination::parse(url)?).await.map(|_| ()),
            Source::Discovery(issuer) => self.document(issuer).await.map(|_| ()),
        }
    }

    /// What is known, or what is fetched where nothing is.
    pub(super) async fn loaded(&self, now: Timestamp) -> Result<Arc<Loaded>, Unavailable> {
        let Some(known) = self.known() else { return self.ask(None, now).await };
        let age = now.since(known.since);
        if age < FRESH {
            return Ok(known);
        }
        // One login an hour fetches them again; meanwhile, and while that fails, the others use what there is.
        match self.asking.try_lock() {
            Ok(asking) => drop(asking),
            Err(_) if age < GOOD => return Ok(known),
            Err(_) => {}
        }
        match self.ask(Some(&known), now).await {
            Err(_) if age < GOOD => Ok(known),
            outcome => outcome,
        }
    }

    /// What is fetched after `seen` had no key that fits.
    pub(super) async fn refreshed(&self, seen: &Arc<Loaded>, now: Timestamp) -> Result<Arc<Loaded>, Unavailable> {
        self.ask(Some(seen), now).await
    }

    async fn ask(&self, seen: Option<&Arc<Loaded>>, now: Timestamp) -> Result<Arc<Loaded>, Unavailable> {
        let asked = self.asked.load(Ordering::SeqCst);
        let mut asking = self.asking.lock().await;
        // Somebody else was faster.
        match (self.known(), seen) {
            (Some(known), None) => return Ok(known),
            (Some(known), Some(seen)) if !Arc::ptr_eq(&known, seen) => return Ok(known),
            (Some(_), Some(_)) | (None, _) => {}
        }
        if let Some(failed) = asking.failed.filter(|_| self.asked.load(Ordering::SeqCst) != asked) {
            return Err(failed);
        }
        if !asking.budget.take(now) {
            return Err(Unavailable::TooOften);
        }
        let outcome = self.fetch(now).await;
        asking.failed = outcome.as_ref().err().copied();
        self.asked.fetch_add(1, Ordering::SeqCst);
        let loaded = Arc::new(outcome?);
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(loaded.clone());
        Ok(loaded)
    }

    fn known(&self) -> Option<Arc<Loaded>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn fetch(&self, now: Timestamp) -> Result<Loaded, Unavailable> {
        let discovery = match &self.source {
            Source::KeySet(_) => None,
            Source::Discovery(issuer) => Some(Arc::new(self.document(issuer).await?)),
        };
        let keys = match (&self.source, &discovery) {
            (_, Some(discovery)) => self.key_set(&discovery.keys).await?,
            (Source::KeySet(url), None) => self.key_set(&Destination::parse(url)?).await?,
            (Source::Discovery(_), None) => JwkSet(Vec::new()),
        };
        if let Some(discovery) = &discovery {
            let _ = self.issuer.set(discovery.issuer.clone());
        }
        Ok(Loaded { keys: keys.0, discovery, since: now })
    }

    async fn document(&self, issuer: &str) -> Result<Discovery, Unavailable> {
        let json = self.client.get(&discovery::place(issuer)?, Credential::None).await?;
        Discovery::parse(&json, issuer)
    }

    async fn key_set(&self, at: &Destination) -> Result<JwkSet, Unavailable> {
        let json = self.client.get(at, Credential::None).await?;
        JwkSet::parse(&json).map_err(Unavailable::Content)
    }
}
