//! Class A: policies, access-control lists, identity, namespaces.

use std::sync::Arc;

use arca::storage::fault::{FaultyStorage, Moment};
use arca::storage::{MemoryStorage, StorageError};
use serde_json::{Value, json};

use super::{PASSWORD, id, userpass, within};
use crate::authz::{mount_everything, place};
use crate::openapi::routes;
use crate::support::{Certificates, Process, Setup, TestVault};

const ALL: &str = "[\"create\", \"read\", \"update\", \"delete\", \"list\", \"patch\", \"scan\", \"sudo\"]";

#[test]
fn vault_2_2_2_explicit_deny_and_case() {
    let vault = TestVault::new();
    userpass(&vault, "userpass", json!({}));
    let policy = format!(
        "path \"auth/userpass/users/*\" {{ capabilities = {ALL} }}\n\
         path \"auth/userpass/users/admin\" {{ capabilities = [\"deny\"] }}\n\
         path \"auth/userpass/users/admin/*\" {{ capabilities = [\"deny\"] }}\n\
         path \"sys/capabilities-self\" {{ capabilities = [\"update\"] }}"
    );
    let client = vault.with_policy("denied", &policy);
    for name in ["admin", "ADMIN", "Admin", "aDmIn"] {
        let path = format!("auth/userpass/users/{name}");
        client.get(&path).is(403);
        client.post(&path, json!({"password": "made up entirely"})).is(403);
        client.post(&format!("{path}/password"), json!({"password": "made up entirely"})).is(403);
        let asked = client.post("sys/capabilities-self", json!({"paths": [path]})).data();
        assert_eq!(asked[&path], json!(["deny"]), "{name}");
    }
    assert_eq!(vault.root().list("auth/userpass/users").data()["keys"], json!(["ann"]), "a phantom user was made");
}

/// Every resource whose name does not depend on case: a denial of one spelling is a denial of all.
#[test]
fn cve_2026_89322_deny_of_names_in_another_case() {
    let vault = TestVault::new();
    mount_everything(&vault);
    let mut tried = 0;
    let folds = |part: &str| part.ends_with(":lower}") || part.ends_with(":name}");
    for (mount, info) in routes().into_iter().filter(|(_, info)| info.route.pattern.split('/').any(folds)) {
        let spelt = |name: &str| {
            let parts = info.route.pattern.split('/').map(|part| match part {
                part if folds(part) => name,
                part if part.starts_with('{') => "other",
                part => part,
            });
            format!("{}{}", place(&mount), parts.collect::<Vec<_>>().join("/"))
        };
        let (lower, upper) = (spelt("victim"), spelt("vIcTiM"));
        let policy = format!(
            "path \"*\" {{ capabilities = {ALL} }}\npath \"{lower}\" {{ capabilities = [\"deny\"] }}\n\
             path \"{lower}/\" {{ capabilities = [\"deny\"] }}"
        );
        let client = vault.with_policy("all-but-one", &policy);
        let asked = client.post("sys/capabilities-self", json!({"paths": [upper]})).data();
        assert_eq!(asked[&upper], json!(["deny"]), "{upper}");
        if !info.route.access.eq(&arca::policy::Access::Public) {
            for method in ["GET", "POST", "DELETE", "LIST", "PATCH"] {
                let answer = client.send(method, &upper, (method != "GET").then_some(b"{}"));
                let is_no_list = method == "LIST" && answer.text.contains("unsupported path");
                assert!(
                    is_no_list || matches!(answer.status, 403 | 405),
                    "{method} {upper}: {} {}",
                    answer.status,
                    answer.text
                );
            }
        }
        tried += 1;
    }
    assert!(tried > 60, "only {tried} routes have names that do not depend on case");
}

