//! `Remote`: keys that are fetched, and kept.
//!
//! A login whose token one of the kept keys verifies waits for nobody. Only one that needs another key asks the
//! provider, one at a time and no more often than its budget allows; those who wait for it take what came of it.

use std::sync::{Arc, OnceLock};

use crate::auth::jwt::token::JwkSet;
use crate::outbound::{Credential, Destination, HttpClient};
use crate::time::Timestamp;

use super::Unavailable;
use super::discovery::{self, Discovery};
use super::flight::{Flight, Loaded};

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
    flight: Flight,
    issuer: OnceLock<String>,
}

impl Remote {
    pub(super) fn new(client: HttpClient, source: Source) -> Self {
        Self { client, source, flight: Flight::new(), issuer: OnceLock::new() }
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
        self.flight.loaded(now, async || self.fetch(now).await).await
    }

    /// What is fetched after `seen` had no key that fits.
    pub(super) async fn refreshed(&self, seen: &Arc<Loaded>, now: Timestamp) -> Result<Arc<Loaded>, Unavailable> {
        self.flight.ask(Some(seen), now, async || self.fetch(now).await).await
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
