//! `sys/mounts`, `sys/auth` and `sys/remount`.

use serde_json::json;

use crate::support::{TestVault, eventually};

#[test]
fn a_mount_is_enabled_tuned_moved_and_disabled() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/mounts/team/kv", json!({"type": "kv", "description": "of a team"})).is(204);
    for path in ["team/kv", "team", "team/kv/deeper"] {
        root.post(&format!("sys/mounts/{path}"), json!({"type": "kv"}))
            .refuses(400, "path is already in use at team/kv/");
    }
    for path in ["sys/x", "auth/x", "cubbyhole/x", "identity/x"] {
        root.post(&format!("sys/mounts/{path}"), json!({"type": "kv"})).refuses(400, "cannot mount");
    }
    root.post("sys/mounts/other", json!({"type": "nonsense"})).refuses(400, "plugin not found in the catalog");
    let listed = root.get("sys/mounts").ok().json();
    assert_eq!(listed["data"]["team/kv/"]["description"], "of a team");
    assert_eq!(listed["team/kv/"]["type"], "kv", "every mount stands at the top level too");

    root.post("team/kv/a", json!({"x": 1})).is(204);
    root.post("sys/mounts/team/kv/tune", json!({"default_lease_ttl": "2h", "max_lease_ttl": "4h"})).is(204);
    assert_eq!(root.get("sys/mounts/team/kv/tune").data()["default_lease_ttl"], 7200);
    root.post("sys/mounts/team/kv/tune", json!({"default_lease_ttl": "5h"})).is(400);
    assert_eq!(root.get("sys/mounts/team/kv/tune").data()["default_lease_ttl"], 7200);

    let moved = root.post("sys/remount", json!({"from": "team/kv", "to": "moved"})).data();
    let status = format!("sys/remount/status/{}", moved["migration_id"].as_str().unwrap());
    assert_eq!(root.get(&status).data()["migration_info"]["status"], "success");
    root.get("team/kv/a").is(404);
    assert_eq!(root.get("moved/a").data(), json!({"x": 1}));

    root.delete("sys/mounts/moved").is(204);
    root.get("moved/a").is(404);
    root.delete("sys/mounts/moved").is(204);
    root.delete("sys/mounts/sys").is(400);
    root.delete("sys/mounts/cubbyhole").is(400);
}

#[test]
fn what_a_disabled_mount_held_is_gone() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/mounts/kv", json!({"type": "kv"})).ok();
    for number in 0..300 {
        root.post(&format!("kv/folder/{number}"), json!({"n": number})).ok();
    }
    let uuid = root.get("sys/mounts").data()["kv/"]["uuid"].as_str().unwrap().to_owned();
    let view = vault.unsealed().view(&format!("mount/{uuid}"));
    assert_eq!(vault.run(view.scan("")).unwrap().len(), 300);
    root.delete("sys/mounts/kv").ok();
    eventually("the records are gone", || vault.run(view.scan("")).unwrap().is_empty().then_some(()));
    let unsealed = vault.unsealed();
    eventually("so is the mount's own record", || {
        vault.run(unsealed.mounts.stored()).unwrap().iter().all(|entry| entry.uuid != uuid).then_some(())
    });
    root.post("sys/mounts/kv", json!({"type": "kv"})).ok();
    root.list("kv/").is(404);
}

#[test]
fn an_auth_method_that_is_disabled_takes_its_tokens_with_it() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/auth/people", json!({"type": "userpass"})).is(204);
    root.post("auth/people/users/ann", json!({"password": "wide river"})).is(204);
    let ann = vault.login("auth/people/login/ann", json!({"password": "wide river"}));
    ann.get("auth/token/lookup-self").is(200);
    assert_eq!(root.get("sys/auth").data()["people/"]["type"], "userpass");
    root.delete("sys/auth/people").is(204);
    eventually("the token is gone", || (ann.get("auth/token/lookup-self").status == 403).then_some(()));
    vault.anonymous().post("auth/people/login/ann", json!({"password": "wide river"})).is(403);
    root.delete("sys/auth/token").is(400);
}

