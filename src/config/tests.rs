//! Files in, configurations or messages out.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::source::Source;
use super::*;
use crate::api::Ttl;
use crate::hcl;

fn load(text: &str) -> Result<(Config, Vec<String>), String> {
    merge(&[text])
}

fn merge(texts: &[&str]) -> Result<(Config, Vec<String>), String> {
    let parse =
        |(number, text): (usize, &&str)| Source::parse(Path::new(&format!("{number}.hcl")).into(), text.as_bytes());
    let sources: Result<Vec<Source>, ConfigError> = texts.iter().enumerate().map(parse).collect();
    let loaded = sources.and_then(|sources| Config::of(&sources));
    loaded
        .map(|(config, warnings)| (config, warnings.iter().map(ToString::to_string).collect()))
        .map_err(|error| error.to_string())
}

const STORE: &str = "storage \"inmem\" {}\n";
const PLAIN: &str = "listener \"tcp\" { tls_disable = true }\n";

fn with(text: &str) -> Result<(Config, Vec<String>), String> {
    load(&format!("{STORE}{PLAIN}{text}"))
}

#[test]
fn one_line_is_enough() {
    let text = r#"storage "redb" { path = "/data" } listener "tcp" { address = "127.0.0.1:8200" tls_cert_file = "/c" tls_key_file = "/k" tls_client_ca_file = "/ca" tls_min_version = "tls13" max_connections = 5 } audit "file" "main" { description = "d" options { file_path = "/a.log" mode = 0600 } } api_addr = "https://a:8200" telemetry { prometheus_retention_time = "10m" disable_hostname = true }"#;
    let (config, warnings) = load(text).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(config.storage, Storage::Redb("/data".into()));
    let listener = &config.listeners[0];
    assert_eq!(
        listener.tls,
        Some(Tls {
            cert_file: "/c".into(),
            key_file: "/k".into(),
            client_auth: ClientAuth::Required("/ca".into()),
            client_crl_file: None,
            min_version: TlsVersion::Tls13,
            max_version: TlsVersion::Tls13,
        })
    );
    assert_eq!(
        (listener.limits.connections, listener.limits.request_size, listener.limits.json_strings),
        (5, 33_554_432, 1000)
    );
    assert_eq!(listener.timeouts.request, Some(Duration::from_secs(90)));
    assert_eq!(listener.unauthenticated, Unauthenticated { rekey: false, generate_root: false, metrics: false });
    let device = &config.audit[0];
    assert_eq!((device.path.as_str(), device.kind, device.description.as_str()), ("main", AuditKind::File, "d"));
    assert_eq!((device.options["file_path"].as_str(), device.options["mode"].as_str()), ("/a.log", "0600"));
    assert_eq!(
        (config.default_lease_ttl, config.max_lease_ttl),
        (Ttl::from_seconds(2_764_800), Ttl::from_seconds(2_764_800))
    );
    assert_eq!(config.telemetry.prometheus_retention_time, Ttl::from_seconds(600));
}

#[test]
fn json_says_the_same() {
    let hcl = load(
        r#"storage "sled" { path = "/d" } listener "tcp" { address = "[::1]:1" tls_disable = 1 telemetry { unauthenticated_metrics_access = true } }
        audit "file" "a" { options { file_path = "/a" } } user_lockout "all" { lockout_threshold = "3" } log_level = "warn""#,
    );
    let json = load(
        r#"{"storage": {"sled": {"path": "/d"}}, "listener": [{"tcp": {"address": "[::1]:1", "tls_disable": "true",
        "telemetry": {"unauthenticated_metrics_access": true}}}], "audit": {"file": {"a": {"options": {"file_path": "/a"}}}},
        "user_lockout": {"all": {"lockout_threshold": 3}}, "log_level": "warn"}"#,
    );
    let (mut hcl, mut json) = (hcl.unwrap().0, json.unwrap().0);
    assert!(hcl.listeners[0].unauthenticated.metrics);
    assert_eq!(hcl.user_lockout.policies().values().next().unwrap().threshold, Some(3));
    json.audit[0].place = hcl.audit.remove(0).place;
    json.audit.clear();
    assert_eq!(hcl, json);
}

#[test]
fn clients_need_a_certificate_unless_the_file_says_otherwise() {
    let auth = |keys: &str| {
        let text = format!("{STORE}listener \"tcp\" {{ tls_cert_file = \"/c\" tls_key_file = \"/k\" {keys} }}");
        load(&text).map(|(config, _)| config.listeners[0].tls.clone().unwrap().client_auth)
    };
    assert!(auth("").unwrap_err().contains("set tls_client_ca_file, or tls_require_and_verify_client_cert = false"));
    assert_eq!(auth("tls_client_ca_file = \"/a\""), Ok(ClientAuth::Required("/a".into())));
    assert_eq!(auth("tls_require_and_verify_client_cert = false"), Ok(ClientAuth::Optional(None)));
    assert_eq!(auth("tls_disable_client_certs = true"), Ok(ClientAuth::Off));
}

