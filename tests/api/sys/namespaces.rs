//! `/v1/sys/namespaces`, and what a namespace keeps apart.

use std::sync::Arc;

use arca::storage::{MemoryStorage, Storage};
use serde_json::{Value, json};

use crate::support::{Client, Setup, TestVault, eventually};

/// The same client, asking from the namespace at `path`.
fn within(client: &Client, path: &str) -> Client {
    client.with_header("x-vault-namespace", path)
}

fn with_namespaces(names: &[&str]) -> (TestVault, Client) {
    let vault = TestVault::new();
    let root = vault.root();
    for name in names {
        let (outer, own) = name.rsplit_once('/').unwrap_or(("", name));
        within(&root, outer).post(&format!("sys/namespaces/{own}"), json!({})).is(200);
    }
    (vault, root)
}

/// A token of the namespace that `maker` asks from, with this policy and no other.
fn holder(maker: &Client, policy: &str) -> Client {
    maker.post("sys/policies/acl/holder", json!({"policy": policy})).is(204);
    let made = maker.post("auth/token/create", json!({"policies": ["holder"], "no_default_policy": true}));
    within(maker, "").with_token(&made.issued())
}

#[test]
fn namespaces_are_made_listed_changed_and_removed() {
    let (_vault, root) = with_namespaces(&[]);
    root.list("sys/namespaces").is(404);
    let made = root.post("sys/namespaces/team", json!({"custom_metadata": {"who": "us"}})).data();
    assert_eq!((&made["path"], &made["custom_metadata"]["who"]), (&json!("team/"), &json!("us")));
    assert_eq!(made["id"].as_str().unwrap().len(), 6);
    let team = within(&root, "team");
    team.post("sys/namespaces/web", json!({})).is(200);
    assert_eq!(root.list("sys/namespaces").data()["keys"], json!(["team/"]));
    assert_eq!(root.send("SCAN", "sys/namespaces", None).data()["keys"], json!(["team/", "team/web/"]));
    assert_eq!(team.list("sys/namespaces").data()["key_info"]["web/"]["path"], "team/web/");
    assert_eq!(root.get("team/sys/namespaces/web").data()["path"], "team/web/", "the path leads into it as well");
    assert_eq!(root.get("sys/namespaces/team").data()["uuid"], made["uuid"]);
    let changed = root.patch("sys/namespaces/team", json!({"custom_metadata": {"who": null, "why": "x"}})).data();
    assert_eq!(changed["custom_metadata"], json!({"why": "x"}));
    root.delete("sys/namespaces/team").refuses(400, "containing child namespaces");
    assert_eq!(team.delete("sys/namespaces/web").data()["status"], "in-progress");
    team.get("sys/namespaces/web").is(404);
    within(&root, "team/web").get("sys/mounts").refuses(404, "namespace not found");
    eventually("the name is free again", || (team.post("sys/namespaces/web", json!({})).status == 200).then_some(()));
    assert_ne!(team.get("sys/namespaces/web").data()["id"], made["id"]);
}

#[test]
fn names_that_mean_something_else_are_refused() {
    let (_vault, root) = with_namespaces(&["team"]);
    for name in ["root", "sys", "auth", "cubbyhole", "identity", "audit", "a%20b", "a*b", "a+b", "x/y"] {
        root.post(&format!("sys/namespaces/{name}"), json!({})).is(400);
    }
    root.post("sys/mounts/kv", json!({"type": "kv"})).is(204);
    root.post("sys/namespaces/kv", json!({})).refuses(400, "conflicts with existing mount");
    root.post("sys/mounts/team", json!({"type": "kv"})).refuses(400, "existing mount at team/");
    root.post("sys/mounts/team/kv", json!({"type": "kv"})).refuses(400, "existing mount at team/");
    root.post("sys/remount", json!({"from": "kv", "to": "team/kv"})).is(400);
    within(&root, "nobody").get("sys/mounts").refuses(404, "namespace not found");
    within(&root, "team/../team").get("sys/mounts").is(404);
}

