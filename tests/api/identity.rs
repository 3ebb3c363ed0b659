//! `/v1/identity/*`: who is behind a token, and what that adds to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::support::{Client, Setup, TestVault, Watched, Watcher, eventually};

/// Mounts `userpass` at `path` with the user `ann`; gives the accessor.
fn userpass(vault: &TestVault, path: &str, token_type: &str) -> String {
    let root = vault.root();
    root.post(&format!("sys/auth/{path}"), json!({"type": "userpass"})).ok();
    let user = json!({"password": "wide river", "token_policies": ["own"], "token_type": token_type});
    root.post(&format!("auth/{path}/users/ann"), user).ok();
    root.get(&format!("sys/auth/{path}")).data()["accessor"].as_str().unwrap().to_owned()
}

fn log_in(vault: &TestVault, path: &str) -> (Client, Value) {
    let answer = vault.anonymous().post(&format!("auth/{path}/login/ann"), json!({"password": "wide river"}));
    let auth = answer.auth();
    (vault.anonymous().with_token(auth["client_token"].as_str().unwrap()), auth)
}

/// Counts what is written.
#[derive(Debug, Default)]
struct Counting {
    writes: AtomicUsize,
}

#[async_trait]
impl Watcher for Counting {
    async fn before(&self, keys: &[&str]) {
        self.writes.fetch_add(keys.len(), Ordering::SeqCst);
    }
}

fn id(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap().to_owned()
}

#[test]
fn a_login_finds_its_entity_and_gets_its_policies() {
    let vault = TestVault::new();
    let root = vault.root();
    let accessor = userpass(&vault, "up", "service");
    let (ann, auth) = log_in(&vault, "up");
    let entity = id(&auth, "entity_id");
    assert_eq!((&auth["policies"], &auth["identity_policies"]), (&json!(["default", "own"]), &Value::Null));
    assert!(ann.get("auth/token/lookup-self").data().get("identity_policies").is_none());

    root.post("sys/policies/acl/more", json!({"policy": "path \"cubbyhole/*\" { capabilities = [\"read\"] } path \"sys/mounts\" { capabilities = [\"read\"] }"})).ok();
    ann.get("sys/mounts").is(403);
    root.post(&format!("identity/entity/id/{entity}"), json!({"policies": ["More"]})).is(204);
    ann.get("sys/mounts").is(200);
    assert_eq!(ann.get("auth/token/lookup-self").data()["identity_policies"], json!(["more"]));
    let token = json!({"token": ann.token(), "path": "sys/mounts"});
    assert_eq!(root.post("sys/capabilities", token).data()["capabilities"], json!(["read"]));
    assert_eq!(
        ann.post("sys/capabilities-self", json!({"path": "sys/mounts"})).data()["capabilities"],
        json!(["read"])
    );
    assert_eq!(
        ann.get("sys/internal/ui/resultant-acl").data()["exact_paths"]["sys/mounts"]["capabilities"],
        json!(["read"])
    );
    let renewed = ann.post("auth/token/renew-self", json!({})).auth();
    assert_eq!(renewed["policies"], json!(["default", "more", "own"]));
    let (_, auth) = log_in(&vault, "up");
    assert_eq!(
        (&auth["entity_id"], &auth["policies"], &auth["token_policies"], &auth["identity_policies"]),
        (&json!(entity), &json!(["default", "more", "own"]), &json!(["default", "own"]), &json!(["more"]))
    );
    let shown = root.get(&format!("identity/entity/id/{entity}")).data();
    assert_eq!(shown["aliases"][0]["mount_accessor"], json!(accessor));
    assert_eq!(shown["aliases"][0]["mount_path"], "auth/up/");
    assert_eq!(root.get("sys/internal/counters/entities").data()["counters"]["entities"]["total"], 1);
    let log = vault.audit_log();
    let read = log.iter().rfind(|line| line["request"]["path"] == "auth/token/renew-self").unwrap();
    assert_eq!(read["auth"]["entity_id"], json!(entity));
    assert_eq!(read["auth"]["identity_policies"], json!(["more"]));
}

