//! The checks of OpenID Connect Core 3.1.3.7 on a token that came at the end of a flow.

use data_encoding::BASE64URL_NOPAD;
use ring::digest;

use crate::auth::jwt::config::Config;
use crate::auth::jwt::provider::{Discovery, Provider};
use crate::auth::jwt::roles::Role;
use crate::auth::jwt::token::{Algorithm, Claims, Presented, Registered};
use crate::error::{Error, Result};
use crate::secret::{self, SecretText};
use crate::time::Timestamp;

use super::flows::Flow;

/// How far clocks may be apart, in seconds, where that only makes a token good a little early.
const SKEW: i64 = 60;

/// What a token is checked against.
pub(super) struct Expected<'a> {
    pub(super) config: &'a Config,
    pub(super) provider: &'a Provider,
    pub(super) discovery: &'a Discovery,
    pub(super) role: &'a Role,
    pub(super) flow: &'a Flow,
    pub(super) now: Timestamp,
}

impl Expected<'_> {
    /// The claims of `id_token`, which came beside `access_token`.
    pub(super) async fn verify(&self, id_token: &SecretText, access_token: Option<&SecretText>) -> Result<Claims> {
        let presented = Presented::parse(id_token.expose()).map_err(|refusal| fault(refusal.sentence()))?;
        let allowed = self.algorithms(&presented).await;
        let algorithm = presented.algorithm(&allowed).map_err(|refusal| fault(refusal.sentence()))?;
        let claims = self.provider.verify(&presented, &allowed, self.now).await?;
        let registered = claims.registered().map_err(fault)?;
        self.check(&claims, &registered).map_err(fault)?;
        if let (Some(hash), Some(access_token)) = (claims.text("at_hash"), access_token) {
            check_hash(hash, access_token, algorithm).map_err(fault)?;
        }
        Ok(claims)
    }

    /// The algorithms that are allowed: those of the configuration, or else those that the provider says it signs by. It
    /// may have come to another one with a new key.
    async fn algorithms(&self, presented: &Presented) -> Vec<Algorithm> {
        let configured = self.config.algorithms();
        if !configured.is_empty() {
            return configured;
        }
        let known = &self.discovery.algorithms;
        if presented.algorithm(known).is_ok() || presented.algorithm(&Algorithm::ALL).is_err() {
            return known.clone();
        }
        let newer = self.provider.rediscovered(self.now).await;
        newer.map_or_else(|| known.clone(), |newer| newer.algorithms.clone())
    }

    fn check(&self, claims: &Claims, registered: &Registered) -> Result<(), &'static str> {
        let now = self.now.unix_seconds();
        if registered.issuer.as_ref() != Some(&self.discovery.issuer) {
            return Err("invalid issuer (iss) claim");
        }
        if !secret::ct_eq(claims.text("nonce").unwrap_or_default().as_bytes(), self.flow.nonce.as_bytes()) {
            return Err("the nonce is not that of this login");
        }
        self.check_audience(claims, registered)?;
        let bound = &self.role.bound_subject;
        if registered.subject.as_ref().is_none_or(String::is_empty) {
            return Err("the token has no subject (sub) claim");
        }
        if !bound.is_empty() && registered.subject.as_ref() != Some(bound) {
            return Err("sub claim does not match bound subject");
        }
        let times = registered.times;
        if times.expires.is_none_or(|expires| now >= expires) {
            return Err("the token is expired");
        }
        if times.not_before.max(times.issued).is_some_and(|begins| now.saturating_add(SKEW) < begins) {
            return Err("the token is not yet valid");
        }
        self.check_age(claims, now)
    }

    fn check_audience(&self, claims: &Claims, registered: &Registered) -> Result<(), &'static str> {
        let client = &self.config.oidc_client_id;
        if !registered.audiences.contains(client) {
            return Err("invalid audience (aud) claim: the token is not for this client");
        }
        // A token for several may be one that another of them was given.
        let party = claims.text("azp");
        if party.is_some_and(|party| party != client) || (registered.audiences.len() > 1 && party.is_none()) {
            return Err("invalid authorized party (azp) claim: the token was given to another client");
        }
        if !self.role.audiences().is_empty() && !self.role.has_audience(&registered.audiences) {
            return Err("invalid audience (aud) claim: audience claim does not match any expected audience");
        }
        Ok(())
    }

    /// Whether the caller typed a password (or whatever the provider asks for) within the time that the role gives.
    fn check_age(&self, claims: &Claims, now: i64) -> Result<(), &'static str> {
        if self.role.max_age.is_zero() {
            return Ok(());
        }
        let authenticated = claims.named("auth_time").and_then(serde_json::Value::as_i64);
        let authenticated = authenticated.ok_or("missing auth_time claim when max age was requested")?;
        let most = i64::try_from(self.role.max_age.seconds()).unwrap_or(i64::MAX).saturating_add(SKEW);
        if now.saturating_sub(authenticated) > most { Err("auth_time is beyond max age") } else { Ok(()) }
    }
}

/// Whether an access token is the one that a token was issued with: the left half of its hash.
fn check_hash(said: &str, access_token: &SecretText, algorithm: Algorithm) -> Result<(), &'static str> {
    let whole = digest::digest(algorithm.hash(), access_token.expose().as_bytes());
    let half = whole.as_ref().get(..whole.as_ref().len() / 2).unwrap_or_default();
    if BASE64URL_NOPAD.encode(half) == said {
        Ok(())
    } else {
        Err("access_token hash does not match value in id_token")
    }
}

fn fault(sentence: &'static str) -> Error {
    Error::invalid(format!("login failed: {sentence}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_an_access_token() {
        // The example of OpenID Connect Core, appendix A.3.
        let token = SecretText::new("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y".to_owned());
        assert!(check_hash("77QmUPtjPfzWtF2AnpK9RQ", &token, Algorithm::Rs256).is_ok());
        assert!(check_hash("77QmUPtjPfzWtF2AnpK9RA", &token, Algorithm::Rs256).is_err());
        assert!(check_hash("77QmUPtjPfzWtF2AnpK9RQ", &token, Algorithm::Rs384).is_err());
        assert!(check_hash("", &token, Algorithm::Rs256).is_err());
    }
}