#[test]
fn what_is_in_one_namespace_is_in_no_other() {
    let (_vault, root) = with_namespaces(&["a", "b"]);
    for (name, value) in [("a", "1"), ("b", "2")] {
        let inside = within(&root, name);
        inside.post("sys/mounts/kv", json!({"type": "kv"})).is(204);
        inside.post("kv/secret", json!({"value": value})).is(204);
        inside.post("sys/policies/acl/own", json!({"policy": format!("path \"{name}\" {{}}")})).is(204);
        inside.post("sys/auth/userpass", json!({"type": "userpass"})).is(204);
        inside.post("auth/userpass/users/bob", json!({"password": format!("password-{name}")})).is(204);
        inside.post("identity/entity", json!({"name": format!("entity-{name}")})).is(200);
    }
    assert_eq!(within(&root, "a").get("kv/secret").data()["value"], "1");
    assert_eq!(root.get("b/kv/secret").data()["value"], "2", "the path leads into it as well");
    root.get("kv/secret").is(404);
    assert_eq!(within(&root, "b").get("sys/policies/acl/own").data()["policy"], "path \"b\" {}");
    root.get("sys/policies/acl/own").is(404);
    within(&root, "a").get("identity/entity/name/entity-a").is(200);
    within(&root, "b").get("identity/entity/name/entity-a").is(404);
    let stranger = within(&root, "b").anonymous();
    within(&stranger, "b").post("auth/userpass/login/bob", json!({"password": "password-a"})).is(400);
    let bob = within(&stranger, "b").post("auth/userpass/login/bob", json!({"password": "password-b"})).auth();
    assert!(bob["client_token"].as_str().unwrap().contains('.'), "{bob}");
}

#[test]
fn a_token_is_good_in_its_namespace_and_those_within() {
    let (_vault, root) = with_namespaces(&["team", "team/web", "other"]);
    for name in ["team", "team/web", "other"] {
        within(&root, name).post("sys/mounts/kv", json!({"type": "kv"})).is(204);
        within(&root, name).post("kv/secret", json!({"in": name})).is(204);
    }
    root.post("sys/mounts/kv", json!({"type": "kv"})).is(204);
    root.post("kv/secret", json!({"in": "root"})).is(204);
    let all = "path \"*\" { capabilities = [\"create\", \"read\", \"update\", \"delete\", \"list\", \"sudo\"] }";
    let team = holder(&within(&root, "team"), all);
    assert_eq!(within(&team, "team").get("kv/secret").data()["in"], "team");
    assert_eq!(within(&team, "team/web").get("kv/secret").data()["in"], "team/web");
    assert_eq!(team.get("team/web/kv/secret").data()["in"], "team/web");
    for (namespace, path) in
        [("", "kv/secret"), ("other", "kv/secret"), ("", "other/kv/secret"), ("", "sys/mounts"), ("", "cubbyhole/a")]
    {
        within(&team, namespace).get(path).is(403);
        within(&team, namespace).post(path, json!({"x": 1})).is(403);
    }
    within(&team, "").post("auth/token/create", json!({})).is(403);
    within(&team, "").post("sys/namespaces/mine", json!({})).is(403);
    // Its own affairs need no header.
    assert_eq!(team.get("auth/token/lookup-self").data()["namespace_path"], "team/");
    team.post("auth/token/renew-self", json!({})).is(200);
    team.post("auth/token/revoke-self", json!({})).ok();
    within(&team, "team").get("kv/secret").is(403);
}

#[test]
fn policies_name_what_is_within_by_the_whole_path() {
    let (_vault, root) = with_namespaces(&["team", "team/web"]);
    for name in ["team", "team/web"] {
        within(&root, name).post("sys/mounts/kv", json!({"type": "kv"})).is(204);
        within(&root, name).post("kv/a", json!({"x": 1})).is(204);
    }
    let reader = holder(
        &root,
        "path \"team/web/kv/*\" { capabilities = [\"read\"] } path \"team/sys/capabilities-self\" { capabilities = [\"update\"] } \
         path \"kv/*\" { capabilities = [\"read\"] }",
    );
    within(&reader, "team/web").get("kv/a").is(200);
    reader.get("team/web/kv/a").is(200);
    within(&reader, "team").get("kv/a").is(403);
    within(&reader, "team").get("web/kv/a").is(200);
    let asked = within(&reader, "team").post("sys/capabilities-self", json!({"paths": ["web/kv/a", "kv/a"]})).data();
    assert_eq!((&asked["web/kv/a"], &asked["kv/a"]), (&json!(["read"]), &json!(["deny"])));
}

