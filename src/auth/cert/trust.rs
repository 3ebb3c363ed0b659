//! `Trust`: all roles and lists of revoked certificates of a mount, read once and kept until one of them changes.
//!
//! Every change of a role, a list or the settings writes a new [`Generation`] in the same commit. A login reads that
//! one small record and goes on with what it has, or reads everything anew; so nothing here can outlive its records,
//! whichever node they were changed on, and a login after a restart knows the lists of revoked certificates at once.
//! The bounds on roles and lists (see [`super::roles`], [`super::crls`]) bound what is kept.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use rustls_pki_types::{CertificateDer, TrustAnchor};
use serde::{Deserialize, Serialize};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::engine::{Page, Record, View};
use crate::entropy::Entropy;
use crate::error::Result;

use super::config::{self, Settings};
use super::crls::{self, Crl, RevocationList};
use super::leaf::fingerprint;
use super::pem;
use super::roles::{self, Role};

/// The key of the [`Generation`].
pub(super) const GENERATION: &str = "generation";

/// Names one state of all that decides about logins; random, so that no two states share one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Generation(String);

impl Record for Generation {}

impl Generation {
    pub(super) fn new(entropy: &dyn Entropy) -> Result<Self> {
        entropy.uuid().map(Self)
    }
}

/// The last [`Trust`] that was read.
#[derive(Debug, Default)]
pub(super) struct Trusted {
    last: RwLock<Option<Arc<Trust>>>,
    reading: tokio::sync::Mutex<()>,
}

impl Trusted {
    /// The trust as the store has it now.
    pub(super) async fn current(&self, view: &View) -> Result<Arc<Trust>> {
        if let Some(trust) = self.of(&generation(view).await?) {
            return Ok(trust);
        }
        // One request reads, and those that came with it wait for what it finds.
        let _turn = self.reading.lock().await;
        let generation = generation(view).await?;
        if let Some(trust) = self.of(&generation) {
            return Ok(trust);
        }
        // The generation was read first: a change meanwhile makes it older than what it names, never newer.
        let trust = Arc::new(Trust::read(view, generation, self.last().as_deref()).await?);
        *self.last.write().unwrap_or_else(PoisonError::into_inner) = Some(trust.clone());
        Ok(trust)
    }

    fn of(&self, generation: &Generation) -> Option<Arc<Trust>> {
        self.last().filter(|trust| trust.generation == *generation)
    }

    fn last(&self) -> Option<Arc<Trust>> {
        self.last.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn generation(view: &View) -> Result<Generation> {
    Ok(view.get(GENERATION).await?.unwrap_or_default())
}

/// All that decides about logins, in the form that a login asks for.
#[derive(Debug)]
pub(super) struct Trust {
    generation: Generation,
    pub(super) settings: Settings,
    pub(super) roles: BTreeMap<String, TrustedRole>,
    /// Authorities by their subject (as DER).
    pub(super) authorities: HashMap<Vec<u8>, Vec<TrustedAuthority>>,
    /// Names of roles by the SHA-256 of the one certificate that they take.
    pub(super) pins: HashMap<String, BTreeSet<String>>,
    pub(super) lists: BTreeMap<String, Arc<RevocationList>>,
}

/// A role and whom it trusts.
#[derive(Debug)]
pub(super) struct TrustedRole {
    pub(super) role: Role,
    anchors: Arc<Anchors>,
}

/// An authority and the names of the roles that trust it.
#[derive(Debug)]
pub(super) struct TrustedAuthority {
    pub(super) authority: Arc<Authority>,
    pub(super) roles: BTreeSet<String>,
}

/// Whom a role trusts. Its first certificate decides which of the two it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Anchors {
    /// Whoever has a certificate by one of these.
    Authorities(Vec<Arc<Authority>>),
    /// The holders of exactly these certificates, by their SHA-256; whom they come from does not matter.
    Leaves(Vec<String>),
}

/// A certificate authority.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Authority {
    pub(super) certificate: CertificateDer<'static>,
    pub(super) anchor: TrustAnchor<'static>,
    /// Seconds since 1970 between which it is valid, both included.
    pub(super) valid: (i64, i64),
    /// How many more authorities may stand between it and a client.
    pub(super) path_length: Option<u32>,
    subject: Vec<u8>,
}

impl Anchors {
    /// Reads a role's certificates; the error is what the caller is told.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        const UNREADABLE: &str = "failed to parse certificate";
        let blocks = pem::blocks(text, "CERTIFICATE").ok_or(UNREADABLE)?;
        let mut leaves = Vec::new();
        let mut authorities = Vec::new();
        let mut first_is_leaf = false;
        for (index, der) in blocks.into_iter().enumerate() {
            let (rest, certificate) = X509Certificate::from_der(&der).map_err(|_| UNREADABLE)?;
            if !rest.is_empty() {
                return Err(UNREADABLE);
            }
            if certificate.is_ca() {
                authorities.push(Arc::new(Authority::new(&der, &certificate).ok_or(UNREADABLE)?));
                continue;
            }
            first_is_leaf |= index == 0;
            if !is_for_clients(&certificate) {
                return Err("nonCA certificates should have TLS client authentication set as an extended key usage");
            }
            leaves.push(fingerprint(&der));
        }
        Ok(if first_is_leaf { Self::Leaves(leaves) } else { Self::Authorities(authorities) })
    }
}