#[test]
fn settings_of_a_mount_survive_a_seal() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/mounts/kv", json!({"type": "kv", "options": {"version": "2"}})).ok();
    root.post("sys/mounts/kv/tune", json!({"max_lease_ttl": "30m", "default_lease_ttl": "10m"})).ok();
    root.post("kv/data/a", json!({"data": {"x": "y"}})).ok();
    root.post("sys/seal", json!({})).ok();
    vault.unseal();
    assert_eq!(root.get("sys/mounts/kv/tune").data()["max_lease_ttl"], 1800);
    assert_eq!(root.get("kv/data/a").data()["data"], json!({"x": "y"}));
}

#[test]
fn what_changes_nothing_is_read_back_all_the_same() {
    let vault = TestVault::new();
    let root = vault.root();
    let asked = |kind: &str| {
        json!({
            "type": kind, "config": {"listing_visibility": "hidden"}, "external_entropy_access": true, "seal_wrap": true,
        })
    };
    root.post("sys/mounts/kv", asked("kv")).is(204);
    root.post("sys/auth/users", asked("userpass")).is(204);
    root.post("sys/mounts/plain", json!({"type": "kv"})).is(204);
    for (list, name) in [("sys/mounts", "kv/"), ("sys/auth", "users/")] {
        let listed = root.get(list).data()[name].clone();
        let read = root.get(&format!("{list}/{name}")).data();
        for mount in [listed, read] {
            assert_eq!(mount["config"]["listing_visibility"], "hidden", "{list}");
            assert_eq!(
                (&mount["external_entropy_access"], &mount["seal_wrap"]),
                (&json!(true), &json!(true)),
                "{list}"
            );
        }
        let tuning = root.get(&format!("{list}/{name}tune")).data();
        assert_eq!(
            (&tuning["listing_visibility"], &tuning["external_entropy_access"]),
            (&json!("hidden"), &json!(true))
        );
    }
    let plain = root.get("sys/mounts/plain/tune").data();
    assert!(plain.get("listing_visibility").is_none() && plain.get("external_entropy_access").is_none());
    for (asked, shown) in [("unauth", json!("unauth")), ("hidden", json!("hidden")), ("", json!(null))] {
        root.post("sys/mounts/plain/tune", json!({"listing_visibility": asked})).is(204);
        assert_eq!(root.get("sys/mounts/plain/tune").data()["listing_visibility"], shown, "{asked:?}");
        let listed = vault.anonymous().get("sys/internal/ui/mounts").data()["secret"].get("plain/").is_some();
        assert_eq!(listed, asked == "unauth", "{asked:?}");
    }
}

/// `sys/auth` asks for sudo: what it guards is not to be had by another name.
#[test]
fn an_auth_method_is_not_disabled_as_a_mount() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/auth/userpass", json!({"type": "userpass"})).ok();
    let policy = "path \"sys/mounts/*\" { capabilities = [\"create\", \"read\", \"update\", \"delete\", \"list\"] }\n\
                  path \"sys/auth/*\" { capabilities = [\"deny\"] }\n\
                  path \"sys/remount\" { capabilities = [\"update\"] }";
    let client = vault.with_policy("mounts", policy);
    client.delete("sys/auth/userpass").is(403);
    for caller in [&client, &root] {
        caller.delete("sys/mounts/auth/userpass").refuses(400, "cannot unmount");
        caller.delete("sys/mounts/auth/userpass/").refuses(400, "cannot unmount");
        caller.delete("sys/mounts/auth/token").refuses(400, "cannot unmount");
        caller.post("sys/mounts/auth/userpass", json!({"type": "kv"})).refuses(400, "cannot mount");
        caller.post("sys/mounts/auth/other", json!({"type": "userpass"})).refuses(400, "cannot mount");
    }
    client.post("sys/remount", json!({"from": "auth/userpass", "to": "auth/elsewhere"})).is(403);
    assert_eq!(root.get("sys/auth").data()["userpass/"]["type"], "userpass");
    // Clients read and tune a method here, because that takes no sudo.
    assert_eq!(client.get("sys/mounts/auth/userpass").data()["type"], "userpass");
    client.post("sys/mounts/auth/userpass/tune", json!({"description": "of the team"})).is(204);
    assert_eq!(client.get("sys/mounts/auth/userpass/tune").data()["description"], "of the team");
}
