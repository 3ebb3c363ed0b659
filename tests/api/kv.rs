//! Mounts of type `kv`, in both versions.

use serde_json::json;

use crate::support::{Client, TestVault};

fn mounted(version: &str) -> (TestVault, Client) {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/mounts/kv", json!({"type": "kv", "options": {"version": version}})).ok();
    (vault, root)
}

#[test]
fn version_1_keeps_what_it_is_given() {
    let (_vault, root) = mounted("1");
    root.get("kv/a").is(404);
    let body = br#"{"number":12345678901234567890,"float":1.50,"text":"\u00fc <&>","nested":{"a":[1,null,true]}}"#;
    root.send("PUT", "kv/folder/a", Some(body)).is(204);
    let text = root.get("kv/folder/a").ok().text;
    for kept in ["12345678901234567890", "1.50"] {
        assert!(text.contains(kept), "{text}");
    }
    let read = root.get("kv/folder/a").data();
    assert_eq!((&read["text"], &read["nested"]), (&json!("ü <&>"), &json!({"a": [1, null, true]})));
    root.post("kv/folder", json!({"x": 1})).ok();
    assert_eq!(root.list("kv").data()["keys"], json!(["folder", "folder/"]));
    assert_eq!(root.get("kv/folder?list=true").data()["keys"], json!(["a"]));
    root.post("kv/folder/", json!({"x": 1})).refuses(400, "cannot write to a path ending in '/'");
    root.delete("kv/folder/a").is(204);
    root.delete("kv/folder/a").is(204);
    root.list("kv/folder").is(404);
    for broken in [&b"{"[..], b"[1]", b"{\"a\":1}}", b"\"text\"", b"{\"a\":\"\xff\"}", b"\xef\xbb\xbf{}"] {
        let answer = root.with_header("content-type", "application/json").send("POST", "kv/x", Some(broken));
        assert_eq!(answer.status, 400, "{broken:?}: {}", answer.text);
    }
    root.get("kv/x").is(404);
}

#[test]
fn version_2_has_a_history() {
    let (_vault, root) = mounted("2");
    let first = root.post("kv/data/a", json!({"data": {"x": 1}})).data();
    assert_eq!(first["version"], 1);
    root.post("kv/data/a", json!({"data": {"x": 2}, "options": {"cas": 0}})).refuses(400, "check-and-set");
    root.post("kv/data/a", json!({"data": {"x": 2}, "options": {"cas": 1}})).ok();
    assert_eq!(root.patch("kv/data/a", json!({"data": {"y": 3}})).data()["version"], 3);
    assert_eq!(root.get("kv/data/a").data()["data"], json!({"x": 2, "y": 3}));
    assert_eq!(root.get("kv/data/a?version=1").data()["data"], json!({"x": 1}));
    root.get("kv/data/a?version=9").is(404);

    root.delete("kv/data/a").is(204);
    let deleted = root.get("kv/data/a").is(404).json();
    assert!(deleted["data"]["data"].is_null());
    assert_ne!(deleted["data"]["metadata"]["deletion_time"], "");
    root.post("kv/undelete/a", json!({"versions": [3]})).is(204);
    root.get("kv/data/a").is(200);
    root.post("kv/destroy/a", json!({"versions": [1]})).is(204);
    assert_eq!(root.get("kv/data/a?version=1").is(404).json()["data"]["metadata"]["destroyed"], true);
    root.post("kv/undelete/a", json!({"versions": [1]})).is(204);
    root.get("kv/data/a?version=1").is(404);

    root.post("kv/metadata/a", json!({"max_versions": 2, "custom_metadata": {"owner": "me"}})).is(204);
    root.post("kv/data/a", json!({"data": {"x": 4}})).ok();
    root.post("kv/data/a", json!({"data": {"x": 5}})).ok();
    let metadata = root.get("kv/metadata/a").data();
    assert_eq!((&metadata["current_version"], &metadata["custom_metadata"]["owner"]), (&json!(5), &json!("me")));
    root.get("kv/data/a?version=3").is(404);
    assert_eq!(root.list("kv/metadata").data()["keys"], json!(["a"]));
    assert_eq!(root.get("kv/subkeys/a").data()["subkeys"], json!({"x": null}));
    root.delete("kv/metadata/a").is(204);
    root.get("kv/metadata/a").is(404);
    let astray = root.get("kv/a").is(404).json();
    assert!(astray["warnings"][0].as_str().unwrap().contains("Invalid path for a versioned K/V"));
}

