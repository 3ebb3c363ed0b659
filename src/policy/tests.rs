//! The behaviour of policies as a whole: texts in, decisions out, and the compiled list against a plain slow model.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::api::{ApiPath, Operation};
use crate::error::Kind;
use crate::time::Timestamp;

const NOW: Timestamp = Timestamp::from_unix_nanos(1_700_000_000_000_000_000);

fn source(name: &str, text: &str) -> Source {
    let policy = Policy::parse(PolicyName::parse(name).unwrap(), text).unwrap();
    Source { namespace_id: "root".into(), policy: Arc::new(policy), expires: None }
}

fn acl(texts: &[&str]) -> Acl {
    let sources: Vec<Source> = texts.iter().enumerate().map(|(n, text)| source(&format!("p{n}"), text)).collect();
    Acl::compile(&sources, &TemplateFacts::default(), NOW)
}

fn path(text: &str) -> ApiPath {
    ApiPath::parse(text).unwrap()
}

fn asked(parameters: &Map<String, Value>) -> Asked<'_> {
    Asked { access: Access::Policy, existence: Existence::Unknown, wrap_ttl: None, limit: None, parameters }
}

/// Whether a request without body may go ahead; of a list the path gets its slash, as requests have it.
fn may(acl: &Acl, operation: Operation, at: &str) -> bool {
    let at = if operation.is_listing() { path(at).into_folder() } else { path(at) };
    acl.rule(operation, &at).authorise(&asked(&Map::new())).is_ok()
}

/// Whether a write of `body` may go ahead.
fn writes(acl: &Acl, existence: Existence, at: &str, body: Value) -> bool {
    let Value::Object(fields) = body else { panic!("a body is an object") };
    acl.rule(Operation::Write, &path(at)).authorise(&Asked { existence, ..asked(&fields) }).is_ok()
}

fn creates(acl: &Acl, at: &str, body: Value) -> bool {
    writes(acl, Existence::Absent, at, body)
}

// ── scenarios ──

#[test]
fn a_list_reaches_what_lies_in_the_namespace_that_is_asked_about() {
    let acl = acl(&["path \"team/kv/a/b\" { capabilities = [\"read\"] }\npath \"db/x\" { capabilities = [\"read\"] }"]);
    assert!(acl.reaches("team/kv/") && acl.reaches("db/") && !acl.reaches("kv/"));
    let within = acl.within("team/");
    assert!(within.reaches("kv/") && within.reaches("kv/a/"));
    assert!(!within.reaches("db/") && !within.reaches("team/kv/"));
    assert_eq!(within.summary().exact.keys().collect::<Vec<_>>(), ["kv/a/b"]);
}

