//! Explanations against decisions: whatever the policies and the request, they agree, and what is suggested helps.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::policy::decision::Existence;
use crate::policy::template::EntityFacts;
use crate::policy::{Policy, PolicyName};

const NOW: Timestamp = Timestamp::from_unix_nanos(1_700_000_000_000_000_000);

fn source(name: &str, text: &str) -> Source {
    let policy = Policy::parse(PolicyName::parse(name).unwrap(), text).unwrap();
    Source { namespace_id: "root".into(), policy: Arc::new(policy), expires: None }
}

fn facts() -> TemplateFacts {
    let entity = EntityFacts { id: "e1".to_owned(), name: "ann".to_owned(), ..EntityFacts::default() };
    TemplateFacts { entity: Some(entity), groups: Vec::new() }
}

/// A request in owned parts.
#[derive(Clone, Debug)]
struct Request {
    operation: Operation,
    path: ApiPath,
    access: Access,
    existence: Existence,
    wrap_ttl: Option<Duration>,
    limit: Option<i64>,
    fields: Map<String, Value>,
}

impl Request {
    fn new(operation: Operation, path: &str) -> Self {
        let path = ApiPath::parse(path).unwrap();
        Self {
            operation,
            path: if operation.is_listing() { path.into_folder() } else { path },
            access: Access::Policy,
            existence: Existence::Unknown,
            wrap_ttl: None,
            limit: None,
            fields: Map::new(),
        }
    }

    fn question(&self) -> Question<'_> {
        let Self { operation, path, access, existence, wrap_ttl, limit, fields } = self;
        let asked =
            Asked { access: *access, existence: *existence, wrap_ttl: *wrap_ttl, limit: *limit, parameters: fields };
        Question { operation: *operation, path, asked }
    }

    fn is_allowed(&self, sources: &[Source]) -> bool {
        let Question { operation, path, asked } = self.question();
        Acl::compile(sources, &facts(), NOW).rule(operation, path).authorise(&asked).is_ok()
    }

    fn explain(&self, sources: &[Source]) -> Explanation {
        Explanation::of(sources, &facts(), NOW, &self.question()).unwrap()
    }
}

/// The policies after what was suggested is done to them.
fn changed(sources: &[Source], explanation: &Explanation) -> Vec<Source> {
    let suggestion = explanation.suggestion.as_ref().unwrap();
    let mut changed: Vec<Source> = sources.to_vec();
    for source in &mut changed {
        let gone = |line: u32| {
            let name = source.policy.name().as_str();
            suggestion.replaces.iter().any(|said| said.policy == name && said.line == line)
        };
        let kept = source.policy.rules().iter().filter(|rule| !gone(rule.line)).cloned().collect();
        source.policy = Arc::new(Policy::with_rules(source.policy.name().clone(), String::new(), kept));
    }
    changed.push(source("added", &suggestion.rule));
    changed
}

fn read(path: &str) -> Request {
    Request::new(Operation::Read, path)
}

fn write(path: &str, fields: Value) -> Request {
    let Value::Object(fields) = fields else { panic!("a body is an object") };
    Request { fields, ..Request::new(Operation::Write, path) }
}

// ── scenarios ──

#[test]
fn what_one_rule_allows() {
    let sources = [source("app", "# first\npath \"kv/*\" {\n  capabilities = [\"read\", \"list\"]\n}\n")];
    let explained = read("kv/a").explain(&sources);
    assert!(explained.allowed && explained.missing.is_empty() && explained.suggestion.is_none());
    assert_eq!(explained.reason, "Allowed by the rule \"kv/*\" of the policy \"app\" (line 2).");
    let said = Said { policy: "app".to_owned(), path: "kv/*".to_owned(), line: 2, capabilities: vec!["list", "read"] };
    assert_eq!(explained.decided_by, [said]);
}

#[test]
fn what_no_rule_allows() {
    let sources = [source("app", "path \"kv/*\" { capabilities = [\"read\"] }"), source("b", "#")];
    let explained = read("db/a").explain(&sources);
    assert_eq!(explained.reason, "Denied: no rule of the policies \"app\" and \"b\" matches the path.");
    assert_eq!(explained.missing, [Missing::Rule, Missing::Capability { capability: "read" }]);
    let suggestion = explained.suggestion.unwrap();
    assert_eq!(suggestion.rule, "path \"db/a\" {\n  capabilities = [\"read\"]\n}\n");
    assert_eq!(suggestion.action, Action::Add);
}

