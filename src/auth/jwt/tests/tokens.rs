//! Which tokens are taken.

use data_encoding::BASE64URL_NOPAD;
use proptest::prelude::*;
use ring::hmac;
use serde_json::json;

use super::signer::Signer;
use super::*;
use crate::auth::jwt::token::{Algorithm, Key, Presented, PublicKey, Refusal};

const ALGORITHMS: [&str; 10] =
    ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];

fn encoded(value: &Value) -> String {
    BASE64URL_NOPAD.encode(value.to_string().as_bytes())
}

#[tokio::test]
async fn every_algorithm_verifies_what_its_own_keys_signed() {
    let signers: Vec<Signer> = ALGORITHMS.into_iter().map(|name| Signer::new(name, "k")).collect();
    for signer in &signers {
        let key = Key::plain(PublicKey::from_pem(&signer.pem()).unwrap());
        let token = signer.sign(&claims(json!({})));
        let presented = Presented::parse(&token).unwrap_or_else(|_| panic!("no token"));
        assert!(presented.verify(std::slice::from_ref(&key), &Algorithm::ALL).is_ok());
        for other in &signers {
            let same = std::ptr::eq(signer, other);
            let token = Presented::parse(&other.sign(&claims(json!({})))).unwrap_or_else(|_| panic!("no token"));
            let verified = token.verify(std::slice::from_ref(&key), &Algorithm::ALL);
            assert_eq!(verified.is_ok(), same);
        }
    }
}

#[tokio::test]
async fn algorithm_confusion_is_not_possible() {
    let signer = Signer::new("RS256", "k");
    let harness = with_role(&signer, json!({})).await;
    let body = encoded(&claims(json!({})));
    let mut forged = Vec::new();
    // The public key as a shared secret: as PEM, with and without the line at its end.
    for secret in [signer.pem(), signer.pem().trim_end().to_owned()] {
        for name in ["HS256", "HS384", "HS512", "RS256"] {
            let signed = format!("{}.{body}", encoded(&json!({"alg": name, "typ": "JWT"})));
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), signed.as_bytes());
            forged.push(format!("{signed}.{}", BASE64URL_NOPAD.encode(tag.as_ref())));
        }
    }
    for name in ["none", "None", "NONE", "nOnE", ""] {
        forged.push(format!("{}.{body}.", encoded(&json!({"alg": name}))));
    }
    // An honest signature under the name of another algorithm.
    for name in ALGORITHMS.into_iter().chain(["HS256", "none"]).filter(|name| *name != "RS256") {
        forged.push(signer.sign_under(&json!({"alg": name}), &claims(json!({}))));
    }
    // A key that the token brings along.
    let own = Signer::new("RS256", "own");
    for header in [
        json!({"alg": "RS256", "jwk": own.jwk()}),
        json!({"alg": "RS256", "jku": "https://evil.example/keys", "kid": "own"}),
        json!({"alg": "RS256", "x5c": ["AAAA"], "x5u": "https://evil.example"}),
    ] {
        forged.push(own.sign_under(&header, &claims(json!({}))));
    }
    for token in forged {
        let error = log_in(&harness, json!({"role": "dev", "jwt": token})).await.unwrap_err();
        assert!(error.to_string().starts_with("error validating token"), "{error}");
    }
    assert_eq!(outcome(&harness, &signer, json!({})).await.unwrap(), "ann");
}

#[tokio::test]
async fn only_allowed_algorithms_are_taken() {
    let signer = Signer::new("RS256", "k");
    let harness = with_role(&signer, json!({})).await;
    let config = json!({"jwt_validation_pubkeys": [signer.pem()], "jwt_supported_algs": ["RS512", "ES256"]});
    write(&harness, "config", config).await.unwrap();
    let error = outcome(&harness, &signer, json!({})).await.unwrap_err();
    assert!(error.contains("token signed with unexpected algorithm"), "{error}");
}

#[tokio::test]
async fn a_header_that_demands_what_is_unknown_is_refused() {
    let signer = Signer::new("ES256", "k");
    let harness = with_role(&signer, json!({})).await;
    for (header, is_good) in [
        (json!({"alg": "ES256", "typ": "at+jwt", "kid": "other", "cty": "x"}), true),
        (json!({"alg": "ES256", "crit": ["b64"], "b64": false}), false),
        (json!({"alg": "ES256", "crit": []}), false),
        (json!({"alg": "ES256", "kid": 7}), false),
        (json!({"alg": ["ES256"]}), false),
        (json!({"typ": "JWT"}), false),
    ] {
        let token = signer.sign_under(&header, &claims(json!({})));
        let taken = log_in(&harness, json!({"role": "dev", "jwt": token})).await.is_ok();
        assert_eq!(taken, is_good, "{header}");
    }
}