#[test]
fn a_batch_token_has_an_entity_too_and_children_inherit_it() {
    let vault = TestVault::new();
    let root = vault.root();
    userpass(&vault, "up", "batch");
    userpass(&vault, "up2", "service");
    let (batch, auth) = log_in(&vault, "up");
    assert_eq!(batch.get("auth/token/lookup-self").data()["entity_id"], auth["entity_id"]);
    let (parent, auth) = log_in(&vault, "up2");
    root.post(
        "sys/policies/acl/own",
        json!({"policy": "path \"auth/token/create*\" { capabilities = [\"update\", \"sudo\"] }"}),
    )
    .ok();
    let child = parent.post("auth/token/create", json!({})).auth();
    assert_eq!(child["entity_id"], auth["entity_id"]);
    assert_eq!(parent.post("auth/token/create-orphan", json!({})).auth()["entity_id"], "");
    let entity = id(&auth, "entity_id");
    root.post(&format!("identity/entity/id/{entity}"), json!({"disabled": true})).ok();
    let child = vault.anonymous().with_token(child["client_token"].as_str().unwrap());
    child.get("auth/token/lookup-self").refuses(403, "permission denied");
}

#[test]
fn a_disabled_or_deleted_entity_shuts_its_tokens_out() {
    let vault = TestVault::new();
    let root = vault.root();
    userpass(&vault, "up", "service");
    let (ann, auth) = log_in(&vault, "up");
    let entity = id(&auth, "entity_id");
    root.post(&format!("identity/entity/id/{entity}"), json!({"disabled": true})).ok();
    ann.get("auth/token/lookup-self").refuses(403, "permission denied");
    ann.get("sys/internal/ui/mounts").is(403);
    let login = vault.anonymous().post("auth/up/login/ann", json!({"password": "wide river"}));
    login.refuses(403, "permission denied");
    root.post("sys/capabilities", json!({"token": ann.token(), "path": "a"})).refuses(400, "invalid token");
    root.post("auth/token/lookup", json!({"token": ann.token()})).is(200);
    root.post(&format!("identity/entity/id/{entity}"), json!({"disabled": false})).ok();
    ann.get("auth/token/lookup-self").is(200);
    root.delete(&format!("identity/entity/id/{entity}")).is(204);
    ann.get("auth/token/lookup-self").is(403);
    assert_ne!(log_in(&vault, "up").1["entity_id"], json!(entity));
}

#[test]
fn a_known_login_of_a_batch_token_writes_nothing() {
    let store = Arc::new(Watched::new(Counting::default()));
    let vault = Setup { storage: store.clone(), audited: false, ..Setup::default() }.start();
    userpass(&vault, "up", "batch");
    log_in(&vault, "up");
    let before = store.watcher.writes.load(Ordering::SeqCst);
    log_in(&vault, "up");
    assert_eq!(store.watcher.writes.load(Ordering::SeqCst), before);
    vault.root().post("identity/entity", json!({"name": "e"})).is(200);
    assert_ne!(store.watcher.writes.load(Ordering::SeqCst), before, "it does count");
}

