use serde_json::{Value, json};

use super::Approle;
use crate::api::Operation;
use crate::engine::harness::Harness;
use crate::engine::{AuthMethod, Body, Client, Content, Engine, Existence, Login, StatusCode, TokenType};
use crate::error::{Error, Kind};

async fn harness() -> Harness<Approle> {
    let mut harness: Harness<Approle> = Harness::open(json!({})).await;
    harness.mount.path = "auth/approle/".to_owned();
    harness.client = Client { address: "10.1.2.3".parse().ok(), ..Client::default() };
    harness
}

async fn write(harness: &Harness<Approle>, path: &str, body: Value) -> Result<Value, Error> {
    harness.data(Operation::Write, path, body).await
}

async fn read(harness: &Harness<Approle>, path: &str) -> Result<Value, Error> {
    harness.data(Operation::Read, path, json!(null)).await
}

/// A role that can be logged in to by the role id `id-<name>`, and a secret id of it with its accessor.
async fn role(harness: &Harness<Approle>, name: &str, mut body: Value, secret: Value) -> (String, String) {
    body["role_id"] = json!(format!("id-{name}"));
    write(harness, &format!("role/{name}"), body).await.unwrap();
    let made = write(harness, &format!("role/{name}/secret-id"), secret).await.unwrap();
    let text = |key: &str| made[key].as_str().unwrap().to_owned();
    (text("secret_id"), text("secret_id_accessor"))
}

async fn log_in(harness: &Harness<Approle>, role_id: &str, secret_id: &str) -> Result<Login, Error> {
    let body = json!({"role_id": role_id, "secret_id": secret_id});
    let answer = harness.call(Operation::Write, "login", body).await?;
    let Content::Login(login) = answer.content else { panic!("not a login") };
    Ok(*login)
}

const WRONG: &str = "invalid role or secret ID";

