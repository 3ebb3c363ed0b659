//! The behaviour of the engine, request by request.

use serde_json::{Value, json};

use super::*;
use crate::api::Operation::{self, Delete, List, Patch, Read, Scan, Write};
use crate::engine::harness::Harness;
use crate::engine::{Answer, Body, Existence, StatusCode};
use crate::error::Kind;

async fn kv() -> Harness<Kv2> {
    Harness::open(Value::Null).await
}

impl Harness<Kv2> {
    async fn write(&self, path: &str, body: Value) -> Value {
        self.data(Write, path, body).await.unwrap()
    }

    async fn read(&self, path: &str) -> Value {
        self.data(Read, path, Value::Null).await.unwrap()
    }

    async fn version(&self, path: &str, version: u64) -> Result<Value> {
        self.data(Read, path, json!({"version": version.to_string()})).await
    }

    async fn status(&self, operation: Operation, path: &str, body: Value) -> StatusCode {
        self.call(operation, path, body).await.unwrap().status
    }

    /// The kind of the failure, and what the caller reads.
    async fn refused(&self, operation: Operation, path: &str, body: Value) -> (Kind, String) {
        match self.call(operation, path, body).await {
            Err(error) => (error.kind(), error.messages().join("; ")),
            // A patch of what is not there is answered without a body.
            Ok(answer) => {
                assert_eq!(answer.status, StatusCode::NOT_FOUND);
                (Kind::NotFound, String::new())
            }
        }
    }

    /// What is in the store.
    async fn keys(&self) -> Vec<String> {
        self.view.scan("").await.unwrap()
    }
}

fn numbers(table: &Value) -> Vec<&str> {
    let versions = table["versions"].as_object().unwrap();
    let mut numbers: Vec<&str> = versions.keys().map(String::as_str).collect();
    numbers.sort_by_key(|number| number.parse::<u64>().unwrap());
    numbers
}

#[tokio::test]
async fn versions_are_written_and_read() {
    let kv = kv().await;
    let written = kv.write("data/app", json!({"data": {"user": "alice", "n": 1}})).await;
    let created = "2027-01-15T08:00:00Z";
    let info = json!({
        "created_time": created, "custom_metadata": null, "deletion_time": "", "destroyed": false, "version": 1,
    });
    assert_eq!(written, info);
    assert_eq!(kv.read("data/app").await, json!({"data": {"user": "alice", "n": 1}, "metadata": info}));
    kv.write("data/app", json!({"data": {"user": "bob"}})).await;
    assert_eq!(kv.read("data/app").await["data"], json!({"user": "bob"}));
    assert_eq!(kv.version("data/app", 1).await.unwrap()["data"], json!({"user": "alice", "n": 1}));
    assert_eq!(kv.version("data/app", 0).await.unwrap()["metadata"]["version"], 2);
    assert_eq!(kv.version("data/app", 9).await.unwrap_err().kind(), Kind::NotFound);
    assert_eq!(kv.refused(Read, "data/none", Value::Null).await, (Kind::NotFound, String::new()));
    for version in ["x", "1.5", "99999999999999999999"] {
        assert_eq!(kv.refused(Read, "data/app", json!({"version": version})).await.0, Kind::InvalidRequest);
    }
    assert_eq!(kv.keys().await, ["meta/app", "version/app/1"]);
}

#[tokio::test]
async fn data_are_an_object_or_null() {
    let kv = kv().await;
    for body in [Value::Null, json!({}), json!({"user": "carol"}), json!({"options": {"cas": 0}})] {
        let (kind, message) = kv.refused(Write, "data/a", body).await;
        assert_eq!(kind, Kind::InvalidRequest);
        assert!(message.contains("no data provided"));
    }
    for data in [json!("hunter2"), json!([1]), json!(1)] {
        let (kind, message) = kv.refused(Write, "data/a", json!({"data": data})).await;
        assert_eq!(kind, Kind::InvalidRequest);
        assert!(message.contains("data") && !message.contains("hunter2"));
    }
    for (version, data) in [(1, json!({})), (2, Value::Null), (3, json!({"a": 1}))] {
        assert_eq!(kv.write("data/a", json!({"data": data})).await["version"], version);
    }
    assert_eq!(kv.version("data/a", 1).await.unwrap()["data"], json!({}));
    let answer = kv.call(Read, "data/a", json!({"version": 2})).await.unwrap();
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(kv.version("data/a", 2).await.unwrap()["data"], Value::Null);
}

