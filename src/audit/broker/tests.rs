use std::collections::BTreeMap;
use std::io::Cursor;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::api::AuditHealth;
use crate::audit::AuditedMount;
use crate::audit::facts::{AuthFacts, HeaderFacts, MountFacts, ResponseFacts, WrapFacts};
use crate::audit::sinks::LineOptions;
use crate::audit::sinks::failing::MemorySink;
use crate::chain::{NodeId, SigningKey, Start, Verifier};
use crate::entropy::SeededEntropy;
use crate::error::Kind;
use crate::policy::{Access, Permit};
use crate::secret::ClientToken;
use crate::time::{ManualClock, Timestamp};

const TOKEN: &str = "s.5BqzhoLwvxevcBX4BUfMvdDF";
const ACCESSOR: &str = "g4sgYBKeRnHbU3oAO6nV1NEp";

fn broker() -> AuditBroker {
    let pkcs8 = SigningKey::generate(&SeededEntropy::new(1)).unwrap();
    AuditBroker::new(Identity {
        node: NodeId::new("n1").unwrap(),
        key: Arc::new(SigningKey::from_pkcs8(&pkcs8).unwrap()),
        clock: Arc::new(ManualClock::new(Timestamp::from_unix_seconds(1_700_000_000))),
        entropy: Arc::new(SeededEntropy::new(2)),
        spools: None,
    })
}

fn key(byte: u8) -> AuditKey {
    AuditKey::from_slice(&[byte; 32]).unwrap()
}

fn config(path: &str, options: &[(&str, &str)]) -> DeviceConfig {
    let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    DeviceConfig { path: path.to_owned(), kind: "file".to_owned(), description: String::new(), options, local: false }
}

/// Adds a device that writes to memory.
async fn add(broker: &AuditBroker, path: &str, options: &[(&str, &str)], byte: u8) -> MemorySink {
    let sink = MemorySink::new(false);
    let config = config(path, options);
    let options = LineOptions::parse(&config.options).unwrap();
    let device =
        Device::with_sink(config, options, Box::new(sink.clone()), &key(byte), (None, broker.identity())).unwrap();
    broker.add(Arc::new(device)).await.unwrap();
    sink
}

/// The audit lines, without checkpoints and the chain's members; hashes are `H`.
fn lines(sink: &MemorySink) -> Vec<Value> {
    let text = String::from_utf8(sink.files().concat()).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .filter(|line| line["type"] != "checkpoint")
        .map(|mut line| {
            for member in ["time", "seq", "node", "prev", "hash"] {
                assert!(line.as_object_mut().unwrap().remove(member).is_some(), "{member}");
            }
            mask(&mut line);
            line
        })
        .collect()
}

fn mask(value: &mut Value) {
    match value {
        Value::String(text) if text.starts_with("hmac-sha256:") && text.len() == 76 => *value = json!("H"),
        Value::Array(items) => items.iter_mut().for_each(mask),
        Value::Object(members) => members.values_mut().for_each(mask),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn mount() -> AuditedMount {
    AuditedMount::new(MountFacts {
        point: "plain/".to_owned(),
        kind: "kv".to_owned(),
        accessor: "kv_e6d35c06".to_owned(),
        running_version: "v2.7.2+builtin.bao".to_owned(),
        class: "secret",
        non_hmac_request_keys: vec!["foo".to_owned()],
        non_hmac_response_keys: vec!["foo".to_owned()],
    })
}

/// A request of the root token from 127.0.0.1:57268.
struct Sample {
    path: ApiPath,
    operation: &'static str,
    token: Option<ClientToken>,
    body: Option<&'static str>,
    wrap_ttl: Option<Duration>,
}

impl Sample {
    fn of(operation: &'static str, path: &str) -> Self {
        let token = Some(ClientToken::new(TOKEN.to_owned()));
        Self { path: ApiPath::parse(path).unwrap(), operation, token, body: None, wrap_ttl: None }
    }

    fn facts<'a>(&'a self, headers: &'a [HeaderFacts<'a>]) -> RequestFacts<'a> {
        RequestFacts {
            id: "affc9944",
            operation: self.operation,
            path: &self.path,
            namespace: NamespaceFacts { id: "root", path: "" },
            client_token: self.token.as_ref(),
            data: self.body.map(str::as_bytes),
            remote_address: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            remote_port: 57268,
            client_certificate_serial_number: None,
            wrap_ttl: self.wrap_ttl,
            headers,
        }
    }

    async fn run(&self, broker: &AuditBroker, known: bool, outcome: &ResponseFacts<'_>) -> Result<()> {
        let mut entry = broker.open(&self.facts(&[]));
        entry.route(&Arc::new(mount()));
        if known {
            with_root(|auth| entry.identify(auth));
        }
        if outcome.error.is_none() {
            entry.admit(Permit::public(Access::Public).unwrap()).await?;
        }
        entry.close(outcome).await
    }
}