/// The same, told by what the server does: whatever is found under another spelling of its name is denied under it.
#[test]
fn cve_2026_89322_deny_of_what_another_case_finds() {
    let vault = TestVault::new();
    mount_everything(&vault);
    let root = vault.root();
    let bodies = [
        json!({}),
        json!({"type": "kv"}),
        json!({"data": {"a": 1}}),
        json!({"a": 1}),
        json!({"policy": "path \"a\" { capabilities = [\"read\"] }"}),
        json!({"policy": "length = 20 rule \"charset\" { charset = \"abc\" }"}),
        json!({"path": "kv", "rate": 100, "max_leases": 100}),
        json!({"password": PASSWORD}),
    ];
    let mut found = Vec::new();
    for (mount, info) in routes().into_iter().filter(|(_, info)| info.route.operation == arca::api::Operation::Write) {
        let Some((folder, last)) = info.route.pattern.rsplit_once('/') else { continue };
        if !last.starts_with('{') || folder.contains('{') {
            continue;
        }
        let spelt = |name: &str| format!("{}{folder}/{name}", place(&mount));
        let (lower, upper) = (spelt("victim"), spelt("vIcTiM"));
        bodies.iter().find(|body| root.post(&lower, (*body).clone()).status < 300);
        // Some answer for names of which they know nothing.
        if root.get(&upper).status != 200 || root.get(&spelt("nobody")).status == 200 {
            continue;
        }
        for rule in [&lower, &upper] {
            let policy =
                format!("path \"*\" {{ capabilities = {ALL} }}\npath \"{rule}\" {{ capabilities = [\"deny\"] }}");
            let client = vault.with_policy("all-but-one", &policy);
            for path in [&lower, &upper] {
                // Where names are kept in lower case a rule is to name them so: its author sees them.
                if rule == &upper && !mount.starts_with("identity/") {
                    continue;
                }
                client.get(path).is(403);
                client.post(path, json!({})).is(403);
                client.delete(path).is(403);
                let asked = client.post("sys/capabilities-self", json!({"paths": [path]})).data();
                assert_eq!(asked[path], json!(["deny"]), "{path} with a rule for {rule}");
            }
        }
        found.push(lower);
    }
    for folder in ["identity/entity/name", "identity/group/name", "auth/userpass/users", "sys/policies/acl"] {
        assert!(found.iter().any(|path| path.starts_with(folder)), "{folder} is not among {found:?}");
    }
}

/// A name of an identity keeps its spelling, and so do the rules that are written with it.
#[test]
fn a_rule_about_an_identity_holds_in_every_case() {
    let vault = TestVault::new();
    let root = vault.root();
    userpass(&vault, "userpass", json!({"token_policies": ["own"]}));
    let policy = "path \"identity/entity/name/{{identity.entity.name}}\" { capabilities = [\"read\"] }\n\
                  path \"+/group/name/*\" { capabilities = [\"read\", \"update\"] denied_parameters = { \"policies\" = [] } }\n\
                  path \"identity/+/name/Admins\" { capabilities = [\"deny\"] }\n\
                  path \"identity/group/name/Staff*\" { capabilities = [\"read\"] }";
    root.post("sys/policies/acl/own", json!({ "policy": policy })).ok();
    let (ann, auth) = super::log_in(&vault, "userpass");
    let entity = id(&auth, "entity_id");
    root.post(&format!("identity/entity/id/{entity}"), json!({"name": "Ann Of Green"})).ok();
    for group in ["admins", "Staff-1", "others"] {
        root.post(&format!("identity/group/name/{group}"), json!({"policies": ["x"]})).ok();
    }
    for name in ["Ann%20Of%20Green", "ann%20of%20green", "ANN%20OF%20GREEN"] {
        assert_eq!(ann.get(&format!("identity/entity/name/{name}")).data()["name"], "Ann Of Green");
    }
    let member = json!({"member_entity_ids": [entity]});
    for (name, reads, writes) in
        [("ADMINS", 403, 403), ("admins", 403, 403), ("STAFF-1", 200, 403), ("staff-1", 200, 403), ("Others", 200, 204)]
    {
        let path = format!("identity/group/name/{name}");
        ann.get(&path).is(reads);
        let written = ann.post(&path, member.clone()).status;
        assert!(written == writes || writes == 204 && written == 200, "{name}: {written}");
        ann.post(&path, json!({"policies": ["y"]})).is(403);
        ann.delete(&path).is(403);
    }
    assert!(root.get("identity/group/name/admins").data()["member_entity_ids"].as_array().is_none_or(Vec::is_empty));
    // What lies elsewhere keeps its case, however it is called.
    root.post("sys/mounts/kv", json!({"type": "kv"})).ok();
    root.post("kv/identity/group/name/Admins", json!({"a": 1})).ok();
    let policy = "path \"kv/identity/group/name/admins\" { capabilities = [\"read\"] }";
    vault.with_policy("elsewhere", policy).get("kv/identity/group/name/Admins").is(403);
}

