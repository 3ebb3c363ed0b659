//! Roles, and what they make of a token.

use serde_json::json;

use super::signer::Signer;
use super::*;
use crate::engine::{AuthMethod, Client, Existence, TokenType};
use crate::error::Kind;

#[tokio::test]
async fn roles_are_written_read_listed_and_deleted() {
    let harness = harness().await;
    assert_eq!(harness.existence("role/dev").await, Existence::Absent);
    let body = json!({
        "role_type": "jwt", "user_claim": "sub", "bound_audiences": "a,b", "bound_claims": {"team": ["x", 1]},
        "claim_mappings": {"email": "mail"}, "groups_claim": "groups", "policies": "P", "token_ttl": "5m",
        "clock_skew_leeway": -1, "not_before_leeway": "5m", "num_uses": 4,
    });
    write(&harness, "role/DEV", body).await.unwrap();
    assert_eq!(harness.existence("role/dev").await, Existence::Exists);
    let shown = read(&harness, "role/dev").await;
    for (name, value) in [
        ("role_type", json!("jwt")),
        ("bound_audiences", json!(["a", "b"])),
        ("bound_claims", json!({"team": ["x", 1]})),
        ("bound_claims_type", json!("string")),
        ("claim_mappings", json!({"email": "mail"})),
        ("allowed_redirect_uris", json!(null)),
        ("oauth2_metadata", json!(null)),
        ("callback_mode", json!("client")),
        ("clock_skew_leeway", json!(-1)),
        ("expiration_leeway", json!(0)),
        ("not_before_leeway", json!(300)),
        ("max_age", json!(0)),
        ("policies", json!(["p"])),
        ("token_policies", json!(["p"])),
        ("token_ttl", json!(300)),
        ("token_num_uses", json!(4)),
        ("token_type", json!("default")),
    ] {
        assert_eq!(shown[name], value, "{name}");
    }
    write(&harness, "role/dev", json!({"role_type": "jwt", "bound_subject": "ann"})).await.unwrap();
    let shown = read(&harness, "role/dev").await;
    assert_eq!((&shown["bound_subject"], &shown["groups_claim"]), (&json!("ann"), &json!("groups")));
    let listed = harness.data(Operation::List, "role", Value::Null).await.unwrap();
    assert_eq!(listed["keys"], json!(["dev"]));
    harness.call(Operation::Delete, "role/dev", Value::Null).await.unwrap();
    assert_eq!(harness.data(Operation::Read, "role/dev", Value::Null).await.unwrap_err().kind(), Kind::NotFound);
}

#[tokio::test]
async fn roles_that_make_no_sense_are_refused() {
    let harness = harness().await;
    let base = json!({"role_type": "jwt", "user_claim": "sub", "bound_audiences": "a"});
    for (more, text) in [
        (json!({"user_claim": ""}), "a user claim must be defined"),
        (json!({"bound_audiences": ""}), "at least one bound constraint"),
        (json!({"bound_audiences": [""]}), "at least one bound constraint"),
        (json!({"role_type": "saml"}), "invalid 'role_type'"),
        (json!({"role_type": ""}), "'allowed_redirect_uris' must be set"),
        (json!({"role_type": "oidc"}), "'allowed_redirect_uris' must be set"),
        (json!({"bound_claims_type": "regex"}), "invalid 'bound_claims_type'"),
        (json!({"bound_claims_type": "glob", "bound_claims": {"a": 1}}), "claim is not a string"),
        (json!({"bound_claims_type": "glob", "bound_claims": {"a": ["x", 1]}}), "claim is not a string"),
        (json!({"bound_claims": "abc"}), "bound_claims"),
        (json!({"claim_mappings": {"a": "x", "b": "x"}}), "multiple keys are mapped"),
        (json!({"claim_mappings": {"a": "role"}}), "is reserved"),
        (json!({"callback_mode": "zz"}), "invalid 'callback_mode'"),
        (json!({"callback_mode": "device"}), "is not supported"),
        (json!({"oauth2_metadata": ["access_token"]}), "is not supported"),
        (json!({"token_ttl": 100, "token_max_ttl": 10}), "'token_ttl' cannot be greater"),
        (json!({"token_policies": ["p-{{.sub"], "token_policies_template_claims": true}), "policy with a claim"),
    ] {
        let mut body = base.clone();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let error = write(&harness, "role/dev", body).await.unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidRequest, "{more}");
        assert!(error.to_string().contains(text), "{more}: {error}");
    }
    for name in ["-a", "a-", "a$", "."] {
        assert!(write(&harness, &format!("role/{name}"), base.clone()).await.is_err(), "{name}");
    }
}

#[tokio::test]
async fn an_empty_user_claim_names_nobody() {
    let signer = Signer::new("ES256", "k");
    let harness = with_role(&signer, json!({"user_claim": "n"})).await;
    for (value, is_good) in [
        (json!("x"), true),
        (json!(" a "), true),
        (json!(""), false),
        (json!(" "), false),
        (json!(null), false),
        (json!(12), false),
        (json!(true), false),
        (json!(["a"]), false),
        (json!({"a": 1}), false),
    ] {
        assert_eq!(outcome(&harness, &signer, json!({"n": value})).await.is_ok(), is_good, "{value}");
    }
    for (pointer, literal) in [(true, "deep"), (false, "flat")] {
        set_role(&harness, json!({"user_claim": "/a/b", "user_claim_json_pointer": pointer})).await.unwrap();
        let name = outcome(&harness, &signer, json!({"a": {"b": "deep"}, "/a/b": "flat"})).await.unwrap();
        assert_eq!(name, literal);
    }
}

