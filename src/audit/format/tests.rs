use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// The recorded line of the document.
const REQUEST: &str = concat!(
    r#"{"time":"2023-11-14T22:13:20.123Z","type":"request","auth":{"client_token":"hmac-sha256:ab","accessor":"hmac-sha256:cd","#,
    r#""display_name":"userpass-bob","policies":["default","ops"],"entity_id":"276d83e1","policy_results":{"allowed":true,"#,
    r#""granting_policies":[{"name":"ops","namespace_id":"root","type":"acl"}]}},"request":{"id":"affc9944","#,
    r#""client_token":"hmac-sha256:ab","client_token_accessor":"hmac-sha256:cd","namespace":{"id":"root"},"path":"kv/a=b","#,
    r#""remote_address":"127.0.0.1","remote_port":57268,"operation":"update","mount_point":"kv/","mount_type":"kv","#,
    r#""mount_class":"secret","data":{"a":"hmac-sha256:ef"}}"#,
);

fn line(format: Format, recorded: &str) -> String {
    let mut out = Vec::new();
    format.framing().unwrap()(recorded.as_bytes(), &mut out);
    String::from_utf8(out).unwrap()
}

fn parsed(format: Format, recorded: &str) -> Value {
    serde_json::from_str(&format!("{}}}", line(format, recorded))).unwrap()
}

fn closed(recorded: &str) -> Value {
    serde_json::from_str(&format!("{recorded}}}")).unwrap()
}

#[test]
fn the_lines_of_the_document() {
    let document = include_str!("../../../docs/audit.md");
    let formats = [Format::Ecs, Format::Cef, Format::Ocsf];
    let mut lines = formats.map(|format| line(format, REQUEST).replace(env!("CARGO_PKG_VERSION"), "0.1.0")).to_vec();
    lines.push(REQUEST.to_owned());
    lines.retain(|line| !document.contains(line));
    assert!(lines.is_empty(), "these are not in the document:\n{}", lines.join("\n"));
}

#[test]
fn ecs_has_its_fields() {
    let event = parsed(Format::Ecs, REQUEST);
    assert_eq!(event["@timestamp"], "2023-11-14T22:13:20.123Z");
    assert_eq!(event["event"]["action"], "update");
    assert_eq!(event["event"]["type"], json!(["start", "change", "allowed"]));
    assert_eq!((&event["event"]["outcome"], &event["event"]["category"]), (&json!("unknown"), &json!(["api"])));
    assert_eq!(event["user"], json!({"id": "276d83e1", "name": "userpass-bob", "roles": ["default", "ops"]}));
    assert_eq!(event["url"]["path"], "/v1/kv/a=b");
    assert_eq!((&event["source"]["ip"], &event["source"]["port"]), (&json!("127.0.0.1"), &json!(57268)));
    assert_eq!(event["arca"], closed(REQUEST));
    let failed = REQUEST
        .replace("\"type\":\"request\"", "\"type\":\"response\"")
        .replace("\"allowed\":true", "\"allowed\":false")
        + ",\"error\":\"permission denied\"";
    let event = parsed(Format::Ecs, &failed);
    assert_eq!(
        (&event["event"]["outcome"], &event["error"]["message"]),
        (&json!("failure"), &json!("permission denied"))
    );
    assert_eq!(event["event"]["type"], json!(["end", "change", "denied"]));
}

#[test]
fn ocsf_tells_an_activity_from_a_login() {
    let event = parsed(Format::Ocsf, REQUEST);
    assert_eq!(
        (&event["class_uid"], &event["activity_id"], &event["type_uid"]),
        (&json!(6003), &json!(3), &json!(600_303))
    );
    assert_eq!((&event["time"], &event["status_id"]), (&json!(1_700_000_000_123_i64), &json!(0)));
    assert_eq!(event["actor"]["user"]["name"], "userpass-bob");
    assert_eq!(event["actor"]["authorizations"], json!([{"decision": "allowed", "policy": {"name": "ops"}}]));
    assert_eq!(event["api"]["operation"], "update");
    assert_eq!(event["resources"][0]["name"], "kv/a=b");
    assert_eq!(event["src_endpoint"], json!({"ip": "127.0.0.1", "port": 57268}));
    assert_eq!(event["unmapped"], closed(REQUEST));
    let login = r#"{"time":"2023-11-14T22:13:20Z","type":"response","auth":{"display_name":"userpass-bob"},"request":{"id":"1","operation":"update","path":"auth/userpass/login/bob","mount_point":"auth/userpass/","mount_type":"userpass","mount_class":"auth"},"response":{"auth":{"accessor":"hmac-sha256:cd"}}"#;
    let event = parsed(Format::Ocsf, login);
    assert_eq!(
        (&event["class_uid"], &event["type_uid"], &event["status_id"]),
        (&json!(3002), &json!(300_201), &json!(1))
    );
    assert_eq!((&event["user"]["name"], &event["session"]["uid"]), (&json!("userpass-bob"), &json!("hmac-sha256:cd")));
    assert_eq!(event["auth_protocol"], "userpass");
    let failed = login.split(",\"response\"").next().unwrap().to_owned() + ",\"error\":\"no\"";
    let event = parsed(Format::Ocsf, &failed);
    assert_eq!(
        (&event["status_id"], &event["severity_id"], &event["status_detail"]),
        (&json!(2), &json!(2), &json!("no"))
    );
}