fn is_for_clients(certificate: &X509Certificate<'_>) -> bool {
    let usage = certificate.extended_key_usage().ok().flatten();
    usage.is_some_and(|usage| usage.value.client_auth || usage.value.any)
}

impl Authority {
    fn new(der: &[u8], certificate: &X509Certificate<'_>) -> Option<Self> {
        let der = CertificateDer::from(der.to_vec());
        let anchor = webpki::anchor_from_trusted_cert(&der).ok()?.to_owned();
        let constraints = certificate.basic_constraints().ok().flatten()?;
        // The verifier takes an anchor as it is: whether it may sign certificates has to be asked here.
        let usage = certificate.key_usage().ok()?;
        if usage.is_some_and(|usage| !usage.value.key_cert_sign()) {
            return None;
        }
        Some(Self {
            anchor,
            valid: (certificate.validity().not_before.timestamp(), certificate.validity().not_after.timestamp()),
            path_length: constraints.value.path_len_constraint,
            subject: certificate.subject().as_raw().to_vec(),
            certificate: der,
        })
    }
}

impl Trust {
    /// Trust in nobody.
    pub(super) fn new(generation: Generation, settings: Settings) -> Self {
        Self {
            generation,
            settings,
            roles: BTreeMap::new(),
            authorities: HashMap::new(),
            pins: HashMap::new(),
            lists: BTreeMap::new(),
        }
    }

    async fn read(view: &View, generation: Generation, previous: Option<&Self>) -> Result<Self> {
        let mut trust = Self::new(generation, view.get(config::KEY).await?.unwrap_or_default());
        for name in view.list(roles::FOLDER, Page::all()).await? {
            // Deleted since the names were read: the generation has changed then, too.
            let Some(role) = view.get::<Role>(&roles::key(&name)).await? else { continue };
            trust.add_role(name, role, previous);
        }
        for name in view.list(crls::FOLDER, Page::all()).await? {
            let Some(crl) = view.get::<Crl>(&crls::key(&name)).await? else { continue };
            let known = previous.and_then(|trust| trust.lists.get(&name)).filter(|list| list.is_of(&crl));
            let list = known.cloned().map_or_else(|| crl.parse().map(Arc::new), Ok)?;
            trust.lists.insert(name, list);
        }
        Ok(trust)
    }

    pub(super) fn add_role(&mut self, name: String, role: Role, previous: Option<&Self>) {
        let known = previous.and_then(|trust| trust.roles.get(&name));
        let known = known.filter(|known| known.role.certificate == role.certificate).map(|known| known.anchors.clone());
        let anchors = match known.map_or_else(|| Anchors::parse(&role.certificate).map(Arc::new), Ok) {
            Ok(anchors) => anchors,
            Err(reason) => {
                tracing::error!(role = name, reason, "a certificate role cannot be read and lets nobody in");
                return;
            }
        };
        match &*anchors {
            Anchors::Authorities(authorities) => authorities.iter().for_each(|one| self.add_authority(one, &name)),
            Anchors::Leaves(leaves) => leaves.iter().for_each(|leaf| {
                self.pins.entry(leaf.clone()).or_default().insert(name.clone());
            }),
        }
        self.roles.insert(name, TrustedRole { role, anchors });
    }

    /// Roles that trust the same certificate share one entry, so that a login verifies its chain once for all of them.
    fn add_authority(&mut self, authority: &Arc<Authority>, role: &str) {
        let namesakes = self.authorities.entry(authority.subject.clone()).or_default();
        match namesakes.iter_mut().find(|known| known.authority.certificate == authority.certificate) {
            Some(known) => {
                known.roles.insert(role.to_owned());
            }
            None => namesakes
                .push(TrustedAuthority { authority: authority.clone(), roles: BTreeSet::from([role.to_owned()]) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::cert::leaf::Leaf;
    use data_encoding::BASE64;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn garbage_is_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let text = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", BASE64.encode(&bytes));
            prop_assert!(Anchors::parse(&text).is_err());
            prop_assert!(Anchors::parse(&String::from_utf8_lossy(&bytes)).is_err());
            prop_assert!(Leaf::parse(&bytes).is_none());
            prop_assert!(Crl::new(&text.replace("CERTIFICATE", "X509 CRL")).is_err());
            prop_assert!(Crl::new(&BASE64.encode(&bytes)).is_err());
        }
    }
}