#[test]
fn a_list_of_revoked_certificates_needs_authorities() {
    let list = |keys: &str| {
        let keys = format!("tls_cert_file = \"/c\" tls_key_file = \"/k\" tls_client_crl_file = \"/r\" {keys}");
        load(&format!("{STORE}listener \"tcp\" {{ {keys} }}")).map(|(config, _)| {
            assert_eq!(config.sanitized()["listeners"][0]["config"]["tls_client_crl_file"], "/r");
            config.listeners[0].tls.clone().unwrap().client_crl_file
        })
    };
    assert_eq!(list("tls_client_ca_file = \"/a\""), Ok(Some("/r".into())));
    assert_eq!(list("tls_client_ca_file = \"/a\" tls_require_and_verify_client_cert = false"), Ok(Some("/r".into())));
    for keys in
        ["tls_require_and_verify_client_cert = false", "tls_client_ca_file = \"/a\" tls_disable_client_certs = true"]
    {
        assert!(list(keys).unwrap_err().contains("tls_client_crl_file is about certificates of"), "{keys}");
    }
}

#[test]
fn audit_devices_are_checked_with_the_file() {
    let listener = "listener \"tcp\" { address = \"[::1]:1\" tls_disable = 1 }";
    let with = |audit: &str| load(&format!("{STORE}{listener}\n{audit}")).map(|_| ());
    let all = "audit \"file\" \"all\" { options { file_path = \"/a\" } }";
    let some =
        |filter: &str| format!("audit \"file\" \"some\" {{ options {{ file_path = \"/b\" filter = \"{filter}\" }} }}");
    with(&format!("{all}\n{}", some("mount_type == 'kv'"))).unwrap();
    with(&format!("{}\n{all}", some("mount_type == 'kv'"))).unwrap();
    let message = with(&some("mount_type == 'kv'")).unwrap_err();
    assert!(message.contains("every audit device has a filter"), "{message}");
    let message = with(&format!("{all}\n{}", some("mount_typ == 'kv'"))).unwrap_err();
    assert!(message.contains("0.hcl:4:1: filter has an unknown name at line 1, column 1"), "{message}");
    let message = with(&all.replace("} }", "rotate_byte = 1 } }")).unwrap_err();
    assert!(message.contains("unknown option") && message.contains("rotate_bytes"), "{message}");
}

#[test]
fn messages_name_file_line_and_key() {
    for (text, message) in [
        ("\n\n api_adr = 1", "0.hcl:5:2: unknown key \"api_adr\"; did you mean \"api_addr\"?"),
        ("log_levle = \"info\"", "0.hcl:3:1: unknown key \"log_levle\"; did you mean \"log_level\"?"),
        ("quite_unknown = \"hunter2\"", "0.hcl:3:1: unknown key \"quite_unknown\"; remove it"),
        (
            "log_level = \"hunter2\"",
            "0.hcl:3:13: log_level: expected \"trace\", \"debug\", \"info\", \"warn\" or \"error\"",
        ),
        ("max_lease_ttl = \"hunter2\"", "0.hcl:3:17: max_lease_ttl: a duration must be"),
        ("ui = \"hunter2\"", "0.hcl:3:6: ui: expected true or false"),
        ("ui { a = 1 }", "0.hcl:3:4: ui: expected true or false"),
        ("ui \"x\" { }", "0.hcl:3:1: ui is a key with a value, not a block"),
        ("ui = ", "0.hcl:3:6: expected a value"),
        ("telemetry \"x\" {}", "0.hcl:3:1: a block like this one is written telemetry { … }"),
        ("storage \"inmem\" {}", "0.hcl:3:1: a file has only one storage block; remove this one"),
        ("audit \"file\" { options { file_path = \"/a\" } }", "0.hcl:3:1: an audit device needs a name"),
        ("audit { file = 1 }", "0.hcl:3:9: a block like this one is written audit \"type\" \"path\" { … }"),
        ("audit \"file\" \"a\" { file_path = \"/a\" }", "0.hcl:3:20: unknown key \"file_path\""),
        ("audit \"file\" \"a\" { }", "an audit file needs options { file_path"),
        ("audit \"kafka\" \"a\" { }", "0.hcl:3:1: this kind of audit device is not supported"),
        ("audit \"http\" \"a\" { }", "0.hcl:3:1: url is required"),
        ("audit \"socket\" \"a\" { options { address = \"siem\" } }", "0.hcl:3:1: address must be a host and a port"),
        ("audit \"syslog\" \"a\" { options { file_path = \"/a\" } }", "0.hcl:3:1: unknown option \"file_path\""),
        ("seal \"transit\" { }", "0.hcl:3:1: this kind of seal is not supported"),
        ("listener \"unix\" { }", "0.hcl:3:1: this kind of listener is not supported; use listener \"tcp\""),
        ("listener \"tcp\" { tls_cert_file = \"/c\" }", "0.hcl:3:1: set tls_key_file, or tls_disable = true"),
        ("listener \"tcp\" { tls_disable = true max_conections = 1 }", "did you mean \"max_connections\"?"),
        ("listener \"tcp\" { tls_disable = true max_request_size = 0 }", "must be greater than 0"),
        ("listener \"tcp\" { tls_disable = true address = \"hunter2\" }", "address: expected an IP address and a port"),
        (
            "listener \"tcp\" { tls_cert_file = \"/\" tls_key_file = \"/\" tls_min_version = \"tls10\" }",
            "tls_min_version: expected \"tls12\" or \"tls13\"",
        ),
        (
            "default_lease_ttl = \"2h\" max_lease_ttl = \"1h\"",
            "default_lease_ttl must not be longer than max_lease_ttl",
        ),
        ("api_addr = \"hunter2\"", "api_addr must be a URL"),
    ] {
        let found = with(text).unwrap_err();
        assert!(found.contains(message), "{text}\n{found}");
        assert!(!found.contains("hunter2"), "{found}");
    }
    assert!(load(STORE).unwrap_err().contains("add listener"));
    assert!(load(PLAIN).unwrap_err().contains("add storage"));
    for kind in ["raft", "postgresql", "file", "consul"] {
        let found = load(&format!("{PLAIN}storage \"{kind}\" {{ connection_url = \"hunter2\" }}")).unwrap_err();
        assert!(found.contains("use \"redb\", \"sled\" or \"inmem\"") && !found.contains("hunter2"), "{found}");
    }
}