#[tokio::test]
async fn metadata_and_groups_come_out_of_claims() {
    let signer = Signer::new("ES256", "k");
    let role = json!({
        "claim_mappings": {"email": "mail", "/o/u": "unit", "gone": "gone"}, "groups_claim": "/o/groups",
        "token_policies": "p", "token_type": "batch",
    });
    let harness = with_role(&signer, role).await;
    let more = json!({"email": "a@b", "o": {"u": "core", "groups": ["b", "a", "b", ""]}});
    let login = log_in(&harness, json!({"role": "DEV", "jwt": signer.sign(&claims(more))})).await.unwrap();
    let identity = &login.identity;
    assert_eq!((identity.alias.as_str(), identity.display_name.as_str()), ("ann", "jwt-ann"));
    assert_eq!(json!(identity.metadata), json!({"role": "dev", "mail": "a@b", "unit": "core"}));
    assert_eq!((&identity.groups, &identity.policies), (&vec!["a".to_owned(), "b".to_owned()], &vec!["p".to_owned()]));
    assert_eq!(login.terms.token_type, Some(TokenType::Batch));
    for (groups, is_good) in [
        (json!("one"), true),
        (json!([]), true),
        (json!(null), false),
        (json!([1]), false),
        (json!(["a", true]), false),
        (json!({"a": 1}), false),
        (json!(7), false),
    ] {
        let outcome = outcome(&harness, &signer, json!({"o": {"groups": groups}})).await;
        assert_eq!(outcome.is_ok(), is_good, "{groups}");
    }
    for value in [json!(5), json!(true), json!(["a"]), json!({"a": 1})] {
        let more = json!({"email": value, "o": {"groups": []}});
        assert!(outcome(&harness, &signer, more).await.unwrap_err().contains("'email' to string"), "{value}");
    }
}

#[tokio::test]
async fn bound_claims_must_all_fit() {
    let signer = Signer::new("ES256", "k");
    let harness = with_role(&signer, json!({"bound_claims": {"team": ["red", "blue"], "/o/u": "core"}})).await;
    for (more, is_good) in [
        (json!({"team": "blue", "o": {"u": "core"}}), true),
        (json!({"team": ["x", "red"], "o": {"u": "core"}}), true),
        (json!({"team": "blue"}), false),
        (json!({"team": "blue", "o": {"u": "x"}}), false),
        (json!({"team": {"a": "blue"}, "o": {"u": "core"}}), false),
        (json!({}), false),
    ] {
        let outcome = outcome(&harness, &signer, more.clone()).await;
        assert_eq!(outcome.is_ok(), is_good, "{more}");
        assert!(outcome.is_ok() || outcome.unwrap_err().contains("error validating claims"));
    }
}

#[tokio::test]
async fn policies_can_be_made_of_claims() {
    let signer = Signer::new("ES256", "k");
    let role = json!({"token_policies": ["Team-{{.Team}}", "all"], "token_policies_template_claims": true});
    let harness = with_role(&signer, role).await;
    let body = |more: Value| json!({"role": "dev", "jwt": signer.sign(&claims(more))});
    let login = log_in(&harness, body(json!({"Team": "Blue"}))).await.unwrap();
    assert_eq!(login.identity.policies, ["all", "team-blue"]);
    for more in [json!({}), json!({"Team": 1}), json!({"Team": "a//b"})] {
        assert!(log_in(&harness, body(more.clone())).await.is_err(), "{more}");
    }
}

#[tokio::test]
async fn callers_come_from_where_the_role_says() {
    let signer = Signer::new("ES256", "k");
    let harness = with_role(&signer, json!({"token_bound_cidrs": "10.0.0.0/8"})).await;
    let error = log_in(&harness, json!({"role": "dev", "jwt": signer.sign(&claims(json!({})))})).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Forbidden);
}

#[tokio::test]
async fn a_role_for_browsers_takes_no_token() {
    let signer = Signer::new("ES256", "k");
    let harness = with_role(&signer, json!({})).await;
    let body = json!({"role_type": "oidc", "user_claim": "sub", "allowed_redirect_uris": "https://a/b"});
    write(&harness, "role/web", body).await.unwrap();
    let token = signer.sign(&claims(json!({})));
    let error = log_in(&harness, json!({"role": "web", "jwt": token})).await.unwrap_err();
    assert!(error.to_string().contains("role with oidc role_type is not allowed"));
}

#[tokio::test]
async fn a_renewal_looks_at_the_role_again() {
    let signer = Signer::new("ES256", "k");
    let harness = with_role(&signer, json!({"token_ttl": 60})).await;
    let login = log_in(&harness, json!({"role": "dev", "jwt": signer.sign(&claims(json!({})))})).await.unwrap();
    let renewed = async || AuthMethod::renew(&harness.engine, &login.identity, &Client::default()).await.unwrap();
    assert_eq!(renewed().await.unwrap().ttl.seconds(), 60);
    set_role(&harness, json!({"token_ttl": 90})).await.unwrap();
    assert_eq!(renewed().await.unwrap().ttl.seconds(), 90);
    harness.call(Operation::Delete, "role/dev", Value::Null).await.unwrap();
    assert!(renewed().await.is_none());
}