#[tokio::test]
async fn garbage_is_no_token() {
    let signer = Signer::new("ES256", "k");
    let harness = with_role(&signer, json!({})).await;
    let good = signer.sign(&claims(json!({})));
    let parts: Vec<&str> = good.split('.').collect();
    let mut bad = vec![
        "x".to_owned(),
        "..".to_owned(),
        "x.y.z".to_owned(),
        format!("{good}."),
        format!("{good}.x"),
        format!("{}.{}", parts[0], parts[1]),
        format!("{}.{}.", parts[0], parts[1]),
        format!(".{}.{}", parts[1], parts[2]),
        good.replace('.', " . "),
        format!("{}.{}.{}", parts[0], parts[1], "A".repeat(70_000)),
        format!("{}=.{}.{}", parts[0], parts[1], parts[2]),
    ];
    bad.extend((0..good.len()).step_by(7).map(|length| good[..length].to_owned()).filter(|text| !text.is_empty()));
    // Claims that are no object, well signed.
    bad.extend([json!([1]), json!("text"), json!(1), json!(null)].map(|claims| signer.sign(&claims)));
    for token in bad {
        let error = log_in(&harness, json!({"role": "dev", "jwt": token})).await.unwrap_err();
        assert!(error.to_string().contains("token"), "{error}");
    }
    for (body, text) in [
        (json!({"role": "dev"}), "missing token"),
        (json!({"role": "dev", "jwt": ""}), "missing token"),
        (json!({"jwt": good}), "missing role"),
        (json!({"role": "other", "jwt": good}), "role could not be found"),
        (json!({"role": "../config", "jwt": good}), "role could not be found"),
    ] {
        let error = log_in(&harness, body).await.unwrap_err().to_string();
        assert!(error.contains(text) && !error.contains(&good), "{error}");
    }
}

#[tokio::test]
async fn a_changed_token_is_refused() {
    let signer = Signer::new("ES256", "k");
    let harness = with_role(&signer, json!({})).await;
    let good = signer.sign(&claims(json!({})));
    for at in (0..good.len()).step_by(3) {
        let mut changed = good.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(log_in(&harness, json!({"role": "dev", "jwt": changed})).await.is_err(), "{at}");
    }
    let other = Signer::new("ES256", "k");
    assert!(outcome(&harness, &other, json!({})).await.is_err());
}

/// CVE-2024-5798: a single audience was compared otherwise than one of a list.
#[tokio::test]
async fn audiences_are_compared_whole_in_both_forms() {
    let signer = Signer::new("ES256", "k");
    let harness = with_role(&signer, json!({"bound_audiences": ["a", "b"]})).await;
    for (audience, is_good) in [
        (json!("a"), true),
        (json!("b"), true),
        (json!(["z", "b"]), true),
        (json!("z"), false),
        (json!("aa"), false),
        (json!("a,b"), false),
        (json!("A"), false),
        (json!(""), false),
        (json!([]), false),
        (json!(["z"]), false),
        (json!(null), false),
        (json!(1), false),
        (json!(["a", 1]), false),
        (json!({"a": "a"}), false),
    ] {
        assert_eq!(outcome(&harness, &signer, json!({"aud": audience})).await.is_ok(), is_good, "{audience}");
    }
    set_role(&harness, json!({})).await.unwrap();
    for (audience, is_good) in
        [(json!("a"), false), (json!(["a"]), false), (json!(""), false), (json!([]), true), (json!(null), true)]
    {
        let outcome = outcome(&harness, &signer, json!({"aud": audience})).await;
        assert_eq!(outcome.is_ok(), is_good, "{audience}: a role without audiences takes no token that has one");
    }
}

#[tokio::test]
async fn issuer_and_subject_must_be_those_that_are_bound() {
    let signer = Signer::new("ES256", "k");
    let harness = with_role(&signer, json!({"bound_subject": "ann"})).await;
    let config = json!({"jwt_validation_pubkeys": [signer.pem()], "bound_issuer": "https://idp"});
    write(&harness, "config", config).await.unwrap();
    for (more, is_good) in [
        (json!({"iss": "https://idp"}), true),
        (json!({}), false),
        (json!({"iss": "https://idp/"}), false),
        (json!({"iss": "https://other"}), false),
        (json!({"iss": ["https://idp"]}), false),
        (json!({"iss": "https://idp", "sub": "bob"}), false),
        (json!({"iss": "https://idp", "sub": null}), false),
        (json!({"iss": "https://idp", "sub": ["ann"]}), false),
    ] {
        assert_eq!(outcome(&harness, &signer, more.clone()).await.is_ok(), is_good, "{more}");
    }
}

#[tokio::test]
async fn a_token_has_an_end() {
    let signer = Signer::new("ES256", "k");
    let harness = with_role(&signer, json!({})).await;
    assert!(outcome(&harness, &signer, json!({"iat": null, "exp": null})).await.is_err());
    assert!(outcome(&harness, &signer, json!({"exp": null})).await.is_ok());
    harness.advance(212);
    assert!(outcome(&harness, &signer, json!({"exp": null})).await.is_err(), "150 seconds and a minute after its iat");
    assert!(outcome(&harness, &signer, json!({})).await.is_ok());
    harness.advance(149);
    assert!(outcome(&harness, &signer, json!({})).await.unwrap_err().contains("token is expired"));
}

proptest! {
    #[test]
    fn arbitrary_text_is_refused_without_a_panic(text in ".{0,200}", parts in "[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}") {
        for text in [text, parts] {
            if let Ok(presented) = Presented::parse(&text) {
                prop_assert!(matches!(presented.verify(&[], &Algorithm::ALL), Err(Refusal::Algorithm | Refusal::Signature)));
            }
        }
    }
}
