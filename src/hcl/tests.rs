//! What the reader takes, what it refuses, and that it never panics.

use proptest::prelude::*;

use super::*;

fn json(text: &str) -> serde_json::Value {
    let object = parse(text.as_bytes()).unwrap();
    shape(&object)
}

/// The tree without places, comments and spelling: a list of its items, so that repeated names count.
fn shape(object: &Object) -> serde_json::Value {
    let item = |item: &Item| {
        let keys: Vec<&str> = std::iter::once(item.name()).chain(item.labels().iter().map(|key| &*key.text)).collect();
        serde_json::json!([keys, value_shape(item.value())])
    };
    object.items().iter().map(item).collect()
}

fn value_shape(value: &Value) -> serde_json::Value {
    match &value.kind {
        Kind::Object(object) => serde_json::json!({ "object": shape(object) }),
        Kind::List(list) => list.values().map(value_shape).collect(),
        Kind::Bool(_) | Kind::Null | Kind::Number(_) | Kind::Text(_) => value.to_json(),
    }
}

fn value(text: &str) -> Result<serde_json::Value, String> {
    let object = parse(format!("k = {text}\n").as_bytes()).map_err(|error| error.to_string())?;
    Ok(object.items()[0].value().to_json())
}

#[test]
fn several_attributes_on_one_line() {
    assert_eq!(
        json(r#"path "a" { capabilities = ["read", "list",] policy = "write" n = -5 }"#),
        serde_json::json!([[["path", "a"], {"object": [
            [["capabilities"], ["read", "list"]], [["policy"], "write"], [["n"], -5]
        ]}]])
    );
    assert_eq!(json("o = { a = 1, b = true, }"), json("o { a=1\nb=true }"));
}

#[test]
fn literals() {
    for (text, expected) in [
        ("0x1F", serde_json::json!(31)),
        ("0755", serde_json::json!(493)),
        ("-3", serde_json::json!(-3)),
        ("1.5e3", serde_json::json!(1500.0)),
        ("1e-2", serde_json::json!(0.01)),
        ("true", serde_json::json!(true)),
        (r#""a\tb\"\\\x41\u00e9\101""#, serde_json::json!("a\tb\"\\AéA")),
        (r#""${a "b" {c}} d""#, serde_json::json!(r#"${a "b" {c}} d"#)),
        ("<<EOF\n a\nb\nEOF\n", serde_json::json!(" a\nb\n")),
        ("<<-EOF\n    a\n      b\n    EOF\n", serde_json::json!("a\n  b\n")),
        ("<<-EOF\n  a\nb\n  EOF\n", serde_json::json!("  a\nb\n")),
        ("<<EOF\nEOF\n", serde_json::json!("")),
        ("[1, # one\n 2, /* two */]", serde_json::json!([1, 2])),
        ("{ \"k\" = [] x = { y = 1, z = 2 } }", serde_json::json!({"k": [], "x": {"y": 1, "z": 2}})),
    ] {
        assert_eq!(value(text), Ok(expected), "{text}");
    }
    for text in [
        "08",
        "0x",
        "9223372036854775808",
        "1e999",
        "1.2.3",
        "-",
        "1a",
        "\"a\nb\"",
        "\"",
        r#""\q""#,
        r#""\x4""#,
        r#""\ud800""#,
        "<<EOF\n",
        "<<\nEOF\n",
        "<<EOF x\nEOF\n",
        "[1 2]",
        "[,]",
        "[",
        "{",
        "yes",
        "",
        "'a'",
        "/* ",
        "<<EOF\nEOF x\n",
    ] {
        assert!(value(text).is_err(), "{text}");
    }
}

#[test]
fn errors_say_where_and_what() {
    for (text, error) in [
        ("path \"a\" { capabilities = [\"read\" }", "At 1:35: expected a comma or the end of the list"),
        ("path \"a\" = {}", "At 1:10: expected an opening brace: a block with a label has no equals sign"),
        ("a = 1\n  b ; 2", "At 2:5: expected a name, a value or a brace"),
        ("a {\n", "At 2:1: expected a key or the closing brace"),
        ("}", "At 1:1: expected a key"),
        ("a", "At 1:2: expected an equals sign or an opening brace"),
        ("{\"a\": }", "At 1:7: expected a value"),
        ("{\"a\": 1,}", "At 1:9: expected text in quotes, with the escapes of JSON"),
        ("{\"a\" 1}", "At 1:6: expected a colon"),
        ("{} x", "At 1:4: expected the end of the document"),
    ] {
        assert_eq!(parse(text.as_bytes()).unwrap_err().to_string(), error, "{text}");
    }
    let error = parse(b"a = 1\nb = \xff").unwrap_err();
    assert_eq!(error.position(), Position { line: 2, column: 5 });
    let secret = parse(b"a = \"hunter2\" hunter2 hunter2 = hunter2").unwrap_err().to_string();
    assert!(!secret.contains("hunter2"), "{secret}");
}

#[test]
fn places_are_kept() {
    let object = parse("a = 1\n  path \"ü\" { b = [2] }".as_bytes()).unwrap();
    let block = &object.items()[1];
    assert_eq!(block.position(), Position { line: 2, column: 3 });
    assert_eq!(block.labels()[0].position, Position { line: 2, column: 8 });
    let inner = &block.value().as_object().unwrap().items()[0];
    assert_eq!(inner.position(), Position { line: 2, column: 14 });
    assert_eq!(inner.value().position, Position { line: 2, column: 18 });
}

#[test]
fn json_has_the_same_blocks() {
    for text in [
        r#"listener "tcp" { a = 1 } listener "tcp" { a = 2 }"#,
        "listener { tcp { a = 1 } tcp { a = 2 } }",
        r#"{"listener": {"tcp": [{"a": 1}, {"a": 2}]}}"#,
        r#"{"listener": [{"tcp": {"a": 1}}, {"tcp": {"a": 2}}]}"#,
        r#"{"listener": {"tcp": {"a": 1}}, "listener": {"tcp": {"a": 2}}}"#,
    ] {
        let object = parse(text.as_bytes()).unwrap();
        let blocks = object.blocks("listener", 1).unwrap();
        let found: Vec<_> = blocks.iter().map(|block| (&*block.labels[0].text, shape(block.body))).collect();
        assert_eq!(
            found,
            [("tcp", serde_json::json!([[["a"], 1]])), ("tcp", serde_json::json!([[["a"], 2]]))],
            "{text}"
        );
    }
    for text in ["listener = 1", "listener \"a\" \"b\" {}", "listener { a = 1 }", "listener = [1]"] {
        assert!(parse(text.as_bytes()).unwrap().blocks("listener", 1).is_err(), "{text}");
    }
}

#[test]
fn json_values() {
    let object = parse(br#" {"a": [1, -2.5, true, null, "\u00e9\/\ud83d\ude00"], "b": {}} "#).unwrap();
    assert_eq!(object.items()[0].value().to_json(), serde_json::json!([1, -2.5, true, null, "é/😀"]));
    for text in ["{\"a\": 01}", "{\"a\": 1e999}", "{\"a\": 18446744073709551615}", "{\"a\": \"\\q\"}", "{\"a\": tru}"] {
        assert!(parse(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn depth_is_bounded() {
    for (open, close) in [("a {", "}"), ("a = [", "]"), ("{\"a\":", "}")] {
        let nested = |depth: usize| {
            let inner = if open == "a = [" { open.to_owned() + &"[".repeat(depth - 1) } else { open.repeat(depth) };
            let core = if open.starts_with('{') { "1" } else { "" };
            parse((inner + core + &close.repeat(depth)).as_bytes())
        };
        assert!(nested(MAX_DEPTH).is_ok(), "{open}");
        assert!(nested(MAX_DEPTH + 1).unwrap_err().to_string().contains("at most 64"), "{open}");
        assert!(nested(100_000).is_err(), "{open}");
    }
}

const UNTIDY: &str = r#"# head


# about a
path "a" { capabilities = ["read","list",] /* x */ min_wrapping_ttl = "1s" } // trail
path "b" {
capabilities = [
"read", # why
  "list" ]
  denied_parameters = { "x" = [],
  # inner
  yyyy = [1, 2.5]
  # tail
  }
   comment = 1 # one


   min_wrapping_ttl = 2 # two
   policy = "read"
   text = <<EOF
 as it is
EOF
   # end
}
path "c" { }
# end of file"#;

const TIDY: &str = r#"# head

# about a
path "a" {
  capabilities     = ["read", "list"] /* x */
  min_wrapping_ttl = "1s"
} // trail

path "b" {
  capabilities = [
    "read", # why
    "list",
  ]

  denied_parameters = {
    "x" = []

    # inner
    yyyy = [1, 2.5]
    # tail
  }

  comment = 1 # one

  min_wrapping_ttl = 2      # two
  policy           = "read"

  text = <<EOF
 as it is
EOF
  # end
}

path "c" {}
# end of file
"#;

#[test]
fn a_document_becomes_tidy_and_keeps_its_comments() {
    assert_eq!(format(UNTIDY.as_bytes()).unwrap(), TIDY);
    assert_eq!(format(TIDY.as_bytes()).unwrap(), TIDY);
    assert!(format(b"{}").is_err());
    assert_eq!(format(b"").unwrap(), "");
}

/// Texts that look like the language.
fn document() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        "-?[1-9][0-9]{0,5}",
        "[0-9]\\.[0-9]",
        Just("true".to_owned()),
        "\"[a-z $é\\}]{0,6}\"",
        Just("\"${ {} \n }\"".to_owned()),
        Just("\"\\\"\\x24{\"".to_owned()),
        Just("<<E\n x\nE\n".to_owned()),
        Just("<<-E\n  x\n  E\n".to_owned()),
    ];
    let blank = prop_oneof![
        4 => Just(" ".to_owned()), 2 => Just("\n".to_owned()), 1 => Just("\n\n".to_owned()),
        1 => Just(" # c\n".to_owned()), 1 => Just("/* d */".to_owned()), 1 => Just("// e\n\n\n".to_owned()),
    ];
    let key = prop_oneof!["[a-z_][a-z0-9._-]{0,3}", "\"[a-z +*/]{0,4}\""];
    let gap = blank.clone();
    let value = scalar.prop_recursive(4, 32, 4, move |inner| {
        let (blank, key) = (gap.clone(), key.clone());
        let element = (gap.clone(), inner.clone(), gap.clone()).prop_map(|(a, value, b)| format!("{a}{value}{b}"));
        let assign = (blank.clone(), key.clone(), blank.clone(), inner, any::<bool>())
            .prop_map(|(a, key, b, value, comma)| format!("{a}{key}{b}={value}{}", if comma { "," } else { " " }));
        prop_oneof![
            proptest::collection::vec(element, 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            (proptest::collection::vec(assign, 0..4), blank)
                .prop_map(|(items, end)| format!("{{{}{end}}}", items.concat())),
        ]
    });
    let item = (blank.clone(), "[a-z]{1,3}", proptest::option::of("\"[a-z]{0,3}\""), value, blank).prop_map(
        |(before, name, label, value, after)| match label {
            Some(label) => format!("{before}{name} {label} {{ k = {value}{after} }} "),
            None => format!("{before}{name} = {value}{after} "),
        },
    );
    proptest::collection::vec(item, 0..5).prop_map(|items| items.concat())
}

fn same_after_formatting(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(text) = format(bytes) {
        let again = parse(text.as_bytes());
        prop_assert!(again.is_ok(), "{text}");
        prop_assert_eq!(shape(&parse(bytes).unwrap()), shape(&again.unwrap()));
        prop_assert_eq!(format(text.as_bytes()).unwrap(), text);
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        drop(parse(&bytes));
        same_after_formatting(&bytes)?;
    }

    #[test]
    fn any_marks_are_read_or_refused(text in "[a\"{}=\\[\\],#/*\\n\\\\$<E1.-]{0,40}") {
        same_after_formatting(text.as_bytes())?;
    }

    #[test]
    fn a_formatted_document_says_the_same(text in document()) {
        prop_assert!(parse(text.as_bytes()).is_ok(), "{text}");
        same_after_formatting(text.as_bytes())?;
    }

    #[test]
    fn a_truncated_document_does_not_panic(text in document(), cut in 0..200_usize) {
        let bytes = text.as_bytes();
        drop(parse(&bytes[..cut.min(bytes.len())]));
    }

    #[test]
    fn json_is_read_as_serde_reads_it(text in "[ -~é]{0,20}", number in any::<i64>(), float in any::<f32>()) {
        let value = serde_json::json!({"t": text, "n": [number, f64::from(float)], "o": {"x": null, "y": true}});
        let object = parse(serde_json::to_string_pretty(&value).unwrap().as_bytes()).unwrap();
        let read: serde_json::Map<_, _> =
            object.items().iter().map(|item| (item.name().to_owned(), item.value().to_json())).collect();
        prop_assert_eq!(serde_json::Value::Object(read), value);
    }
}