#[test]
fn what_concerns_the_whole_vault_is_asked_for_in_the_root() {
    let (_vault, root) = with_namespaces(&["team"]);
    let team = within(&root, "team");
    for path in ["sys/audit", "sys/key-status", "sys/config/cors", "sys/host-info", "sys/health", "sys/rotate/config"] {
        team.get(path).refuses(400, "root namespace");
    }
    for path in ["sys/seal", "sys/rotate", "sys/quotas/rate-limit/x", "sys/rekey/init"] {
        team.post(path, json!({"rate": 5})).refuses(400, "root namespace");
    }
    team.get("sys/seal-status").is(200);
    root.get("sys/health").is(200);
}

#[test]
fn a_token_made_within_ends_with_its_parent() {
    let (vault, root) = with_namespaces(&["team"]);
    let maker = vault.with_policy(
        "maker",
        "path \"team/auth/token/create\" { capabilities = [\"update\", \"sudo\"] } \
         path \"auth/token/*\" { capabilities = [\"update\"] }",
    );
    let made = within(&maker, "team").post("auth/token/create", json!({"policies": ["default"], "ttl": "1h"}));
    let child = maker.with_token(&made.issued());
    within(&child, "team").post("cubbyhole/a", json!({"x": 1})).is(204);
    within(&root, "team").list("auth/token/accessors").is(200);
    maker.post("auth/token/revoke-self", json!({})).ok();
    eventually("the child is gone", || {
        (within(&child, "team").get("auth/token/lookup-self").status == 403).then_some(())
    });
}

#[test]
fn a_token_is_looked_up_renewed_and_ended_from_its_namespace_and_those_around_it() {
    let (_vault, root) = with_namespaces(&["team", "other"]);
    let team = within(&root, "team");
    let own = |client: &Client| within(client, "team").get("auth/token/lookup-self").status;
    for place in ["", "team"] {
        let here = within(&root, place);
        let made = || team.post("auth/token/create", json!({"policies": ["default"], "ttl": "1h"})).issued();
        let token = made();
        let named = json!({ "token": token });
        assert_eq!(here.post("auth/token/lookup", named.clone()).data()["namespace_path"], "team/", "{place:?}");
        assert_eq!(here.post("auth/token/renew", named.clone()).auth()["lease_duration"], 3600);
        let may = here.post("sys/capabilities", json!({"token": token, "path": "auth/token/lookup-self"})).data();
        assert_eq!(may["capabilities"], if place == "team" { json!(["read"]) } else { json!(["deny"]) });
        here.post("auth/token/revoke", named).is(204);
        assert_eq!(own(&root.with_token(&token)), 403, "{place:?}");
        let token = made();
        here.post("auth/token/revoke-orphan", json!({ "token": token })).is(204);
        assert_eq!(own(&root.with_token(&token)), 403, "{place:?}");
    }
    // From elsewhere nobody is made to believe that it was ended.
    let (inner, outer) = (team.post("auth/token/create", json!({})), root.post("auth/token/create", json!({})));
    for (here, token) in [(within(&root, "other"), inner.issued()), (team, outer.issued())] {
        for path in ["lookup", "renew", "revoke", "revoke-orphan"] {
            let answer = here.post(&format!("auth/token/{path}"), json!({ "token": token }));
            answer.refuses(400, "does not lie in this one");
        }
    }
}

#[test]
fn the_root_of_a_parent_makes_no_root_within() {
    let (_vault, root) = with_namespaces(&["team"]);
    let team = within(&root, "team");
    team.post("auth/token/create", json!({"policies": ["root"]})).refuses(400, "from a parent namespace");
    assert_eq!(team.post("auth/token/create", json!({})).auth()["policies"], json!(["default"]));
}

#[test]
fn policies_of_the_parent_mean_nothing_to_its_children_elsewhere() {
    let (vault, root) = with_namespaces(&["team"]);
    within(&root, "team")
        .post("sys/policies/acl/maker", json!({"policy": "path \"kv/*\" { capabilities = [\"read\"] }"}))
        .is(204);
    // A policy of the same name in another namespace is another policy.
    let maker = vault.with_policy("maker", "path \"team/auth/token/create\" { capabilities = [\"update\"] }");
    within(&maker, "team").post("auth/token/create", json!({"policies": ["maker"]})).is(400);
}

