//! Which web pages may call the API from a browser (CORS, Fetch standard).

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};

use crate::barrier::{Record, Txn, View};
use crate::error::{Error, Result};

/// Which web pages may call the API from a browser.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cors {
    /// The origins of the pages; `*` alone is any. None: no page may.
    pub allowed_origins: Vec<String>,
    /// The headers that they may send, beside [`Cors::STANDARD_HEADERS`].
    pub allowed_headers: Vec<String>,
}

impl Record for Cors {}

/// The settings, as they are stored and as requests go by them.
pub struct CorsStore {
    records: View,
    current: Arc<RwLock<Arc<Cors>>>,
}

impl Cors {
    /// The headers that clients of the API send.
    pub const STANDARD_HEADERS: [&'static str; 10] = [
        "Content-Type",
        "Authorization",
        "X-Vault-Token",
        "X-Vault-MFA",
        "X-Vault-No-Request-Forwarding",
        "X-Vault-Wrap-Format",
        "X-Vault-Wrap-TTL",
        "X-Requested-With",
        "X-Vault-AWS-IAM-Server-ID",
        "X-Vault-Policy-Override",
    ];

    /// Settings that were checked: at least one origin, and `*` only alone.
    pub fn new(allowed_origins: Vec<String>, allowed_headers: Vec<String>) -> Result<Self> {
        if allowed_origins.is_empty() {
            return Err(Error::invalid("at least one origin or the wildcard must be provided"));
        }
        if allowed_origins.len() > 1 && allowed_origins.iter().any(|origin| origin == "*") {
            return Err(Error::invalid("to allow all origins the '*' must be the only value for allowed_origins"));
        }
        let is_token = |header: &String| {
            !header.is_empty()
                && header.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
        };
        if !allowed_headers.iter().all(is_token) {
            return Err(Error::invalid("allowed_headers must be names of headers"));
        }
        Ok(Self { allowed_origins, allowed_headers })
    }

    /// Whether any page may call the API.
    pub fn is_enabled(&self) -> bool {
        !self.allowed_origins.is_empty()
    }

    /// Whether a page of `origin` may.
    pub fn allows(&self, origin: &str) -> bool {
        self.allowed_origins.iter().any(|allowed| allowed == "*" || allowed == origin)
    }

    /// Every header that a page may send.
    pub fn headers(&self) -> Vec<&str> {
        Self::STANDARD_HEADERS.into_iter().chain(self.allowed_headers.iter().map(String::as_str)).collect()
    }
}

impl CorsStore {
    const KEY: &'static str = "cors";

    /// Reads the settings.
    pub(super) async fn open(records: View) -> Result<Self> {
        let stored: Option<Cors> = records.get(Self::KEY).await?;
        Ok(Self { records, current: Arc::new(RwLock::new(Arc::new(stored.unwrap_or_default()))) })
    }

    /// The settings.
    pub fn current(&self) -> Arc<Cors> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the settings; nothing turns them off. The change goes into `txn`, and holds once it is committed.
    pub fn write(&self, cors: Option<Cors>, txn: &mut Txn) -> Result<()> {
        match &cors {
            Some(cors) => self.records.put(txn, Self::KEY, cors)?,
            None => self.records.delete(txn, Self::KEY)?,
        }
        let current = self.current.clone();
        txn.on_commit(move || {
            *current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(cors.unwrap_or_default());
        });
        Ok(())
    }
}

impl fmt::Debug for CorsStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CorsStore").field("current", &self.current()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cors(origins: &[&str]) -> Result<Cors> {
        Cors::new(origins.iter().map(|origin| (*origin).to_owned()).collect(), vec!["X-Mine".to_owned()])
    }

    #[test]
    fn origins_are_exact_or_any() {
        assert!(!Cors::default().is_enabled() && !Cors::default().allows("https://a.example"));
        let some = cors(&["https://a.example", "https://b.example"]).unwrap();
        assert!(some.allows("https://b.example") && !some.allows("https://b.example.org") && !some.allows("null"));
        assert!(cors(&["*"]).unwrap().allows("https://any.example"));
        assert!(cors(&[]).is_err() && cors(&["*", "https://a.example"]).is_err());
        assert!(some.headers().contains(&"X-Mine") && some.headers().contains(&"X-Vault-Token"));
    }

    #[test]
    fn a_header_that_could_end_its_line_is_refused() {
        assert!(Cors::new(vec!["*".to_owned()], vec!["X\r\nSet-Cookie".to_owned()]).is_err());
    }
}
