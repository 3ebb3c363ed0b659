//! What the fuzz target runs: everything that reads text of others here.

use serde_json::{Map, Value};

use super::oidc::{FIXED, Tokens, add};
use super::provider::Discovery;
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

/// Reads what a provider answers: its discovery document, what it gives for a code, and what it says about a caller.
#[doc(hidden)]
pub fn fuzz_answer(json: &[u8]) {
    let said: Map<String, Value> = serde_json::from_slice(json).unwrap_or_default();
    let issuer = said.get("issuer").and_then(Value::as_str).unwrap_or_default();
    if let Ok(found) = Discovery::parse(json, issuer) {
        let endpoints = [&found.authorization, &found.token, &found.userinfo].into_iter().flatten();
        let mut endpoints = endpoints.chain([&found.keys]);
        assert_eq!(found.issuer, issuer);
        assert!(!found.algorithms.is_empty());
        assert!(!issuer.starts_with("https:") || endpoints.all(crate::outbound::Destination::is_secure));
        assert!(Discovery::parse(json, &format!("{issuer}/")).is_err());
    }
    if let Ok(tokens) = Tokens::parse(json) {
        let is_there = |name: &str| said.get(name).is_some_and(|value| !value.is_null());
        let are_there = is_there("access_token") == tokens.access_token.is_some();
        assert!(are_there && is_there("id_token") == tokens.id_token.is_some() || said.is_empty());
    }
    let known = serde_json::json!({"sub": "ann", "aud": "arca", "exp": 1, "team": "red"});
    let Value::Object(known) = known else { return };
    let mut claims = Claims(known.clone());
    add(&mut claims, json);
    assert!(FIXED.iter().all(|name| claims.0.get(*name) == known.get(*name)));
    assert!(claims.0 == known || said.get("sub") == known.get("sub"));
}