#[test]
fn accessors_are_those_of_the_namespace() {
    let (_vault, root) = with_namespaces(&["team"]);
    let team = within(&root, "team");
    let made = team.post("auth/token/create", json!({"policies": ["default"]})).auth();
    let accessor = json!({"accessor": made["accessor"]});
    root.post("auth/token/lookup-accessor", accessor.clone()).is(400);
    root.post("auth/token/revoke-accessor", accessor.clone()).ok();
    assert_eq!(team.post("auth/token/lookup-accessor", accessor.clone()).data()["namespace_path"], "team/");
    let listed = |client: &Client| client.list("auth/token/accessors").data()["keys"].as_array().unwrap().clone();
    assert!(listed(&team).contains(&made["accessor"]) && !listed(&root).contains(&made["accessor"]));
    let outer = root.get("auth/token/lookup-self").data()["accessor"].clone();
    team.post("auth/token/lookup-accessor", json!({"accessor": outer})).is(400);
    team.post("auth/token/lookup-accessor", accessor.clone()).is(200);
    team.post("auth/token/revoke-accessor", accessor).ok();
    team.with_token(made["client_token"].as_str().unwrap()).get("auth/token/lookup-self").is(403);
}

#[test]
fn an_answer_that_is_wrapped_within_is_unwrapped_anywhere() {
    let (vault, root) = with_namespaces(&["team"]);
    let team = within(&root, "team");
    team.post("sys/mounts/kv", json!({"type": "kv"})).is(204);
    team.post("kv/a", json!({"x": 1})).is(204);
    let wrapped = || team.with_header("x-vault-wrap-ttl", "60").get("kv/a").json()["wrap_info"]["token"].clone();
    let token = wrapped();
    let unwrapped = vault.anonymous().with_token(token.as_str().unwrap()).post("sys/wrapping/unwrap", json!({}));
    assert_eq!(unwrapped.data()["x"], 1);
    let token = wrapped();
    root.post("sys/wrapping/lookup", json!({"token": token})).is(200);
    let rewrapped = root.post("sys/wrapping/rewrap", json!({"token": token})).json()["wrap_info"]["token"].clone();
    assert_eq!(root.post("sys/wrapping/unwrap", json!({"token": rewrapped})).data()["x"], 1);
    root.post("sys/wrapping/unwrap", json!({"token": rewrapped})).is(400);
}

#[test]
fn batch_tokens_say_where_they_are_from() {
    let (_vault, root) = with_namespaces(&["team", "other"]);
    let team = within(&root, "team");
    let made = team.post("auth/token/create", json!({"type": "batch", "policies": ["default"], "ttl": "1h"}));
    let holder = root.with_token(&made.issued());
    within(&holder, "team").get("auth/token/lookup-self").is(200);
    within(&holder, "other").get("auth/token/lookup-self").is(403);
    let (sealed, id) = holder.token().rsplit_once('.').unwrap();
    assert_eq!(id.len(), 6);
    // Its namespace is sealed in: another ending opens nothing.
    root.with_token(sealed).get("auth/token/lookup-self").is(403);
    let other = root.get("sys/namespaces/other").data()["id"].as_str().unwrap().to_owned();
    within(&root.with_token(&format!("{sealed}.{other}")), "other").get("auth/token/lookup-self").is(403);
}

#[test]
fn everything_is_there_after_a_restart_and_gone_after_a_removal() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let vault = Setup { storage: storage.clone(), ..Setup::default() }.start();
    let token = {
        let root = vault.root();
        for name in ["team", "gone"] {
            root.post(&format!("sys/namespaces/{name}"), json!({})).is(200);
            let inside = within(&root, name);
            inside.post("sys/mounts/kv", json!({"type": "kv"})).is(204);
            inside.post("kv/a", json!({"x": name})).is(204);
        }
        let inside = within(&root, "gone");
        let token = inside.post("auth/token/create", json!({"policies": ["default"]})).issued();
        root.delete("sys/namespaces/gone").is(200);
        eventually("its tokens are gone", || {
            (root.with_token(&token).get("auth/token/lookup-self").status == 403).then_some(())
        });
        token
    };
    let (shares, root_token) = (vault.shares.clone(), vault.root().token().to_owned());
    vault.crash();
    let mut again = Setup { storage, ..Setup::default() }.start();
    again.adopt(&shares, &root_token);
    again.unseal();
    let root = again.root();
    assert_eq!(within(&root, "team").get("kv/a").data()["x"], "team");
    eventually("its name is free", || (root.post("sys/namespaces/gone", json!({})).status == 200).then_some(()));
    within(&root, "gone").get("kv/a").is(404);
    within(&root.with_token(&token), "gone").get("sys/mounts").is(403);
}