#[test]
fn cve_2026_105820_policy_name_with_a_path() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/policies/acl/x", json!({"policy": format!("path \"*\" {{ capabilities = {ALL} }}")})).ok();
    root.post("sys/namespaces/team", json!({})).ok();
    root.post("sys/namespaces/ns", json!({})).ok();
    let team = within(&root, "team");
    within(&root, "ns")
        .post("sys/policies/acl/x", json!({"policy": format!("path \"*\" {{ capabilities = {ALL} }}")}))
        .ok();
    for name in ["../root/x", "../x", "ns/../x", "root/x", "ns/x", "/x", "x/", "..%2fx"] {
        let made = team.post("auth/token/create", json!({"policies": [name], "no_default_policy": true}));
        if made.status == 200 {
            let token = made.issued();
            for place in ["", "team", "ns"] {
                let client = within(&root.with_token(&token), place);
                client.get("sys/mounts").is(403);
                client.get("sys/policies/acl/x").is(403);
            }
        }
    }
    // In a URL, such a name is no path at all.
    for path in ["sys/policies/acl/%2e%2e/x", "sys/policies/acl/..%2fx", "sys/policy/ns%2f..%2fx"] {
        team.post(path, json!({"policy": "path \"a\" { capabilities = [\"read\"] }"})).is(400);
        team.get(path).is(400);
    }
}

#[test]
fn cve_2026_63131_list_with_a_slash_and_a_deny() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/mounts/kv", json!({"type": "kv"})).ok();
    root.post("kv/private/a", json!({"x": 1})).ok();
    root.post("kv/open/a", json!({"x": 1})).ok();
    let policy = "path \"kv/*\" { capabilities = [\"list\", \"read\", \"scan\"] }\n\
                  path \"kv/private/*\" { capabilities = [\"deny\"] }";
    let client = vault.with_policy("lists", policy);
    client.list("kv/open/").is(200);
    for path in ["kv/private", "kv/private/"] {
        client.list(path).is(403);
        client.get(&format!("{path}?list=true")).is(403);
        client.send("SCAN", path, None).is(403);
        client.get(&format!("{path}?scan=true")).is(403);
    }
}

#[test]
fn cve_2026_71543_wildcards_in_identity_values() {
    let vault = TestVault::new();
    let root = vault.root();
    userpass(&vault, "userpass", json!({"token_policies": ["own"]}));
    root.post("sys/mounts/kv", json!({"type": "kv"})).ok();
    let policy = "path \"kv/{{identity.entity.metadata.team}}\" { capabilities = [\"create\", \"update\"] }\n\
                  path \"kv/{{identity.entity.metadata.team}}/*\" { capabilities = [\"create\", \"update\"] }\n\
                  path \"kv/fixed\" { capabilities = [\"create\", \"update\"] }";
    root.post("sys/policies/acl/own", json!({ "policy": policy })).ok();
    let (ann, auth) = super::log_in(&vault, "userpass");
    let entity = format!("identity/entity/id/{}", id(&auth, "entity_id"));
    for team in ["a/*", "*", "+", "a*", "+/b", "x,root", "a/b", "../a", "{{identity.entity.id}}"] {
        root.post(&entity, json!({"metadata": {"team": team}})).ok();
        for other in ["kv/a", "kv/a/b", "kv/z/b", "kv/root", "kv/x"] {
            let answer = ann.post(other, json!({"a": "b"}));
            assert_eq!(answer.status, 403, "{team} as {other}: {}", answer.text);
        }
        ann.post("kv/fixed", json!({"a": "b"})).is(204);
        ann.get("auth/token/lookup-self").is(200);
    }
}

