//! What the fuzz target runs: everything that reads text of others here.

use serde_json::{Map, Value};

use super::roles::ClaimsType;
use super::token::{Algorithm, Claims, JwkSet, Leeways, Presented, PublicKey};
use super::{bound, policies};

/// Reads a token (the first line), and compares claims (the third) with what a role binds (the second).
#[doc(hidden)]
pub fn fuzz(text: &str) {
    let mut lines = text.splitn(3, '\n');
    let token = lines.next().unwrap_or_default();
    let mut map =
        || lines.next().and_then(|line| serde_json::from_str::<Map<String, Value>>(line).ok()).unwrap_or_default();
    let (wanted, claims) = (map(), Claims(map()));
    let keys = JwkSet::parse(text.as_bytes()).map(|set| set.0).unwrap_or_default();
    if let Ok(presented) = Presented::parse(token) {
        // Nobody signed it: it has no claims.
        assert!(presented.verify(&keys, &Algorithm::ALL).is_err());
    }
    let _ = PublicKey::from_pem(text);
    for kind in [ClaimsType::String, ClaimsType::Glob] {
        let is_fit = bound::check(&wanted, kind).is_ok() && bound::fit(&claims, &wanted, kind).is_ok();
        // What is bound must be said.
        assert!(!is_fit || wanted.keys().all(|name| claims.find(name).is_some()));
    }
    if let Ok(registered) = claims.registered() {
        let _ = registered.times.check(Leeways::of_role(0, 0, 0), 1_800_000_000);
    }
    let _ = policies::fill(&[token.to_owned()], &claims);
}