#[test]
fn of_many_writers_with_the_same_check_one_wins() {
    let (_vault, root) = mounted("2");
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|number| {
                let client = root.clone();
                scope.spawn(move || {
                    client.post("kv/data/a", json!({"data": {"n": number}, "options": {"cas": 0}})).status
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 200 | 400)), "{statuses:?}");
    // Without a check every write is a version of its own.
    std::thread::scope(|scope| {
        for number in 0..8 {
            let client = root.clone();
            scope.spawn(move || client.post("kv/data/b", json!({"data": {"n": number}})).ok());
        }
    });
    assert_eq!(root.get("kv/metadata/b").data()["current_version"], 8);
}

#[test]
fn a_patch_needs_its_media_type_and_only_its_own_capability() {
    let (vault, root) = mounted("2");
    root.post("kv/data/a", json!({"data": {"x": 1}})).ok();
    let patcher = vault.with_policy("patcher", "path \"kv/data/*\" { capabilities = [\"patch\"] }");
    patcher.patch("kv/data/a", json!({"data": {"y": 2}})).is(200);
    patcher.get("kv/data/a").is(403);
    patcher.post("kv/data/a", json!({"data": {}})).is(403);
    patcher.patch("kv/data/none", json!({"data": {"y": 2}})).is(404);
    assert_eq!(root.get("kv/data/a").data()["data"], json!({"x": 1, "y": 2}));
}