#[test]
fn logins_at_once_make_one_entity() {
    let vault = TestVault::new();
    userpass(&vault, "up", "service");
    let ids: Vec<Value> = std::thread::scope(|scope| {
        let logins: Vec<_> = (0..8).map(|_| scope.spawn(|| log_in(&vault, "up").1["entity_id"].clone())).collect();
        logins.into_iter().map(|login| login.join().unwrap()).collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(vault.root().list("identity/entity/id").data()["keys"], json!([ids[0]]));
}

#[test]
fn metadata_of_an_alias_counts_for_its_own_mount_only() {
    let vault = TestVault::new();
    let root = vault.root();
    let (one, two) = (userpass(&vault, "one", "service"), userpass(&vault, "two", "service"));
    root.post("sys/mounts/kv", json!({"type": "kv"})).ok();
    let rule = |accessor: &str| {
        format!(
            "path \"kv/{{{{identity.entity.aliases.{accessor}.custom_metadata.team}}}}\" {{ capabilities = [\"update\", \"create\"] }}"
        )
    };
    root.post("sys/policies/acl/own", json!({ "policy": rule(&one) })).ok();
    for (path, accessor, team) in [("one", &one, "red"), ("two", &two, "blue")] {
        let entity = log_in(&vault, path).1;
        let alias = json!({
            "name": "ann", "mount_accessor": accessor, "canonical_id": entity["entity_id"], "custom_metadata": {"team": team}
        });
        root.post("identity/entity-alias", alias).is(200);
    }
    let (ann, _) = log_in(&vault, "one");
    ann.post("kv/red", json!({"a": "b"})).is(204);
    ann.post("kv/blue", json!({"a": "b"})).is(403);
    log_in(&vault, "two").0.post("kv/blue", json!({"a": "b"})).is(403);
}

#[test]
fn a_value_with_a_star_drops_its_rule_and_no_other() {
    let vault = TestVault::new();
    let root = vault.root();
    userpass(&vault, "up", "service");
    root.post("sys/mounts/kv", json!({"type": "kv"})).ok();
    let policy = "path \"kv/{{identity.entity.metadata.team}}/*\" { capabilities = [\"create\", \"update\"] }\n\
                  path \"kv/fixed\" { capabilities = [\"create\", \"update\"] }";
    root.post("sys/policies/acl/own", json!({ "policy": policy })).ok();
    let (ann, auth) = log_in(&vault, "up");
    let entity = format!("identity/entity/id/{}", id(&auth, "entity_id"));
    for team in ["a/*", "+", "*"] {
        root.post(&entity, json!({"metadata": {"team": team}})).ok();
        ann.post("kv/a/b", json!({"a": "b"})).is(403);
        ann.post("kv/fixed", json!({"a": "b"})).is(204);
        ann.get("auth/token/lookup-self").is(200);
    }
}

#[test]
fn nobody_gets_root_by_an_entity_or_a_group() {
    let vault = TestVault::new();
    let root = vault.root();
    let entity = id(&root.post("identity/entity", json!({"name": "e"})).data(), "id");
    let group = id(&root.post("identity/group", json!({"name": "g"})).data(), "id");
    for policies in [json!(["root"]), json!(["Root", "a"]), json!([" ROOT"]), json!("a,root")] {
        for path in [
            "identity/entity",
            "identity/entity/name/e",
            "identity/group",
            "identity/group/name/g",
            &format!("identity/entity/id/{entity}"),
            &format!("identity/group/id/{group}"),
        ] {
            root.post(path, json!({ "policies": policies })).refuses(400, "policies cannot contain root");
        }
    }
}

#[test]
fn a_member_that_leaves_loses_the_policies_at_once() {
    let vault = TestVault::new();
    let root = vault.root();
    userpass(&vault, "up", "service");
    let (ann, auth) = log_in(&vault, "up");
    root.post("sys/policies/acl/p", json!({"policy": "path \"sys/mounts\" { capabilities = [\"read\"] }"})).ok();
    let low = root.post("identity/group", json!({"name": "low", "member_entity_ids": [auth["entity_id"]]})).data();
    root.post("identity/group", json!({"name": "top", "policies": ["p"], "member_group_ids": [low["id"]]})).is(200);
    ann.get("sys/mounts").is(200);
    let circle = json!({"member_group_ids": [root.get("identity/group/name/top").data()["id"]]});
    root.post("identity/group/name/low", circle).refuses(400, "cyclic");
    root.post("identity/group/name/low", json!({"member_entity_ids": []})).is(204);
    ann.get("sys/mounts").is(403);
    root.post("identity/group/name/low", json!({"member_entity_ids": [auth["entity_id"]]})).is(204);
    ann.get("sys/mounts").is(200);
    root.delete("identity/group/name/top").is(204);
    ann.get("sys/mounts").is(403);
}

#[test]
fn a_token_role_makes_tokens_of_an_alias() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post(
        "auth/token/roles/r",
        json!({"allowed_entity_aliases": "web-*", "orphan": true, "allowed_policies": "default"}),
    )
    .ok();
    let made = root.post("auth/token/create/r", json!({"entity_alias": "web-1"})).auth();
    let entity = id(&made, "entity_id");
    root.post(&format!("identity/entity/id/{entity}"), json!({"policies": ["more"]})).ok();
    let again = root.post("auth/token/create/r", json!({"entity_alias": "WEB-1"})).auth();
    assert_eq!((&again["entity_id"], &again["identity_policies"]), (&json!(entity), &json!(["more"])));
    root.post("auth/token/create/r", json!({"entity_alias": "db-1"})).refuses(400, "invalid 'entity_alias' value");
    root.post("auth/token/create", json!({"entity_alias": "web-1"})).is(400);
    root.post(&format!("identity/entity/id/{entity}"), json!({"disabled": true})).ok();
    root.post("auth/token/create/r", json!({"entity_alias": "web-1"})).refuses(403, "disabled");
}

#[test]
fn merged_entities_are_one() {
    let vault = TestVault::new();
    let root = vault.root();
    userpass(&vault, "one", "service");
    userpass(&vault, "two", "service");
    let (ann, first) = log_in(&vault, "one");
    let (_, second) = log_in(&vault, "two");
    root.post(&format!("identity/entity/id/{}", id(&second, "entity_id")), json!({"policies": ["kept"]})).ok();
    let merge = json!({"from_entity_ids": [first["entity_id"]], "to_entity_id": second["entity_id"]});
    root.post("identity/entity/merge", merge).is(204);
    root.get(&format!("identity/entity/id/{}", id(&first, "entity_id"))).is(404);
    assert_eq!(ann.get("auth/token/lookup-self").data()["identity_policies"], json!(["kept"]));
    assert_eq!(log_in(&vault, "one").1["entity_id"], second["entity_id"]);
    let merge = json!({"from_entity_ids": [second["entity_id"]], "to_entity_id": second["entity_id"]});
    root.post("identity/entity/merge", merge).is(400);
}

#[test]
fn a_mount_that_is_disabled_takes_its_aliases_with_it() {
    let vault = TestVault::new();
    let root = vault.root();
    let accessor = userpass(&vault, "up", "service");
    let entity = id(&log_in(&vault, "up").1, "entity_id");
    root.post("identity/group", json!({"name": "x", "type": "external"})).is(200);
    let group = id(&root.get("identity/group/name/x").data(), "id");
    let alias = json!({"name": "devs", "mount_accessor": accessor, "canonical_id": group});
    root.post("identity/group-alias", alias.clone()).is(200);
    root.delete("sys/auth/up").ok();
    eventually("the aliases are gone", || (root.list("identity/entity-alias/id").status == 404).then_some(()));
    eventually("the group's is gone", || (root.list("identity/group-alias/id").status == 404).then_some(()));
    assert_eq!(root.get(&format!("identity/entity/id/{entity}")).data()["aliases"], json!([]));
    root.post("identity/group-alias", alias).is(400);
}

#[test]
fn identity_is_mounted_and_stays() {
    let vault = Setup::manual_clock().start();
    let root = vault.root();
    assert_eq!(root.get("sys/mounts").data()["identity/"]["type"], "identity");
    root.delete("sys/mounts/identity").is(400);
    root.post("sys/remount", json!({"from": "identity", "to": "other"})).is(400);
    root.post("sys/mounts/identity", json!({"type": "kv"})).is(400);
    root.post("sys/mounts/other", json!({"type": "identity"})).is(400);
    root.post("identity/entity", json!({"name": "stays"})).is(200);
    root.post("sys/seal", json!({})).ok();
    vault.advance(Duration::from_secs(1));
    vault.unseal();
    root.get("identity/entity/name/stays").is(200);
    root.delete("identity/entity/name/stays").is(204);
    root.delete("identity/entity/name/stays").is(204);
}

#[test]
fn an_identity_token_says_who_its_holder_is() {
    let vault = TestVault::new();
    let root = vault.root();
    userpass(&vault, "up", "service");
    let policy = "path \"identity/oidc/token/*\" { capabilities = [\"read\"] }";
    root.post("sys/policies/acl/own", json!({ "policy": policy })).ok();
    root.post("identity/oidc/key/k", json!({"algorithm": "ES256", "allowed_client_ids": "*"})).is(204);
    root.post("identity/oidc/role/r", json!({"key": "k", "template": "{\"who\": {{identity.entity.id}} }"})).is(204);
    root.get("identity/oidc/token/r").refuses(400, "no entity associated");
    let (ann, auth) = log_in(&vault, "up");
    let made = ann.get("identity/oidc/token/r").data();
    let token = made["token"].as_str().unwrap();
    let nobody = vault.anonymous();
    let keys = nobody.get("identity/oidc/.well-known/keys").is(200).json();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2);
    assert!(keys["keys"][0].get("d").is_none());
    nobody.get("identity/oidc/.well-known/openid-configuration").is(200);
    nobody.post("identity/oidc/introspect", json!({"token": token})).is(403);
    let standing = |body: Value| root.post("identity/oidc/introspect", body).is(200).json()["active"].clone();
    assert_eq!(standing(json!({"token": token})), true);
    assert_eq!(standing(json!({"token": token, "client_id": made["client_id"]})), true);
    assert_eq!(standing(json!({"token": token, "client_id": "another"})), false);
    assert_eq!(standing(json!({"token": format!("{token}x")})), false);
    root.post("identity/oidc/key/k/rotate", json!({})).is(204);
    assert_eq!(standing(json!({"token": token})), true);
    let entity = id(&auth, "entity_id");
    root.post(&format!("identity/entity/id/{entity}"), json!({"disabled": true})).is(204);
    assert_eq!(standing(json!({"token": token})), false);
    root.delete("identity/oidc/key/k").refuses(400, "referenced by these roles: r");
    root.delete("identity/oidc/role/r").is(204);
    root.delete("identity/oidc/key/k").is(204);
    let log = std::fs::read_to_string(vault.audit_path()).unwrap();
    assert!(!log.contains(token), "the token is in the log");
}