#[test]
fn what_others_know_is_a_warning() {
    let (_, warnings) = with(
        "cluster_addr = \"hunter2\"\ndisable_cache = true\nservice_registration \"consul\" {}\nui = true\nui = false",
    )
    .unwrap();
    assert_eq!(
        warnings,
        [
            "0.hcl:3:1: cluster_addr has no effect on this server",
            "0.hcl:4:1: disable_cache has no effect on this server",
            "0.hcl:5:1: service_registration has no effect on this server",
            "0.hcl:7:1: ui is set twice in this file; the last one counts",
        ]
    );
}

#[test]
fn later_files_win_and_lists_add_up() {
    let first = format!(
        "{STORE}{PLAIN}cluster_name = \"a\" log_level = \"debug\" audit \"file\" \"a\" {{ options {{ file_path = \"/a\" }} }}"
    );
    let second = "cluster_name = \"b\" storage \"redb\" { path = \"/d\" } listener \"tcp\" { tls_disable = true address = \"127.0.0.1:2\" }
                  audit \"file\" \"b\" { options { file_path = \"/b\" } }";
    let (config, warnings) = merge(&[&first, second]).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!((config.cluster_name.as_deref(), config.log.level), (Some("b"), LogLevel::Debug));
    assert_eq!((config.storage.kind(), config.listeners.len(), config.audit.len()), ("redb", 2, 2));
    let again = merge(&[&first, "audit \"file\" \"a/\" { options { file_path = \"/b\" } }"]);
    assert!(again.unwrap_err().starts_with("1.hcl:1:1: there is another audit device of this name"));
}

#[test]
fn directories_are_read_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("10-base.hcl", &format!("{STORE}{PLAIN}cluster_name = \"a\""));
    write("20-more.json", "{\"cluster_name\": \"b\"}");
    write("30-not.txt", "not a configuration");
    let (config, _) = Config::load(&[folder.path().to_owned()]).unwrap();
    assert_eq!(config.cluster_name.as_deref(), Some("b"));
    let missing = Config::load(&[PathBuf::from("/nowhere/at/all.hcl")]).unwrap_err();
    assert!(missing.to_string().contains("cannot read /nowhere/at/all.hcl") && missing.place().is_none());
    let empty = tempfile::tempdir().unwrap();
    assert!(Config::load(&[empty.path().to_owned()]).unwrap_err().to_string().contains("no configuration file"));
    write("40-bad.hcl", "a = ");
    let bad = Config::load(&[folder.path().to_owned()]).unwrap_err();
    assert_eq!(bad.place().unwrap().file.file_name().unwrap(), "40-bad.hcl");
}

