//! What is done to a vault, and what must hold when it was interrupted.

use serde_json::json;

use crate::support::{Answer, TestVault, eventually};

/// Something that is done to a vault and may be interrupted at each of its commits.
pub(super) struct Operation<'a> {
    /// What it is called.
    pub(super) name: &'a str,
    /// Whether time stands until the test moves it.
    pub(super) manual_clock: bool,
    /// What comes before it.
    pub(super) prepare: &'a dyn Fn(&TestVault),
    /// What is interrupted, and what whoever asked for it was answered.
    pub(super) act: &'a dyn Fn(&TestVault) -> Answer,
    /// What is there of it, after this answer.
    pub(super) found: &'a dyn Fn(&TestVault, &Answer) -> State,
    /// What must hold afterwards, more than once.
    pub(super) check: &'a dyn Fn(&TestVault),
}

/// What is there of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing: all is as it was.
    Before,
    /// It was begun, or something else is there.
    Between,
    /// All of it.
    After,
}

impl State {
    fn after(happened: bool) -> Self {
        if happened { Self::After } else { Self::Before }
    }
}

/// What is interrupted.
pub(super) const OPERATIONS: [Operation<'static>; 15] = [
    Operation {
        manual_clock: false,
        name: "mount",
        prepare: &|_| {},
        act: &|vault| vault.root().post("sys/mounts/kv", json!({"type": "kv"})),
        found: &|vault, _| State::after(vault.root().get("sys/mounts").data().get("kv/").is_some()),
        check: &|vault| {
            let root = vault.root();
            if root.get("sys/mounts").data().get("kv/").is_none() {
                root.post("sys/mounts/kv", json!({"type": "kv"})).ok();
            }
            root.post("kv/a", json!({"x": 1})).ok();
            root.get("kv/a").ok();
        },
    },
    Operation {
        manual_clock: false,
        name: "write",
        prepare: &|vault| {
            vault.root().post("sys/mounts/kv", json!({"type": "kv-v2"})).ok();
            vault.root().post("kv/data/a", json!({"data": {"n": 1}})).ok();
        },
        act: &|vault| vault.root().post("kv/data/a", json!({"data": {"n": 2}})),
        found: &|vault, _| State::after(vault.root().get("kv/data/a").data()["data"]["n"] == 2),
        check: &|vault| {
            let read = vault.root().get("kv/data/a").data();
            assert_eq!(read["data"]["n"], read["metadata"]["version"]);
            let metadata = vault.root().get("kv/metadata/a").data();
            assert_eq!(metadata["current_version"], read["metadata"]["version"]);
            assert_eq!(metadata["versions"].as_object().unwrap().len() as u64, read["data"]["n"].as_u64().unwrap());
        },
    },
    Operation {
        manual_clock: false,
        name: "rotate",
        prepare: &|vault| drop(vault.root().post("cubbyhole/a", json!({"n": 1})).ok()),
        act: &|vault| vault.root().post("sys/rotate", json!({})),
        found: &|vault, _| State::after(vault.root().get("sys/key-status").data()["term"].as_u64() > Some(1)),
        check: &|vault| {
            let root = vault.root();
            root.get("cubbyhole/a").ok();
            root.post("cubbyhole/b", json!({"n": 2})).ok();
            root.post("sys/rotate", json!({})).ok();
            root.get("cubbyhole/a").ok();
            root.get("cubbyhole/b").ok();
        },
    },
    Operation {
        manual_clock: false,
        name: "token",
        prepare: &|_| {},
        act: &|vault| vault.root().post("auth/token/create", json!({"id": "made", "ttl": "1h"})),
        found: &|vault, _| State::after(works(vault, "made")),
        check: &tokens_have_leases,
    },
    Operation {
        manual_clock: false,
        name: "revoke",
        prepare: &|vault| {
            let parent =
                vault.with_policy("maker", "path \"auth/token/create\" { capabilities = [\"create\", \"update\"] }");
            parent.post("auth/token/create", json!({})).ok();
            parent.post("auth/token/create", json!({})).ok();
        },
        act: &|vault| vault.root().post("sys/leases/revoke-prefix/auth/token/create", json!({"sync": true})),
        found: &|vault, _| match (vault.lease_count(), accessors(vault)) {
            (3, 4) => State::Before,
            (0, 1) => State::After,
            _ => State::Between,
        },
        check: &|vault| {
            // Begun is begun: it ends by itself, or nothing has happened.
            vault.root().post("sys/leases/revoke-prefix/auth/token/create", json!({"sync": true})).ok();
            eventually("all leases are gone", || (vault.lease_count() == 0).then_some(()));
            assert_eq!(accessors(vault), 1);
        },
    },
    Operation {
        manual_clock: false,
        name: "disable",
        prepare: &|vault| {
            vault.root().post("sys/mounts/kv", json!({"type": "kv"})).ok();
            vault.root().post("kv/a", json!({"n": 1})).ok();
        },
        act: &|vault| vault.root().delete("sys/mounts/kv"),
        found: &|vault, _| {
            let is_listed = vault.root().get("sys/mounts").data().get("kv/").is_some();
            match (is_listed, vault.root().get("kv/a").status) {
                (true, 200) => State::Before,
                (false, 404) => State::After,
                _ => State::Between,
            }
        },
        check: &|vault| {
            let root = vault.root();
            if root.get("sys/mounts").data().get("kv/").is_some() {
                root.get("kv/a").ok();
                root.delete("sys/mounts/kv").ok();
            }
            let unsealed = vault.unsealed();
            eventually("the mount is gone", || {
                vault.run(unsealed.mounts.stored()).unwrap().iter().all(|entry| entry.path != "kv/").then_some(())
            });
            assert!(
                vault.run(unsealed.view("mount").scan("")).unwrap_or_default().iter().all(|key| !key.ends_with("/a"))
            );
        },
    },
    Operation {
        name: "policy",
        manual_clock: false,
        prepare: &make_policy,
        act: &|vault| vault.root().post("sys/policies/acl/p", json!({"policy": rule("after")})),
        found: &|vault, _| match policy_in_force(vault) {
            Some(text) if text == rule("before") => State::Before,
            Some(text) if text == rule("after") => State::After,
            _ => State::Between,
        },
        check: &|vault| assert!(policy_in_force(vault).is_some()),
    },
    Operation {
        name: "policy-remove",
        manual_clock: false,
        prepare: &make_policy,
        act: &|vault| vault.root().delete("sys/policies/acl/p"),
        found: &|vault, _| State::after(policy_in_force(vault).is_none()),
        check: &|vault| drop(policy_in_force(vault)),
    },
    Operation {
        name: "auth-mount",
        manual_clock: false,
        prepare: &|_| {},
        act: &|vault| vault.root().post("sys/auth/userpass", json!({"type": "userpass"})),
        found: &|vault, _| State::after(vault.root().get("sys/auth").data().get("userpass/").is_some()),
        check: &|vault| {
            let root = vault.root();
            if root.get("sys/auth").data().get("userpass/").is_none() {
                root.post("sys/auth/userpass", json!({"type": "userpass"})).ok();
            }
            root.post("auth/userpass/users/u", json!({"password": "not secret"})).ok();
            root.post("auth/userpass/login/u", json!({"password": "not secret"})).issued();
        },
    },
    Operation {
        name: "login",
        manual_clock: false,
        prepare: &|vault| {
            vault.root().post("sys/auth/userpass", json!({"type": "userpass"})).ok();
            vault.root().post("auth/userpass/users/u", json!({"password": "not secret"})).ok();
        },
        act: &|vault| vault.root().post("auth/userpass/login/u", json!({"password": "not secret"})),
        found: &|vault, answer| match answer.json()["auth"]["client_token"].as_str() {
            Some(token) => State::after(works(vault, token)),
            None if vault.lease_count() > 0 => State::After,
            // The entity may be made before the token is refused.
            None if count(vault, "identity/entity/id") > 0 => State::Between,
            None => State::Before,
        },
        check: &|vault| {
            tokens_have_leases(vault);
            let count = |path| count(vault, path);
            assert_eq!(count("identity/entity/id"), count("identity/entity-alias/id"), "an entity without its alias");
            vault.root().post("auth/userpass/login/u", json!({"password": "not secret"})).issued();
            assert_eq!((count("identity/entity/id"), count("identity/entity-alias/id")), (1, 1));
        },
    },
    Operation {
        name: "wrap",
        manual_clock: false,
        prepare: &|vault| drop(vault.root().post("cubbyhole/a", json!({"n": 1})).ok()),
        act: &|vault| vault.root().with_header("x-vault-wrap-ttl", "1h").get("cubbyhole/a"),
        found: &|vault, answer| match answer.json()["wrap_info"]["token"].as_str() {
            Some(token) => {
                let looked_up = vault.root().post("sys/wrapping/lookup", json!({ "token": token }));
                State::after(looked_up.status == 200)
            }
            None => State::after(vault.lease_count() > 0),
        },
        check: &tokens_have_leases,
    },
    Operation {
        name: "renew",
        manual_clock: false,
        prepare: &make_holder,
        act: &|vault| vault.root().post("auth/token/renew", json!({"token": "holder", "increment": "2h"})),
        found: &|vault, _| {
            let token = vault.root().with_token("holder").get("auth/token/lookup-self").data()["ttl"].as_u64();
            let lease = vault.root().post("sys/leases/lookup", json!({"lease_id": lease(vault)})).data();
            match (token > Some(3600), lease["ttl"].as_u64() > Some(3600)) {
                (false, false) => State::Before,
                (true, true) => State::After,
                _ => State::Between,
            }
        },
        check: &|vault| assert!(holder_and_lease(vault), "a renewal ended a lease"),
    },
    Operation {
        name: "lease-revoke",
        manual_clock: false,
        prepare: &make_holder,
        act: &|vault| vault.root().post("sys/leases/revoke", json!({"lease_id": lease(vault), "sync": true})),
        found: &|vault, _| State::after(!works(vault, "holder")),
        check: &|vault| {
            holder_and_lease(vault);
        },
    },
    Operation {
        name: "token-revoke",
        manual_clock: false,
        prepare: &|vault| {
            let rules = "path \"auth/token/create\" { capabilities = [\"create\", \"update\", \"sudo\"] }";
            vault.root().post("sys/policies/acl/maker", json!({"policy": rules})).ok();
            vault.root().post("auth/token/create", json!({"id": "holder", "policies": ["maker"], "ttl": "1h"})).ok();
            vault.root().with_token("holder").post("auth/token/create", json!({"id": "child", "ttl": "1h"})).ok();
        },
        act: &|vault| vault.root().post("auth/token/revoke", json!({"token": "holder"})),
        found: &|vault, _| match (works(vault, "holder"), works(vault, "child")) {
            (true, true) => State::Before,
            (false, false) => State::After,
            _ => State::Between,
        },
        check: &|vault| {
            // All of them or none: what was begun ends by itself.
            eventually("no child without its parent", || (accessors(vault) != 2).then_some(()));
            vault.root().post("auth/token/revoke", json!({"token": "holder"}));
            eventually("all tokens are gone", || (accessors(vault) == 1).then_some(()));
            eventually("all leases are gone", || (vault.lease_count() == 0).then_some(()));
        },
    },
    Operation {
        name: "entity",
        manual_clock: false,
        prepare: &|vault| drop(vault.root().post("identity/entity/name/e", json!({"metadata": {"n": "1"}})).ok()),
        act: &|vault| vault.root().post("identity/entity/name/e", json!({"metadata": {"n": "2"}})),
        found: &|vault, _| State::after(vault.root().get("identity/entity/name/e").data()["metadata"]["n"] == "2"),
        check: &|vault| {
            let named = vault.root().get("identity/entity/name/e").data();
            let id = named["id"].as_str().unwrap();
            assert_eq!(vault.root().get(&format!("identity/entity/id/{id}")).data(), named);
        },
    },
];