#[tokio::test]
async fn check_and_set() {
    let kv = kv().await;
    let with = |cas: Value| json!({"data": {"v": 1}, "options": {"cas": cas}});
    let mismatch = "check-and-set parameter did not match the current version";
    assert_eq!(kv.refused(Write, "data/a", with(json!(1))).await.1, mismatch);
    assert_eq!(kv.write("data/a", with(json!(0))).await["version"], 1);
    for wrong in [json!(0), json!(7), json!(-1), json!("2"), Value::Null] {
        assert_eq!(kv.refused(Write, "data/a", with(wrong)).await.1, mismatch);
    }
    for malformed in [json!("two"), json!(2.5), json!({})] {
        assert_eq!(kv.refused(Write, "data/a", with(malformed)).await.0, Kind::InvalidRequest);
    }
    assert_eq!(kv.write("data/a", with(json!("1"))).await["version"], 2);
    kv.write("config", json!({"cas_required": true})).await;
    let without = json!({"data": {}, "options": {}});
    assert!(kv.refused(Write, "data/a", without.clone()).await.1.contains("check-and-set parameter required"));
    kv.write("config", json!({"cas_required": false})).await;
    kv.write("metadata/a", json!({"cas_required": true})).await;
    assert!(kv.refused(Write, "data/a", without.clone()).await.1.contains("check-and-set parameter required"));
    assert!(kv.refused(Patch, "data/a", without.clone()).await.1.contains("check-and-set parameter required"));
    kv.write("data/b", without).await;
    kv.call(Delete, "data/b", Value::Null).await.unwrap();
    assert_eq!(kv.refused(Write, "data/b", with(json!(0))).await.1, mismatch);
    assert_eq!(kv.write("data/b", with(json!(1))).await["version"], 2);
}

#[tokio::test]
async fn deleting_and_undeleting() {
    let kv = kv().await;
    for number in 1..=3 {
        kv.write("data/a", json!({"data": {"n": number}})).await;
    }
    kv.advance(5);
    assert_eq!(kv.status(Delete, "data/a", Value::Null).await, StatusCode::NO_CONTENT);
    let answer = kv.call(Read, "data/a", Value::Null).await.unwrap();
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let deleted = kv.read("data/a").await;
    assert_eq!(deleted["data"], Value::Null);
    assert_eq!(deleted["metadata"]["deletion_time"], "2027-01-15T08:00:05Z");
    assert_eq!(deleted["metadata"]["destroyed"], false);
    assert_eq!(kv.status(Read, "subkeys/a", Value::Null).await, StatusCode::NOT_FOUND);
    kv.advance(5);
    kv.call(Delete, "data/a", Value::Null).await.unwrap();
    assert_eq!(kv.read("data/a").await, deleted);
    assert_eq!(kv.version("data/a", 2).await.unwrap()["data"]["n"], 2);
    kv.write("undelete/a", json!({"versions": [3]})).await;
    assert_eq!(kv.read("data/a").await["data"]["n"], 3);
    kv.write("delete/a", json!({"versions": "1,2"})).await;
    assert_eq!(kv.status(Read, "data/a", json!({"version": 1})).await, StatusCode::NOT_FOUND);
    assert_eq!(kv.status(Read, "data/a", json!({"version": 3})).await, StatusCode::OK);
    kv.write("undelete/a", json!({"versions": ["1", 2, 99, 0, -1]})).await;
    assert_eq!(kv.version("data/a", 1).await.unwrap()["data"]["n"], 1);
    assert_eq!(kv.read("metadata/a").await["updated_time"], "2027-01-15T08:00:00Z");
}