#[test]
fn cve_2026_3605_dots_in_kv2_paths() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/mounts/kv", json!({"type": "kv-v2"})).ok();
    for path in ["kv/data/mine/a", "kv/data/theirs/b"] {
        root.post(path, json!({"data": {"x": 1}})).ok();
    }
    let client = vault.with_policy("mine", &format!("path \"kv/metadata/mine/*\" {{ capabilities = {ALL} }}"));
    for path in [
        "kv/metadata/mine/../theirs/b",
        "kv/metadata/mine/%2e%2e/theirs/b",
        "kv/metadata/mine/%2E%2E%2Ftheirs/b",
        "kv/metadata/mine/..%2ftheirs/b",
        "kv/metadata/mine//../theirs/b",
        "kv/metadata/mine/%252e%252e/theirs/b",
        "kv/metadata/mine/..%5ctheirs%5cb",
        "kv/metadata/mine\\..\\theirs\\b",
        "kv/metadata/mine/./%2e./theirs/b",
    ] {
        for method in ["DELETE", "GET", "POST"] {
            // What no client would send is said by hand.
            let mut wire = vault.wire();
            let token = client.token();
            let head = format!("{method} /v1/{path} HTTP/1.1\r\nhost: x\r\nx-vault-token: {token}\r\n");
            wire.say(format!("{head}content-length: 0\r\nconnection: close\r\n\r\n").as_bytes()).unwrap();
            let heard = wire.hear().unwrap();
            let status = heard.split(' ').nth(1).unwrap_or_default().to_owned();
            let harmless = path.contains("%252e") || path.contains("%5c") || path.contains('\\');
            let expected = if harmless { ["204", "404", "403"] } else { ["400", "307", "301"] };
            assert!(expected.contains(&status.as_str()), "{method} {path}: {heard}");
        }
    }
    root.get("kv/data/theirs/b").is(200);
    root.get("kv/metadata/theirs/b").is(200);
}

const SPELLINGS_OF_ROOT: [&str; 6] = ["root", "Root", "ROOT", " root", "root ", "rOOt"];

#[test]
fn cve_2025_64761_root_in_group_policies() {
    let vault = TestVault::new();
    let root = vault.root();
    let group = id(&root.post("identity/group", json!({"name": "g"})).data(), "id");
    let by_id = format!("identity/group/id/{group}");
    for name in SPELLINGS_OF_ROOT {
        for path in ["identity/group", "identity/group/name/g", "identity/group/name/new", &by_id] {
            for policies in [json!([name]), json!(["a", name]), json!(name), json!(format!("a,{name}"))] {
                root.post(path, json!({"name": "g", "policies": policies}))
                    .refuses(400, "policies cannot contain root");
            }
        }
    }
    assert!(root.get(&by_id).data()["policies"].as_array().is_none_or(Vec::is_empty));
}

#[test]
fn cve_2025_5999_root_in_entity_policies() {
    let vault = TestVault::new();
    let root = vault.root();
    userpass(&vault, "userpass", json!({}));
    let (ann, auth) = super::log_in(&vault, "userpass");
    let by_id = format!("identity/entity/id/{}", id(&auth, "entity_id"));
    for name in SPELLINGS_OF_ROOT {
        for path in ["identity/entity", "identity/entity/name/new", &by_id] {
            for policies in [json!([name]), json!(["a", name]), json!(name), json!(format!("a,{name}"))] {
                root.post(path, json!({"name": "e", "policies": policies}))
                    .refuses(400, "policies cannot contain root");
            }
        }
    }
    ann.get("sys/mounts").is(403);
    assert_eq!(ann.get("auth/token/lookup-self").data().get("identity_policies"), None);
    // Nor by a merge: what comes out has the policies of those that go into it, and none has root.
    let other = id(&root.post("identity/entity", json!({"name": "other", "policies": ["a"]})).data(), "id");
    root.post("identity/entity/merge", json!({"from_entity_ids": [other], "to_entity_id": auth["entity_id"]})).ok();
    ann.get("sys/mounts").is(403);
}