#[test]
fn an_exact_rule_is_for_one_path() {
    let acl = acl(&[r#"path "m/a" { capabilities = ["create", "read"] }"#]);
    assert!(creates(&acl, "m/a", json!({"k": "v"})) && may(&acl, Operation::Read, "m/a"));
    for other in ["m/ab", "m/a/b", "n/a", "m", "m/A"] {
        assert!(!creates(&acl, other, json!({})) && !may(&acl, Operation::Read, other), "{other}");
    }
    let refusal = acl.rule(Operation::Read, &path("m/ab")).authorise(&asked(&Map::new())).unwrap_err();
    assert_eq!(refusal.kind(), Kind::Forbidden);
    assert_eq!(refusal.messages(), ["1 error occurred:\n\t* permission denied\n\n"]);
}

#[test]
fn a_glob_is_a_prefix() {
    let acl = acl(&[r#"path "m/team-*" { capabilities = ["create"] }"#]);
    for name in ["m/team-a", "m/team-a/b/c", "m/team-"] {
        assert!(creates(&acl, name, json!({"k": "v"})), "{name}");
    }
    assert!(!creates(&acl, "m/teams", json!({})) && !may(&acl, Operation::Read, "m/team-a"));
}

#[test]
fn a_plus_is_one_segment() {
    let acl =
        acl(&[r#"path "m/+/config" { capabilities = ["create"] } path "m/x/+/+/z" { capabilities = ["create"] }"#]);
    assert!(creates(&acl, "m/app/config", json!({})) && creates(&acl, "m/x/1/2/z", json!({})));
    for name in ["m/app/one/config", "m/config", "m/app/config/more", "m/x/1/z"] {
        assert!(!creates(&acl, name, json!({})), "{name}");
    }
}

#[test]
fn deny_beats_all_on_its_path() {
    let allow = r#"path "m/*" { capabilities = ["create", "read", "update", "list"] }
                   path "m/both" { capabilities = ["read", "deny"] }"#;
    let deny = r#"path "m/*" { capabilities = ["deny"] }"#;
    let (one, two) = (acl(&[allow]), acl(&[allow, deny]));
    assert!(may(&one, Operation::Read, "m/a") && !may(&one, Operation::Read, "m/both"));
    assert!(!may(&two, Operation::Read, "m/a"));
    assert_eq!(two.capabilities("m/a"), ["deny"]);
    assert_eq!(one.capabilities("m/both"), ["deny"]);
}

#[test]
fn a_more_specific_allow_beats_a_deny() {
    let acl = acl(&[r#"path "m/d/*" { capabilities = ["deny"] } path "m/d/ok" { capabilities = ["read"] }"#]);
    assert!(may(&acl, Operation::Read, "m/d/ok") && !may(&acl, Operation::Read, "m/d/x"));
}

#[test]
fn the_longest_match_decides_alone() {
    let acl = acl(&[r#"
        path "m/*" { capabilities = ["create", "read"] }
        path "m/a/*" { capabilities = ["read"] }
        path "m/a/b/*" { capabilities = ["create"] }
        path "m/a/b/c" { capabilities = ["list"] }"#]);
    assert_eq!(acl.capabilities("m/x"), ["create", "read"]);
    assert_eq!(acl.capabilities("m/a/x"), ["read"]);
    assert_eq!(acl.capabilities("m/a/b/x"), ["create"]);
    assert_eq!(acl.capabilities("m/a/b/c"), ["list"]);
    assert_eq!(acl.capabilities("m/a/b/cd"), ["create"]);
    assert!(
        creates(&acl, "m/x", json!({})) && !creates(&acl, "m/a/x", json!({})) && creates(&acl, "m/a/b/x", json!({}))
    );
    assert!(!may(&acl, Operation::Read, "m/a/b/x") && !creates(&acl, "m/a/b/c", json!({})));
}

#[test]
fn the_same_path_adds_up_over_policies() {
    let first = r#"path "m/*" { capabilities = ["create"] }"#;
    let second = r#"path "/m/*" { capabilities = ["read"] } path "m/sub/*" { capabilities = ["list"] }"#;
    let acl = acl(&[first, second]);
    assert_eq!(acl.capabilities("m/a"), ["create", "read"]);
    assert_eq!(acl.capabilities("m/sub/a"), ["list"]);
    let permit = acl.rule(Operation::Read, &path("m/a")).authorise(&asked(&Map::new())).unwrap();
    assert_eq!(permit.granting().iter().map(|policy| &*policy.name).collect::<Vec<_>>(), ["p1"]);
    let origins = acl.rule(Operation::Read, &path("m/a"));
    assert_eq!((origins.path(), origins.origins().len()), (Some("m/*"), 2));
}

#[test]
fn lists() {
    let rules = acl(&[r#"
        path "m/f/" { capabilities = ["list"] }
        path "m/g" { capabilities = ["list"] }
        path "m/f/*" { capabilities = ["read"] }"#]);
    assert!(
        may(&rules, Operation::List, "m/f")
            && may(&rules, Operation::List, "m/f/")
            && may(&rules, Operation::List, "m/g")
    );
    for (operation, at) in [(Operation::List, "m"), (Operation::Read, "m/g"), (Operation::List, "m/f/a")] {
        assert!(!may(&rules, operation, at), "{operation:?} {at}");
    }
    let root = acl(&[r#"path "kv1/*" { capabilities = ["list", "scan"] }"#]);
    assert!(
        may(&root, Operation::List, "kv1") && may(&root, Operation::Scan, "kv1") && !may(&root, Operation::Read, "kv1")
    );
}

#[test]
fn a_list_does_not_slip_past_a_more_specific_deny() {
    for deny in ["kv/private/*", "kv/private", "kv/private/", "kv/+", "kv/priv*", "kv/private*", "kv/+/"] {
        let acl = acl(&[&format!(
            r#"path "kv/*" {{ capabilities = ["list"] }} path "{deny}" {{ capabilities = ["deny"] }}"#
        )]);
        assert!(!may(&acl, Operation::List, "kv/private") && !may(&acl, Operation::List, "kv/private/"), "{deny}");
        assert_eq!(acl.capabilities("kv/private/"), ["deny"], "{deny}");
        assert!(may(&acl, Operation::List, "kv/a/b"), "{deny}");
    }
}

#[test]
fn lists_as_observed() {
    let acl = acl(&[r#"
        path "kv1/" {capabilities=["list"]} path "kv1/g" {capabilities=["read","sudo","patch","scan"]}
        path "kv1/g/*" {capabilities=["deny"]} path "kv1/+/z" {capabilities=["create"]} path "kv1/*" {capabilities=["read"]}
        path "kv1/h/*" {capabilities=["list"]} path "kv1/k" {capabilities=["deny"]} path "kv1/k/*" {capabilities=["list"]}
        path "/abs" {capabilities=["read"]} path "em" {} path "r" {policy="write" capabilities=["list"]}
        path "r1" {policy="read"} path "r2" {policy="sudo"} path "r3" {policy="write"} path "r4" {policy="deny"}"#]);
    for (at, capabilities) in [
        ("kv1", "deny"),
        ("kv1/", "list"),
        ("kv1/g", "patch read scan sudo"),
        ("kv1/g/", "patch read scan sudo"),
        ("kv1/h", "read"),
        ("kv1/h/", "list"),
        ("kv1/k", "deny"),
        ("kv1/k/", "deny"),
        ("kv1/a/z", "create"),
        ("kv1/a/b", "read"),
        ("abs", "read"),
        ("/abs", "read"),
        ("em", "deny"),
        ("r1", "list read"),
        ("r4", "deny"),
        ("r", "create delete list read update"),
        ("r2", "create delete list read sudo update"),
        ("r3", "create delete list read update"),
        ("kv1/g/z", "deny"),
        ("/kv1/g", "patch read scan sudo"),
        ("x", "deny"),
    ] {
        assert_eq!(acl.capabilities(at).join(" "), capabilities, "{at}");
    }
}

#[test]
fn sudo_is_needed_besides_the_operation() {
    let sudo = |text: &str, operation| {
        let fields = Map::new();
        let wanted = Asked { access: Access::Sudo, ..asked(&fields) };
        acl(&[text]).rule(operation, &path("sys/config/cors")).authorise(&wanted).is_ok()
    };
    assert!(!sudo(r#"path "sys/config/cors" { capabilities = ["read", "update"] }"#, Operation::Read));
    assert!(!sudo(r#"path "sys/config/cors" { capabilities = ["sudo"] }"#, Operation::Read));
    let both = r#"path "sys/config/cors" { capabilities = ["read", "sudo"] }"#;
    assert!(sudo(both, Operation::Read) && !sudo(both, Operation::Write));
}

#[test]
fn create_and_update_are_apart() {
    let acl = acl(&[r#"path "c" { capabilities = ["create"] } path "u" { capabilities = ["update"] }
                       path "cu" { capabilities = ["create", "update"] }"#]);
    for (existence, create, update) in
        [(Existence::Absent, true, false), (Existence::Exists, false, true), (Existence::Unknown, false, true)]
    {
        assert_eq!(writes(&acl, existence, "c", json!({})), create, "{existence:?}");
        assert_eq!(writes(&acl, existence, "u", json!({})), update, "{existence:?}");
        assert!(writes(&acl, existence, "cu", json!({})));
    }
    let needs = |operation, at| acl.rule(operation, &path(at)).needs_existence();
    assert!(needs(Operation::Write, "c") && needs(Operation::Write, "u") && !needs(Operation::Read, "c"));
    assert!(!needs(Operation::Write, "cu") && !needs(Operation::Write, "none"));
}

#[test]
fn root_may_everything() {
    let sources = [
        source("p", r#"path "*" { capabilities = ["deny"] }"#),
        Source { namespace_id: "root".into(), policy: Arc::new(Policy::root()), expires: None },
    ];
    let acl = Acl::compile(&sources, &TemplateFacts::default(), NOW);
    assert!(acl.is_root());
    assert_eq!(acl.capabilities("any/thing"), ["root"]);
    let fields = Map::new();
    let permit =
        acl.rule(Operation::Write, &path("sys/x")).authorise(&Asked { access: Access::Sudo, ..asked(&fields) });
    assert_eq!(permit.unwrap().granting()[0].name, "root");
    assert!(!acl.rule(Operation::Write, &path("x")).needs_existence());
}

#[test]
fn access_without_rules() {
    let (nothing, fields) = (acl(&[]), Map::new());
    let with = |access, operation| nothing.rule(operation, &path("x")).authorise(&Asked { access, ..asked(&fields) });
    assert!(with(Access::AnyToken, Operation::Read).is_ok() && with(Access::Policy, Operation::Help).is_ok());
    assert!(with(Access::Policy, Operation::Read).is_err() && with(Access::Sudo, Operation::Delete).is_err());
    assert_eq!(nothing.capabilities("x"), ["deny"]);
}

#[test]
fn parameters() {
    let acl = acl(&[r#"
        path "m/keys/*" { capabilities = ["create"] allowed_parameters = { "a" = [] "b" = [] } }
        path "m/vals/*" { capabilities = ["create"] allowed_parameters = { "colour" = ["red", "blue-*"] } }
        path "m/any/*" { capabilities = ["create"] allowed_parameters = { "colour" = ["red"] "*" = [] } }
        path "d/key/*" { capabilities = ["create"] denied_parameters = { "bad" = [] } }
        path "d/val/*" { capabilities = ["create"] denied_parameters = { "colour" = ["black", "dark-*"] } }
        path "d/all/*" { capabilities = ["create", "update"] denied_parameters = { "*" = [] } }
        path "d/mix/*" { capabilities = ["create"] allowed_parameters = { "*" = [] } denied_parameters = { "bad" = [] } }
        path "r/*" { capabilities = ["create"] required_parameters = ["B"] }"#]);
    for (at, body, passes) in [
        ("m/keys/1", json!({"a": "1", "b": "anything"}), true),
        ("m/keys/2", json!({"b": "2"}), true),
        ("m/keys/3", json!({"a": "1", "c": "3"}), false),
        ("m/vals/1", json!({"colour": "red"}), true),
        ("m/vals/2", json!({"colour": "blue-dark"}), true),
        ("m/vals/3", json!({"colour": "green"}), false),
        ("m/vals/4", json!({"colour": "red", "size": "big"}), false),
        ("m/any/1", json!({"colour": "red", "size": "big"}), true),
        ("m/any/2", json!({"colour": "green", "size": "big"}), false),
        ("d/key/1", json!({"good": "1"}), true),
        ("d/key/2", json!({"good": "1", "bad": "2"}), false),
        ("d/key/3", json!({"BAD": "2"}), false),
        ("d/val/1", json!({"colour": "white"}), true),
        ("d/val/2", json!({"colour": "black"}), false),
        ("d/val/3", json!({"colour": "dark-red"}), false),
        ("d/all/1", json!({"x": "1"}), false),
        ("d/all/1", json!({}), true),
        ("d/mix/1", json!({"bad": "1"}), false),
        ("d/mix/2", json!({"other": "1"}), true),
        ("r/1", json!({"b": 2}), true),
        ("r/1", json!({"B": 2}), false),
    ] {
        assert_eq!(creates(&acl, at, body.clone()), passes, "{at} {body}");
    }
}

/// Fields that must not be asked for.
struct Untouchable;

impl Parameters for Untouchable {
    fn fields(&self) -> crate::error::Result<&Map<String, Value>> {
        Err(crate::error::Error::invalid("the body was read"))
    }
}

#[test]
fn the_body_is_read_only_where_a_rule_asks() {
    let acl = acl(&[r#"path "plain" { capabilities = ["update"] }
                       path "strict" { capabilities = ["update", "delete", "list"] required_parameters = ["a"] }"#]);
    let ask = |operation, at: &str| {
        let fields = Map::new();
        let wanted = Asked { parameters: &Untouchable, ..asked(&fields) };
        acl.rule(operation, &path(at)).authorise(&wanted).map(drop).map_err(|error| error.kind())
    };
    assert_eq!(ask(Operation::Write, "plain"), Ok(()));
    assert_eq!(ask(Operation::Write, "strict"), Err(Kind::InvalidRequest));
    assert_eq!(ask(Operation::Read, "strict"), Err(Kind::Forbidden), "without the capability nothing is read");
    assert_eq!(ask(Operation::Delete, "strict"), Ok(()), "deletes and lists have no fields");
    assert_eq!(ask(Operation::List, "strict/"), Ok(()));
}

#[test]
fn wrapping_bounds() {
    let may = |texts: &[&str], seconds: Option<u64>| {
        let fields = Map::new();
        let wanted = Asked { wrap_ttl: seconds.map(Duration::from_secs), ..asked(&fields) };
        acl(texts).rule(Operation::Read, &path("a")).authorise(&wanted).is_ok()
    };
    let with = |bounds: &str| format!(r#"path "a" {{ capabilities = ["read"] {bounds} }}"#);
    let (min, max) = (with("min_wrapping_ttl = 10"), with(r#"max_wrapping_ttl = "100s""#));
    let observe = |texts: &[&str]| [None, Some(5), Some(15), Some(50), Some(200)].map(|ttl| may(texts, ttl));
    assert_eq!(observe(&[&min]), [false, false, true, true, true]);
    assert_eq!(observe(&[&max]), [false, true, true, true, false]);
    assert_eq!(observe(&[&min, &max]), [false, false, true, true, false]);
    assert_eq!(observe(&[&min, &with("")]), [false, false, true, true, true]);
    assert_eq!(observe(&[&min, &with("min_wrapping_ttl = 40")]), [false, false, true, true, true]);
    assert_eq!(observe(&[&max, &with("max_wrapping_ttl = 10")]), [false, true, false, false, false]);
    assert_eq!(observe(&[&with("max_wrapping_ttl = 10"), &with("min_wrapping_ttl = 40")]), [false; 5]);
    assert_eq!(observe(&[&with("min_wrapping_ttl = 0")]), [true; 5]);
    assert!(!may(&[&min], Some(0)), "zero is no wrapping");
}

#[test]
fn page_limits() {
    let lists = |text: &str, limit: Option<i64>| {
        let fields = Map::new();
        let acl = acl(&[text]);
        let permit = acl.rule(Operation::List, &path("a/")).authorise(&Asked { limit, ..asked(&fields) });
        permit.ok().map(|permit| permit.page_limit())
    };
    let limited = r#"path "a/*" { capabilities = ["list"] pagination_limit = "2" }"#;
    assert_eq!(lists(limited, None), Some(Some(2)));
    assert_eq!(lists(limited, Some(1)), Some(Some(2)));
    for limit in [3, 0, -1] {
        assert_eq!(lists(limited, Some(limit)), None, "{limit}");
    }
    assert_eq!(lists(r#"path "a/*" { capabilities = ["list"] pagination_limit = -1 }"#, Some(99)), Some(None));
}

#[test]
fn list_filters() {
    let acl = acl(&[r#"
        path "kv/*" { capabilities = ["list"] list_scan_response_keys_filter_path = "{{.path}}{{ .key }}" }
        path "kv/p/1" { capabilities = ["read"] } path "kv/p/2" { capabilities = ["list"] }
        path "kv/q/*" { capabilities = ["deny"] }"#]);
    let at = path("kv/p/");
    let permit = acl.rule(Operation::List, &at).authorise(&asked(&Map::new())).unwrap();
    let shown = ["1", "2", "3", "sub/"].map(|key| acl.shows(permit.list_filters(), &at, key));
    assert_eq!(shown, [true, false, false, true]);
    assert!(!acl.shows(permit.list_filters(), &path("kv/"), "q/"));
}

#[test]
fn what_has_expired_counts_no_more() {
    let text = r#"path "a" { capabilities = ["read"] expiration = "2020-01-01T00:00:00Z" }
                  path "b" { capabilities = ["read"] expiration = "2090-01-01T00:00:00Z" }"#;
    let list = acl(&[text]);
    assert!(!may(&list, Operation::Read, "a") && may(&list, Operation::Read, "b"));
    assert_eq!(list.valid_until(), Timestamp::parse("2090-01-01T00:00:00Z"));
    let short = Source { expires: Some(NOW), ..source("short", r#"path "a" { capabilities = ["read"] }"#) };
    let at = |now| Acl::compile(std::slice::from_ref(&short), &TemplateFacts::default(), now);
    assert!(may(&at(Timestamp::from_unix_seconds(0)), Operation::Read, "a") && !may(&at(NOW), Operation::Read, "a"));
}

#[test]
fn a_bad_identity_value_drops_the_rule_and_nothing_else() {
    let text = r#"path "kv/{{identity.entity.metadata.team}}/x" { capabilities = ["read"] }
                  path "auth/token/lookup-self" { capabilities = ["read"] }"#;
    let with = |team: &str| {
        let metadata = [("team".to_owned(), team.to_owned())].into();
        let facts = TemplateFacts { entity: Some(EntityFacts { metadata, ..Default::default() }), groups: Vec::new() };
        Acl::compile(&[source("p", text)], &facts, NOW)
    };
    assert!(may(&with("red"), Operation::Read, "kv/red/x") && with("red").warnings().is_empty());
    for team in ["*", "+", "a/*", "a/b", ""] {
        let acl = with(team);
        assert!(may(&acl, Operation::Read, "auth/token/lookup-self"), "{team}");
        assert!(!may(&acl, Operation::Read, "kv/red/x") && !may(&acl, Operation::Read, "kv/a/b/x"), "{team}");
        assert_eq!(acl.warnings().len(), 1);
        assert!(acl.warnings()[0].contains("line 1"));
    }
}

#[test]
fn a_denied_value_is_denied_in_every_spelling() {
    let acl = acl(&[
        r#"path "auth/x/role/*" { capabilities = ["create"] denied_parameters = { "token_policies" = ["admin"] } }"#,
    ]);
    for policies in [json!("Admin"), json!(" admin"), json!(["ADMIN"]), json!("a,admin"), json!(["a", " Admin "])] {
        assert!(!creates(&acl, "auth/x/role/r", json!({"token_policies": policies})), "{policies}");
    }
    assert!(creates(&acl, "auth/x/role/r", json!({"token_policies": ["dev"]})));
}

#[test]
fn the_default_policy_gives_what_it_should() {
    let acl = acl(&[DEFAULT_POLICY]);
    for at in [
        "auth/token/renew-self",
        "sys/capabilities-self",
        "sys/tools/hash",
        "sys/tools/hash/sha2-256",
        "sys/leases/renew",
    ] {
        assert!(may(&acl, Operation::Write, at), "{at}");
    }
    assert!(may(&acl, Operation::Read, "auth/token/lookup-self") && !may(&acl, Operation::Read, "sys/mounts"));
    assert_eq!(acl.capabilities("cubbyhole/a"), ["create", "delete", "list", "read", "update"]);
}

// ── texts ──

fn parsed(text: &str) -> Result<Policy, String> {
    Policy::parse(PolicyName::parse("x").unwrap(), text).map_err(|error| error.to_string())
}

#[test]
fn texts_that_are_policies() {
    for text in [
        " ",
        "# nothing",
        "{}",
        r#"name = "x" path "a" { capabilities = ["read"] }"#,
        r#"path "a" { }"#,
        r#"path "a" { policy = "write" capabilities = ["read"] }"#,
        r#"path "a/+b" { capabilities = ["read"] }"#,
        r#"path "" { capabilities = ["read"] }"#,
        r#"path a { capabilities = ["read",] comment = "x" }"#,
        r#"{"path": {"a": {"capabilities": ["read"]}}}"#,
        r#"{"path": [{"a": {}}, {"b": {"policy": "read"}}]}"#,
        r#"path "a" { allowed_parameters { "x" = ["y"] } denied_parameters = { x = [1, 2.5, true, {a=1}, ["q"]] } }"#,
        r#"path "{{foo}}/a" { "capabilities" = ["read"] }"#,
        r#"path "a${b}" { capabilities = ["read"], }"#,
        r#"path "a" { expiration = 5 } path "a" { expiration = "4102444800" }"#,
    ] {
        assert_eq!(parsed(text).map(drop), Ok(()), "{text}");
    }
    let base64 = data_encoding::BASE64.encode(b"path \"a\" { capabilities = [\"read\"] }");
    assert_eq!(parsed(&base64).unwrap().text(), "path \"a\" { capabilities = [\"read\"] }");
    // What decodes to nothing is a text of its own.
    assert_eq!(parsed(" \t").unwrap().text(), " \t");
    let last =
        acl(&[r#"path "b" { capabilities=["read"] capabilities=["list"] } path "b" { capabilities=["update"] }"#]);
    assert_eq!(last.capabilities("b"), ["list", "update"]);
}

#[test]
fn texts_that_are_not() {
    for (text, error) in [
        ("", "'policy' parameter not supplied or empty"),
        (
            "path \"a\" { capabilities = [\"read\" }",
            "failed to parse policy: At 1:35: expected a comma or the end of the list",
        ),
        ("\npath \"a\" { capabilities = [\"reed\"] }", "failed to parse policy: invalid capability \"reed\" on line 2"),
        ("path \"a\" { capabilities = [\"READ\"] }", "failed to parse policy: invalid capability \"READ\" on line 1"),
        ("path \"a\" {\n capabilitie = [] }", "failed to parse policy: invalid key \"capabilitie\" on line 2"),
        ("pth \"a\" { }", "failed to parse policy: invalid key \"pth\" on line 1"),
        ("{\"path\": {\"a\": {\"x\": 1}}}", "failed to parse policy: invalid key \"x\" on line 1"),
        ("expiration = \"2090-01-01T00:00:00Z\"", "failed to parse policy: invalid key \"expiration\" on line 1"),
        ("path \"a\" { control_group = {} }", "\"control_group\" on line 1 is not supported"),
        ("path \"a\" { mfa_methods = [] }", "\"mfa_methods\" on line 1 is not supported"),
        ("path \"a\" { policy = \"all\" }", "line 1: invalid policy"),
        ("path \"a/+*\" { }", "line 1: invalid use of wildcards ('+*' is forbidden)"),
        ("path \"a{{b\" { }", "unbalanced templating characters"),
        ("path \"a\" { capabilities = \"read\" }", "line 1: expected a list of texts"),
        ("path \"a\" { capabilities = [1] }", "line 1: expected a text"),
        ("path \"a\" { allowed_parameters = { \"x\" = \"y\" } }", "expected an object whose values are lists"),
        ("path \"a\" { required_parameters = \"x\" }", "expected a list of texts"),
        (
            "path \"a\" { min_wrapping_ttl = \"1m\" max_wrapping_ttl = 1 }",
            "max_wrapping_ttl cannot be less than min_wrapping_ttl",
        ),
        ("path \"a\" { max_wrapping_ttl = \"xx\" }", "a duration must be"),
        ("path \"a\" { min_wrapping_ttl = -5 }", "a duration must not be negative"),
        ("path \"a\" { expiration = \"yesterday\" }", "expiration must be a time"),
        ("path \"a\" { pagination_limit = \"x\" }", "pagination_limit must be a whole number"),
        (
            "path \"a\" { list_scan_response_keys_filter_path = \"{{.key}}\" }",
            "needs to be used on a path with the list capability",
        ),
        ("path \"a\" { capabilities = [\"list\"] list_scan_response_keys_filter_path = \"a\" }", "must be a template"),
        ("path = \"a\"", "a rule is written path"),
        ("path { capabilities = [\"read\"] }", "a rule is written path"),
        ("path \"a\" \"b\" { }", "a rule is written path"),
    ] {
        let found = parsed(text).unwrap_err();
        assert!(found.contains(error), "{text}: {found}");
    }
}

// ── the model ──

/// Section by section what the documentation says, without any index.
struct Model(BTreeMap<String, Capabilities>);

impl Model {
    fn select(&self, path: &str, listing: bool) -> Option<(&str, Capabilities)> {
        let bare = if listing { path.strip_suffix('/') } else { None };
        let exact = |path: &str| self.0.get_key_value(path).filter(|(pattern, _)| !Self::wild(pattern));
        if let Some(found) = exact(path).or_else(|| bare.and_then(exact)) {
            return Some((found.0, *found.1));
        }
        let best = self.best(path);
        let bare_best = bare.and_then(|bare| self.best(bare));
        let overrules = |found: Option<(&str, Capabilities)>, other: (&str, Capabilities)| match found {
            None => true,
            Some(found) => other.1 == Capabilities::DENY && Self::order(other.0, found.0).is_gt(),
        };
        bare_best.filter(|other| overrules(best, *other)).or(best)
    }

    fn best(&self, path: &str) -> Option<(&str, Capabilities)> {
        let matching = self.0.iter().filter(|(pattern, _)| Self::wild(pattern) && Self::matches(pattern, path));
        matching.max_by(|a, b| Self::order(a.0, b.0)).map(|(pattern, set)| (pattern.as_str(), *set))
    }

    fn wild(pattern: &str) -> bool {
        pattern.ends_with('*') || pattern.split('/').any(|segment| segment == "+")
    }

    fn matches(pattern: &str, path: &str) -> bool {
        let patterns: Vec<&str> = pattern.split('/').collect();
        let segments: Vec<&str> = path.split('/').collect();
        let (last, before) = patterns.split_last().unwrap();
        let fits = |pattern: &&str, segment: &&str| *pattern == "+" || pattern == segment;
        if segments.len() < patterns.len() || !before.iter().zip(&segments).all(|(p, s)| fits(p, s)) {
            return false;
        }
        match last.strip_suffix('*') {
            Some(start) => segments[before.len()..].join("/").starts_with(start),
            None => segments.len() == patterns.len() && fits(last, &segments[before.len()]),
        }
    }

    fn order(a: &str, b: &str) -> Ordering {
        let first = |pattern: &str| {
            let has_plus = format!("/{pattern}/").contains("/+/");
            if has_plus { pattern.find('+') } else { pattern.find('*') }
        };
        let plusses = |pattern: &str| pattern.split('/').filter(|segment| *segment == "+").count();
        first(a)
            .cmp(&first(b))
            .then(b.ends_with('*').cmp(&a.ends_with('*')))
            .then(plusses(b).cmp(&plusses(a)))
            .then(a.len().cmp(&b.len()))
            .then(a.cmp(b))
    }
}

fn pattern() -> impl Strategy<Value = String> {
    let segment =
        prop_oneof![3 => Just("+"), 3 => Just("a"), 3 => Just("b"), 1 => Just("ab"), 1 => Just("a+"), 1 => Just("")];
    let end = prop_oneof![3 => Just(""), 2 => Just("/*"), 1 => Just("/a*"), 1 => Just("/"), 1 => Just("/+")];
    (proptest::collection::vec(segment, 1..4), end).prop_map(|(segments, end)| {
        let text = segments.join("/") + end;
        text.trim_start_matches('/').to_owned()
    })
}

fn request() -> impl Strategy<Value = String> {
    let segment = prop_oneof![Just("a"), Just("b"), Just("ab"), Just("a+"), Just("+")];
    (proptest::collection::vec(segment, 1..5), any::<bool>())
        .prop_map(|(segments, folder)| segments.join("/") + if folder { "/" } else { "" })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_compiled_list_agrees_with_the_model(
        rules in proptest::collection::vec((pattern(), 0_usize..9), 0..14),
        at in request(),
        operation in prop_oneof![Just(Operation::Read), Just(Operation::List), Just(Operation::Scan)],
    ) {
        let mut model = Model(BTreeMap::new());
        let mut texts = [String::new(), String::new()];
        for (number, (pattern, capability)) in rules.iter().enumerate() {
            let capability = Capability::ALL[*capability];
            let set = model.0.entry(pattern.clone()).or_default();
            *set = set.union([capability].into_iter().collect());
            let rule = format!("path \"{pattern}\" {{ capabilities = [\"{}\"] }}\n", capability.as_str());
            texts[number % 2].push_str(&rule);
        }
        let acl = acl(&[&format!("#\n{}", texts[0]), &format!("#\n{}", texts[1])]);
        let matched = acl.rule(operation, &path(&at));
        let expected = model.select(&at, operation.is_listing());
        prop_assert_eq!(matched.path(), expected.map(|(pattern, _)| pattern));
        let wanted = match operation.as_str() {
            "list" => Capability::List,
            "scan" => Capability::Scan,
            _ => Capability::Read,
        };
        let allowed = expected.is_some_and(|(_, set)| set.has(wanted));
        prop_assert_eq!(matched.authorise(&asked(&Map::new())).is_ok(), allowed);
        prop_assert_eq!(acl.capabilities(&at) != ["deny"], model.select(&at, at.ends_with('/')).is_some_and(|(_, set)| set != Capabilities::DENY));
    }

    #[test]
    fn rules_with_placeholders_are_like_those_they_stand_for(
        rules in proptest::collection::vec((pattern(), 0_usize..9, any::<bool>()), 0..14),
        at in request(),
        operation in prop_oneof![Just(Operation::Read), Just(Operation::List), Just(Operation::Scan)],
    ) {
        let (mut plain, mut templated) = ("#\n".to_owned(), "#\n".to_owned());
        for (pattern, capability, hidden) in &rules {
            let capability = Capability::ALL[*capability].as_str();
            let written = if *hidden { pattern.replacen('a', "{{identity.entity.name}}", 1) } else { pattern.clone() };
            let rule = |path: &str| format!("path \"{path}\" {{ capabilities = [\"{capability}\"] }}\n");
            plain += &rule(pattern);
            templated += &rule(&written);
        }
        let entity = EntityFacts { name: "a".to_owned(), ..EntityFacts::default() };
        let facts = TemplateFacts { entity: Some(entity), groups: Vec::new() };
        let (plain, layered) = (acl(&[&plain]), Acl::compile(&[source("p", &templated)], &facts, NOW));
        let (wanted, found) = (plain.rule(operation, &path(&at)), layered.rule(operation, &path(&at)));
        prop_assert_eq!(found.path(), wanted.path());
        prop_assert_eq!(found.authorise(&asked(&Map::new())).is_ok(), wanted.authorise(&asked(&Map::new())).is_ok());
        prop_assert_eq!(layered.capabilities(&at), plain.capabilities(&at));
        let said = |acl: &Acl| acl.said().map(|(path, set)| (path.to_owned(), set)).collect::<BTreeMap<_, _>>();
        prop_assert_eq!(said(&layered), said(&plain));
    }

    #[test]
    fn no_text_panics(text in any::<String>(), marks in "(path|\"a\"|[{}=,\\[\\]]|capabilities|\"read\"| |\n){0,30}") {
        drop(parsed(&text));
        drop(parsed(&marks));
    }
}