#[test]
fn the_audit_log_says_which_namespace() {
    let (vault, root) = with_namespaces(&["team"]);
    within(&root, "team").get("sys/mounts").is(200);
    within(&root, "nobody").get("sys/mounts").is(404);
    let lines: Vec<Value> = vault.audit_log();
    let told = |path: &str| lines.iter().any(|line| line["request"]["namespace"]["path"] == path);
    assert!(told("team/"), "{lines:?}");
}

#[test]
fn what_is_made_while_a_namespace_is_removed_goes_with_it() {
    let (vault, root) = with_namespaces(&[]);
    let all = "path \"*\" { capabilities = [\"create\", \"read\", \"update\", \"delete\", \"list\", \"sudo\"] }";
    for round in 0..8 {
        let name = format!("round{round}");
        root.post(&format!("sys/namespaces/{name}"), json!({})).is(200);
        let parent = vault.with_policy("all", all);
        let inside = within(&parent, &name);
        std::thread::scope(|scope| {
            for maker in 0..4 {
                let inside = &inside;
                scope.spawn(move || {
                    for number in 0..6 {
                        let body = json!({"policies": ["default"], "ttl": "1h"});
                        inside.post("auth/token/create", body);
                        inside.post(&format!("sys/mounts/kv{maker}{number}"), json!({"type": "kv"}));
                        inside.post(&format!("sys/namespaces/kid{maker}{number}"), json!({}));
                    }
                });
            }
            // Refused as long as one of the others' namespaces is in it; one of the answers decides.
            root.delete(&format!("sys/namespaces/{name}"));
        });
        let sibling = parent.with_token(&parent.post("auth/token/create", json!({"ttl": "1h"})).issued());
        parent.post("auth/token/revoke-self", json!({})).ok();
        eventually("the sibling is gone", || (sibling.get("auth/token/lookup-self").status == 403).then_some(()));
        // Nothing serves without its parent.
        if root.get(&format!("sys/namespaces/{name}")).status == 404 {
            for maker in 0..4 {
                for number in 0..6 {
                    within(&root, &format!("{name}/kid{maker}{number}")).get("sys/mounts").is(404);
                }
            }
        }
    }
}

#[test]
fn a_chosen_token_is_one_of_its_namespace() {
    let (_vault, root) = with_namespaces(&["a", "b"]);
    for name in ["a", "b"] {
        let made =
            within(&root, name).post("auth/token/create", json!({"id": "mine", "policies": ["default"]})).issued();
        assert!(made.starts_with("mine."), "{made}");
        let holder = within(&root, name).with_token(&made);
        assert_eq!(holder.get("auth/token/lookup-self").data()["namespace_path"], format!("{name}/"));
        within(&holder, "").post("auth/token/revoke-self", json!({})).ok();
        holder.get("auth/token/lookup-self").is(403);
    }
}

#[test]
fn identity_tokens_name_the_namespace_and_no_stranger() {
    let (vault, root) = with_namespaces(&["team"]);
    let team = within(&root, "team");
    let issuer = team.get("identity/oidc/.well-known/openid-configuration").json()["issuer"].clone();
    assert!(issuer.as_str().unwrap().ends_with("/v1/team/identity/oidc"), "{issuer}");
    team.post("identity/oidc/key/k", json!({"allowed_client_ids": "*"})).ok();
    team.post("identity/oidc/role/r", json!({"key": "k"})).ok();
    root.post("sys/auth/userpass", json!({"type": "userpass"})).is(204);
    root.post("sys/policies/acl/all", json!({"policy": "path \"team/*\" { capabilities = [\"read\"] }"})).is(204);
    root.post("auth/userpass/users/bob", json!({"password": "a-long-password", "token_policies": "all"})).is(204);
    let bob = vault.login("auth/userpass/login/bob", json!({"password": "a-long-password"}));
    within(&bob, "team").get("identity/oidc/token/r").is(400);
}