#[test]
fn cve_2024_9180_policies_of_a_write_that_failed() {
    let store = Arc::new(FaultyStorage::new(Arc::new(MemoryStorage::new())));
    let vault = Setup { storage: store.clone(), audited: false, ..Setup::default() }.start();
    let root = vault.root();
    userpass(&vault, "userpass", json!({}));
    root.post("sys/policies/acl/much", json!({"policy": format!("path \"sys/mounts\" {{ capabilities = {ALL} }}")}))
        .ok();
    let (ann, auth) = super::log_in(&vault, "userpass");
    let entity = format!("identity/entity/id/{}", id(&auth, "entity_id"));
    ann.get("sys/mounts").is(403);
    store.fail_commit(store.commits() + 1, Moment::Before, StorageError::Full);
    assert!(root.post(&entity, json!({"policies": ["much"]})).status >= 500);
    store.mend();
    ann.get("sys/mounts").is(403);
    assert_eq!(ann.post("auth/token/renew-self", json!({})).auth()["identity_policies"], Value::Null);
    root.post(&entity, json!({"policies": ["root"]})).is(400);
    ann.get("sys/mounts").is(403);
    root.post(&entity, json!({"policies": ["much"]})).ok();
    ann.get("sys/mounts").is(200);
}

#[test]
fn cve_2022_40186_metadata_of_another_mounts_alias() {
    let vault = TestVault::new();
    let root = vault.root();
    let one = userpass(&vault, "one", json!({"token_policies": ["own"]}));
    let two = userpass(&vault, "two", json!({"token_policies": ["own"]}));
    root.post("sys/mounts/kv", json!({"type": "kv"})).ok();
    let rule = format!(
        "path \"kv/{{{{identity.entity.aliases.{one}.custom_metadata.team}}}}\" {{ capabilities = [\"create\", \"update\"] }}"
    );
    root.post("sys/policies/acl/own", json!({ "policy": rule })).ok();
    for (mount, accessor, team) in [("one", &one, "red"), ("two", &two, "blue")] {
        let entity = super::log_in(&vault, mount).1["entity_id"].clone();
        let alias = json!({
            "name": "ann", "mount_accessor": accessor, "canonical_id": entity, "custom_metadata": {"team": team},
        });
        root.post("identity/entity-alias", alias).ok();
    }
    let (ann, other) = (super::log_in(&vault, "one").0, super::log_in(&vault, "two").0);
    ann.post("kv/red", json!({"a": 1})).is(204);
    for (client, path) in [(&ann, "kv/blue"), (&other, "kv/red"), (&other, "kv/blue")] {
        client.post(path, json!({"a": 1})).is(403);
    }
}

/// An entity has one alias of a mount, so that there is never another one to take for the one that logged in.
#[test]
fn cve_2021_43998_two_aliases_of_one_mount() {
    let vault = TestVault::new();
    let root = vault.root();
    let accessor = userpass(&vault, "userpass", json!({"token_policies": ["own"]}));
    root.post("sys/mounts/kv", json!({"type": "kv"})).ok();
    let rule = format!(
        "path \"kv/{{{{identity.entity.aliases.{accessor}.name}}}}\" {{ capabilities = [\"create\", \"update\"] }}"
    );
    root.post("sys/policies/acl/own", json!({ "policy": rule })).ok();
    let (ann, auth) = super::log_in(&vault, "userpass");
    let second = json!({"name": "boss", "mount_accessor": accessor, "canonical_id": auth["entity_id"]});
    root.post("identity/entity-alias", second).is(400);
    ann.post("kv/ann", json!({"a": 1})).is(204);
    ann.post("kv/boss", json!({"a": 1})).is(403);
}

