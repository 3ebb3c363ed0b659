//! `Provider`: who signs the tokens of a mount, and the keys that verify them.

mod budget;
mod discovery;
mod flight;
mod remote;

pub(super) use discovery::Discovery;

use std::fmt;
use std::sync::Arc;

use crate::error::{Error, Kind, Result};
use crate::outbound::{HttpClient, OutboundError};
use crate::time::Timestamp;

use super::config::Config;
use super::token::{Algorithm, Claims, Key, Presented, PublicKey, Refusal};

use remote::{Remote, Source};

/// The provider of one configuration.
pub(super) struct Provider {
    revision: String,
    keys: Keys,
}

enum Keys {
    /// They stand in the configuration.
    Fixed(Vec<Key>),
    /// They are fetched.
    Fetched(Box<Remote>),
}

/// Why there is nothing from the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unavailable {
    /// The request failed.
    Outbound(OutboundError),
    /// What came is not what it should be; the sentence is for the caller.
    Content(&'static str),
    /// It was asked too often.
    TooOften,
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outbound(error) => error.fmt(f),
            Self::Content(sentence) => f.write_str(sentence),
            Self::TooOften => f.write_str("the provider was asked too often for keys that it does not have; try again"),
        }
    }
}

impl From<OutboundError> for Unavailable {
    fn from(error: OutboundError) -> Self {
        Self::Outbound(error)
    }
}

impl Provider {
    /// The provider of `config`. Nothing is fetched yet.
    pub(super) fn new(config: &Config) -> Result<Self> {
        let source = if config.jwks_url.is_empty() {
            Source::Discovery(config.oidc_discovery_url.clone())
        } else {
            Source::KeySet(config.jwks_url.clone())
        };
        let keys = if config.jwt_validation_pubkeys.is_empty() {
            let client = HttpClient::new(config.trust()).map_err(|error| complaint(&source, error.into()))?;
            Keys::Fetched(Box::new(Remote::new(client, source)))
        } else {
            let keys = config.jwt_validation_pubkeys.iter().map(|text| PublicKey::from_pem(text).map(Key::plain));
            let keys = keys.collect::<Result<_, _>>();
            Keys::Fixed(keys.map_err(|error| Error::invalid(format!("error parsing public key: {error}")))?)
        };
        Ok(Self { revision: config.revision.clone(), keys })
    }

    /// Whether this is the provider of `config` as it is now.
    pub(super) fn is_of(&self, config: &Config) -> bool {
        self.revision == config.revision
    }

    /// Asks the provider, whatever is known of it: for the moment at which a configuration is written.
    pub(super) async fn check(&self) -> Result<()> {
        match &self.keys {
            Keys::Fixed(_) => Ok(()),
            Keys::Fetched(remote) => remote.check().await.map_err(|error| complaint(remote.source(), error)),
        }
    }

    /// Whether the provider's discovery document is known or can be had; nothing is asked where there is none.
    pub(super) async fn is_reachable(&self, now: Timestamp) -> Result<(), Unavailable> {
        match &self.keys {
            Keys::Fetched(remote) if remote.is_discovered() => remote.loaded(now).await.map(|_| ()),
            Keys::Fixed(_) | Keys::Fetched(_) => Ok(()),
        }
    }

    /// The claims of a token that this provider signed by one of `allowed`.
    pub(super) async fn verify(
        &self,
        presented: &Presented,
        allowed: &[Algorithm],
        now: Timestamp,
    ) -> Result<Claims, Error> {
        // Before anything is fetched for it.
        presented.algorithm(allowed).map_err(refused)?;
        let remote = match &self.keys {
            Keys::Fixed(keys) => return presented.verify(keys, allowed).map_err(refused),
            Keys::Fetched(remote) => remote,
        };
        let known = remote.loaded(now).await.map_err(unavailable)?;
        match presented.verify(&known.keys, allowed) {
            Err(Refusal::Signature) => {}
            outcome @ (Ok(_) | Err(Refusal::Algorithm | Refusal::Malformed(_))) => return outcome.map_err(refused),
        }
        // The provider may have a new key. Whoever made this token up learns no more than that it is not taken.
        match remote.refreshed(&known, now).await {
            Ok(newer) => presented.verify(&newer.keys, allowed).map_err(refused),
            Err(_) => Err(refused(Refusal::Signature)),
        }
    }

    /// What the provider says of itself; an error where it has no discovery document.
    pub(super) async fn discovery(&self, now: Timestamp) -> Result<Arc<Discovery>> {
        const NONE: &str = "OIDC login is not configured for this mount: set 'oidc_discovery_url' in 'config'";
        match &self.keys {
            Keys::Fixed(_) => Err(Error::invalid(NONE)),
            Keys::Fetched(remote) => {
                let loaded = remote.loaded(now).await.map_err(unavailable)?;
                loaded.discovery.clone().ok_or_else(|| Error::invalid(NONE))
            }
        }
    }

    /// What the provider says of itself by now, where what was known does not fit any more.
    pub(super) async fn rediscovered(&self, now: Timestamp) -> Option<Arc<Discovery>> {
        match &self.keys {
            Keys::Fixed(_) => None,
            Keys::Fetched(remote) => {
                let known = remote.loaded(now).await.ok()?;
                remote.refreshed(&known, now).await.ok()?.discovery.clone()
            }
        }
    }

    /// The issuer that the discovery document is of, once that was had.
    pub(super) fn issuer(&self) -> Option<&str> {
        match &self.keys {
            Keys::Fixed(_) => None,
            Keys::Fetched(remote) => remote.issuer(),
        }
    }

    /// What reaches the provider; nothing where the keys stand in the configuration.
    pub(super) fn client(&self) -> Option<&HttpClient> {
        match &self.keys {
            Keys::Fixed(_) => None,
            Keys::Fetched(remote) => Some(remote.client()),
        }
    }
}

fn complaint(source: &Source, error: Unavailable) -> Error {
    match (source, error) {
        (Source::KeySet(_), Unavailable::Outbound(OutboundError::Authorities)) => {
            Error::invalid("error checking jwks_ca_pem: could not parse CA PEM value successfully")
        }
        (Source::KeySet(_), error) => Error::invalid(format!("error checking jwks URL: {error}")),
        (Source::Discovery(_), error) => Error::invalid(format!("error checking oidc discovery URL: {error}")),
    }
}

fn refused(refusal: Refusal) -> Error {
    Error::invalid(format!("error validating token: {}", refusal.sentence()))
}

fn unavailable(error: Unavailable) -> Error {
    Error::new(Kind::Unavailable, format!("the keys of the identity provider cannot be had: {error}"))
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Provider")
    }
}