#[tokio::test]
async fn destroying_takes_the_payload_out_of_the_store() {
    let kv = kv().await;
    for number in 1..=3 {
        kv.write("data/a", json!({"data": {"n": number}})).await;
    }
    kv.write("delete/a", json!({"versions": [2]})).await;
    kv.write("destroy/a", json!({"versions": [2, 3, 99]})).await;
    assert_eq!(kv.keys().await, ["meta/a", "version/a/1"]);
    assert!(kv.engine.secret("a").await.unwrap().unwrap().payload.is_none());
    let before = kv.read("metadata/a").await;
    kv.write("undelete/a", json!({"versions": [2, 3]})).await;
    assert_eq!(kv.read("metadata/a").await, before);
    kv.call(Delete, "data/a", Value::Null).await.unwrap();
    let destroyed = kv.read("data/a").await;
    assert_eq!(destroyed["metadata"]["destroyed"], true);
    assert_eq!(destroyed["metadata"]["deletion_time"], "");
    assert_eq!(kv.status(Read, "data/a", json!({"version": 2})).await, StatusCode::NOT_FOUND);
    assert_eq!(kv.status(Patch, "data/a", json!({"data": {"x": 1}})).await, StatusCode::NOT_FOUND);
    assert_eq!(kv.write("data/a", json!({"data": {}})).await["version"], 4);
    assert_eq!(kv.keys().await, ["meta/a", "version/a/1"]);
}

#[tokio::test]
async fn versions_must_be_named() {
    let kv = kv().await;
    kv.write("data/a", json!({"data": {}})).await;
    for word in ["delete", "undelete", "destroy"] {
        let path = format!("{word}/a");
        for body in [Value::Null, json!({}), json!({"versions": []}), json!({"versions": ""})] {
            assert!(kv.refused(Write, &path, body).await.1.contains("No version number provided"));
        }
        for versions in [json!("x"), json!(["x"]), json!([1.5]), json!({})] {
            assert_eq!(kv.refused(Write, &path, json!({"versions": versions})).await.0, Kind::InvalidRequest);
        }
        let absent = format!("{word}/none");
        assert_eq!(kv.status(Write, &absent, json!({"versions": 1})).await, StatusCode::NO_CONTENT);
    }
    assert_eq!(kv.keys().await, ["meta/a"]);
}

#[tokio::test]
async fn the_larger_limit_of_versions_counts() {
    let kv = kv().await;
    let fill = async |path: &str, count: usize| {
        for _ in 0..count {
            kv.write(path, json!({"data": {"k": "v"}})).await;
        }
    };
    kv.write("config", json!({"max_versions": 3})).await;
    fill("data/a", 5).await;
    let table = kv.read("metadata/a").await;
    assert_eq!((numbers(&table), &table["oldest_version"]), (vec!["3", "4", "5"], &json!(3)));
    assert_eq!(kv.version("data/a", 2).await.unwrap_err().messages().len(), 0);
    assert_eq!(kv.keys().await, ["config", "meta/a", "version/a/3", "version/a/4"]);
    kv.write("metadata/a", json!({"max_versions": 1})).await;
    fill("data/a", 1).await;
    assert_eq!(numbers(&kv.read("metadata/a").await), ["4", "5", "6"]);
    kv.write("config", json!({"max_versions": 0})).await;
    fill("data/a", 1).await;
    let table = kv.read("metadata/a").await;
    assert_eq!((numbers(&table), &table["oldest_version"]), (vec!["7"], &json!(7)));
    assert_eq!(kv.keys().await, ["config", "meta/a"]);
    fill("data/c", 12).await;
    let table = kv.read("metadata/c").await;
    assert_eq!((numbers(&table).len(), &table["oldest_version"]), (10, &json!(3)));
    for limit in [json!(-1), json!(4_294_967_296_u64), json!("many")] {
        assert_eq!(kv.refused(Write, "config", json!({"max_versions": limit})).await.0, Kind::InvalidRequest);
    }
}

