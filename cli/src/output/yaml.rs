//! YAML in block style, its maps sorted, as Vault's commands print it.

use zeroize::Zeroizing;

use crate::json::{Json, write_text};

/// The value as a document with its last newline.
pub(super) fn document(value: &Json) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::new());
    match value {
        Json::Map(members) if !members.is_empty() => write_map(value, 0, &mut out),
        Json::List(items) if !items.is_empty() => write_list(items, 0, &mut out),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::List(_) | Json::Map(_) => {
            write_inline(value, &mut out);
            out.push('\n');
        }
    }
    out
}

fn write_map(value: &Json, depth: usize, out: &mut String) {
    for (index, (key, member)) in value.sorted_members().into_iter().enumerate() {
        if index > 0 {
            indent(depth, out);
        }
        write_string(key, out);
        out.push(':');
        match member {
            Json::Map(members) if !members.is_empty() => {
                out.push('\n');
                indent(depth + 1, out);
                write_map(member, depth + 1, out);
            }
            Json::List(items) if !items.is_empty() => {
                out.push('\n');
                indent(depth, out);
                write_list(items, depth, out);
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::List(_) | Json::Map(_) => {
                out.push(' ');
                write_inline(member, out);
                out.push('\n');
            }
        }
    }
}

fn write_list(items: &[Json], depth: usize, out: &mut String) {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            indent(depth, out);
        }
        out.push_str("- ");
        match item {
            Json::Map(members) if !members.is_empty() => write_map(item, depth + 1, out),
            Json::List(inner) if !inner.is_empty() => write_list(inner, depth + 1, out),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::List(_) | Json::Map(_) => {
                write_inline(item, out);
                out.push('\n');
            }
        }
    }
}

fn indent(depth: usize, out: &mut String) {
    out.extend(std::iter::repeat_n("  ", depth));
}

fn write_inline(value: &Json, out: &mut String) {
    match value {
        Json::Null => out.push_str("null"),
        Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Json::Number(number) => out.push_str(number),
        Json::Text(text) => write_string(text, out),
        Json::List(_) => out.push_str("[]"),
        Json::Map(_) => out.push_str("{}"),
    }
}

/// A string, plain where no YAML reader could take it for anything else, else in double quotes, whose escapes are
/// JSON's.
fn write_string(text: &str, out: &mut String) {
    if is_plain(text) { out.push_str(text) } else { write_text(text, out) }
}

fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 10] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan"];
    let starts_plain = text.chars().next().is_some_and(|first| first.is_ascii_alphabetic() || first == '/');
    starts_plain
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && text.chars().all(|one| one.is_ascii_alphanumeric() || " -_./:#*+=@,()".contains(one))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn documents_look_as_operators_know_them() {
        let value = Json::parse(
            r#"{"data":{"x":{"y":[1,2]},"n":"1","e":{},"l":[{"a":1,"b":[]}]},"a":"b","t":"2026-11-22T03:26:12Z","v":null}"#,
        );
        let expected = "a: b\ndata:\n  e: {}\n  l:\n  - a: 1\n    b: []\n  \"n\": \"1\"\n  x:\n    \"y\":\n    - 1\n    - 2\n\
                        t: \"2026-11-22T03:26:12Z\"\nv: null\n";
        assert_eq!(*document(&value.unwrap()), expected);
    }

    fn tree() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i32>().prop_map(Into::into),
            "[ -~\n\t]{0,12}".prop_map(Into::into),
            prop_oneof!["y", "No", "null", "~", "1e3", "0x1", "- a", "a: b", "a #b", "", " a", "é", "2020-01-01"]
                .prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
                prop::collection::btree_map("[ -~]{0,6}", inner, 0..4)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_yaml_reader_reads_the_same_value(value in tree()) {
            let text = document(&Json::parse(&value.to_string()).unwrap());
            let read: serde_json::Value = serde_norway::from_str(&text).unwrap();
            prop_assert_eq!(read, value, "{}", *text);
        }
    }
}
