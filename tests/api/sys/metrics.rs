//! `sys/metrics`: what is counted, in both forms, and who may read it.

use std::time::{Duration, Instant};

use arca::vault::Settings;
use serde_json::{Value, json};

use crate::support::{Setup, TestVault};

fn prometheus() -> Settings {
    Settings { prometheus: true, ..Settings::default() }
}

/// The value of a series by its whole name.
fn value(text: &str, series: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
    Some(line.parse().unwrap())
}

#[test]
fn a_request_shows_in_the_metrics() {
    let vault = Setup { settings: prometheus(), ..Setup::default() }.start();
    let root = vault.root();
    root.post("sys/mounts/team/kv", json!({"type": "kv"})).ok();
    root.post("sys/auth/userpass", json!({"type": "userpass"})).ok();
    root.post("auth/userpass/users/bob", json!({"password": "correct horse"})).ok();
    for _ in 0..3 {
        root.post("team/kv/marker-path", json!({"a": "marker-value"})).ok();
        root.get("team/kv/marker-path").ok();
    }
    vault.login("auth/userpass/login/bob", json!({"password": "correct horse"}));
    vault.anonymous().get("team/kv/marker-path").refuses(403, "");
    let answer = root.get("sys/metrics?format=prometheus").ok();
    assert_eq!(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let text = answer.text;
    let of = |series: &str| value(&text, series).unwrap_or_else(|| panic!("{series} is missing in:\n{text}"));
    assert!((of("vault_route_create_team_kv__count") - 1.0).abs() < 0.1);
    assert!((of("vault_route_update_team_kv__count") - 2.0).abs() < 0.1);
    assert!((of("vault_route_read_team_kv__count") - 3.0).abs() < 0.1);
    let labels = "namespace=\"root\",mount=\"team/kv/\",type=\"kv\",operation=\"read\"";
    // The refused read was for this mount too.
    assert!((of(&format!("arca_request_seconds_count{{{labels}}}")) - 4.0).abs() < 0.1);
    assert!((of("vault_core_handle_login_request_count") - 1.0).abs() < 0.1);
    assert!(of("vault_core_handle_request_count") >= 9.0);
    let tokens = "auth_method=\"userpass\",mount_point=\"auth/userpass/\",namespace=\"root\",token_type=\"service\"";
    assert!((of(&format!("vault_token_creation{{{tokens}}}")) - 1.0).abs() < 0.1);
    assert!(of("vault_token_create_count") >= 1.0 && of("vault_token_lookup_count") >= 9.0);
    assert!(of("vault_audit_log_request_count") >= 9.0 && of("vault_audit_log_response_count") >= 9.0);
    assert!(of("vault_audit_log_request_failure").abs() < 0.1);
    assert!(of("vault_core_check_token_count") >= 9.0 && of("vault_policy_get_policy_count") >= 9.0);
    assert!(of("vault_barrier_put_count") >= 3.0 && of("vault_barrier_get_count") >= 3.0);
    assert!(of("arca_http_responses_total{status=\"403\"}") >= 1.0);
    assert!(of("arca_connections_open") >= 1.0 && of("arca_tls_handshake_seconds_count") >= 1.0);
    assert!((of("arca_audit_devices") - 1.0).abs() < 0.1);
    let cluster = text.lines().find(|line| line.starts_with("vault_core_unsealed{cluster=")).unwrap();
    assert!(cluster.ends_with("\"} 1") && !cluster.contains("\"\""), "{cluster}");
    for absent in ["marker-path", "marker-value", "bob", root.token()] {
        assert!(!text.contains(absent), "{absent} is in the metrics");
    }
}

#[test]
fn what_is_stored_is_counted_in_the_background() {
    let vault = Setup { settings: prometheus(), ..Setup::default() }.start();
    let root = vault.root();
    let patience = Instant::now() + Duration::from_mins(1);
    loop {
        let text = root.get("sys/metrics?format=prometheus").ok().text;
        if let Some(tokens) = value(&text, "vault_token_count") {
            assert!(tokens >= 1.0, "the root token is one");
            assert_eq!(value(&text, "vault_expire_num_leases"), Some(0.0));
            assert_eq!(value(&text, "arca_leases_overdue"), Some(0.0));
            assert_eq!(value(&text, "vault_expire_num_irrevocable_leases"), Some(0.0));
            return;
        }
        assert!(Instant::now() < patience, "nothing was counted:\n{text}");
    }
}

#[test]
fn the_json_form_has_the_shape_of_the_peer() {
    let vault = TestVault::new();
    let root = vault.root();
    let answer = root.get("sys/metrics").ok();
    assert_eq!(answer.headers["content-type"], "application/json");
    let report = answer.json();
    let keys: Vec<&String> = report.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["Counters", "Gauges", "Points", "Samples", "Timestamp"]);
    assert!(report["Timestamp"].as_str().unwrap().ends_with("0 +0000 UTC"));
    let gauges = report["Gauges"].as_array().unwrap();
    let unsealed = gauges.iter().find(|gauge| gauge["Name"] == "vault.core.unsealed").unwrap();
    assert_eq!(unsealed["Value"], json!(1.0));
    assert!(unsealed["Labels"]["cluster"].is_string());
}

#[test]
fn who_may_read_them() {
    let vault = TestVault::new();
    vault.anonymous().get("sys/metrics").refuses(403, "permission denied");
    vault.with_token(json!({"policies": ["default"]})).get("sys/metrics").refuses(403, "permission denied");
    let reader = vault.with_policy("scraper", "path \"sys/metrics\" { capabilities = [\"read\"] }");
    reader.get("sys/metrics").ok();
    let off = reader.get("sys/metrics?format=prometheus").is(400);
    assert_eq!(
        (off.text.trim_end(), off.headers["content-type"].as_bytes()),
        ("prometheus is not enabled", b"text/plain".as_slice())
    );
    let unknown = reader.get("sys/metrics?format=yaml").is(400);
    assert_eq!(unknown.text.trim_end(), "metric response format \"yaml\" unknown");
    vault.root().post("sys/metrics", json!({})).refuses(405, "unsupported operation");
}

#[test]
fn everyone_may_read_them_where_it_is_configured_even_when_sealed() {
    let mut vault =
        Setup { settings: prometheus(), metrics_for_all: true, unsealed: false, ..Setup::default() }.start();
    let text = vault.anonymous().get("sys/metrics?format=prometheus").ok().text;
    assert_eq!(value(&text, "vault_core_unsealed{cluster=\"\"}"), Some(0.0));
    vault.initialise(1, 1);
    vault.unseal();
    let anonymous = vault.anonymous();
    let report: Value = anonymous.get("sys/metrics").ok().json();
    assert!(report["Gauges"].as_array().unwrap().len() > 10);
    anonymous.post("sys/metrics", json!({})).is(405);
    anonymous.get("sys/metrics?format=nope").is(400);
    anonymous.get("sys/mounts").refuses(403, "permission denied");
    vault
        .root()
        .with_header("X-Vault-Namespace", "team")
        .get("sys/metrics")
        .refuses(400, "operation unavailable in namespaces");
}