#[test]
fn cef_is_escaped() {
    let odd = r#"{"time":"2023-11-14T22:13:20Z","type":"response","auth":{"display_name":"a=b\\c\nd|e"},"request":{"operation":"x|y\\z\n","path":"p"},"error":"1 error\n\t* no"#;
    let line = line(Format::Cef, &format!("{odd}\""));
    let version = env!("CARGO_PKG_VERSION");
    let head = format!(
        r"CEF:0|Arca|arcad|{version}|response:x\|y\\z |x\|y\\z  response|4|rt=1700000000000 act=x|y\\z\n outcome=failure reason=1 error\n"
    );
    assert!(line.starts_with(&head), "{line}");
    assert!(line.contains(r" suser=a\=b\\c\nd|e arca={"), "{line}");
    assert!(!line.contains('\n'));
    let v6 = r#"{"time":"x","type":"request","request":{"remote_address":"::1","remote_port":5}"#;
    let mut out = Vec::new();
    Format::Cef.framing().unwrap()(v6.as_bytes(), &mut out);
    let line = String::from_utf8(out).unwrap();
    assert!(line.contains("rt=0 c6a2Label=Source IPv6 Address c6a2=::1 spt=5 arca={"), "{line}");
}

#[test]
fn what_cannot_be_read_goes_out_as_it_is() {
    for format in [Format::Ecs, Format::Cef, Format::Ocsf] {
        assert_eq!(line(format, "{\"time\":"), "{\"time\":");
        // A response may have next to nothing.
        let bare = "{\"type\":\"response\",\"response\":{}";
        assert!(line(format, bare).contains("response\":{}"));
    }
    assert!(Format::Json.framing().is_none());
    assert_eq!(Format::parse("jsonx"), None);
    assert_eq!(
        ["json", "ecs", "cef", "ocsf"].map(Format::parse),
        [Format::Json, Format::Ecs, Format::Cef, Format::Ocsf].map(Some)
    );
}

proptest! {
    /// Every text of a formatted line stands on the recorded one, but for our own words.
    #[test]
    fn nothing_is_said_that_is_not_recorded(
        name in "\\PC{0,12}", path in "[a-z=|\\\\ {}\"\n]{0,12}", operation in "[a-z|\n=]{0,6}", error in prop::option::of("\\PC{1,12}"),
    ) {
        let mut recorded = json!({"time": "2023-11-14T22:13:20Z", "type": "response", "auth": {"display_name": name},
            "request": {"operation": operation, "path": path}, "response": {"data": {"a": "hmac-sha256:00"}}});
        if let Some(error) = &error {
            recorded["error"] = json!(error);
        }
        let text = recorded.to_string();
        let open = text.strip_suffix('}').unwrap();
        for format in [Format::Ecs, Format::Ocsf] {
            let event = parsed(format, open);
            let inside = event.get("arca").or_else(|| event.get("unmapped")).unwrap();
            prop_assert_eq!(inside, &recorded);
        }
        let cef = line(Format::Cef, open);
        prop_assert!(!cef.contains(['\n', '\r']), "{}", cef);
        // The header has seven bars that are not escaped.
        let bars = cef.split(" arca={").next().unwrap().replace(r"\\", "").replace(r"\|", "");
        prop_assert!(bars.matches('|').count() >= 7, "{}", bars);
        prop_assert_eq!(cef.matches(" arca={").count(), 1, "{}", cef);
    }
}