#[tokio::test]
async fn versions_delete_themselves_after_the_shorter_time() {
    let kv = kv().await;
    let deletion = async |mount: &str, secret: &str| {
        kv.write("config", json!({"delete_version_after": mount})).await;
        kv.write("metadata/t", json!({"delete_version_after": secret})).await;
        kv.write("data/t", json!({"data": {"a": 1}})).await["deletion_time"].clone()
    };
    assert_eq!(deletion("0s", "0s").await, "");
    assert_eq!(deletion("0s", "1h").await, "2027-01-15T09:00:00Z");
    assert_eq!(deletion("30m", "1h").await, "2027-01-15T08:30:00Z");
    assert_eq!(deletion("30m", "10m").await, "2027-01-15T08:10:00Z");
    assert_eq!(deletion("30m", "0s").await, "2027-01-15T08:30:00Z");
    assert_eq!(deletion("-1s", "1h").await, "");
    assert_eq!(kv.read("config").await["delete_version_after"], "-1s");
    assert_eq!(deletion("2s", "0s").await, "2027-01-15T08:00:02Z");
    assert_eq!(kv.status(Read, "data/t", Value::Null).await, StatusCode::OK);
    kv.advance(2);
    assert_eq!(kv.status(Read, "data/t", Value::Null).await, StatusCode::NOT_FOUND);
    let subkeys = kv.read("subkeys/t").await;
    assert_eq!((&subkeys["subkeys"], &subkeys["metadata"]["version"]), (&Value::Null, &json!(7)));
    assert_eq!(kv.status(Patch, "data/t", json!({"data": {"b": 1}})).await, StatusCode::NOT_FOUND);
    kv.write("undelete/t", json!({"versions": [7]})).await;
    let back = kv.read("data/t").await;
    assert_eq!(back["data"], json!({"a": 1}));
    assert_eq!(back["metadata"]["deletion_time"], "2027-01-15T08:00:04Z");
    let negative = json!({"delete_version_after": "-1h"});
    assert_eq!(kv.refused(Write, "metadata/t", negative).await.0, Kind::InvalidRequest);
}

#[tokio::test]
async fn settings_of_the_mount() {
    let kv = kv().await;
    let config = async |body: Value| {
        kv.write("config", body).await;
        kv.read("config").await
    };
    let expected = |cas: bool, after: &str, max: u32, metadata_cas: bool| {
        json!({
            "cas_required": cas, "delete_version_after": after, "max_versions": max,
            "metadata_cas_required": metadata_cas,
        })
    };
    assert_eq!(kv.read("config").await, expected(false, "0s", 0, false));
    let all = json!({"max_versions": "5", "cas_required": "true", "delete_version_after": "3h25m19s"});
    assert_eq!(config(all).await, expected(true, "3h25m19s", 5, false));
    assert_eq!(config(json!({"max_versions": 6})).await, expected(true, "3h25m19s", 6, false));
    let nulls = json!({"max_versions": null, "cas_required": null, "delete_version_after": null});
    assert_eq!(config(nulls).await, expected(false, "3h25m19s", 0, false));
    let blank = json!({"delete_version_after": "", "metadata_cas_required": true});
    assert_eq!(config(blank).await, expected(false, "0s", 0, true));
}

#[tokio::test]
async fn metadata_are_written_read_and_replaced() {
    let kv = kv().await;
    assert_eq!(kv.refused(Read, "metadata/a", Value::Null).await, (Kind::NotFound, String::new()));
    let settings = json!({
        "max_versions": 4, "cas_required": false, "delete_version_after": "1h",
        "custom_metadata": {"owner": "me", "n": 1.5},
    });
    assert_eq!(kv.status(Write, "metadata/a", settings).await, StatusCode::NO_CONTENT);
    let now = "2027-01-15T08:00:00Z";
    let mut expected = json!({
        "cas_required": false, "created_time": now, "current_metadata_version": 1, "current_version": 0,
        "custom_metadata": {"owner": "me", "n": "1.5"}, "delete_version_after": "1h0m0s", "max_versions": 4,
        "metadata_cas_required": false, "oldest_version": 0, "updated_time": now, "versions": {},
    });
    assert_eq!(kv.read("metadata/a").await, expected);
    assert_eq!(kv.refused(Read, "data/a", Value::Null).await, (Kind::NotFound, String::new()));
    assert_eq!(kv.refused(Read, "subkeys/a", Value::Null).await, (Kind::NotFound, String::new()));
    assert_eq!(kv.refused(Patch, "data/a", json!({"data": {}})).await, (Kind::NotFound, String::new()));
    assert_eq!(kv.existence("data/a").await, Existence::Exists);
    kv.advance(1);
    kv.write("metadata/a", json!({"max_versions": 7, "custom_metadata": {"other": "y"}})).await;
    expected["max_versions"] = json!(7);
    expected["custom_metadata"] = json!({"other": "y"});
    expected["current_metadata_version"] = json!(2);
    expected["updated_time"] = json!("2027-01-15T08:00:01Z");
    assert_eq!(kv.read("metadata/a").await, expected);
    assert_eq!(kv.write("data/a", json!({"data": {}})).await["custom_metadata"], json!({"other": "y"}));
    kv.write("metadata/a", json!({"custom_metadata": {}})).await;
    assert_eq!(kv.read("metadata/a").await["custom_metadata"], Value::Null);
}

