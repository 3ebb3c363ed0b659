//! `/v1/auth/token/*`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Client, Setup, TestVault, eventually};

#[test]
fn a_token_is_made_looked_up_renewed_and_revoked() {
    let vault = Setup::manual_clock().start();
    let root = vault.root();
    let made = root
        .post(
            "auth/token/create",
            json!({"policies": ["default"], "ttl": "1h", "explicit_max_ttl": "90m", "meta": {"who": "me"}}),
        )
        .auth();
    assert_eq!(
        (&made["lease_duration"], &made["renewable"], &made["token_type"]),
        (&json!(3600), &json!(true), &json!("service"))
    );
    let holder = vault.anonymous().with_token(made["client_token"].as_str().unwrap());
    let own = holder.get("auth/token/lookup-self").data();
    assert_eq!((&own["ttl"], &own["meta"]["who"], &own["accessor"]), (&json!(3600), &json!("me"), &made["accessor"]));
    vault.advance(Duration::from_mins(40));
    assert_eq!(holder.post("auth/token/renew-self", json!({})).auth()["lease_duration"], 3000, "90 minutes in all");
    let by_accessor = root.post("auth/token/lookup-accessor", json!({"accessor": made["accessor"]})).data();
    assert_eq!(by_accessor["id"], "", "an accessor gives no token away");
    root.post("auth/token/revoke-accessor", json!({"accessor": made["accessor"]})).ok();
    holder.get("auth/token/lookup-self").is(403);
    root.post("auth/token/lookup", json!({"token": holder.token()})).is(403);
}

#[test]
fn what_its_role_says_now_counts_when_a_token_is_renewed() {
    let vault = TestVault::new();
    let root = vault.root();
    let role = |terms| root.post("auth/token/roles/r", terms).ok();
    role(json!({"token_period": "1h"}));
    let made = root.post("auth/token/create/r", json!({"policies": ["default"]})).auth();
    assert_eq!(made["lease_duration"], 3600);
    let holder = vault.anonymous().with_token(made["client_token"].as_str().unwrap());
    let renewed = |increment| {
        let answer = holder.post("auth/token/renew-self", json!({ "increment": increment })).auth();
        answer["lease_duration"].as_u64().unwrap()
    };
    assert_eq!(renewed("0"), 3600);
    role(json!({"token_period": "2h"}));
    assert_eq!(renewed("0"), 7200);
    role(json!({"token_period": 0, "token_explicit_max_ttl": "10m"}));
    assert!((590..=600).contains(&renewed("4h")));
    assert_eq!(holder.get("auth/token/lookup-self").data()["explicit_max_ttl"], 0, "it is the role's");
    root.delete("auth/token/roles/r").ok();
    holder.post("auth/token/renew-self", json!({})).refuses(400, "could not be found, not renewing");
    holder.get("auth/token/lookup-self").is(200);
}

#[test]
fn a_revoked_token_takes_its_children_with_it() {
    let vault = TestVault::new();
    let parent = vault
        .with_policy("maker", "path \"auth/token/*\" { capabilities = [\"create\", \"update\", \"read\", \"sudo\"] }");
    let child = parent.with_token(&parent.post("auth/token/create", json!({})).issued());
    let grandchild = child.with_token(&child.post("auth/token/create", json!({})).issued());
    let orphan = parent.with_token(&parent.post("auth/token/create", json!({"no_parent": true})).issued());
    for token in [&child, &grandchild, &orphan] {
        token.get("auth/token/lookup-self").is(200);
    }
    parent.post("auth/token/revoke-self", json!({})).ok();
    for token in [&parent, &child, &grandchild] {
        eventually("the tree is gone", || (token.get("auth/token/lookup-self").status == 403).then_some(()));
    }
    orphan.get("auth/token/lookup-self").is(200);
}

#[test]
fn revoke_orphan_leaves_the_children() {
    let vault = TestVault::new();
    let parent =
        vault.with_policy("maker", "path \"auth/token/*\" { capabilities = [\"create\", \"update\", \"read\"] }");
    let child = parent.with_token(&parent.post("auth/token/create", json!({})).issued());
    vault.root().post("auth/token/revoke-orphan", json!({"token": parent.token()})).ok();
    parent.get("auth/token/lookup-self").is(403);
    assert_eq!(child.get("auth/token/lookup-self").data()["orphan"], true);
}

#[test]
fn a_limited_token_is_spent_once_for_each_use_even_at_the_same_time() {
    let vault = TestVault::new();
    let holder = vault.with_token(json!({"policies": ["default"], "num_uses": 5}));
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let uses: Vec<_> = (0..12)
            .map(|_| {
                let client = holder.clone();
                // Nothing that reads the token once more: the last use ends it, while others are on their way.
                scope.spawn(move || client.post("sys/capabilities-self", json!({"path": "a"})).status)
            })
            .collect();
        uses.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 5, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 200 | 403)), "{statuses:?}");
    // A denied request is a use too.
    let other = vault.with_token(json!({"policies": ["default"], "num_uses": 1}));
    other.get("sys/mounts").is(403);
    other.get("auth/token/lookup-self").is(403);
}

