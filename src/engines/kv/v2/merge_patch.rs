//! JSON merge patch (RFC 7396) and the outline of a document, on the text of the documents: a number that is not
//! touched keeps its spelling.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use crate::error::{Error, Result};
use crate::secret::SecretJson;

/// How deep objects may lie in each other here. Each level is read anew, so this bounds the work.
const MAX_DEPTH: u32 = 100;

/// `patch` merged into `target` (nothing is `null`). A patch that is no object takes the place of the target.
pub(super) fn merge(target: Option<&SecretJson>, patch: SecretJson) -> Result<SecretJson> {
    merge_at(target, patch, 0)
}

fn merge_at(target: Option<&SecretJson>, patch: SecretJson, depth: u32) -> Result<SecretJson> {
    if !patch.is_object() {
        return Ok(patch);
    }
    if depth == MAX_DEPTH {
        return Err(Error::invalid(
            "the patch has objects in each other more than 100 levels deep; send a flatter one",
        ));
    }
    let mut merged = match target.filter(|target| target.is_object()) {
        Some(target) => fields(target)?,
        None => BTreeMap::new(),
    };
    for (name, value) in fields(&patch)? {
        if value.is_null() {
            merged.remove(&name);
        } else {
            let value = merge_at(merged.get(&name), value, depth + 1)?;
            merged.insert(name, value);
        }
    }
    SecretJson::of(&merged).map_err(|_| Error::internal("the merged secret cannot be written"))
}

/// The names in a document, without the values: an object with fields becomes an object, everything else `null`.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum Outline {
    /// An object, to be looked into.
    Object(BTreeMap<String, Outline>),
    /// Anything else.
    Value,
}

impl Outline {
    /// The outline of an object, `depth` levels of names deep; 0 is all.
    pub(super) fn of(document: &SecretJson, depth: u32) -> Result<Self> {
        let limit = if depth == 0 { MAX_DEPTH } else { depth.min(MAX_DEPTH) };
        Self::level(document, limit, depth == limit)
    }

    fn level(object: &SecretJson, levels: u32, cut: bool) -> Result<Self> {
        let mut names = BTreeMap::new();
        for (name, value) in fields(object)? {
            let outline = match levels {
                _ if !value.is_object() || value.is_empty_object() => Self::Value,
                1 if cut => Self::Value,
                1 => return Err(Error::invalid("the secret is more than 100 levels deep; ask for a depth up to 100")),
                _ => Self::level(&value, levels - 1, cut)?,
            };
            names.insert(name, outline);
        }
        Ok(Self::Object(names))
    }
}

impl JsonSchema for Outline {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Outline".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["object", "null"]})
    }
}

/// The fields of an object, each as its text. Of two of the same name the last one counts.
fn fields(object: &SecretJson) -> Result<BTreeMap<String, SecretJson>> {
    // The source would repeat a part of the secret.
    serde_json::from_str(object.expose())
        .map_err(|_| Error::invalid("a field of the secret has a name that is not valid Unicode; write it as a whole"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn json(text: &str) -> SecretJson {
        serde_json::from_str(text).unwrap()
    }

    fn merged(target: &str, patch: &str) -> String {
        merge(Some(&json(target)), json(patch)).unwrap().expose().to_owned()
    }

    /// The examples of RFC 7396, appendix A, whose patch is an object or `null`.
    #[test]
    fn the_examples_of_the_rfc() {
        for (target, patch, result) in [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, "{}"),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
            (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#),
            (r#"{"a":"b"}"#, r#"["c"]"#, r#"["c"]"#),
            (r#"{"a":"foo"}"#, "null", "null"),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"a":1,"e":null}"#),
            ("[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
            ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        ] {
            assert_eq!(merged(target, patch), result);
        }
    }

    #[test]
    fn untouched_numbers_keep_their_spelling() {
        let result = merged(r#"{"n":1.50,"big":12345678901234567890123,"o":{"e":1e3}}"#, r#"{"o":{"f":2.0}}"#);
        assert_eq!(result, r#"{"big":12345678901234567890123,"n":1.50,"o":{"e":1e3,"f":2.0}}"#);
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        assert!(merge(None, json(&nested(100))).is_ok());
        assert!(merge(None, json(&nested(101))).is_err());
        assert!(merge(Some(&json(&nested(5000))), json(r#"{"b":1}"#)).is_ok());
        assert!(Outline::of(&json(&nested(100)), 0).is_ok());
        assert!(Outline::of(&json(&nested(101)), 0).is_err());
        assert!(Outline::of(&json(&nested(5000)), 100).is_ok());
        assert!(Outline::of(&json(&nested(5000)), 5000).is_err());
    }

    #[test]
    fn an_outline_has_the_names_only() {
        let document = r#"{"user":"x","deep":{"one":{"two":{"three":3}},"list":[{"a":1}],"empty":{}}}"#;
        for (depth, outline) in [
            (0, json!({"user": null, "deep": {"one": {"two": {"three": null}}, "list": null, "empty": null}})),
            (1, json!({"user": null, "deep": null})),
            (2, json!({"user": null, "deep": {"one": null, "list": null, "empty": null}})),
            (9, json!({"user": null, "deep": {"one": {"two": {"three": null}}, "list": null, "empty": null}})),
        ] {
            assert_eq!(serde_json::to_value(Outline::of(&json(document), depth).unwrap()).unwrap(), outline);
        }
        assert_eq!(serde_json::to_string(&Outline::of(&json("{}"), 0).unwrap()).unwrap(), "{}");
    }

    #[test]
    fn a_name_that_is_no_text_is_refused() {
        for text in [r#"{"\ud800":1}"#, r#"{"a":{"\udfff":1}}"#] {
            assert!(merge(None, json(text)).is_err());
            assert!(Outline::of(&json(text), 0).is_err());
        }
    }

    /// Section 2 of the RFC, on trees.
    fn slowly(target: Value, patch: Value) -> Value {
        let Value::Object(patch) = patch else { return patch };
        let mut target = match target {
            Value::Object(target) => target,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                serde_json::Map::new()
            }
        };
        for (name, value) in patch {
            if value.is_null() {
                target.remove(&name);
            } else {
                let old = target.remove(&name).unwrap_or_default();
                target.insert(name, slowly(old, value));
            }
        }
        Value::Object(target)
    }

    fn document() -> impl Strategy<Value = Value> {
        let leaf =
            prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), any::<i8>().prop_map(Value::from)];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[abc]", inner, 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn merging_text_is_merging_trees(target in document(), patch in document()) {
            let text = merged(&target.to_string(), &patch.to_string());
            prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), slowly(target, patch));
        }
    }
}