#[test]
fn the_mounts_of_a_namespace_are_shown_to_those_of_its_parent() {
    let (_vault, root) = with_namespaces(&["team"]);
    let team = within(&root, "team");
    team.post("sys/mounts/kv", json!({"type": "kv"})).is(204);
    assert!(team.get("sys/internal/ui/mounts").data()["secret"]["kv/"].is_object());
    assert_eq!(team.get("sys/internal/ui/mounts/kv/a").data()["path"], "kv/");
}

#[test]
fn a_locked_namespace_answers_nothing_but_its_unlocking() {
    let (vault, root) = with_namespaces(&["team", "team/web", "other"]);
    let lock = |client: &Client, path: &str| client.post(&format!("sys/namespaces/api-lock/lock{path}"), json!({}));
    let unlock =
        |client: &Client, path: &str, body: Value| client.post(&format!("sys/namespaces/api-lock/unlock{path}"), body);
    let key = lock(&root, "/team").data()["unlock_key"].take();
    assert_eq!(key.as_str().unwrap().len(), 24);
    assert_eq!(root.get("sys/namespaces/team").data()["locked"], true);
    lock(&root, "/team").refuses(400, "is already locked");
    for name in ["team", "team/web"] {
        let inside = within(&root, name);
        inside.get("sys/mounts").refuses(503, "locked by an administrator");
        inside.with_token("hvs.nobody").get("kv/a").refuses(503, "must be unlocked");
    }
    root.get("team/sys/mounts").is(503);
    lock(&within(&root, "team"), "/web").is(503);
    within(&root, "other").get("sys/mounts").is(200);
    let keeper = vault.with_policy("keeper", "path \"sys/namespaces/api-lock/*\" { capabilities = [\"update\"] }");
    unlock(&keeper, "/team", json!({})).refuses(400, "empty key");
    unlock(&keeper, "/team", json!({"unlock_key": "wrong"})).refuses(400, "incorrect unlock key");
    unlock(&root, "/team", json!({"unlock_key": "wrong"})).refuses(400, "incorrect unlock key");
    unlock(&keeper, "/team", json!({"unlock_key": key})).is(204);
    within(&root, "team").get("sys/mounts").is(200);
    unlock(&root, "/team", json!({})).refuses(400, "is not locked");
    // From within, and with nothing but sudo.
    lock(&within(&root, "team"), "").is(200);
    within(&root, "team").get("sys/mounts").is(503);
    unlock(&within(&root, "team"), "", json!({})).is(200);
    within(&root, "team").get("sys/mounts").is(200);
    lock(&within(&root, "team"), "/web").is(200);
    within(&root, "team").get("sys/mounts").is(200);
    within(&root, "team/web").get("sys/mounts").is(503);
    lock(&root, "").refuses(400, "root namespace cannot be locked");
    lock(&root, "/nobody").refuses(400, "requested namespace does not exist");
    unlock(&root, "/nobody", json!({})).refuses(400, "requested namespace does not exist");
}

#[test]
fn a_lock_outlives_a_restart() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let vault = Setup { storage: storage.clone(), ..Setup::default() }.start();
    vault.root().post("sys/namespaces/team", json!({})).is(200);
    let key = vault.root().post("sys/namespaces/api-lock/lock/team", json!({})).data()["unlock_key"].take();
    let (shares, root_token) = (vault.shares.clone(), vault.root().token().to_owned());
    vault.crash();
    let mut again = Setup { storage, ..Setup::default() }.start();
    again.adopt(&shares, &root_token);
    again.unseal();
    let root = again.root();
    within(&root, "team").get("sys/mounts").is(503);
    root.post("sys/namespaces/api-lock/unlock/team", json!({"unlock_key": key})).is(204);
    within(&root, "team").get("sys/mounts").is(200);
}