#[test]
fn cve_2021_41802_alias_moved_onto_a_better_entity() {
    let vault = TestVault::new();
    let root = vault.root();
    userpass(&vault, "userpass", json!({}));
    root.post("auth/userpass/users/boss", json!({"password": PASSWORD})).ok();
    root.post("sys/policies/acl/much", json!({"policy": format!("path \"sys/mounts\" {{ capabilities = {ALL} }}")}))
        .ok();
    let (ann, mine) = super::log_in(&vault, "userpass");
    let boss = vault.anonymous().post("auth/userpass/login/boss", json!({"password": PASSWORD})).auth();
    root.post(&format!("identity/entity/id/{}", id(&boss, "entity_id")), json!({"policies": ["much"]})).ok();
    let entity = root.get(&format!("identity/entity/id/{}", id(&mine, "entity_id"))).data();
    let alias = id(&entity["aliases"][0], "id");
    let accessor = entity["aliases"][0]["mount_accessor"].clone();
    let helper = vault.with_policy("aliases", &format!("path \"identity/entity-alias*\" {{ capabilities = {ALL} }}"));
    for path in [format!("identity/entity-alias/id/{alias}"), "identity/entity-alias".to_owned()] {
        let moved = json!({"id": alias, "name": "ann", "mount_accessor": accessor, "canonical_id": boss["entity_id"]});
        let answer = helper.post(&path, moved);
        assert_eq!(answer.status, 400, "{path}: {}", answer.text);
        ann.get("sys/mounts").is(403);
        super::log_in(&vault, "userpass").0.get("sys/mounts").is(403);
    }
    // Whoever may write aliases decides whose logins are whose: an entity that has none of this mount may be given one.
    let chief = root.post("identity/entity", json!({"name": "chief", "policies": ["much"]})).data();
    let moved = json!({"name": "ann", "mount_accessor": accessor, "canonical_id": chief["id"]});
    ann.post(&format!("identity/entity-alias/id/{alias}"), moved.clone()).is(403);
    helper.post(&format!("identity/entity-alias/id/{alias}"), moved).is(200);
    super::log_in(&vault, "userpass").0.get("sys/mounts").is(200);
}

#[test]
fn cve_2020_10660_removed_member_of_a_group() {
    let vault = TestVault::new();
    let root = vault.root();
    userpass(&vault, "userpass", json!({}));
    let (ann, auth) = super::log_in(&vault, "userpass");
    root.post("sys/policies/acl/p", json!({"policy": "path \"sys/mounts\" { capabilities = [\"read\"] }"})).ok();
    let group = json!({"name": "g", "policies": ["p"], "member_entity_ids": [auth["entity_id"]]});
    root.post("identity/group", group).ok();
    ann.get("sys/mounts").is(200);
    root.post("identity/group/name/g", json!({"member_entity_ids": []})).ok();
    ann.get("sys/mounts").is(403);
}

/// A path in a policy is a whole path from the policy's own namespace on, as with the peer. It never means a namespace
/// elsewhere, and what is at a path cannot be exchanged for a namespace below it.
#[test]
fn cve_2020_10661_policy_older_than_the_namespace() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/namespaces/other", json!({})).ok();
    let other = within(&root, "other");
    let policy = format!("path \"ns1/kv/*\" {{ capabilities = {ALL} }}");
    other.post("sys/policies/acl/nested", json!({ "policy": policy })).ok();
    let made = other.post("auth/token/create", json!({"policies": ["nested"], "no_default_policy": true}));
    let stranger = root.with_token(&made.issued());
    root.post("sys/mounts/ns1", json!({"type": "kv"})).ok();
    let holder = vault.with_policy("nested", &policy);
    holder.post("ns1/kv/a", json!({"x": 1})).is(204);
    root.post("sys/namespaces/ns1", json!({})).is(400);
    root.delete("sys/mounts/ns1").ok();
    crate::support::eventually("the name is free", || {
        (root.post("sys/namespaces/ns1", json!({})).status == 200).then_some(())
    });
    within(&root, "ns1").post("sys/mounts/kv", json!({"type": "kv"})).ok();
    within(&root, "ns1").post("kv/a", json!({"x": "new"})).ok();
    within(&stranger, "ns1").get("kv/a").is(403);
    stranger.get("ns1/kv/a").is(403);
    // What was kept below the old mount is gone; what a rule names in the root's own paths is the namespace's now.
    assert_eq!(holder.get("ns1/kv/a").data()["x"], "new");
    within(&holder, "ns1").get("sys/mounts").is(403);
}

