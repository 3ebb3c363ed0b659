//! What a rate limit says, and which paths it is for.

use serde::{Deserialize, Serialize};

use crate::api::Ttl;

/// A rate limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RateLimit {
    /// Its name.
    pub name: String,
    /// What it is for: nothing for every request, a mount (with a slash at its end), a path, or what paths begin with
    /// (with a star at its end).
    pub path: String,
    /// So many requests of one address in each interval; above zero.
    pub rate: f64,
    /// The interval; above zero.
    pub interval: Ttl,
    /// For how long an address that asked too often is refused; zero is until it may ask again.
    pub block_interval: Ttl,
    /// Kept and shown: there are no namespaces below that could inherit it.
    pub inheritable: bool,
}

/// What holds for all rate limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaConfig {
    /// Paths that no limit is for; a star at the end stands for anything.
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
    /// Whether no limit is for `path`.
    pub(super) fn exempts(&self, path: &str) -> bool {
        self.exempt_paths.iter().any(|exempt| match exempt.strip_suffix('*') {
            Some(prefix) => path.starts_with(prefix),
            None => path == exempt.trim_end_matches('/'),
        })
    }
}

impl RateLimit {
    /// How well this limit fits a request for `path` (without a slash at its end) of `mount`; of several the greatest
    /// decides, and nothing does not fit.
    pub(super) fn fit(&self, path: &str, mount: &str) -> Option<(u8, usize)> {
        let kind = if self.path.is_empty() {
            0
        } else if self.path == mount {
            1
        } else if let Some(prefix) = self.path.strip_suffix('*') {
            if !path.starts_with(prefix) {
                return None;
            }
            2
        } else if self.path == path {
            3
        } else {
            return None;
        };
        Some((kind, self.path.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(path: &str) -> RateLimit {
        RateLimit {
            name: "q".to_owned(),
            path: path.to_owned(),
            rate: 1.0,
            interval: Ttl::from_seconds(1),
            block_interval: Ttl::default(),
            inheritable: false,
        }
    }

    #[test]
    fn the_closer_limit_fits_better() {
        let order = ["", "kv/", "kv/*", "kv/a*", "kv/a/b"];
        let fits: Vec<_> = order.iter().map(|path| limit(path).fit("kv/a/b", "kv/").unwrap()).collect();
        assert!(fits.is_sorted(), "{fits:?}");
        for path in ["kv2/", "kv/b*", "kv/a", "other/"] {
            assert_eq!(limit(path).fit("kv/a/b", "kv/"), None, "{path}");
        }
    }

    #[test]
    fn health_is_exempt_unless_configured_otherwise() {
        let config = QuotaConfig::default();
        assert!(config.exempts("sys/health") && !config.exempts("sys/healthy") && !config.exempts("kv/a"));
        let config = QuotaConfig { exempt_paths: vec!["kv/*".to_owned()], ..config };
        assert!(config.exempts("kv/a") && !config.exempts("sys/health"));
    }
}