#[test]
fn a_path_leads_to_a_mount_of_another_namespace() {
    let (vault, root) = with_namespaces(&["team", "team/web"]);
    within(&root, "team").post("sys/mounts/kv", json!({"type": "kv", "options": {"version": "2"}})).ok();
    within(&root, "team/web").post("sys/mounts/deep", json!({"type": "kv"})).ok();
    let seen = |client: &Client, path: &str| client.get(&format!("sys/internal/ui/mounts/{path}"));
    let mount = seen(&root, "team/kv/a").is(200).data();
    assert_eq!((&mount["path"], &mount["options"]), (&json!("team/kv/"), &json!({"version": "2"})));
    assert_eq!(seen(&root, "team/web/deep/a").data()["path"], "team/web/deep/");
    assert_eq!(seen(&root, "team/auth/token/a").data()["path"], "team/auth/token/");
    assert_eq!(seen(&within(&root, "team"), "web/deep").data()["path"], "team/web/deep/");
    assert_eq!(seen(&within(&root, "team"), "kv/a").data()["path"], "kv/");
    for hidden in ["team/none/a", "none/kv/a", "team", "team/deep/a"] {
        seen(&root, hidden).refuses(403, &format!("grant access to path \\\"{hidden}/\\\""));
    }
    let reader = vault.with_policy("reader", "path \"team/kv/*\" { capabilities = [\"read\"] }");
    seen(&reader, "team/kv/a").is(200);
    seen(&reader, "team/web/deep/a").refuses(403, "preflight capability check returned 403");
    root.post("sys/namespaces/api-lock/lock/team", json!({})).is(200);
    seen(&root, "team/kv/a").refuses(403, "preflight capability check returned 403");
}

#[test]
fn what_lies_in_a_locked_namespace_cannot_be_locked() {
    let (_vault, root) = with_namespaces(&["team", "team/web", "team/web/ui"]);
    let change = |what: &str, path: &str| root.post(&format!("sys/namespaces/api-lock/{what}/{path}"), json!({}));
    change("lock", "team").is(200);
    for (path, named) in [("team/web", "team/web/"), ("team/web/ui", "team/web/ui/")] {
        let words =
            format!("cannot lock namespace \\\"{named}\\\": ancestor namespace \\\"team/\\\" is already locked");
        change("lock", path).refuses(400, &words);
    }
    change("unlock", "team").is(200);
    within(&root, "team/web").get("sys/mounts").is(200);
    // The other way round each lock has its key.
    change("lock", "team/web").is(200);
    change("lock", "team").is(200);
    change("unlock", "team").is(200);
    within(&root, "team/web").get("sys/mounts").is(503);
    change("unlock", "team/web").is(200);
}

#[test]
fn a_picker_of_namespaces_is_told_one_level() {
    let (_vault, root) = with_namespaces(&["a", "a/b", "a/b/c", "d"]);
    let shown = |client: &Client, path: &str| within(client, path).get("sys/internal/ui/namespaces").data();
    assert_eq!(shown(&root, ""), json!({"keys": ["a/", "d/"]}));
    assert_eq!(shown(&root, "a"), json!({"keys": ["b/"]}));
    assert_eq!(shown(&root, "a/b/c"), json!({}));
    // Whoever may do something further below has to get there.
    let deep = holder(&root, "path \"a/b/c/*\" { capabilities = [\"read\"] }");
    assert_eq!((shown(&deep, ""), shown(&deep, "a")), (json!({"keys": ["a/"]}), json!({"keys": ["b/"]})));
}

#[test]
fn an_answer_names_the_namespace_that_was_asked() {
    let (_vault, root) = with_namespaces(&["a"]);
    let echoed = |client: &Client, path: &str| {
        client.get(path).headers.get("x-vault-namespace").map(|named| named.to_str().unwrap().to_owned())
    };
    for named in ["a", "a/", "/a/", "nobody"] {
        assert_eq!(echoed(&within(&root, named), "sys/mounts").as_deref(), Some(named));
        assert_eq!(echoed(&within(&root.anonymous(), named), "kv/x").as_deref(), Some(named));
    }
    assert_eq!(echoed(&root, "sys/mounts"), None);
    assert_eq!(echoed(&root, "a/sys/mounts"), None, "it is the header that is told");
}

#[test]
fn tokens_can_be_tidied_from_a_namespace() {
    let (_vault, root) = with_namespaces(&["a"]);
    let answer = within(&root, "a").post("auth/token/tidy", json!({})).is(202);
    assert!(answer.text.contains("Tidy operation successfully started"), "{}", answer.text);
}
