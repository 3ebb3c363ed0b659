//! What quotas say.

use serde::{Deserialize, Serialize};

use crate::api::Ttl;

use super::scope::Scope;

/// A rate limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RateLimit {
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(flatten)]
    pub scope: Scope,
    /// So many requests of one address in each interval; above zero.
    pub rate: f64,
    /// The interval; above zero.
    pub interval: Ttl,
    /// For how long an address that asked too often is refused; zero is until it may ask again.
    pub block_interval: Ttl,
}

/// A limit on how many leases there are at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseLimit {
    /// Its name.
    pub name: String,
    /// What made the leases.
    #[serde(flatten)]
    pub scope: Scope,
    /// So many at a time; above zero.
    pub max_leases: u64,
}

/// What holds for all rate limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaConfig {
    /// Paths that no rate limit is for; a star at the end stands for anything.
    pub exempt_paths: Vec<String>,
    /// Whether refused requests go to the audit log.
    pub audit_refusals: bool,
    /// Whether answers say how many requests are left.
    pub response_headers: bool,
}

impl Default for QuotaConfig {
    /// What must be possible whatever else is going on: seeing how the server is, and unsealing it.
    fn default() -> Self {
        let exempt = [
            "sys/generate-recovery-token/attempt",
            "sys/generate-recovery-token/update",
            "sys/generate-root/attempt",
            "sys/generate-root/update",
            "sys/health",
            "sys/seal-status",
            "sys/unseal",
        ];
        let exempt_paths = exempt.iter().map(|path| (*path).to_owned()).collect();
        Self { exempt_paths, audit_refusals: false, response_headers: false }
    }
}

impl QuotaConfig {
    /// Whether no rate limit is for `path`.
    pub(super) fn exempts(&self, path: &str) -> bool {
        self.exempt_paths.iter().any(|exempt| match exempt.strip_suffix('*') {
            Some(prefix) => path.starts_with(prefix),
            None => path == exempt.trim_end_matches('/'),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_is_exempt_unless_configured_otherwise() {
        let config = QuotaConfig::default();
        assert!(config.exempts("sys/health") && !config.exempts("sys/healthy") && !config.exempts("kv/a"));
        let config = QuotaConfig { exempt_paths: vec!["kv/*".to_owned()], ..config };
        assert!(config.exempts("kv/a") && !config.exempts("sys/health"));
    }

    #[test]
    fn a_limit_without_a_role_can_be_read() {
        let stored = r#"{"name":"q","path":"kv/","rate":1.5,"interval":1,"block_interval":0,"inheritable":true}"#;
        let limit: RateLimit = serde_json::from_str(stored).unwrap();
        assert_eq!(limit.scope, Scope { path: "kv/".to_owned(), role: String::new(), inheritable: true });
        let again: RateLimit = serde_json::from_str(&serde_json::to_string(&limit).unwrap()).unwrap();
        assert_eq!(again, limit);
    }
}
