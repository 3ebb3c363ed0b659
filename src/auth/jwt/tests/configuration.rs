//! What a mount can be told.

use serde_json::json;

use super::signer::Signer;
use super::*;
use crate::error::Kind;

#[tokio::test]
async fn exactly_one_source_of_keys() {
    let harness = harness().await;
    let key = Signer::new("ES256", "k").pem();
    let error = harness.data(Operation::Read, "config", Value::Null).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
    for (body, text) in [
        (json!({}), "exactly one of"),
        (json!({"bound_issuer": "x"}), "exactly one of"),
        (json!({"jwt_validation_pubkeys": [key], "jwks_url": "https://127.0.0.1:1/x"}), "exactly one of"),
        (json!({"jwks_url": "https://a/", "oidc_discovery_url": "https://a/"}), "exactly one of"),
        (json!({"jwt_validation_pubkeys": ["nope"]}), "error parsing public key"),
        (json!({"jwt_validation_pubkeys": [format!("{key}{key}")]}), "trailing data"),
        (json!({"jwt_validation_pubkeys": [key], "jwt_supported_algs": ["XX"]}), "unsupported signing algorithm"),
        (json!({"jwt_validation_pubkeys": [key], "jwt_supported_algs": ["HS256"]}), "unsupported signing algorithm"),
        (json!({"jwt_validation_pubkeys": [key], "jwt_supported_algs": ["none"]}), "unsupported signing algorithm"),
        (json!({"jwks_url": "abc"}), "error checking jwks URL"),
        (json!({"jwks_url": "http://127.0.0.1:1/keys"}), "no connection could be made"),
        (json!({"jwks_url": "https://127.0.0.1:1/keys", "jwks_ca_pem": "zzz"}), "error checking jwks_ca_pem"),
        (json!({"oidc_discovery_url": "abc"}), "error checking oidc discovery URL"),
        (json!({"oidc_discovery_url": "https://a/", "oidc_discovery_ca_pem": "zz"}), "could not parse CA PEM"),
        (json!({"jwt_validation_pubkeys": [key], "oidc_client_id": "a"}), "must be set for OIDC"),
        (
            json!({"jwt_validation_pubkeys": [key], "oidc_client_id": "a", "oidc_client_secret": "b"}),
            "'oidc_discovery_url' must be set",
        ),
        (json!({"jwt_validation_pubkeys": [key], "oidc_response_mode": "x"}), "invalid response_mode"),
        (json!({"jwt_validation_pubkeys": [key], "oidc_response_types": ["x"]}), "invalid response_types"),
        (json!({"jwt_validation_pubkeys": [key], "oidc_response_types": ["id_token"]}), "query response_mode"),
        (json!({"jwt_validation_pubkeys": [key], "provider_config": {"a": "b"}}), "'provider' field not found"),
        (json!({"jwt_validation_pubkeys": [key], "provider_config": {"provider": 5}}), "'provider' field not found"),
        (json!({"jwt_validation_pubkeys": [key], "provider_config": {"provider": "Azure"}}), "not found in custom"),
        (json!({"jwt_validation_pubkeys": [key], "provider_config": {"provider": "gsuite"}}), "not supported"),
        (json!({"provider_config": {"provider": "kubernetes"}}), "not supported"),
        (json!({"provider_config": {"provider": "azure"}}), "exactly one of"),
        (json!({"jwks_pairs": [{"jwks_url": "https://a"}]}), "'jwks_pairs' is not supported"),
    ] {
        let error = write(&harness, "config", body.clone()).await.unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidRequest, "{body}");
        assert!(error.to_string().contains(text), "{body}: {error}");
    }
    let error = log_in(&harness, json!({"role": "dev", "jwt": "x"})).await.unwrap_err();
    assert!(error.to_string().contains("could not load configuration"));
}

#[tokio::test]
async fn a_configuration_replaces_the_one_before() {
    let harness = harness().await;
    let (one, two) = (Signer::new("ES256", "k"), Signer::new("EdDSA", "k"));
    let body = json!({
        "jwt_validation_pubkeys": [one.pem(), two.pem()], "default_role": "DEV", "namespace_in_state": false,
        "jwt_supported_algs": ["ES256", "EdDSA"], "bound_issuer": "i",
    });
    write(&harness, "config", body).await.unwrap();
    let shown = read(&harness, "config").await;
    assert_eq!(shown["default_role"], "dev");
    assert_eq!(shown["jwt_validation_pubkeys"].as_array().unwrap().len(), 2);
    assert_eq!((&shown["namespace_in_state"], &shown["status"]), (&json!(false), &json!("valid")));
    assert!(shown.get("oidc_client_secret").is_none());
    set_role(&harness, json!({})).await.unwrap();
    let token = |signer: &Signer| signer.sign(&claims(json!({"iss": "i"})));
    assert!(log_in(&harness, json!({"jwt": token(&one)})).await.is_ok(), "the default role");
    write(&harness, "config", json!({"jwt_validation_pubkeys": two.pem()})).await.unwrap();
    let shown = read(&harness, "config").await;
    assert_eq!((&shown["default_role"], &shown["bound_issuer"]), (&json!(""), &json!("")));
    assert_eq!((&shown["jwt_supported_algs"], &shown["namespace_in_state"]), (&json!([]), &json!(false)));
    assert!(log_in(&harness, json!({"role": "dev", "jwt": token(&one)})).await.is_err(), "its key is gone");
    assert!(log_in(&harness, json!({"role": "dev", "jwt": token(&two)})).await.is_ok());
}

#[tokio::test]
async fn an_unreachable_provider_can_be_configured_if_that_is_said() {
    let harness = harness().await;
    let body = json!({"oidc_discovery_url": "http://127.0.0.1:1", "skip_jwks_validation": true});
    let answer = harness.call(Operation::Write, "config", body).await.unwrap();
    assert!(answer.warnings[0].contains("error checking oidc discovery URL"), "{:?}", answer.warnings);
    let answer = harness.call(Operation::Read, "config", Value::Null).await.unwrap();
    assert_eq!(answer.warnings.len(), 1);
    assert_eq!(read(&harness, "config").await["status"], "invalid");
    set_role(&harness, json!({})).await.unwrap();
    let token = Signer::new("RS256", "k").sign(&claims(json!({})));
    let error = log_in(&harness, json!({"role": "dev", "jwt": token})).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
}