fn make_policy(vault: &TestVault) {
    vault.root().post("sys/policies/acl/p", json!({"policy": rule("before")})).ok();
    vault.root().post("auth/token/create", json!({"id": "holder", "policies": ["p"]})).ok();
}

fn works(vault: &TestVault, token: &str) -> bool {
    vault.root().with_token(token).get("auth/token/lookup-self").status == 200
}

fn count(vault: &TestVault, path: &str) -> usize {
    let answer = vault.root().list(path);
    if answer.status == 404 { 0 } else { answer.data()["keys"].as_array().unwrap().len() }
}

/// How many tokens there are, that of the root among them.
fn accessors(vault: &TestVault) -> usize {
    count(vault, "auth/token/accessors")
}

fn rule(path: &str) -> String {
    format!("path \"{path}\" {{ capabilities = [\"read\"] }}")
}

/// Which of the policies is there; it is in force, too.
fn policy_in_force(vault: &TestVault) -> Option<String> {
    let read = vault.root().get("sys/policies/acl/p");
    let text = (read.status == 200).then(|| read.data()["policy"].as_str().unwrap().to_owned());
    for path in ["before", "after"] {
        let asked = json!({"token": "holder", "paths": [path]});
        let allowed = vault.root().post("sys/capabilities", asked).data()[path] == json!(["read"]);
        assert_eq!(allowed, text.as_deref() == Some(&rule(path)), "{path}: {text:?}");
    }
    text
}