#[test]
fn a_mount_of_version_1_takes_its_secrets_along_to_version_2() {
    let (vault, root) = mounted("1");
    root.send("POST", "kv/a", Some(br#"{"n":1.50,"ttl":"1h"}"#)).is(204);
    root.post("kv/folder/b/1", json!({"x": "y"})).ok();
    root.post("kv/folder", json!({"both": true})).ok();
    root.post("sys/mounts/kv/tune", json!({"options": {"version": "3"}})).refuses(400, "invalid version provided");
    let answer = root.post("sys/mounts/kv/tune", json!({"options": {"version": "2"}})).is(200);
    assert!(answer.text.contains("upgraded to version 2"), "{}", answer.text);
    assert!(root.get("kv/data/a").ok().text.contains("{\"n\":1.50,\"ttl\":\"1h\"}"));
    let read = root.get("kv/data/folder/b/1").data();
    assert_eq!((&read["data"], &read["metadata"]["version"]), (&json!({"x": "y"}), &json!(1)));
    assert_eq!(root.list("kv/metadata").data()["keys"], json!(["a", "folder", "folder/"]));
    assert_eq!(root.get("kv/metadata/folder").data()["oldest_version"], json!(1));
    root.post("kv/data/a", json!({"data": {"n": 2}, "options": {"cas": 1}})).ok();
    root.post("sys/mounts/kv/tune", json!({"options": {"version": "1"}})).refuses(400, "cannot downgrade mount");
    root.post("sys/mounts/kv/tune", json!({"options": {"version": "2"}})).is(204);
    // And so it is after the next unsealing.
    root.post("sys/seal", json!({})).ok();
    vault.unseal();
    assert_eq!(root.get("kv/data/a?version=1").data()["data"]["ttl"], "1h");
    assert_eq!(root.get("kv/data/a").data()["metadata"]["version"], 2);
}

#[test]
fn a_scan_meets_the_secrets_of_a_folder_before_its_folders() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/mounts/v1", json!({"type": "kv"})).ok();
    root.post("sys/mounts/v2", json!({"type": "kv", "options": {"version": "2"}})).ok();
    for path in ["b/d/e", "z", "a", "b/c", "b", "b-x/1", "A/1"] {
        root.post(&format!("v1/{path}"), json!({"x": 1})).ok();
        root.post(&format!("v2/data/{path}"), json!({"data": {"x": 1}})).ok();
    }
    let order = json!(["a", "b", "z", "b/c", "b/d/e", "b-x/1", "A/1"]);
    for folder in ["v1", "v2/metadata", "v2/detailed-metadata"] {
        assert_eq!(root.send("SCAN", folder, None).data()["keys"], order, "{folder}");
        assert_eq!(root.get(&format!("{folder}/b?scan=true")).data()["keys"], json!(["c", "d/e"]), "{folder}");
        for nothing in ["none", "z"] {
            let path = format!("{folder}/{nothing}");
            assert_eq!(root.send("SCAN", &path, None).is(200).data(), json!({}), "{path}");
            root.list(&path).is(404);
        }
    }
    let held = "path \"v1/*\" { capabilities = [\"scan\"] pagination_limit = 9 }";
    let holder = vault.with_policy("held", held);
    assert_eq!(holder.send("SCAN", "v1/none", None).is(200).data(), json!({}));
}

#[test]
fn custom_metadata_are_cleared_by_an_empty_list() {
    let (_vault, root) = mounted("2");
    root.post("kv/metadata/a", json!({"custom_metadata": {"owner": "me"}})).is(204);
    assert_eq!(root.patch("kv/metadata/a", json!({"custom_metadata": []})).status, 204);
    assert_eq!(root.get("kv/metadata/a").data()["custom_metadata"], json!({"owner": "me"}));
    root.post("kv/metadata/a", json!({"custom_metadata": []})).is(204);
    assert_eq!(root.get("kv/metadata/a").data()["custom_metadata"], json!(null));
    root.post("kv/metadata/a", json!({"custom_metadata": ["a=b"]})).is(400);
    assert_eq!(root.patch("kv/metadata/none", json!({"max_versions": 3})).is(404).text, "");
}

#[test]
fn fields_that_do_nothing_are_told_where_there_is_a_body() {
    let (vault, root) = mounted("2");
    let told = |body| root.post("kv/data/a", body).is(200).json()["warnings"].clone();
    let unknown = "Endpoint ignored these unrecognized parameters";
    let replaced = "Endpoint replaced the value of these parameters with the values captured from the endpoint's path";
    assert_eq!(told(json!({"data": {}, "zeta": 1, "alpha": 2})), json!([format!("{unknown}: [alpha zeta]")]));
    assert_eq!(told(json!({"data": {}, "path": "b"})), json!([format!("{replaced}: [path]")]));
    let both = json!([format!("{unknown}: [bogus]"), format!("{replaced}: [path]")]);
    assert_eq!(told(json!({"data": {}, "path": "b", "bogus": 1})), both);
    // A field that reading knows is none that nobody knows.
    assert_eq!(told(json!({"data": {}, "version": 1})), json!(null));
    let read = root.get("kv/config?bogus=1").is(200).json();
    assert_eq!(read["warnings"], json!([format!("{unknown}: [bogus]")]));

    for (path, body) in [
        ("kv/config", json!({"max_versions": 5, "bogus": 1})),
        ("kv/metadata/a", json!({"max_versions": 5, "path": "b"})),
        ("sys/mounts/kv/tune", json!({"description": "x", "bogus": 1})),
        ("sys/policies/acl/p", json!({"policy": "path \"a\" {}", "name": "p", "bogus": 1})),
        ("auth/token/roles/r", json!({"role_name": "q", "bogus": 1})),
    ] {
        assert_eq!(root.post(path, body.clone()).is(204).text, "", "{path}");
        let wrapping = root.with_header("x-vault-wrap-ttl", "60");
        wrapping.post(path, body).is(204);
    }
    let made = root.post("auth/token/create/r", json!({"role_name": "q", "bogus": 1})).is(200).json();
    let both = json!([format!("{unknown}: [bogus]"), format!("{replaced}: [role_name]")]);
    assert_eq!(made["warnings"], both);
    // What the endpoint has to say by itself comes first.
    let said = root.post("auth/token/revoke-accessor", json!({"accessor": "none", "bogus": 1})).is(200).json();
    assert_eq!(said["warnings"], json!(["No token found with this accessor", format!("{unknown}: [bogus]")]));
    // What takes anything knows all of it.
    assert_eq!(root.post("cubbyhole/a", json!({"path": "x", "bogus": 1})).is(204).text, "");
    drop(vault);
}
