//! Both forms of one page.

use std::time::{Duration, Instant};

use super::*;

fn busy() -> Arc<Metrics> {
    let metrics = Metrics::new(Timestamp::from_unix_seconds(1_000_000_000));
    let end = Instant::now();
    let start = end.checked_sub(Duration::from_millis(20)).unwrap();
    metrics.requests.handled.record(start, end, 1);
    metrics.requests.answered(200);
    metrics.requests.answered(418);
    metrics.storage.committed(start, end, 3, 0);
    metrics.storage.transacted(start, end, 2);
    metrics
}

#[test]
fn the_text_form() {
    let text = busy().page().text("vault");
    for line in [
        "# TYPE vault_core_handle_request summary",
        "vault_core_handle_request_count 1",
        "vault_core_handle_login_request{quantile=\"0.5\"} NaN",
        "arca_http_responses_total{status=\"200\"} 1",
        "arca_http_responses_total{status=\"other\"} 1",
        "vault_barrier_put_count 3",
        "vault_barrier_delete_count 0",
        "arca_storage_transaction_seconds_bucket{le=\"0.01\"} 0",
        "arca_storage_transaction_seconds_bucket{le=\"0.025\"} 1",
        "arca_storage_transaction_seconds_bucket{le=\"+Inf\"} 1",
        "arca_storage_group_commits_sum 2",
        "arca_connections_open 0",
    ] {
        assert!(text.lines().any(|known| known == line), "{line} is missing in:\n{text}");
    }
    let mut names: Vec<_> = text.lines().filter(|line| line.starts_with("# TYPE ")).collect();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all, "a name has one type");
    assert!(text.lines().any(|line| line.starts_with("process_resident_memory_bytes ")), "this is Linux");
}

#[test]
fn the_prefix_is_that_of_the_shared_names_alone() {
    let text = busy().page().text("bao");
    assert!(text.contains("\nbao_core_handle_request_count 1\n") && text.contains("\narca_connections_open "));
    assert!(!text.contains("vault_"));
}

#[test]
fn the_json_form() {
    let report = serde_json::to_value(busy().page().report("vault")).unwrap();
    assert_eq!(report["Timestamp"], "2001-09-09 01:46:40 +0000 UTC");
    assert_eq!(report["Points"], serde_json::json!([]));
    let of =
        |list: &str, name: &str| report[list].as_array().unwrap().iter().find(|entry| entry["Name"] == name).cloned();
    let sample = of("Samples", "vault.core.handle_request").unwrap();
    assert_eq!(sample["Count"], 1);
    assert!((sample["Sum"].as_f64().unwrap() - 20.0).abs() < 0.1);
    assert_eq!((&sample["Min"], &sample["Stddev"]), (&sample["Max"], &serde_json::json!(0.0)));
    assert!(of("Samples", "vault.core.handle_login_request").is_none(), "nothing happened");
    let counter = of("Counters", "arca.http_responses_total").unwrap();
    assert_eq!((&counter["Count"], &counter["Labels"]["status"]), (&serde_json::json!(1), &serde_json::json!("200")));
    assert!(of("Gauges", "process_resident_memory_bytes").is_some());
}

#[test]
fn labels_are_escaped() {
    let mut page = busy().page();
    page.gauge("arca.odd", "Odd", vec![("name", "a\\b\"c\nd".to_owned())], 1.5);
    let text = page.text("vault");
    assert!(text.contains("arca_odd{name=\"a\\\\b\\\"c\\nd\"} 1.5\n"), "{text}");
}

#[test]
fn mounts_have_meters_as_long_as_they_are_there() {
    let metrics = busy();
    let start = Instant::now();
    let one = metrics.mounts.meter("", "a-b/", "kv");
    let two = metrics.mounts.meter("team/", "kv/", "kv");
    let same = metrics.mounts.meter("", "a-b/", "kv");
    assert!(Arc::ptr_eq(&one, &same));
    one.routed(RouteOperation::Read, start);
    two.answered(RouteOperation::Update, start, start);
    two.failed();
    one.gave_token(true);
    let text = metrics.page().text("vault");
    for line in [
        "vault_route_read_a_b__count 1",
        "vault_route_update_team_kv__count 0",
        "arca_request_seconds_count{namespace=\"team/\",mount=\"kv/\",type=\"kv\",operation=\"update\"} 1",
        "arca_request_failures_total{namespace=\"team/\",mount=\"kv/\",type=\"kv\"} 1",
        "vault_token_creation{auth_method=\"kv\",mount_point=\"a-b/\",namespace=\"root\",token_type=\"batch\"} 1",
    ] {
        assert!(text.lines().any(|known| known == line), "{line} is missing in:\n{text}");
    }
    drop((one, two, same));
    assert!(!metrics.page().text("vault").contains("arca_request_seconds"));
}

#[test]
fn mounts_that_look_alike_to_prometheus_are_one_series() {
    let metrics = busy();
    let start = Instant::now();
    let alike = [metrics.mounts.meter("", "a.b/", "kv"), metrics.mounts.meter("", "a_b/", "kv")];
    for meter in &alike {
        meter.routed(RouteOperation::Read, start);
    }
    let text = metrics.page().text("vault");
    assert_eq!(text.matches("\nvault_route_read_a_b__count 2\n").count(), 1, "{text}");
}

#[test]
fn labels_of_mounts_are_bounded() {
    let metrics = busy();
    let start = Instant::now();
    let many: Vec<_> =
        (0..MountMeters::MOST + 50).map(|index| metrics.mounts.meter("", &format!("m{index}/"), "kv")).collect();
    for meter in &many {
        meter.answered(RouteOperation::Read, start, start);
    }
    let text = metrics.page().text("vault");
    let series = text.lines().filter(|line| line.starts_with("arca_request_seconds_count{")).count();
    assert_eq!(series, MountMeters::MOST + 1);
    assert!(text.contains(
        "arca_request_seconds_count{namespace=\"root\",mount=\"other\",type=\"other\",operation=\"read\"} 50"
    ));
    drop(many);
    let late = metrics.mounts.meter("", "late/", "kv");
    late.answered(RouteOperation::Read, start, start);
    assert!(metrics.page().text("vault").contains("mount=\"late/\""), "there is room again");
}