#[tokio::test]
async fn metadata_without_a_change_are_not_written() {
    let kv = kv().await;
    for body in [Value::Null, json!({}), json!({"metadata_cas": 7}), json!({"delete_version_after": null})] {
        assert_eq!(kv.status(Write, "metadata/a", body).await, StatusCode::NO_CONTENT);
    }
    for wrong in [json!({"custom_metadata": {"a": {}}}), json!({"custom_metadata": {"a": ""}})] {
        assert_eq!(kv.refused(Write, "metadata/a", wrong).await.0, Kind::InvalidRequest);
    }
    assert!(kv.keys().await.is_empty());
}

#[tokio::test]
async fn metadata_are_patched() {
    let kv = kv().await;
    assert_eq!(kv.refused(Patch, "metadata/a", json!({"max_versions": 1})).await, (Kind::NotFound, String::new()));
    kv.write("metadata/a", json!({"max_versions": 5, "cas_required": true, "custom_metadata": {"a": "1", "b": "2"}}))
        .await;
    let patched = async |body: Value| {
        kv.call(Patch, "metadata/a", body).await.unwrap();
        kv.read("metadata/a").await
    };
    let shown = patched(json!({"custom_metadata": {"a": null, "c": 3}})).await;
    assert_eq!(shown["custom_metadata"], json!({"b": "2", "c": "3"}));
    assert_eq!((&shown["max_versions"], &shown["current_metadata_version"]), (&json!(5), &json!(2)));
    let shown = patched(json!({"custom_metadata": null, "max_versions": null, "cas_required": null})).await;
    let rest = (&shown["custom_metadata"], &shown["max_versions"], &shown["cas_required"]);
    assert_eq!(rest, (&Value::Null, &json!(0), &json!(false)));
    assert_eq!(patched(json!({})).await["current_metadata_version"], 3);
    assert_eq!(kv.status(Patch, "metadata/none", json!({})).await, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn check_and_set_of_metadata() {
    let kv = kv().await;
    let refused = async |operation, path, body| kv.refused(operation, path, body).await.1;
    let (required, mismatch) = ("metadata check-and-set parameter required", "does not match the current version");
    assert!(refused(Write, "metadata/b", json!({"max_versions": 1, "metadata_cas": 5})).await.contains(mismatch));
    kv.write("metadata/a", json!({"metadata_cas_required": true, "metadata_cas": 0})).await;
    for operation in [Write, Patch] {
        assert!(refused(operation, "metadata/a", json!({"max_versions": 1})).await.contains(required));
        let stale = json!({"max_versions": 1, "metadata_cas": 0});
        assert!(refused(operation, "metadata/a", stale).await.contains(mismatch));
    }
    kv.write("metadata/a", json!({"max_versions": 1, "metadata_cas": "1"})).await;
    kv.write("data/a", json!({"data": {}})).await;
    let shown = kv.read("metadata/a").await;
    assert_eq!((&shown["current_metadata_version"], &shown["current_version"]), (&json!(2), &json!(1)));
    kv.write("config", json!({"metadata_cas_required": true, "cas_required": true})).await;
    assert!(refused(Write, "metadata/c", json!({"max_versions": 1})).await.contains(required));
    let futile = json!({"metadata_cas": 0, "metadata_cas_required": false, "cas_required": false});
    let answer = kv.call(Write, "metadata/c", futile).await.unwrap();
    assert_eq!((answer.status, answer.warnings.len()), (StatusCode::OK, 2));
}

#[tokio::test]
async fn all_of_a_secret_goes_with_its_metadata() {
    let kv = kv().await;
    for _ in 0..3 {
        kv.write("data/a", json!({"data": {}})).await;
        kv.write("data/a/1", json!({"data": {"other": true}})).await;
    }
    kv.write("destroy/a", json!({"versions": [2]})).await;
    for _ in 0..2 {
        assert_eq!(kv.status(Delete, "metadata/a", Value::Null).await, StatusCode::NO_CONTENT);
        assert_eq!(kv.keys().await, ["meta/a/1", "version/a/1/1", "version/a/1/2"]);
    }
    assert_eq!(kv.existence("metadata/a").await, Existence::Absent);
    assert_eq!(kv.write("data/a", json!({"data": {}, "options": {"cas": 0}})).await["version"], 1);
    assert_eq!(kv.version("data/a/1", 2).await.unwrap()["data"], json!({"other": true}));
}

#[tokio::test]
async fn patching_makes_a_merged_version() {
    let kv = kv().await;
    assert_eq!(kv.refused(Patch, "data/a", json!({"data": {}})).await, (Kind::NotFound, String::new()));
    kv.write("data/a", json!({"data": {"keep": 1, "drop": "y", "deep": {"a": 1, "b": 2}}})).await;
    let patch = json!({"data": {"drop": null, "deep": {"b": null, "c": 3}, "new": [1]}});
    assert_eq!(kv.data(Patch, "data/a", patch).await.unwrap()["version"], 2);
    assert_eq!(kv.read("data/a").await["data"], json!({"keep": 1, "deep": {"a": 1, "c": 3}, "new": [1]}));
    assert_eq!(kv.version("data/a", 1).await.unwrap()["data"]["drop"], "y");
    let with = |cas: u64| json!({"data": {"keep": 2}, "options": {"cas": cas}});
    assert_eq!(kv.data(Patch, "data/a", with(2)).await.unwrap()["version"], 3);
    assert_eq!(kv.refused(Patch, "data/a", with(2)).await.0, Kind::InvalidRequest);
    assert!(kv.refused(Patch, "data/a", json!({})).await.1.contains("no data provided"));
    assert_eq!(kv.refused(Patch, "data/a", json!({"data": null})).await.0, Kind::InvalidRequest);
    assert_eq!(kv.read("data/a").await["data"], json!({"keep": 2, "deep": {"a": 1, "c": 3}, "new": [1]}));
    kv.call(Delete, "data/a", Value::Null).await.unwrap();
    let answer = kv.call(Patch, "data/a", with(3)).await.unwrap();
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(kv.read("metadata/a").await["current_version"], 3);
}

#[tokio::test]
async fn subkeys_show_names_without_values() {
    let kv = kv().await;
    kv.write("data/a", json!({"data": {"user": "hunter2", "deep": {"one": {"two": "hunter2"}}}})).await;
    let subkeys = async |query: Value| kv.data(Read, "subkeys/a", query).await.unwrap()["subkeys"].clone();
    let all = json!({"user": null, "deep": {"one": {"two": null}}});
    assert_eq!(subkeys(Value::Null).await, all);
    assert_eq!(subkeys(json!({"depth": "1"})).await, json!({"user": null, "deep": null}));
    assert_eq!(subkeys(json!({"depth": -1})).await, all);
    kv.write("data/a", json!({"data": null})).await;
    assert_eq!(subkeys(Value::Null).await, Value::Null);
    assert_eq!(subkeys(json!({"version": 1, "depth": 1})).await, json!({"user": null, "deep": null}));
    assert_eq!(kv.refused(Read, "subkeys/a", json!({"version": 7})).await.0, Kind::NotFound);
}

#[tokio::test]
async fn folders_are_listed_in_pages() {
    let kv = kv().await;
    assert_eq!(kv.refused(List, "metadata", Value::Null).await, (Kind::NotFound, String::new()));
    for path in ["data/a", "data/b", "data/f/b", "data/f/g/h", "data/a/b"] {
        kv.write(path, json!({"data": {}})).await;
    }
    kv.write("metadata/c", json!({"max_versions": 2})).await;
    let keys = async |operation, path, query| kv.data(operation, path, query).await.map(|data| data["keys"].clone());
    assert_eq!(keys(List, "metadata/", Value::Null).await.unwrap(), json!(["a", "a/", "b", "c", "f/"]));
    assert_eq!(keys(List, "metadata/f", Value::Null).await.unwrap(), json!(["b", "g/"]));
    let page = json!({"after": "a", "limit": "2"});
    assert_eq!(keys(List, "metadata", page).await.unwrap(), json!(["a/", "b"]));
    assert_eq!(keys(List, "metadata", json!({"after": "a/", "limit": 1})).await.unwrap(), json!(["b"]));
    assert_eq!(keys(List, "metadata", json!({"limit": -1})).await.unwrap(), json!(["a", "a/", "b", "c", "f/"]));
    assert_eq!(keys(List, "metadata", json!({"after": "zz"})).await.unwrap_err().kind(), Kind::NotFound);
    assert_eq!(keys(List, "metadata", json!({"limit": "x"})).await.unwrap_err().kind(), Kind::InvalidRequest);
    assert_eq!(keys(Scan, "metadata", Value::Null).await.unwrap(), json!(["a", "b", "c", "f/b", "f/g/h", "a/b"]));
    assert_eq!(keys(Scan, "metadata/f", Value::Null).await.unwrap(), json!(["b", "g/h"]));
    kv.call(Delete, "data/b", Value::Null).await.unwrap();
    assert_eq!(keys(List, "metadata", json!({"after": "a/", "limit": 1})).await.unwrap(), json!(["b"]));
}

#[tokio::test]
async fn detailed_lists_have_metadata() {
    let kv = kv().await;
    for path in ["data/a", "data/f/b"] {
        kv.write(path, json!({"data": {"secret": "hunter2"}})).await;
    }
    let listed = kv.data(List, "detailed-metadata", Value::Null).await.unwrap();
    assert_eq!(listed["keys"], json!(["a", "f/"]));
    assert_eq!((&listed["key_info"]["a"], &listed["key_info"]["f/"]), (&kv.read("metadata/a").await, &json!({})));
    let scanned = kv.data(Scan, "detailed-metadata", Value::Null).await.unwrap();
    assert_eq!(scanned["keys"], json!(["a", "f/b"]));
    assert_eq!(scanned["key_info"]["f/b"]["current_version"], 1);
    assert!(!scanned.to_string().contains("hunter2"));
    let page = kv.data(List, "detailed-metadata", json!({"after": "a", "limit": 1})).await.unwrap();
    assert_eq!(page["key_info"], json!({"f/": {}}));
    assert_eq!(kv.refused(List, "detailed-metadata/zzz", Value::Null).await.0, Kind::NotFound);
}

#[tokio::test]
async fn paths_of_version_1_are_answered_with_a_warning() {
    let kv = kv().await;
    let warned = |answer: Answer, text: &str| {
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert!(answer.warnings[0].contains(text), "{:?}", answer.warnings);
    };
    let invalid = "Invalid path for a versioned K/V secrets engine";
    for (operation, path, text) in [
        (Read, "app", "kv get"),
        (Write, "app/b", "kv put"),
        (Delete, "datax/a", "kv delete"),
        (Patch, "app", "kv patch"),
        (List, "app", "kv list"),
        (Scan, "", "kv scan"),
        (List, "", invalid),
        (List, "config", invalid),
        (Read, "config/a", invalid),
        (Read, "detailed-metadata", invalid),
        (Read, "data", "Non-listing operations"),
        (Write, "metadata", "Non-listing operations"),
        (Write, "undelete", "Non-listing operations"),
    ] {
        warned(kv.call(operation, path, json!({"a": 1})).await.unwrap(), text);
    }
    for (operation, path) in [
        (List, "data"),
        (Scan, "data/a"),
        (Read, "delete/a"),
        (List, "destroy/a"),
        (Delete, "subkeys/a"),
        (Read, "detailed-metadata/a"),
        (Delete, "config"),
        (Patch, "config"),
    ] {
        assert_eq!(kv.refused(operation, path, Value::Null).await.0, Kind::MethodNotAllowed, "{path}");
    }
    assert!(kv.keys().await.is_empty());
}

#[tokio::test]
async fn writes_create_or_update() {
    let kv = kv().await;
    for path in ["data/a", "metadata/a"] {
        assert_eq!(kv.existence(path).await, Existence::Absent);
    }
    for path in ["delete/a", "undelete/a", "destroy/a", "config", "app"] {
        assert_eq!(kv.existence(path).await, Existence::Unknown);
    }
    kv.write("data/a", json!({"data": {}})).await;
    kv.call(Delete, "data/a", Value::Null).await.unwrap();
    for path in ["data/a", "metadata/a"] {
        assert_eq!(kv.existence(path).await, Existence::Exists);
    }
}

#[tokio::test]
async fn of_two_changes_at_the_same_time_one_fails() {
    let kv = kv().await;
    kv.write("data/a", json!({"data": {"n": 1}})).await;
    let now = kv.deps.clock.now();
    let mut txns = Vec::new();
    for _ in 0..2 {
        let mut txn = Txn::new();
        let secret = kv.engine.fetch(&mut txn, "a").await.unwrap().unwrap();
        let payload = SecretJson::of(&json!({"n": 2})).unwrap();
        let new = NewVersion { payload, now, deletion: None, keep: 10 };
        kv.engine.write_version(&mut txn, "a", secret, new).unwrap();
        txns.push(txn);
    }
    let second = txns.pop().unwrap();
    kv.view.commit(second).await.unwrap();
    let first = txns.pop().unwrap();
    assert_eq!(kv.view.commit(first).await.unwrap_err().kind(), Kind::Conflict);
    assert_eq!(kv.read("metadata/a").await["current_version"], 2);
}

#[tokio::test]
async fn a_missing_payload_is_named_and_not_taken_for_null() {
    let kv = kv().await;
    kv.write("data/a", json!({"data": {"n": 1}})).await;
    kv.write("data/a", json!({"data": {"n": 2}})).await;
    let mut txn = Txn::new();
    kv.view.delete(&mut txn, "version/a/1").unwrap();
    kv.view.commit(txn).await.unwrap();
    assert_eq!(kv.version("data/a", 1).await.unwrap_err().kind(), Kind::Corrupt);
    assert_eq!(kv.read("data/a").await["data"], json!({"n": 2}));
}

#[test]
fn unknown_fields_are_told_where_fields_are_known() {
    let routes = Kv2::routes();
    let unknown = |operation, path: &str, body: Value| {
        let hit = routes.resolve(operation, path).found().unwrap();
        hit.info.idle_fields(&Body::of(&body).unwrap()).unwrap().unknown
    };
    for (operation, path, known) in [
        (Write, "config", json!({"max_versions": 1, "cas_required": true, "delete_version_after": "1h"})),
        (Write, "data/a", json!({"data": {}, "options": {}})),
        (Patch, "data/a", json!({"data": {}, "options": {}})),
        (Read, "data/a", json!({"version": 1})),
        (Read, "subkeys/a", json!({"version": 1, "depth": 1})),
        (Write, "delete/a", json!({"versions": [1]})),
        (Write, "metadata/a", json!({"custom_metadata": {}, "metadata_cas": 1, "metadata_cas_required": true})),
        (Patch, "metadata/a", json!({"custom_metadata": {}, "max_versions": 1})),
        (List, "metadata/a", json!({"after": "a", "limit": 1})),
        (List, "detailed-metadata/a", json!({"after": "a", "limit": 1})),
    ] {
        let mut body = known;
        assert!(unknown(operation, path, body.clone()).is_empty(), "{operation:?} {path}");
        body["foo"] = json!(1);
        assert_eq!(unknown(operation, path, body), ["foo"], "{operation:?} {path}");
    }
    assert!(unknown(Write, "app", json!({"any": "field"})).is_empty());
}

#[test]
fn every_route_has_a_summary_and_schemas() {
    for info in Kv2::routes().infos() {
        let mut settings = schemars::generate::SchemaSettings::draft2020_12();
        settings.inline_subschemas = true;
        let mut generator = settings.into_generator();
        assert!(!info.route.summary.is_empty());
        for schema in [info.body_schema(&mut generator), info.path_schema(&mut generator)] {
            assert_eq!(schema.get("type"), Some(&json!("object")), "{:?}", info.route);
        }
    }
}