#[test]
fn a_suggested_rule_takes_nothing_away() {
    let sources = [source("app", "path \"kv/*\" { capabilities = [\"read\", \"list\"] pagination_limit = 5 }")];
    let explained = Request::new(Operation::Delete, "kv/a").explain(&sources);
    let rule = "path \"kv/a\" {\n  capabilities     = [\"delete\", \"list\", \"read\"]\n  pagination_limit = 5\n}\n";
    assert_eq!(explained.suggestion.as_ref().unwrap().rule, rule);
    let after = changed(&sources, &explained);
    assert!(read("kv/a").is_allowed(&after) && Request::new(Operation::Delete, "kv/a").is_allowed(&after));
}

#[test]
fn rules_for_one_path_add_up() {
    let sources = [
        source("a", "path \"kv/x\" { capabilities = [\"read\"] }"),
        source("b", "path \"kv/x\" { capabilities = [\"list\"] }"),
    ];
    let explained = read("kv/x").explain(&sources);
    let reason =
        "Allowed by the rules for \"kv/x\", which add up, of the policy \"a\" (line 1) and the policy \"b\" (line 1).";
    assert_eq!(explained.reason, reason);
    let explained = Request::new(Operation::Delete, "kv/x").explain(&sources);
    assert_eq!(explained.suggestion.unwrap().rule, "path \"kv/x\" {\n  capabilities = [\"delete\"]\n}\n");
}

#[test]
fn a_field_more_is_suggested_and_no_other() {
    let rule = r#"path "kv/x" { capabilities = ["update"] allowed_parameters = { "a" = [] } }"#;
    let sources = [source("one", rule)];
    let request = write("kv/x", json!({"b": 1}));
    let explained = request.explain(&sources);
    let rule = "path \"kv/x\" {\n  capabilities = []\n\n  allowed_parameters = {\n    \"b\" = []\n  }\n}\n";
    assert_eq!(explained.suggestion.as_ref().unwrap().rule, rule);
    let changed = changed(&sources, &explained);
    assert!(request.is_allowed(&changed));
    assert!(!write("kv/x", json!({"c": 1})).is_allowed(&changed));
}

#[test]
fn a_deny_wins_and_nothing_is_suggested_against_it() {
    let sources = [
        source("a", "path \"kv/x\" { capabilities = [\"read\"] }"),
        source("b", "\npath \"kv/x\" { capabilities = [\"deny\"] }"),
    ];
    let explained = read("kv/x").explain(&sources);
    assert!(explained.denied_explicitly && explained.suggestion.is_none());
    assert_eq!(explained.missing, [Missing::Deny]);
    assert!(explained.reason.contains("the policy \"b\" (line 2) says \"deny\""), "{}", explained.reason);
}

#[test]
fn what_is_shadowed_is_named_best_first() {
    let text = "path \"kv/*\" { capabilities = [\"list\"] }\npath \"kv/a\" { capabilities = [\"list\"] }\n\
                path \"kv/a/\" { capabilities = [\"list\"] }\npath \"kv/+/\" { capabilities = [\"list\"] }";
    let explained = Request::new(Operation::List, "kv/a").explain(&[source("a", text)]);
    assert_eq!(explained.rule.as_deref(), Some("kv/a/"));
    let shadowed: Vec<_> = explained.shadowed.iter().map(|rule| rule.path.as_str()).collect();
    assert_eq!(shadowed, ["kv/a", "kv/+/", "kv/*"]);
}

#[test]
fn a_narrower_rule_shadows_a_wider_one() {
    let sources = [source(
        "a",
        "path \"kv/*\" { capabilities = [\"read\", \"update\"] }\npath \"kv/+/x\" { capabilities = [\"read\"] }",
    )];
    let explained = write("kv/b/x", json!({})).explain(&sources);
    assert_eq!(explained.rule.as_deref(), Some("kv/+/x"));
    let shadowed = &explained.shadowed;
    assert_eq!((shadowed.len(), shadowed[0].path.as_str(), shadowed[0].would_allow), (1, "kv/*", true));
    assert!(explained.reason.ends_with("does not count: only the most specific rule decides."), "{}", explained.reason);
}

#[test]
fn everything_that_is_missing_is_said() {
    let sources = [source(
        "a",
        r#"path "sys/x" { capabilities = ["read"] required_parameters = ["why"] denied_parameters = { "force" = [] }
           max_wrapping_ttl = "1m" }"#,
    )];
    let request = Request { access: Access::Sudo, ..write("sys/x", json!({"force": "hunter2"})) };
    let explained = request.explain(&sources);
    let parameter = |name: &str| name.to_owned();
    assert_eq!(
        explained.missing,
        [
            Missing::Capability { capability: "update" },
            Missing::Capability { capability: "sudo" },
            Missing::Wrapping { min_wrapping_ttl: None, max_wrapping_ttl: Some(60) },
            Missing::RequiredParameter { parameter: parameter("why") },
            Missing::DeniedParameter { parameter: parameter("force") },
        ]
    );
    let suggestion = explained.suggestion.as_ref().unwrap();
    assert_eq!(suggestion.action, Action::Replace);
    assert_eq!(suggestion.rule, "path \"sys/x\" {\n  capabilities = [\"read\", \"sudo\", \"update\"]\n}\n");
    assert!(request.is_allowed(&changed(&sources, &explained)));
}