#[test]
fn cve_2021_42135_reading_a_configuration_issues_nothing() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/mounts/database", json!({"type": "database"})).ok();
    let connection = json!({
        "plugin_name": "postgresql-database-plugin", "connection_url": "postgresql://{{username}}:{{password}}@localhost:1/x",
        "username": "u", "password": "p", "verify_connection": false, "allowed_roles": "*",
    });
    root.post("database/config/c", connection).ok();
    root.post("database/roles/r", json!({"db_name": "c", "creation_statements": "SELECT 1"})).ok();
    let policy = "path \"database/config/*\" { capabilities = [\"read\", \"list\"] }\n\
                  path \"database/roles/*\" { capabilities = [\"read\", \"list\"] }";
    let reader = vault.with_policy("reader", policy);
    let leases = vault.lease_count();
    for path in ["database/config/c", "database/roles/r"] {
        assert_eq!(reader.get(path).ok().json()["lease_id"], "");
    }
    for path in ["database/creds/r", "database/roles/../creds/r", "database/roles/%2e%2e/creds/r"] {
        assert!(matches!(reader.get(path).status, 307 | 400 | 403), "{path}");
    }
    assert_eq!(vault.lease_count(), leases);
}

#[test]
fn cve_2026_115366_what_is_of_the_root_within_a_namespace() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/namespaces/team", json!({})).ok();
    let team = within(&root, "team");
    let mut tried = 0;
    for (mount, info) in routes().into_iter().filter(|(_, info)| info.root_only) {
        let parts = info.route.pattern.split('/').map(|part| if part.starts_with('{') { "secret" } else { part });
        let path = format!("{}{}", place(&mount), parts.collect::<Vec<_>>().join("/"));
        let (method, body) = super::method(info.route.operation);
        for (client, path) in [(&team, path.clone()), (&root, format!("team/{path}"))] {
            let answer = client.send(method, &path, body);
            assert!(
                matches!(answer.status, 400 | 403 | 404 | 405),
                "{method} {path}: {} {}",
                answer.status,
                answer.text
            );
        }
        tried += 1;
    }
    assert!(tried > 40, "only {tried} routes are of the root alone");
    // What is built in may be read; there is nothing to be added, here or there.
    for client in [&root, &team] {
        for method in ["POST", "PUT", "DELETE"] {
            let answer =
                client.send(method, "sys/plugins/catalog/secret/kv", Some(b"{\"command\":\"sh\",\"sha256\":\"00\"}"));
            assert!(matches!(answer.status, 404 | 405), "{method}: {} {}", answer.status, answer.text);
        }
    }
    assert_eq!(root.get("sys/seal-status").ok().json()["sealed"], false);
}

#[test]
fn cve_2026_55775_a_namespace_named_root() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/namespaces/team", json!({})).ok();
    let team = within(&root, "team");
    for name in ["root", "%2f", "root/", "Root/..", "team/root"] {
        for client in [&root, &team] {
            let path = format!("sys/namespaces/{name}");
            for method in ["POST", "PATCH", "DELETE"] {
                let answer = client.send(method, &path, Some(b"{}"));
                assert!(
                    matches!(answer.status, 307 | 400 | 404 | 405),
                    "{method} {path}: {} {}",
                    answer.status,
                    answer.text
                );
            }
        }
    }
    assert_eq!(root.list("sys/namespaces").data()["keys"], json!(["team/"]));
    team.list("sys/namespaces").is(404);
    team.get("sys/mounts").is(200);
}