#[test]
fn a_batch_token_writes_nothing_and_ends_with_its_parent() {
    let vault = TestVault::new();
    let maker =
        vault.with_policy("maker", "path \"auth/token/*\" { capabilities = [\"create\", \"update\", \"read\"] }");
    let before = vault.lease_count();
    let made = maker.post("auth/token/create", json!({"type": "batch", "ttl": "1h"})).auth();
    assert_eq!(
        (&made["token_type"], &made["accessor"], &made["renewable"]),
        (&json!("batch"), &json!(""), &json!(false))
    );
    assert_eq!(vault.lease_count(), before);
    let batch = maker.with_token(made["client_token"].as_str().unwrap());
    batch.get("auth/token/lookup-self").is(200);
    batch.post("auth/token/renew-self", json!({})).refuses(400, "batch tokens cannot be renewed");
    batch.post("auth/token/create", json!({})).is(400);
    batch.post("cubbyhole/x", json!({"a": 1})).is(403);
    let mut changed = batch.token().to_owned();
    let last = changed.pop().unwrap();
    changed.push(if last == 'A' { 'B' } else { 'A' });
    batch.with_token(&changed).get("auth/token/lookup-self").is(403);
    maker.post("auth/token/revoke-self", json!({})).ok();
    batch.get("auth/token/lookup-self").is(403);
}

#[test]
fn a_token_cannot_make_more_than_itself() {
    let vault = TestVault::new();
    let maker = vault.with_policy("maker", "path \"auth/token/create\" { capabilities = [\"create\", \"update\"] }");
    maker.post("auth/token/create", json!({"policies": ["root"]})).is(400);
    maker
        .post("auth/token/create", json!({"policies": ["other"]}))
        .refuses(400, "child policies must be subset of parent");
    maker.post("auth/token/create", json!({"no_parent": true})).is(400);
    maker.post("auth/token/create", json!({"period": "1h"})).is(400);
    maker.post("auth/token/create", json!({"id": "chosen-by-me"})).is(400);
    assert_eq!(
        maker.post("auth/token/create", json!({"no_default_policy": true})).auth()["policies"],
        json!(["maker"])
    );
}

#[test]
fn what_is_no_token_is_refused_alike() {
    let vault = TestVault::new();
    let client = vault.anonymous();
    for token in ["nonsense", "s.", "s.AAAAAAAAAAAAAAAAAAAAAAAA", "b.AAAA", "b.////", "hvs.CAES", "../../x", " "] {
        client.with_token(token).get("auth/token/lookup-self").refuses(403, "permission denied");
    }
    client.get("auth/token/lookup-self").refuses(403, "permission denied");
    client
        .with_header("authorization", &format!("Bearer {}", vault.root().token()))
        .get("auth/token/lookup-self")
        .is(200);
}

/// The policies of a token that is made like this.
fn made(maker: &Client, path: &str, body: Value) -> Value {
    maker.post(&format!("auth/token/{path}"), body).auth()["token_policies"].take()
}

#[test]
fn blank_names_of_policies_are_not_those_of_the_parent() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("auth/token/roles/plain", json!({"disallowed_policies": "x"})).ok();
    root.post("auth/token/roles/bare", json!({"disallowed_policies": "default"})).ok();
    root.post(
        "sys/policies/acl/maker",
        json!({"policy": "path \"auth/token/create\" { capabilities = [\"update\"] }"}),
    )
    .ok();
    let maker = vault.with_token(json!({"policies": ["maker"]}));
    let lean = vault.with_token(json!({"policies": ["maker"], "no_default_policy": true}));
    for blank in [json!([""]), json!([" "]), json!(["", ""]), json!("  "), json!([null])] {
        for path in ["create", "create-orphan", "create/plain"] {
            assert_eq!(made(&root, path, json!({"policies": blank})), json!(["default"]), "{path} {blank}");
        }
        assert_eq!(made(&root, "create/bare", json!({"policies": blank})), json!([]), "{blank}");
        let without = json!({"policies": blank, "no_default_policy": true});
        assert_eq!(made(&root, "create", without), json!([]), "{blank}");
        assert_eq!(made(&maker, "create", json!({"policies": blank})), json!(["default"]), "{blank}");
        assert_eq!(made(&lean, "create", json!({"policies": blank})), json!([]), "{blank}");
        assert_eq!(made(&root, "create", json!({"policies": blank, "type": "batch"})), json!(["default"]), "{blank}");
    }
    for nothing in [json!({}), json!({"policies": []}), json!({"policies": ""}), json!({"policies": null})] {
        assert_eq!(made(&root, "create", nothing.clone()), json!(["root"]), "{nothing}");
        assert_eq!(made(&maker, "create", nothing.clone()), json!(["default", "maker"]), "{nothing}");
    }
}

#[test]
fn who_asks_for_no_policies_gets_no_more_than_its_maker_has() {
    let vault = TestVault::new();
    let policy = "path \"auth/token/create*\" { capabilities = [\"update\", \"sudo\"] }";
    vault.root().post("sys/policies/acl/maker", json!({ "policy": policy })).ok();
    vault.root().post("auth/token/roles/plain", json!({})).ok();
    let lean = vault.with_token(json!({"policies": ["maker"], "no_default_policy": true}));
    for path in ["create", "create-orphan", "create/plain"] {
        for body in [json!({}), json!({"type": "batch"})] {
            assert_eq!(made(&lean, path, body), json!(["maker"]), "{path}");
        }
        assert_eq!(made(&lean, path, json!({"policies": ["maker"]})), json!(["default", "maker"]), "{path}");
    }
}