/// Each token but the root token has the lease that ends it, and no lease is without its token.
fn tokens_have_leases(vault: &TestVault) {
    let keys = vault.root().list("auth/token/accessors").data();
    let accessors = keys["keys"].as_array().unwrap();
    for accessor in accessors {
        vault.root().post("auth/token/lookup-accessor", json!({ "accessor": accessor })).ok();
    }
    assert_eq!(vault.lease_count(), accessors.len() - 1);
}

fn make_holder(vault: &TestVault) {
    vault.root().post("auth/token/create", json!({"id": "holder", "ttl": "1h"})).ok();
}

/// The id of the only lease there is.
pub(super) fn lease(vault: &TestVault) -> Option<String> {
    let unsealed = vault.unsealed();
    vault.run(async { unsealed.leases.below("").await.unwrap().first().map(ToString::to_string) })
}

/// Whether the token and its lease are there, one not being there without the other.
fn holder_and_lease(vault: &TestVault) -> bool {
    let token = || works(vault, "holder");
    eventually("a token with its lease, or neither", || (token() == lease(vault).is_some()).then_some(()));
    if let Some(id) = lease(vault) {
        assert!(vault.root().post("sys/leases/lookup", json!({"lease_id": id})).data()["ttl"].as_u64() > Some(0));
    }
    token()
}