/// Of requests by the hundred, each lot takes as much memory as the one before, whatever a table or a buffer takes when it
/// grows: a leak of a name is in each of them.
#[test]
fn cve_2023_5954_memory_of_policy_checks() {
    const LOTS: usize = 5;
    let folder = tempfile::TempDir::new().unwrap();
    let certificates = Certificates::write(folder.path());
    // What is free is used again at once, and not after as many requests as there are threads.
    let mut command = Process::command();
    let process = Process::start_by(command.env("MALLOC_ARENA_MAX", "1"), folder.path(), &certificates);
    let (share, token) = process.initialise();
    process.unseal(&share);
    let root = process.anonymous().with_token(&token);
    let unknown: Vec<String> = (0..50).map(|number| format!("unknown-{number}")).collect();
    let made = root.post("auth/token/create", json!({"policies": unknown, "no_default_policy": true})).issued();
    let client = root.with_token(&made);
    let ask = |count: usize| (0..count).for_each(|_| drop(client.get("sys/mounts").is(403)));
    let lot = 500 * super::scale();
    ask(lot);
    let mut grown: Vec<u64> = (0..LOTS)
        .map(|_| {
            let before = process.own_memory();
            ask(lot);
            process.own_memory().saturating_sub(before)
        })
        .collect();
    grown.sort_unstable();
    let each = grown[LOTS / 2] / lot as u64;
    println!(
        "cve_2023_5954: {} requests with unknown policies, {each} bytes more for each, as most lots of {lot} have it: {grown:?}",
        LOTS * lot
    );
    // One name of 32 bytes takes 48, with what the allocator keeps beside it.
    assert!(each < 16, "{each} bytes for each request: {grown:?}");
}

#[test]
fn vault_2_1_2_denied_parameters_in_another_spelling() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/policies/acl/admin", json!({"policy": format!("path \"*\" {{ capabilities = {ALL} }}")})).ok();
    userpass(&vault, "userpass", json!({}));
    let policy = "path \"auth/userpass/users/*\" { capabilities = [\"create\", \"update\"] denied_parameters = { \
                  \"token_policies\" = [\"admin\"] \"policies\" = [\"admin\"] } }\n\
                  path \"auth/token/create\" { capabilities = [\"update\", \"sudo\"] denied_parameters = { \"policies\" = [\"admin\"] } }";
    let client = vault.with_policy("writer", policy);
    for value in [
        json!("admin"),
        json!("Admin"),
        json!(" admin"),
        json!("admin "),
        json!(["ADMIN"]),
        json!(["a", " Admin "]),
        json!("a,admin"),
        json!("a, ADMIN ,b"),
        json!(["a,admin"]),
    ] {
        for field in ["token_policies", "policies", "Token_Policies", "POLICIES"] {
            client.post("auth/userpass/users/ann", json!({field: value})).is(403);
        }
        client.post("auth/token/create", json!({"policies": value})).is(403);
    }
    client.post("auth/userpass/users/ann", json!({"token_policies": ["a", "administrator"]})).is(204);
    let (_, auth) = super::log_in(&vault, "userpass");
    assert!(!auth["policies"].to_string().contains("\"admin\""), "{auth}");
}

/// Policies see a parameter under the name that it is sent with. So none has a second name, or denying the one would let
/// the other through.
#[test]
fn no_parameter_has_a_second_name() {
    // Within an object that is denied as a whole.
    const NESTED: [&str; 1] = ["lockout_counter_reset"];
    let mut found = Vec::new();
    for (path, text) in super::cryptography::sources() {
        if path.starts_with("config/") {
            continue;
        }
        let names = text.split("alias = \"").skip(1).filter_map(|rest| rest.split('"').next());
        found.extend(names.filter(|name| !NESTED.contains(name)).map(|name| format!("{path}: {name}")));
    }
    assert!(found.is_empty(), "{found:#?}");
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/mounts/database", json!({"type": "database"})).ok();
    let policy = "path \"database/config/*\" { capabilities = [\"create\", \"read\", \"update\"] \
                  denied_parameters = { \"root_rotation_statements\" = [] } }";
    let client = vault.with_policy("connections", policy);
    let connection = |name: &str| {
        json!({
            "plugin_name": "postgresql-database-plugin", "verify_connection": false, "username": "a",
            "password": "b", "connection_url": "postgresql://{{username}}:{{password}}@127.0.0.1:1/x", name: ["evil"],
        })
    };
    client.post("database/config/pg", connection("root_rotation_statements")).is(403);
    client.post("database/config/pg", connection("root_credentials_rotate_statements")).ok();
    assert_eq!(client.get("database/config/pg").data()["root_credentials_rotate_statements"], json!([]));
}