#[tokio::test]
async fn a_role_id_and_a_secret_id_log_in() {
    let harness = harness().await;
    let body = json!({"token_policies": "App", "token_ttl": "20m"});
    let (secret, _) = role(&harness, "app", body, json!({"metadata": r#"{"env":"prod","role_name":"evil"}"#})).await;
    for _ in 0..3 {
        let login = log_in(&harness, "id-app", &secret).await.unwrap();
        assert_eq!((login.terms.ttl.seconds(), login.terms.token_type), (1200, None));
        let identity = login.identity;
        assert_eq!((identity.alias.as_str(), identity.display_name.as_str()), ("id-app", "approle"));
        assert_eq!(identity.policies, ["App"]);
        assert_eq!((&*identity.metadata["role_name"], &*identity.metadata["env"]), ("app", "prod"));
        assert_eq!(identity.alias_metadata, identity.metadata);
    }
    for (role_id, secret_id, message) in [
        ("id-app", "wrong", WRONG),
        ("wrong", secret.as_str(), WRONG),
        ("id-app", "", "missing secret_id"),
        ("wrong", "", "missing secret_id"),
        ("", secret.as_str(), "missing role_id"),
    ] {
        let error = log_in(&harness, role_id, secret_id).await.unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (Kind::InvalidRequest, message));
    }
}

#[tokio::test]
async fn the_store_does_not_know_the_ids() {
    let harness = harness().await;
    let (secret, accessor) = role(&harness, "app", json!({}), json!({})).await;
    let keys = harness.view.scan("").await.unwrap();
    assert!(keys.iter().any(|key| key.contains(&accessor)));
    assert!(keys.iter().all(|key| !key.contains(&secret) && !key.contains("id-app")));
    // Another mount has another key, and the same one after it is opened again.
    let hash = harness.engine.hash(&["x"]);
    let again = Approle::open(harness.view.clone(), &json!({}), harness.deps.clone()).await.unwrap();
    assert_eq!(again.hash(&["x"]), hash);
    let other = Approle::open(harness.view.within("other"), &json!({}), harness.deps.clone()).await.unwrap();
    assert_ne!(other.hash(&["x"]), hash);
    // Whoever comes second to a new mount takes the key that is there.
    let second = super::HashKey::create(&harness.view, &harness.deps).await.unwrap();
    assert_eq!(second.key.expose(), data_encoding::BASE64.encode(&harness.engine.key));
    assert_ne!(again.hash(&["a", "bc"]), again.hash(&["ab", "c"]));
}

#[tokio::test]
async fn secret_ids_run_out_by_use() {
    let harness = harness().await;
    let (secret, accessor) = role(&harness, "two", json!({"secret_id_num_uses": 2}), json!({})).await;
    assert!(log_in(&harness, "id-two", &secret).await.is_ok());
    let shown = write(&harness, "role/two/secret-id/lookup", json!({"secret_id": secret})).await.unwrap();
    assert_eq!(shown["secret_id_num_uses"], 1);
    assert!(log_in(&harness, "id-two", &secret).await.is_ok());
    assert_eq!(log_in(&harness, "id-two", &secret).await.unwrap_err().to_string(), WRONG);
    let shown = write(&harness, "role/two/secret-id/lookup", json!({"secret_id": secret})).await.unwrap();
    assert_eq!(shown, Value::Null);
    let body = json!({"secret_id_accessor": accessor});
    let answer = harness.call(Operation::Write, "role/two/secret-id-accessor/lookup", body).await.unwrap();
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let empty = harness.call(Operation::List, "role/two/secret-id", json!(null)).await.unwrap_err();
    assert_eq!(empty.kind(), Kind::NotFound);
}

#[tokio::test]
async fn one_use_is_one_use_also_at_the_same_moment() {
    let harness = harness().await;
    let (secret, _) = role(&harness, "one", json!({"secret_id_num_uses": 1}), json!({})).await;
    let role = harness.engine.role("one").await.unwrap().unwrap();
    let key = harness.engine.secret_key(&role, &secret);
    let (mut first, mut second) = (crate::engine::Txn::new(), crate::engine::Txn::new());
    let now = harness.deps.clock.now();
    assert!(harness.engine.spend(&mut first, &role, &key, now).await.unwrap());
    assert!(harness.engine.spend(&mut second, &role, &key, now).await.unwrap());
    harness.view.commit(first).await.unwrap();
    assert_eq!(harness.view.commit(second).await.unwrap_err().kind(), Kind::Conflict);
    assert!(!harness.engine.spend(&mut crate::engine::Txn::new(), &role, &key, now).await.unwrap());
}

#[tokio::test]
async fn secret_ids_end_without_being_tidied() {
    let harness = harness().await;
    let (secret, accessor) = role(&harness, "short", json!({"secret_id_ttl": "60s"}), json!({})).await;
    harness.advance(59);
    assert!(log_in(&harness, "id-short", &secret).await.is_ok());
    harness.advance(1);
    assert_eq!(log_in(&harness, "id-short", &secret).await.unwrap_err().to_string(), WRONG);
    let shown = write(&harness, "role/short/secret-id/lookup", json!({"secret_id": secret})).await.unwrap();
    assert_eq!(shown, Value::Null);
    let list = harness.data(Operation::List, "role/short/secret-id", json!(null)).await.unwrap();
    assert_eq!(list["keys"], json!([accessor]));
}

#[tokio::test]
async fn tidying_removes_what_has_expired_and_nothing_else() {
    let harness = harness().await;
    let (_, old) = role(&harness, "short", json!({"secret_id_ttl": "60s"}), json!({})).await;
    let (live, _) = role(&harness, "long", json!({}), json!({})).await;
    harness.advance(61);
    let made = write(&harness, "role/short/secret-id", json!({})).await.unwrap();
    let now = harness.deps.clock.now();
    harness.engine.maintain(now).await.unwrap();
    assert!(harness.view.scan("").await.unwrap().iter().any(|key| key.contains(&old)));
    let answer = harness.call(Operation::Write, "tidy/secret-id", json!({})).await.unwrap();
    assert_eq!((answer.status, answer.warnings.len()), (StatusCode::ACCEPTED, 1));
    harness.engine.maintain(now).await.unwrap();
    let list = harness.data(Operation::List, "role/short/secret-id", json!(null)).await.unwrap();
    assert_eq!(list["keys"], json!([made["secret_id_accessor"]]));
    assert!(log_in(&harness, "id-long", &live).await.is_ok());
    assert!(harness.view.scan("").await.unwrap().iter().all(|key| key != "tidy"));
}

#[tokio::test]
async fn a_deleted_role_leaves_nothing_and_its_name_nothing_behind() {
    let harness = harness().await;
    let (secret, accessor) = role(&harness, "app", json!({}), json!({})).await;
    let identity = log_in(&harness, "id-app", &secret).await.unwrap().identity;
    harness.call(Operation::Delete, "role/APP", json!(null)).await.unwrap();
    assert_eq!(harness.view.scan("").await.unwrap(), ["hash-key"]);
    harness.call(Operation::Delete, "role/app", json!(null)).await.unwrap();
    write(&harness, "role/app", json!({"role_id": "id-app"})).await.unwrap();
    assert_eq!(log_in(&harness, "id-app", &secret).await.unwrap_err().to_string(), WRONG);
    let body = json!({"secret_id_accessor": accessor});
    assert!(write(&harness, "role/app/secret-id-accessor/destroy", body).await.is_err());
    assert_eq!(harness.engine.renew(&identity, &Client::default()).await.unwrap(), None);
}

#[tokio::test]
async fn a_secret_id_is_reached_within_its_role_only() {
    let harness = harness().await;
    let (secret, accessor) = role(&harness, "mine", json!({}), json!({})).await;
    role(&harness, "other", json!({}), json!({})).await;
    assert_eq!(log_in(&harness, "id-other", &secret).await.unwrap_err().to_string(), WRONG);
    let by_id = json!({"secret_id": secret});
    let by_accessor = json!({"secret_id_accessor": accessor});
    assert_eq!(write(&harness, "role/other/secret-id/lookup", by_id.clone()).await.unwrap(), Value::Null);
    write(&harness, "role/other/secret-id/destroy", by_id.clone()).await.unwrap();
    let error = write(&harness, "role/other/secret-id-accessor/destroy", by_accessor.clone()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
    let uuid = harness.engine.role("mine").await.unwrap().unwrap().uuid;
    let path = json!({"secret_id_accessor": format!("../{uuid}/{accessor}")});
    assert!(write(&harness, "role/other/secret-id-accessor/destroy", path).await.is_err());
    assert!(log_in(&harness, "id-mine", &secret).await.is_ok());
    let shown = write(&harness, "role/MINE/secret-id-accessor/lookup", by_accessor.clone()).await.unwrap();
    assert_eq!(shown["secret_id_accessor"], json!(accessor));
    assert!(shown.get("secret_id").is_none());
    write(&harness, "role/mine/secret-id-accessor/destroy", by_accessor).await.unwrap();
    assert_eq!(log_in(&harness, "id-mine", &secret).await.unwrap_err().to_string(), WRONG);
    let (secret, _) = role(&harness, "third", json!({}), json!({})).await;
    harness.call(Operation::Delete, "role/third/secret-id/destroy", json!({"secret_id": secret})).await.unwrap();
    assert!(log_in(&harness, "id-third", &secret).await.is_err());
}

#[tokio::test]
async fn secret_ids_of_the_callers_choice() {
    let harness = harness().await;
    write(&harness, "role/app", json!({"role_id": "id-app", "secret_id_num_uses": 5})).await.unwrap();
    write(&harness, "role/other", json!({"role_id": "id-other"})).await.unwrap();
    let body = json!({"secret_id": "own", "num_uses": 3, "ttl": "10m"});
    let made = write(&harness, "role/app/custom-secret-id", body.clone()).await.unwrap();
    assert_eq!((&made["secret_id"], &made["secret_id_num_uses"]), (&json!("own"), &json!(3)));
    assert_eq!(made["secret_id_ttl"], 600);
    let error = write(&harness, "role/app/custom-secret-id", body.clone()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidRequest);
    assert!(write(&harness, "role/app/custom-secret-id", json!({})).await.is_err());
    assert!(log_in(&harness, "id-other", "own").await.is_err());
    assert!(log_in(&harness, "id-app", "own").await.is_ok());
    // Once it has expired the same may be registered again, with an accessor of its own.
    harness.advance(601);
    let again = write(&harness, "role/app/custom-secret-id", body).await.unwrap();
    let list = harness.data(Operation::List, "role/app/secret-id", json!(null)).await.unwrap();
    assert_eq!(list["keys"], json!([again["secret_id_accessor"]]));
}

#[tokio::test]
async fn limits_of_a_secret_id_lie_within_its_role() {
    let harness = harness().await;
    let body = json!({
        "secret_id_num_uses": 5, "secret_id_ttl": 60, "secret_id_bound_cidrs": "10.0.0.0/8",
        "token_bound_cidrs": "10.0.0.0/8",
    });
    write(&harness, "role/r", body).await.unwrap();
    for body in [
        json!({"num_uses": 6}),
        json!({"num_uses": 0}),
        json!({"num_uses": -1}),
        json!({"ttl": 61}),
        json!({"ttl": 0}),
        json!({"cidr_list": "11.0.0.0/8"}),
        json!({"token_bound_cidrs": "0.0.0.0/0"}),
        json!({"cidr_list": "junk"}),
        json!({"metadata": "not json"}),
    ] {
        let error = write(&harness, "role/r/secret-id", body.clone()).await.unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidRequest, "{body}");
    }
    let body = json!({"num_uses": 5, "ttl": 60, "cidr_list": ["10.1.0.0/16"], "token_bound_cidrs": "10.1.2.3/32"});
    let made = write(&harness, "role/r/secret-id", body).await.unwrap();
    let shown = write(&harness, "role/r/secret-id/lookup", json!({"secret_id": made["secret_id"]})).await.unwrap();
    assert_eq!(shown["cidr_list"], json!(["10.1.0.0/16"]));
    assert_eq!(shown["expiration_time"], "2027-01-15T08:01:00Z");
    assert_eq!(write(&harness, "role/none/secret-id", json!({})).await.unwrap_err().kind(), Kind::NotFound);
}

#[tokio::test]
async fn addresses_bind_secret_ids_and_tokens() {
    let mut harness = harness().await;
    let far = json!({"secret_id_bound_cidrs": ["203.0.113.0/24"]});
    let (secret, _) = role(&harness, "far", far, json!({})).await;
    assert!(log_in(&harness, "id-far", &secret).await.unwrap_err().to_string().contains("CIDR restrictions"));
    let limited = json!({"cidr_list": "203.0.113.0/24", "num_uses": 1});
    let (secret, _) = role(&harness, "near", json!({}), limited).await;
    assert!(log_in(&harness, "id-near", &secret).await.unwrap_err().to_string().contains("CIDR restrictions"));
    harness.client = Client { address: "203.0.113.7".parse().ok(), ..Client::default() };
    assert!(log_in(&harness, "id-near", &secret).await.is_ok());
    let bound = json!({"token_bound_cidrs": "203.0.0.0/8"});
    let (secret, _) = role(&harness, "bound", bound, json!({"token_bound_cidrs": "203.0.113.0/24"})).await;
    let login = log_in(&harness, "id-bound", &secret).await.unwrap();
    assert_eq!(login.terms.bound_cidrs, ["203.0.113.0/24"]);
    let renewed = harness.engine.renew(&login.identity, &Client::default()).await.unwrap().unwrap();
    assert_eq!(renewed.bound_cidrs, ["203.0.113.0/24"]);
    let open = json!({"token_bound_cidrs": "203.0.0.0/8", "bind_secret_id": false});
    write(&harness, "role/open", open).await.unwrap();
    write(&harness, "role/open/role-id", json!({"role_id": "id-open"})).await.unwrap();
    assert!(log_in(&harness, "id-open", "").await.is_ok());
    harness.client = Client { address: "192.0.2.1".parse().ok(), ..Client::default() };
    assert_eq!(log_in(&harness, "id-open", "").await.unwrap_err().kind(), Kind::Forbidden);
}

#[tokio::test]
async fn a_role_may_ask_for_no_secret_id_if_it_is_bound() {
    let harness = harness().await;
    assert!(write(&harness, "role/open", json!({"bind_secret_id": false})).await.is_err());
    let body = json!({"bind_secret_id": false, "secret_id_bound_cidrs": "10.0.0.0/8", "role_id": "id-open"});
    write(&harness, "role/open", body).await.unwrap();
    assert!(log_in(&harness, "id-open", "").await.is_ok());
    assert!(write(&harness, "role/open/secret-id", json!({})).await.is_err());
    assert!(harness.call(Operation::Delete, "role/open/secret-id-bound-cidrs", json!(null)).await.is_err());
}

#[tokio::test]
async fn roles_are_written_read_listed_and_renamed_by_id() {
    let harness = harness().await;
    assert_eq!(harness.existence("role/web").await, Existence::Absent);
    let body = json!({"token_policies": "web,base", "token_ttl": "20m", "bound_cidr_list": "10.0.0.1/32", "period": 9});
    write(&harness, "role/Web", body).await.unwrap();
    assert_eq!(harness.existence("role/WEB").await, Existence::Exists);
    let shown = read(&harness, "role/web").await.unwrap();
    assert_eq!((&shown["token_policies"], &shown["token_ttl"]), (&json!(["web", "base"]), &json!(1200)));
    assert_eq!((&shown["secret_id_bound_cidrs"], &shown["bind_secret_id"]), (&json!(["10.0.0.1/32"]), &json!(true)));
    assert_eq!((&shown["period"], &shown["token_period"]), (&json!(9), &json!(9)));
    assert!(shown.get("role_id").is_none() && shown.get("uuid").is_none());
    let id = read(&harness, "role/web/role-id").await.unwrap();
    assert_eq!(id["role_id"].as_str().unwrap().len(), 36);
    write(&harness, "role/web/role-id", json!({"role_id": "mine"})).await.unwrap();
    assert_eq!(read(&harness, "role/web/role-id").await.unwrap()["role_id"], "mine");
    assert!(write(&harness, "role/two", json!({"role_id": "mine"})).await.is_err());
    assert!(write(&harness, "role/web/role-id", json!({})).await.is_err());
    let (secret, _) = role(&harness, "two", json!({}), json!({})).await;
    assert!(write(&harness, "role/two/role-id", json!({"role_id": "mine"})).await.is_err());
    write(&harness, "role/two", json!({"role_id": "moved"})).await.unwrap();
    assert!(log_in(&harness, "id-two", &secret).await.is_err());
    assert!(log_in(&harness, "moved", &secret).await.is_ok());
    let list = harness.data(Operation::List, "role", json!(null)).await.unwrap();
    assert_eq!(list["keys"], json!(["two", "web"]));
    assert!(write(&harness, "role/web", json!({"local_secret_ids": true})).await.is_err());
    for body in [
        json!({"token_ttl": "1h", "token_max_ttl": "1m"}),
        json!({"token_type": "batch", "token_period": "1h"}),
        json!({"secret_id_num_uses": -1}),
        json!({"role_id": ""}),
        json!({"token_bound_cidrs": "junk"}),
        json!({"secret_id_bound_cidrs": "junk"}),
    ] {
        let error = write(&harness, "role/bad", body.clone()).await.unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidRequest, "{body}");
    }
    assert_eq!(read(&harness, "role/bad").await.unwrap_err().kind(), Kind::NotFound);
}

#[tokio::test]
async fn every_setting_has_an_endpoint_of_its_own() {
    let harness = harness().await;
    write(&harness, "role/r", json!({})).await.unwrap();
    let cases = [
        ("bind-secret-id", "bind_secret_id", json!(true), json!(true), json!(true)),
        ("bound-cidr-list", "bound_cidr_list", json!("10.0.0.0/8"), json!(["10.0.0.0/8"]), json!([])),
        ("period", "token_period", json!("1h"), json!(3600), json!(0)),
        ("policies", "token_policies", json!("b,a"), json!(["a", "b"]), json!([])),
        ("secret-id-bound-cidrs", "secret_id_bound_cidrs", json!(["10.0.0.0/8"]), json!(["10.0.0.0/8"]), json!([])),
        ("secret-id-num-uses", "secret_id_num_uses", json!(5), json!(5), json!(0)),
        ("secret-id-ttl", "secret_id_ttl", json!("5m"), json!(300), json!(0)),
        ("token-bound-cidrs", "token_bound_cidrs", json!("10.0.0.1/32"), json!(["10.0.0.1"]), json!([])),
        ("token-max-ttl", "token_max_ttl", json!("1h"), json!(3600), json!(0)),
        ("token-num-uses", "token_num_uses", json!("4"), json!(4), json!(0)),
        ("token-ttl", "token_ttl", json!("15m"), json!(900), json!(0)),
    ];
    for (path, field, asked, shown, default) in cases {
        let path = format!("role/R/{path}");
        write(&harness, &path, json!({field: asked})).await.unwrap();
        assert_eq!(read(&harness, &path).await.unwrap(), json!({field: shown}), "{path}");
        harness.call(Operation::Delete, &path, json!(null)).await.unwrap();
        assert_eq!(read(&harness, &path).await.unwrap(), json!({field: default}), "{path}");
        assert!(write(&harness, &path, json!({})).await.is_err());
        let gone = path.replace("/R/", "/none/");
        assert_eq!(read(&harness, &gone).await.unwrap_err().kind(), Kind::NotFound);
        assert_eq!(write(&harness, &gone, json!({field: asked})).await.unwrap_err().kind(), Kind::NotFound);
        harness.call(Operation::Delete, &gone, json!(null)).await.unwrap();
    }
    assert_eq!(read(&harness, "role/r/local-secret-ids").await.unwrap(), json!({"local_secret_ids": false}));
    write(&harness, "role/r/policies", json!({"policies": "z"})).await.unwrap();
    let shown = read(&harness, "role/r/policies").await.unwrap();
    assert_eq!(shown, json!({"token_policies": ["z"], "policies": ["z"]}));
}

#[tokio::test]
async fn a_role_may_ask_for_batch_tokens() {
    let harness = harness().await;
    let (secret, _) = role(&harness, "b", json!({"token_type": "batch"}), json!({})).await;
    let login = log_in(&harness, "id-b", &secret).await.unwrap();
    assert_eq!(login.terms.token_type, Some(TokenType::Batch));
}

#[test]
fn all_operations_are_there_and_know_their_fields() {
    let infos = Approle::routes().infos();
    assert_eq!(infos.len(), 51);
    let body = Body::of(&json!({"token_ttl": 1, "policies": "a", "role_id": "x", "nonsense": 1})).unwrap();
    let role = infos
        .iter()
        .find(|info| info.route.operation == Operation::Write && info.route.pattern == "role/{role_name:name}");
    assert_eq!(role.unwrap().idle_fields(&body).unwrap().unknown, ["nonsense"]);
}