#[test]
fn values_are_never_repeated() {
    let sources = [source(
        "a",
        r#"path "kv/a" { capabilities = ["update"] allowed_parameters = { "colour" = ["red"] } }
           path "kv/b" { capabilities = ["update"] denied_parameters = { "*" = [] } }"#,
    )];
    for path in ["kv/a", "kv/b"] {
        let request = write(path, json!({"colour": "hunter2"}));
        let explained = request.explain(&sources);
        assert!(request.is_allowed(&changed(&sources, &explained)));
        assert!(!serde_json::to_string(&explained).unwrap().contains("hunter2"), "{path}");
    }
}

#[test]
fn root_and_open_endpoints_need_no_rule() {
    let root = [Source { namespace_id: "root".into(), policy: Arc::new(Policy::root()), expires: None }];
    let explained = read("any/thing").explain(&root);
    assert!(explained.allowed && explained.reason.contains("\"root\"") && explained.decided_by[0].policy == "root");
    for access in [Access::Public, Access::AnyToken] {
        assert!(Request { access, ..read("any/thing") }.explain(&[]).allowed);
    }
    assert!(Request::new(Operation::Help, "a").explain(&[]).allowed);
}

#[test]
fn placeholders_are_shown_as_written_and_as_resolved() {
    let text = "path \"kv/{{identity.entity.name}}/*\" { capabilities = [\"read\"] }\npath \"x/{{identity.groups.ids.g.name}}\" {}";
    let explained = read("kv/ann/a").explain(&[source("a", text)]);
    assert_eq!(explained.rule.as_deref(), Some("kv/ann/*"));
    assert_eq!(explained.decided_by[0].path, "kv/{{identity.entity.name}}/*");
    assert!(explained.left_out.len() == 1 && explained.left_out[0].contains("line 2"));
}

#[test]
fn paths_that_policies_cannot_name_exactly() {
    for path in ["kv/{{x", "kv/}}", "kv/a+*", "kv/a*", "kv/+", "kv/${b}", "kv/\"q\"\\", "kv/+*"] {
        let request = read(path);
        let explained = request.explain(&[]);
        assert!(request.is_allowed(&changed(&[], &explained)), "{path}");
    }
}

// ── properties ──

fn pattern() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        3 => Just("+"), 3 => Just("a"), 3 => Just("b"), 1 => Just("ab"), 1 => Just("a+"),
        1 => Just("{{identity.entity.name}}"), 1 => Just("a*"),
    ];
    let end = prop_oneof![3 => Just(""), 3 => Just("/*"), 1 => Just("/a*"), 1 => Just("/"), 1 => Just("/+"), 1 => Just("/a**")];
    (proptest::collection::vec(segment, 1..3), end).prop_map(|(segments, end)| segments.join("/") + end)
}

/// A rule's attributes besides its capabilities.
fn constraint() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => Just(String::new()),
        1 => Just("allowed_parameters = { \"p\" = [\"1\"] }".to_owned()),
        1 => Just("allowed_parameters = { \"q\" = [] \"*\" = [] }".to_owned()),
        1 => Just("denied_parameters = { \"p\" = [\"1\"] }".to_owned()),
        1 => Just("denied_parameters = { \"*\" = [] }".to_owned()),
        1 => Just("required_parameters = [\"p\", \"r\"]".to_owned()),
        1 => Just("min_wrapping_ttl = 10".to_owned()),
        1 => Just("max_wrapping_ttl = 20".to_owned()),
        1 => Just("min_wrapping_ttl = 30 max_wrapping_ttl = 40".to_owned()),
        1 => Just("pagination_limit = 3".to_owned()),
        1 => Just("expiration = 1".to_owned()),
    ]
}