#[test]
fn a_group_whose_name_has_slashes_is_found_by_it() {
    let vault = TestVault::new();
    let root = vault.root();
    let team = id(&root.post("identity/group", json!({"name": "org/team"})).data(), "id");
    assert_eq!(root.get("identity/group/name/org/team").data()["id"], json!(team));
    root.post("identity/group/name/org/team", json!({"policies": ["p"]})).is(204);
    assert_eq!(root.get(&format!("identity/group/id/{team}")).data()["policies"], json!(["p"]));
    assert_eq!(root.list("identity/group/name").data()["keys"], json!(["org/team"]));
    root.delete("identity/group/name/org/team").is(204);
    root.get("identity/group/name/org/team").is(404);
}

#[test]
fn the_list_of_entities_tells_their_aliases() {
    let vault = TestVault::new();
    let root = vault.root();
    let accessor = userpass(&vault, "up", "service");
    let alone = root.post("identity/entity", json!({"name": "alone"})).data()["id"].take();
    let known = root.post("identity/entity", json!({"name": "known"})).data()["id"].take();
    let alias = json!({"name": "ann", "canonical_id": known, "mount_accessor": accessor});
    let alias = root.post("identity/entity-alias", alias).data()["id"].take();
    let info = root.list("identity/entity/id").data()["key_info"].take();
    assert_eq!(info[alone.as_str().unwrap()], json!({"name": "alone"}));
    let line = json!({
        "id": alias, "name": "ann", "mount_accessor": accessor, "mount_path": "auth/up/", "mount_type": "userpass",
    });
    assert_eq!(info[known.as_str().unwrap()], json!({"name": "known", "aliases": [line]}));
}
