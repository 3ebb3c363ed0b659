//! What operators look at while the server runs: its log's level, the requests in flight, the request as it came.

use serde_json::json;

use crate::support::TestVault;

#[test]
fn the_level_of_the_log_can_be_changed_and_reset() {
    let vault = TestVault::new();
    let root = vault.root();
    assert_eq!(root.get("sys/loggers").data(), json!({"arca": "info"}));
    root.post("sys/loggers", json!({"level": "DEBUG"})).is(204);
    assert_eq!(root.get("sys/loggers/arca").data(), json!({"arca": "debug"}));
    root.post("sys/loggers/arca", json!({"level": "warning"})).is(204);
    assert_eq!(root.get("sys/loggers").data(), json!({"arca": "warn"}));
    root.delete("sys/loggers/arca").is(204);
    assert_eq!(root.get("sys/loggers").data(), json!({"arca": "info"}));
    root.post("sys/loggers", json!({"level": "error"})).is(204);
    root.delete("sys/loggers").is(204);
    assert_eq!(root.get("sys/loggers").data(), json!({"arca": "info"}));
    for (body, says) in [
        (json!({}), "level is required"),
        (json!({"level": ""}), "level is empty"),
        (json!({"level": "loud"}), "invalid level provided"),
    ] {
        root.post("sys/loggers", body.clone()).refuses(400, says);
        root.post("sys/loggers/arca", body).refuses(400, says);
    }
    root.post("sys/loggers/nope", json!({"level": "info"})).refuses(400, "not found");
    root.delete("sys/loggers/nope").refuses(400, "not found");
    assert_eq!(root.get("sys/loggers/nope").data(), json!({}));
}

#[test]
fn requests_in_flight_are_listed_and_taken_off_the_list() {
    let vault = TestVault::new();
    for _ in 0..3 {
        let answer = vault.root().get("sys/in-flight-req").ok().json();
        let requests: Vec<_> = answer.as_object().unwrap().values().collect();
        assert_eq!(requests.len(), 1, "{answer:#}");
        assert_eq!(requests[0]["request_path"], "/v1/sys/in-flight-req");
        assert_eq!(requests[0]["request_method"], "GET");
        assert!(requests[0]["client_remote_address"].as_str().unwrap().starts_with("127.0.0.1:"));
    }
}

#[test]
fn a_request_can_be_looked_at_without_its_token() {
    let vault = TestVault::new();
    let root = vault.root();
    let answer = root.get("sys/internal/inspect/request").ok();
    assert!(!answer.text.contains(root.token()), "{}", answer.text);
    let request = &answer.data()["req"];
    assert_eq!((&request["mount_point"], &request["operation"]), (&json!("sys/"), &json!("read")));
    let reader = vault.with_policy("reader", "path \"sys/internal/*\" { capabilities = [\"read\"] }");
    reader.get("sys/internal/inspect/request").refuses(403, "permission denied");
    reader.get("sys/internal/counters/requests").refuses(404, "functionality has been removed");
    assert!(
        reader.get("sys/internal/counters/tokens").data()["counters"]["service_tokens"]["total"].as_u64() > Some(0)
    );
}

#[test]
fn an_audited_header_is_told_by_the_name_that_was_asked_for() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/config/auditing/request-headers/X-Foo", json!({"hmac": true})).is(204);
    for name in ["X-Foo", "x-foo", "x-FOO"] {
        let answer = root.get(&format!("sys/config/auditing/request-headers/{name}")).data();
        assert_eq!(answer, json!({ name: {"hmac": true} }));
    }
    let all = root.get("sys/config/auditing/request-headers").data();
    assert_eq!(all["headers"], json!({"x-foo": {"hmac": true}}));
}