fn with_root(then: impl FnOnce(&AuthFacts<'_>)) {
    let policies = ["root".to_owned()];
    then(&AuthFacts {
        client_token: Some(&ClientToken::new(TOKEN.to_owned())),
        accessor: ACCESSOR,
        client_id: "0DHqvq2D",
        display_name: "root",
        policies: &policies,
        token_policies: &policies,
        identity_policies: &[],
        metadata: None,
        entity_id: "",
        entity_created: false,
        token_type: "service",
        token_ttl: None,
        token_issue_time: Timestamp::parse("2026-11-22T03:31:57Z"),
        remaining_uses: None,
    });
}

fn auth(results: Option<Value>) -> Value {
    let mut auth = json!({
        "client_token": "H", "accessor": "H", "display_name": "root", "policies": ["root"], "token_policies": ["root"],
        "token_type": "service", "token_issue_time": "2026-11-22T03:31:57Z",
    });
    if let Some(results) = results {
        auth["policy_results"] = results;
    }
    auth
}

fn request(operation: &str, path: &str) -> Value {
    json!({
        "id": "affc9944", "client_id": "0DHqvq2D", "operation": operation, "mount_point": "plain/", "mount_type": "kv",
        "mount_accessor": "kv_e6d35c06", "mount_running_version": "v2.7.2+builtin.bao", "mount_class": "secret",
        "client_token": "H", "client_token_accessor": "H", "namespace": {"id": "root"}, "path": path,
        "remote_address": "127.0.0.1", "remote_port": 57268,
    })
}

fn response() -> Value {
    json!({
        "mount_point": "plain/", "mount_type": "kv", "mount_accessor": "kv_e6d35c06",
        "mount_running_plugin_version": "v2.7.2+builtin.bao", "mount_class": "secret",
    })
}

fn with(mut object: Value, more: Value) -> Value {
    let Value::Object(more) = more else { panic!("not an object") };
    object.as_object_mut().unwrap().extend(more);
    object
}

#[tokio::test]
async fn reads_writes_and_lists_have_the_peers_shape() {
    let broker = broker();
    let sink = add(&broker, "file/", &[], 1).await;
    let write = Sample {
        body: Some(r#"{"foo":"bar","baz":"qux","n":5,"f":1.50,"b":true,"nul":null,"l":["x",1,{"foo":"in","y":"z"}]}"#),
        ..Sample::of("create", "plain/a")
    };
    write.run(&broker, true, &ResponseFacts::default()).await.unwrap();
    let read = ResponseFacts { data: Some(br#"{"foo":"bar","baz":"qux"}"#), ..ResponseFacts::default() };
    Sample::of("read", "plain/a").run(&broker, true, &read).await.unwrap();
    let list = ResponseFacts { data: Some(br#"{"keys":["a"]}"#), ..ResponseFacts::default() };
    Sample::of("list", "plain/").run(&broker, true, &list).await.unwrap();

    let lines = lines(&sink);
    let allowed = || auth(Some(json!({"allowed": true})));
    let data = json!({"foo": "bar", "baz": "H", "n": 5, "f": 1.5, "b": true, "nul": null,
                      "l": ["H", 1, {"foo": "in", "y": "H"}]});
    let created = with(request("create", "plain/a"), json!({"data": data}));
    assert_eq!(lines[0], json!({"type": "request", "auth": allowed(), "request": created}));
    assert_eq!(lines[1], json!({"type": "response", "auth": allowed(), "request": created, "response": response()}));
    let read = request("read", "plain/a");
    assert_eq!(lines[2], json!({"type": "request", "auth": allowed(), "request": read}));
    let answer = with(response(), json!({"data": {"foo": "bar", "baz": "H"}}));
    assert_eq!(lines[3], json!({"type": "response", "auth": allowed(), "request": read, "response": answer}));
    let answer = with(response(), json!({"data": {"keys": ["H"]}}));
    assert_eq!(lines[5]["response"], answer);
    assert_eq!(lines.len(), 6);
}

#[tokio::test]
async fn denials_and_failures_have_the_peers_shape() {
    let broker = broker();
    let sink = add(&broker, "file/", &[], 1).await;
    let denied = Error::denied();
    let outcome = ResponseFacts { error: Some(&denied), ..ResponseFacts::default() };
    Sample::of("read", "plain/a").run(&broker, true, &outcome).await.unwrap();
    let unknown = Error::bad_token();
    let outcome = ResponseFacts { error: Some(&unknown), ..ResponseFacts::default() };
    Sample::of("read", "plain/a").run(&broker, false, &outcome).await.unwrap();

    let lines = lines(&sink);
    let auth = auth(Some(json!({"allowed": false})));
    let message = "1 error occurred:\n\t* permission denied\n\n";
    let request = request("read", "plain/a");
    assert_eq!(lines[0], json!({"type": "request", "auth": auth, "request": request, "error": message}));
    let answer = with(response(), json!({"data": {"error": "H"}}));
    let expected = json!({"type": "response", "auth": auth, "request": request, "response": answer, "error": message});
    assert_eq!(lines[1], expected);
    assert_eq!(lines[2]["auth"], json!({"token_type": "default"}));
    assert_eq!(lines[2]["request"]["client_token"], "H");
    assert_eq!(lines[2]["request"].get("client_id"), None);
    assert_eq!(lines[2]["error"], "permission denied");
}

#[tokio::test]
async fn a_login_and_a_wrapped_answer_have_the_peers_shape() {
    let broker = broker();
    let sink = add(&broker, "file/", &[("hmac_accessor", "false")], 1).await;
    let login =
        Sample { token: None, body: Some(r#"{"password":"pw"}"#), ..Sample::of("update", "auth/userpass/login/bob") };
    let (token, policies) = (ClientToken::new("s.new".to_owned()), ["default".to_owned()]);
    let metadata = BTreeMap::from([("username".to_owned(), "bob".to_owned())]);
    let issued = AuthFacts {
        client_token: Some(&token),
        accessor: "acc",
        client_id: "",
        display_name: "userpass-bob",
        policies: &policies,
        token_policies: &policies,
        identity_policies: &[],
        metadata: Some(&metadata),
        entity_id: "276d83e1",
        entity_created: true,
        token_type: "service",
        token_ttl: Some(Duration::from_hours(768)),
        token_issue_time: None,
        remaining_uses: None,
    };
    login.run(&broker, false, &ResponseFacts { auth: Some(issued), ..ResponseFacts::default() }).await.unwrap();
    let wrapped = Sample { wrap_ttl: Some(Duration::from_mins(1)), ..Sample::of("read", "plain/a") };
    let wrap = WrapFacts {
        token: &token,
        accessor: "wrap-acc",
        ttl: Duration::from_mins(1),
        creation_time: Timestamp::from_unix_seconds(1_700_000_000),
        creation_path: "plain/a",
        wrapped_accessor: "",
    };
    wrapped.run(&broker, true, &ResponseFacts { wrap: Some(wrap), ..ResponseFacts::default() }).await.unwrap();

    let lines = lines(&sink);
    assert_eq!(lines[0]["auth"], json!({"policy_results": {"allowed": true}, "token_type": "default"}));
    assert_eq!(lines[0]["request"]["data"], json!({"password": "H"}));
    let issued = json!({
        "client_token": "H", "accessor": "acc", "display_name": "userpass-bob", "policies": ["default"],
        "token_policies": ["default"], "metadata": {"username": "bob"}, "entity_id": "276d83e1",
        "entity_created": true, "token_type": "service", "token_ttl": 2_764_800,
    });
    assert_eq!(lines[1]["response"]["auth"], issued);
    assert_eq!(lines[1]["auth"], issued);
    assert_eq!(lines[3]["request"]["wrap_ttl"], 60);
    assert_eq!(lines[3]["request"]["client_token_accessor"], ACCESSOR);
    assert_eq!(
        lines[3]["response"]["wrap_info"],
        json!({"ttl": 60, "token": "H", "accessor": "wrap-acc", "creation_time": "2023-11-14T22:13:20Z",
               "creation_path": "plain/a"})
    );
    assert_eq!(lines[3]["response"].get("data"), None);
}

#[tokio::test]
async fn headers_warnings_and_leases_are_written() {
    let broker = broker();
    let sink = add(&broker, "file/", &[], 1).await;
    let sample = Sample::of("read", "plain/a");
    let headers = [
        HeaderFacts { name: "x-bar", values: &["two"], hashed: false },
        HeaderFacts { name: "x-foo", values: &["one", "more"], hashed: true },
    ];
    let mut entry = broker.open(&sample.facts(&headers));
    assert!(!entry.is_idle());
    entry.operation("update");
    entry.admit(Permit::public(Access::Public).unwrap()).await.unwrap();
    let warnings = ["careful".to_owned()];
    let outcome = ResponseFacts { lease_id: Some("db/creds/x/1"), warnings: &warnings, ..ResponseFacts::default() };
    entry.close(&outcome).await.unwrap();
    let lines = lines(&sink);
    assert_eq!(lines[0]["request"]["headers"], json!({"x-bar": ["two"], "x-foo": ["H", "H"]}));
    assert_eq!(lines[0]["request"]["operation"], "update");
    assert_eq!(lines[1]["response"], json!({"secret": {"lease_id": "db/creds/x/1"}, "warnings": ["H"]}));
}

#[tokio::test]
async fn only_the_raw_device_is_raw() {
    let broker = broker();
    let hashed = add(&broker, "hashed/", &[], 1).await;
    let raw = add(&broker, "raw/", &[("log_raw", "true"), ("prefix", "@cee: ")], 2).await;
    let sample = Sample { body: Some("{\"a\":\n \"hunter2\"}"), ..Sample::of("update", "plain/a") };
    let answer = ResponseFacts { data: Some(b"no json hunter2"), ..ResponseFacts::default() };
    sample.run(&broker, true, &answer).await.unwrap();
    let text = |sink: &MemorySink| String::from_utf8(sink.files().concat()).unwrap();
    for secret in ["hunter2", TOKEN, ACCESSOR] {
        assert!(!text(&hashed).contains(secret), "{secret}");
        assert!(text(&raw).contains(secret), "{secret}");
    }
    for line in text(&raw).lines() {
        serde_json::from_str::<Value>(line.strip_prefix("@cee: ").unwrap()).unwrap();
    }
    let hash = broker.hash("hashed/", "hunter2").unwrap();
    assert!(text(&hashed).contains(&hash));
    assert_ne!(broker.hash("raw/", "hunter2").unwrap(), hash);
    assert!(broker.hash("nope/", "x").is_err());
    for sink in [hashed, raw] {
        let mut verifier = Verifier::new(vec![broker.identity().key.verifying_key()], Start::Anywhere);
        verifier.read(&mut Cursor::new(sink.files().concat())).unwrap();
        assert!(verifier.finish(None).is_intact());
    }
}

#[tokio::test]
async fn without_a_device_that_takes_its_line_nothing_goes_on() {
    let broker = broker();
    let (one, two) = (add(&broker, "one/", &[], 1).await, add(&broker, "two/", &[], 2).await);
    let sample = Sample::of("read", "plain/a");
    let fine = ResponseFacts::default();
    one.fill(true);
    assert_eq!(broker.health(), AuditHealth { enabled: 2, failing: 0 });
    sample.run(&broker, true, &fine).await.unwrap();
    assert_eq!((lines(&one).len(), lines(&two).len()), (0, 2));
    assert_eq!(broker.health(), AuditHealth { enabled: 2, failing: 1 });
    two.fill(true);
    let mut entry = broker.open(&sample.facts(&[]));
    let error = entry.admit(Permit::public(Access::Public).unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Internal);
    assert!(entry.close(&fine).await.is_err());
    // The request was recorded, its response is not: it is withheld.
    two.fill(false);
    let mut entry = broker.open(&sample.facts(&[]));
    entry.admit(Permit::public(Access::Public).unwrap()).await.unwrap();
    two.fill(true);
    assert_eq!(entry.close(&fine).await.unwrap_err().kind(), Kind::Internal);
    two.fill(false);
    one.fill(false);
    assert_eq!(broker.health(), AuditHealth { enabled: 2, failing: 2 });
    sample.run(&broker, true, &fine).await.unwrap();
    assert_eq!((lines(&one).len(), lines(&two).len()), (2, 5));
    assert_eq!(broker.health(), AuditHealth { enabled: 2, failing: 0 });
}

#[tokio::test]
async fn without_devices_nothing_is_written_and_nothing_fails() {
    let broker = broker();
    let sample = Sample::of("read", "plain/a");
    assert!(broker.open(&sample.facts(&[])).is_idle());
    sample.run(&broker, true, &ResponseFacts::default()).await.unwrap();
    assert!(broker.devices().is_empty());
}

#[tokio::test]
async fn devices_come_and_go() {
    let broker = broker();
    let entropy = SeededEntropy::new(3);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/audit.log");
    let options = [("file_path", path.to_str().unwrap())];
    broker.enable(config("file/", &options), &key(1), None, &entropy).await.unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let test: Value = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
    assert_eq!(test["auth"], json!({"token_type": "default"}));
    assert_eq!(test["request"]["path"], "sys/audit/test");
    assert_eq!(test["request"]["namespace"], json!({"id": "root"}));
    assert_eq!(test["request"]["operation"], "update");
    assert_eq!(test["request"].as_object().unwrap().len(), 4);

    let again = |path: &str, kind: &str| DeviceConfig { kind: kind.to_owned(), ..config(path, &options) };
    for (path, kind, message) in [
        ("file/", "file", "path already in use"),
        ("file/b/", "file", "path already in use"),
        ("other/", "file", "in use by another audit device"),
        ("other/", "nope", "unknown backend type"),
        ("", "file", "must not be empty"),
    ] {
        let error = broker.enable(again(path, kind), &key(1), None, &entropy).await.unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
        assert_eq!(error.kind(), Kind::InvalidRequest);
    }
    assert_eq!(broker.devices(), [config("file/", &options)]);

    // An entry that is open while its device is disabled has nowhere to go, and nothing to fail for.
    let sample = Sample::of("delete", "sys/audit/file");
    let mut entry = broker.open(&sample.facts(&[]));
    entry.admit(Permit::public(Access::Public).unwrap()).await.unwrap();
    let (_, last) = broker.positions().await.remove(0);
    assert!(broker.disable("file/").await.unwrap());
    assert!(!broker.disable("file/").await.unwrap());
    entry.close(&ResponseFacts::default()).await.unwrap();

    // Enabled again it goes on with the same chain; sealing closes it and what is still open fails.
    broker.enable(config("file/", &options), &key(1), Some(last), &entropy).await.unwrap();
    let open = broker.open(&sample.facts(&[]));
    broker.reopen().await.unwrap();
    broker.close().await.unwrap();
    assert!(open.close(&ResponseFacts::default()).await.is_err());
    let mut verifier = Verifier::new(vec![broker.identity().key.verifying_key()], Start::After(Link::GENESIS));
    verifier.read(&mut Cursor::new(std::fs::read(&path).unwrap())).unwrap();
    let report = verifier.finish(None);
    assert!(report.is_intact(), "{report:?}");
    assert_eq!((report.counts.gaps, report.counts.unsigned_lines), (0, 0));
}

fn intact(broker: &AuditBroker, sink: &MemorySink) -> crate::chain::Report {
    let keys = vec![broker.identity().key.verifying_key()];
    let mut verifier = Verifier::new(keys, Start::After(Link::GENESIS));
    for file in sink.files() {
        verifier.read(&mut Cursor::new(file)).unwrap();
    }
    let report = verifier.finish(None);
    assert!(report.is_intact(), "{report:?}");
    report
}

#[tokio::test]
async fn a_filter_passes_entries_over_and_leaves_no_gap() {
    let broker = broker();
    let all = add(&broker, "all/", &[], 1).await;
    let filter = "type == 'response' && (denied || operation == 'list')";
    let some = add(&broker, "some/", &[("filter", filter), ("checkpoint_interval", "2")], 2).await;
    let none = add(&broker, "none/", &[("filter", "namespace == 'team/'")], 3).await;
    let denied = Error::denied();
    let outcomes = [
        ("read", ResponseFacts::default()),
        ("read", ResponseFacts { error: Some(&denied), ..ResponseFacts::default() }),
        ("list", ResponseFacts::default()),
        ("list", ResponseFacts::default()),
    ];
    for (operation, outcome) in &outcomes {
        Sample::of(operation, "plain/a").run(&broker, true, outcome).await.unwrap();
    }
    assert_eq!((lines(&all).len(), lines(&some).len(), lines(&none).len()), (8, 3, 0));
    assert!(lines(&some).iter().all(|line| line["type"] == "response"));
    // Numbers follow one another: what was passed over has none.
    let report = intact(&broker, &some);
    assert_eq!((report.counts.lines, report.counts.last_seq), (5, Some(5)));
    intact(&broker, &all);
    intact(&broker, &none);
}

#[tokio::test]
async fn a_device_that_passes_an_entry_over_has_not_taken_it() {
    let broker = broker();
    let all = add(&broker, "all/", &[], 1).await;
    let some = add(&broker, "some/", &[("filter", "operation == 'list'")], 2).await;
    let fine = ResponseFacts::default();
    all.fill(true);
    assert!(Sample::of("read", "plain/a").run(&broker, true, &fine).await.is_err());
    // One that takes it is enough, filter or not; one that fails is no harm while another takes it.
    Sample::of("list", "plain/a").run(&broker, true, &fine).await.unwrap();
    all.fill(false);
    some.fill(true);
    Sample::of("read", "plain/a").run(&broker, true, &fine).await.unwrap();
    Sample::of("list", "plain/a").run(&broker, true, &fine).await.unwrap();
    assert_eq!((lines(&all).len(), lines(&some).len()), (4, 2));
}

#[tokio::test]
async fn one_device_takes_every_entry() {
    let broker = broker();
    let entropy = SeededEntropy::new(3);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (one, two) = (path("one"), path("two"));
    let some = config("some/", &[("file_path", &one), ("filter", "denied")]);
    let all = config("all/", &[("file_path", &two), ("filter", "")]);
    let refused = broker.enable(some.clone(), &key(1), None, &entropy).await.unwrap_err();
    assert!(refused.to_string().contains("must have no filter"), "{refused}");
    assert!(!folder.path().join("one").exists());
    broker.enable(all, &key(2), None, &entropy).await.unwrap();
    broker.enable(some, &key(1), None, &entropy).await.unwrap();
    // The test of a device is no entry like others.
    assert!(std::fs::read_to_string(&one).unwrap().contains("sys/audit/test"));
    let refused = broker.disable("all/").await.unwrap_err();
    assert!(refused.to_string().contains("all have a filter"), "{refused}");
    assert_eq!(broker.devices().len(), 2);
    assert!(broker.disable("some/").await.unwrap());
    let broken = config("some/", &[("file_path", &one), ("filter", "denied &&")]);
    let refused = broker.enable(broken, &key(1), None, &entropy).await.unwrap_err();
    assert!(refused.to_string().contains("line 1, column"), "{refused}");
    assert!(broker.disable("all/").await.unwrap());
}

#[tokio::test]
async fn no_format_says_what_json_hashes() {
    let broker = broker();
    let sinks = [
        add(&broker, "json/", &[], 1).await,
        add(&broker, "ecs/", &[("format", "ecs")], 2).await,
        add(&broker, "cef/", &[("format", "cef"), ("prefix", "<134>arca: ")], 3).await,
        add(&broker, "ocsf/", &[("format", "ocsf"), ("checkpoint_interval", "1")], 4).await,
    ];
    let write =
        Sample { body: Some(r#"{"password":"hunter2 = \\ | {","n":5}"#), ..Sample::of("create", "plain/a=b|c") };
    let answer = ResponseFacts { data: Some(br#"{"got":"hunter2"}"#), ..ResponseFacts::default() };
    write.run(&broker, true, &answer).await.unwrap();
    let denied = Error::denied();
    let failed = ResponseFacts { error: Some(&denied), ..ResponseFacts::default() };
    Sample::of("read", "plain/a").run(&broker, true, &failed).await.unwrap();
    Sample { token: None, ..Sample::of("update", "auth/x/login") }.run(&broker, false, &answer).await.unwrap();
    let texts = sinks.each_ref().map(|sink| String::from_utf8(sink.files().concat()).unwrap());
    for (sink, text) in sinks.iter().zip(&texts) {
        for secret in ["hunter2", TOKEN, ACCESSOR] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
        assert!(text.contains("hmac-sha256:"));
        intact(&broker, sink);
    }
    // The recorded line is in each of them.
    for (index, text) in texts.iter().enumerate().skip(1) {
        let recorded = text.lines().map(recorded).filter(|line| line["type"] != "checkpoint");
        let recorded: Vec<_> = recorded
            .map(|mut line| {
                mask(&mut line);
                line
            })
            .collect();
        let mut json: Vec<Value> =
            texts[0].lines().map(recorded_json).filter(|line| line["type"] != "checkpoint").collect();
        json.iter_mut().for_each(mask);
        assert_eq!(recorded, json, "{index}");
    }
}

/// The recorded line on a line of any format, without the chain's members.
fn recorded(line: &str) -> Value {
    if let Some((_, escaped)) = line.split_once(" arca={") {
        return recorded_json(&format!("{{{}", escaped.replace("\\=", "=").replace("\\\\", "\\")));
    }
    let outer: Value = serde_json::from_str(line).unwrap();
    outer.get("arca").or_else(|| outer.get("unmapped")).unwrap().clone()
}

fn recorded_json(line: &str) -> Value {
    let mut line: Value = serde_json::from_str(line).unwrap();
    for member in ["seq", "node", "prev", "hash"] {
        line.as_object_mut().unwrap().remove(member);
    }
    line
}