fn policies() -> impl Strategy<Value = Vec<Source>> {
    let capability = prop_oneof![12 => 0_usize..9, 1 => Just(2_usize)];
    let capabilities = proptest::collection::vec(capability, 0..4);
    let rule = (pattern(), capabilities, constraint());
    let policy = proptest::collection::vec(rule, 0..6);
    proptest::collection::vec(policy, 0..4).prop_map(|policies| {
        let mut sources = Vec::new();
        for (number, rules) in policies.into_iter().enumerate() {
            let mut text = "#\n".to_owned();
            for (pattern, capabilities, constraint) in rules.into_iter().filter(|(pattern, ..)| !pattern.contains("+*"))
            {
                // `deny` is one of nine here, and would leave little else.
                let words = capabilities.iter().map(|index| Capability::ALL[*index]);
                let words = words.filter(|word| *word != Capability::Deny || number == 0);
                let words: Vec<String> = words.map(|word| format!("\"{}\"", word.as_str())).collect();
                let _ =
                    writeln!(text, "path \"{pattern}\" {{\n capabilities = [{}]\n {constraint}\n}}", words.join(", "));
            }
            sources.push(source(&format!("p{number}"), &text));
        }
        sources
    })
}

fn requests() -> impl Strategy<Value = Request> {
    let segment = prop_oneof![
        4 => Just("a"), 4 => Just("b"), 2 => Just("ab"), 1 => Just("a+"), 1 => Just("+"), 1 => Just("ann"),
        1 => Just("a*"), 1 => Just("{{x"), 1 => Just("b+*"), 1 => Just("*"),
    ];
    let path = (proptest::collection::vec(segment, 1..4), any::<bool>());
    let operation = prop_oneof![
        Just(Operation::Read),
        Just(Operation::Write),
        Just(Operation::Patch),
        Just(Operation::Delete),
        Just(Operation::List),
        Just(Operation::Scan),
        Just(Operation::Help),
    ];
    let access = prop_oneof![6 => Just(Access::Policy), 2 => Just(Access::Sudo), 1 => Just(Access::AnyToken)];
    let existence = prop_oneof![Just(Existence::Absent), Just(Existence::Exists), Just(Existence::Unknown)];
    let ttl = prop_oneof![3 => Just(None), 1 => (0_u64..60).prop_map(|seconds| Some(Duration::from_secs(seconds)))];
    let limit = prop_oneof![2 => Just(None), 1 => (-1_i64..9).prop_map(Some)];
    let value = prop_oneof![Just(json!("1")), Just(json!(1)), Just(json!(["1", "x"])), Just(json!(null))];
    let key = prop_oneof![Just("p"), Just("P"), Just("q"), Just("r"), Just("\"\\")];
    let fields: BTreeMap<String, Value> = BTreeMap::new();
    let fields = proptest::collection::vec((key, value), 0..3).prop_map(move |pairs| {
        let mut fields = fields.clone();
        fields.extend(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)));
        fields.into_iter().collect::<Map<_, _>>()
    });
    (operation, path, (access, existence), (ttl, limit), fields).prop_map(
        |(operation, (segments, folder), (access, existence), (wrap_ttl, limit), fields)| {
            let path = segments.join("/") + if folder && operation == Operation::Read { "/" } else { "" };
            Request { access, existence, wrap_ttl, limit, fields, ..Request::new(operation, &path) }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn an_explanation_agrees_with_the_decision_and_its_suggestion_helps(sources in policies(), request in requests()) {
        let explained = request.explain(&sources);
        prop_assert_eq!(explained.allowed, request.is_allowed(&sources));
        prop_assert_eq!(explained.allowed, explained.missing.is_empty());
        let denies = explained.decided_by.iter().any(|said| said.capabilities.contains(&"deny"));
        prop_assert_eq!(explained.denied_explicitly, denies && !explained.allowed);
        prop_assert_eq!(explained.suggestion.is_none(), explained.allowed || explained.denied_explicitly);
        if explained.suggestion.is_some() {
            let after = changed(&sources, &explained);
            prop_assert!(request.is_allowed(&after), "{:#?}", explained);
        }
    }

    #[test]
    fn a_rule_that_is_added_takes_nothing_away(sources in policies(), request in requests(), other in requests()) {
        let explained = request.explain(&sources);
        let adds = explained.suggestion.as_ref().is_some_and(|suggestion| suggestion.action == Action::Add);
        // The same path asked for otherwise, with the same fields, where the same rule decides: a path that ends in a
        // slash is read by one rule and may be listed by another.
        let other = Request { operation: other.operation, existence: other.existence, ..request.clone() };
        let other = Request { path: if other.operation.is_listing() { other.path.into_folder() } else { other.path.into_leaf() }, ..other };
        let same_rule = request.explain(&sources).rule == other.explain(&sources).rule;
        if adds && same_rule && other.path == request.path && other.is_allowed(&sources) {
            prop_assert!(other.is_allowed(&changed(&sources, &explained)), "{:#?}", explained);
        }
    }
}