#[test]
fn timeouts_and_proxies() {
    let (config, _) = load(&format!(
        "{STORE}default_max_request_duration = \"5s\" listener \"tcp\" {{ tls_disable = true http_idle_timeout = 0 \
         x_forwarded_for_authorized_addrs = \"10.0.0.0/8,127.0.0.1\" x_forwarded_for_reject_not_present = false }}
         listener \"tcp\" {{ tls_disable = true max_request_duration = 0 }}"
    ))
    .unwrap();
    let [first, second] = &config.listeners[..] else { panic!("two listeners") };
    assert_eq!((first.timeouts.request, first.timeouts.idle), (Some(Duration::from_secs(5)), None));
    assert_eq!(second.timeouts.request, None);
    assert_eq!((first.forwarded_for.authorized.len(), first.forwarded_for.reject_not_present), (2, false));
    assert!(second.forwarded_for.authorized.is_empty());
}

#[test]
fn lockouts() {
    let (config, _) = with(
        "user_lockout \"userpass\" { lockout_threshold = 3 lockout_duration = \"1m\" }
                            user_lockout \"all\" { disable_lockout = true }",
    )
    .unwrap();
    let found = config.user_lockout.policies()["userpass"];
    assert_eq!((found.threshold, found.duration), (Some(3), Duration::from_mins(1)));
    assert_eq!(config.user_lockout.policies()["all"].threshold, None);
}

#[test]
fn the_example_is_loadable_and_shows_the_defaults() {
    let text = example();
    assert_eq!(hcl::format(text.as_bytes()).unwrap(), text, "it is in its canonical form");
    let (shown, warnings) = load(&text).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    let (plain, _) = load(
        "storage \"redb\" { path = \"/var/lib/arca\" }
         listener \"tcp\" { tls_cert_file = \"/etc/arca/tls/server.pem\" tls_key_file = \"/etc/arca/tls/server-key.pem\"
                          tls_client_ca_file = \"/etc/arca/tls/ca.pem\" }
         audit \"file\" \"main\" { options { file_path = \"/var/log/arca/audit.log\" } }",
    )
    .unwrap();
    let mut shown = shown;
    shown.audit[0].place = plain.audit[0].place.clone();
    assert_eq!(shown.user_lockout.policies()["all"], crate::engine::LockoutPolicy::default());
    shown.user_lockout = UserLockout::default();
    assert_eq!(shown, plain);
}

/// With every comment that is an assignment uncommented, the example has every key, and still loads.
#[test]
fn the_keys_without_a_default_are_right_in_the_example() {
    let uncommented: String = example()
        .lines()
        .map(|line| match line.trim_start().strip_prefix("# ") {
            Some(key) if key.split(' ').nth(1) == Some("=") => format!("{key}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let (config, warnings) = load(&uncommented).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    assert!(config.api_addr.is_some() && config.log.file.is_some() && config.telemetry.metrics_prefix.is_some());
}

#[test]
fn the_packaged_example_is_fresh() {
    assert_eq!(include_str!("../../deploy/arca.hcl"), example(), "write config::example() to deploy/arca.hcl");
}

#[test]
fn the_sanitized_form_has_no_more_than_it_may() {
    let text = r#"storage "redb" { path = "/canary-path" } listener "tcp" { tls_cert_file = "/c" tls_key_file = "/k" tls_client_ca_file = "/ca"
        tls_acme_eab_mac_key = "canary-mac" } audit "file" "s" { options { file_path = "canary-option" } }
        telemetry { circonus_api_token = "canary-token" prometheus_retention_time = "30s" } api_addr = "https://a:1" default_lease_ttl = "10h""#;
    let sanitized = load(text).unwrap().0.sanitized();
    assert!(!sanitized.to_string().contains("canary"), "{sanitized}");
    assert_eq!(sanitized["default_lease_ttl"], json!(36000));
    assert_eq!(
        sanitized["storage"],
        json!({"cluster_addr": "", "disable_clustering": true, "redirect_addr": "https://a:1", "type": "redb"})
    );
    assert_eq!(sanitized["listeners"][0]["type"], "tcp");
    assert_eq!(sanitized["listeners"][0]["config"]["tls_client_ca_file"], "/ca");
    assert_eq!(sanitized["telemetry"]["prometheus_retention_time"], json!(30_000_000_000_u64));
    for key in ["api_addr", "default_lease_ttl", "max_lease_ttl", "disable_cache", "log_level", "seals", "enable_ui"] {
        assert!(sanitized.get(key).is_some(), "{key}");
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>(), key in "[a-z_]{1,20}", value in "(1|true|\"x\"|\\[\\]|\\{\\}|\"1h\")") {
        drop(load(&text));
        drop(with(&format!("{key} = {value}")));
        drop(load(&format!("{STORE}listener \"tcp\" {{ {key} = {value} }} audit \"file\" \"a\" {{ {key} = {value} }}")));
    }

    #[test]
    fn a_truncated_file_does_not_panic(cut in 0..6_000_usize) {
        let text = example();
        drop(load(text.get(..cut.min(text.len())).unwrap_or_default()));
    }
}
