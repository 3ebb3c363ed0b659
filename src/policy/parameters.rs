//! Constraints on the fields of a request: `allowed_parameters`, `denied_parameters`, `required_parameters`.
//!
//! They see the top level of the body (of a read: its query), nothing below. Where several spellings of a value end in
//! the same thing (`"Admin"`, `" admin"`, `["admin"]`, `"a,admin"`), a denial is for all of them: a rule cannot know
//! which of them the endpoint folds.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::error::Result;

/// The fields of a request, which are only read when a rule asks about them.
pub trait Parameters {
    /// The fields. An error means that the body cannot be read, and is the caller's answer.
    fn fields(&self) -> Result<&Map<String, Value>>;
}

impl Parameters for Map<String, Value> {
    fn fields(&self) -> Result<&Map<String, Value>> {
        Ok(self)
    }
}

/// What a rule says about the fields of a request. Keys are in lower case; `*` stands for every other key; no values
/// stand for every value.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ParameterRules {
    pub(super) allowed: BTreeMap<String, Vec<Value>>,
    pub(super) denied: BTreeMap<String, Vec<Value>>,
    pub(super) required: BTreeSet<String>,
}

/// What is wrong with a field. Keys are in lower case; values are never repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It must be there.
    Required(String),
    /// It, or the value that it has, is not among what is allowed.
    NotAllowed(String),
    /// It, or the value that it has, is denied.
    Denied(String),
}

impl ParameterRules {
    /// Whether there is nothing to check.
    pub(super) fn is_empty(&self) -> bool {
        self.allowed.is_empty() && self.denied.is_empty() && self.required.is_empty()
    }

    /// Adds what another rule for the same path says: values add up, and «every value» beats a list of them.
    pub(super) fn merge(&mut self, other: &Self) {
        merge(&mut self.allowed, &other.allowed);
        merge(&mut self.denied, &other.denied);
        self.required.extend(other.required.iter().cloned());
    }

    /// Whether a request with these fields may pass.
    pub(super) fn admit(&self, fields: &Map<String, Value>) -> bool {
        let complete = self.required.iter().all(|key| fields.contains_key(key));
        complete && fields.iter().all(|(key, value)| self.admits(&key.to_lowercase(), value))
    }

    /// What there is against these fields, by key; nothing if, and only if, they may pass. For explanations.
    pub(super) fn faults(&self, fields: &Map<String, Value>) -> Vec<Fault> {
        let lacking = self.required.iter().filter(|key| !fields.contains_key(*key)).cloned().map(Fault::Required);
        let refused = fields.iter().filter_map(|(key, value)| {
            let key = key.to_lowercase();
            if self.refuses(&key, value) {
                return Some(Fault::Denied(key));
            }
            (!self.covers(&key, value)).then_some(Fault::NotAllowed(key))
        });
        lacking.chain(refused).collect()
    }

    /// The least change after which `fault` is none: what is sent may pass, of whatever value it is.
    pub(super) fn repair(&mut self, fault: &Fault, fields: &Map<String, Value>) {
        match fault {
            Fault::Required(key) => drop(self.required.remove(key)),
            Fault::NotAllowed(key) => drop(self.allowed.insert(key.clone(), Vec::new())),
            Fault::Denied(key) => self.undeny(key, fields),
        }
    }

    fn undeny(&mut self, key: &str, fields: &Map<String, Value>) {
        if self.denied.remove("*").is_some() && self.allowed.is_empty() {
            // What was denied to all is allowed to what is sent, and to nothing else.
            self.allowed.extend(fields.keys().map(|key| (key.to_lowercase(), Vec::new())));
        }
        let Some(values) = self.denied.get_mut(key) else { return };
        let sent = || fields.iter().filter(|(name, _)| name.to_lowercase() == key).map(|(_, value)| value);
        values.retain(|pattern| !sent().any(|value| denies(pattern, value)));
        if values.is_empty() {
            self.denied.remove(key);
        }
    }

    fn admits(&self, key: &str, value: &Value) -> bool {
        self.covers(key, value) && !self.refuses(key, value)
    }

    fn covers(&self, key: &str, value: &Value) -> bool {
        match self.allowed.get(key) {
            Some(values) => values.is_empty() || values.iter().any(|pattern| allows(pattern, value)),
            None => self.allowed.is_empty() || self.allowed.contains_key("*"),
        }
    }

    fn refuses(&self, key: &str, value: &Value) -> bool {
        self.denied.contains_key("*")
            || self
                .denied
                .get(key)
                .is_some_and(|values| values.is_empty() || values.iter().any(|pattern| denies(pattern, value)))
    }
}

fn merge(into: &mut BTreeMap<String, Vec<Value>>, from: &BTreeMap<String, Vec<Value>>) {
    for (key, values) in from {
        match into.get_mut(key) {
            None => drop(into.insert(key.clone(), values.clone())),
            Some(known) if known.is_empty() || values.is_empty() => known.clear(),
            Some(known) => known.extend(values.iter().cloned()),
        }
    }
}

/// Whether an allowed value covers `value`: text by glob, anything else as a whole. Numbers are never covered, as the
/// peer does it: the same number has many spellings. A text with commas may be a list to the endpoint, so a glob must
/// cover each of its parts.
fn allows(pattern: &Value, value: &Value) -> bool {
    match (pattern, value) {
        (Value::String(pattern), Value::String(text)) if is_glob(pattern) => {
            text.split(',').all(|part| glob(pattern, part.trim())) && glob(pattern, text)
        }
        (pattern, value) => same(pattern, value),
    }
}

fn same(pattern: &Value, value: &Value) -> bool {
    match (pattern, value) {
        (Value::Bool(pattern), Value::Bool(value)) => pattern == value,
        (Value::String(pattern), Value::String(value)) => pattern == value,
        (Value::Array(patterns), Value::Array(values)) => {
            patterns.len() == values.len() && patterns.iter().zip(values).all(|(pattern, value)| same(pattern, value))
        }
        (Value::Object(patterns), Value::Object(values)) => {
            patterns.len() == values.len()
                && patterns.iter().all(|(key, pattern)| values.get(key).is_some_and(|value| same(pattern, value)))
        }
        _ => false,
    }
}

/// Whether a denied value covers `value` in any of its spellings.
fn denies(pattern: &Value, value: &Value) -> bool {
    match pattern {
        Value::Object(_) => same(pattern, value),
        Value::Array(_) => same(pattern, value) || spellings(pattern) == spellings(value),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            let patterns = spelling(pattern);
            spellings(value).iter().chain(&spelling(value)).any(|text| {
                patterns
                    .iter()
                    .any(|pattern| pattern == "*" || pattern == text || (is_glob(pattern) && glob(pattern, text)))
            })
        }
    }
}

/// The texts that an endpoint could make out of a value: of a list its elements, of a text the parts between commas.
fn spellings(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(spellings).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) | Value::String(_) => {
            spelling(value).iter().flat_map(|text| text.split(',')).map(|part| part.trim().to_owned()).collect()
        }
    }
}

/// A scalar's text in lower case, without blanks at its ends.
fn spelling(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_lowercase()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Whether a text has a star at its start or end, and something besides.
fn is_glob(pattern: &str) -> bool {
    pattern.len() > 1 && (pattern.starts_with('*') || pattern.ends_with('*'))
}

fn glob(pattern: &str, text: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(tail), None) => text.ends_with(tail),
        (None, Some(head)) => text.starts_with(head),
        (Some(tail), Some(_)) => text.contains(tail.strip_suffix('*').unwrap_or_default()),
        (None, None) => pattern == text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rules(allowed: &Value, denied: &Value, required: &[&str]) -> ParameterRules {
        let map = |value: &Value| {
            let pairs = value.as_object().unwrap().iter();
            pairs.map(|(key, values)| (key.clone(), values.as_array().unwrap().clone())).collect()
        };
        let required = required.iter().map(|key| (*key).to_owned()).collect();
        ParameterRules { allowed: map(allowed), denied: map(denied), required }
    }

    fn allowed(values: &Value, value: &Value) -> bool {
        rules(&json!({ "a": values }), &json!({}), &[]).admit(json!({ "a": value }).as_object().unwrap())
    }

    fn denied(values: &Value, value: &Value) -> bool {
        !rules(&json!({}), &json!({ "a": values }), &[]).admit(json!({ "a": value }).as_object().unwrap())
    }

    #[test]
    fn allowed_values_as_observed() {
        for (values, value) in [
            (json!([true]), json!(true)),
            (json!(["1"]), json!("1")),
            (json!([["a", "b"]]), json!(["a", "b"])),
            (json!(["a", "b"]), json!("a")),
            (json!(["*x"]), json!("ax")),
            (json!(["*x"]), json!("x")),
            (json!(["a*b"]), json!("a*b")),
            (json!(["*x*"]), json!("axb")),
            (json!([{"b": "1"}]), json!({"b": "1"})),
            (json!([""]), json!("")),
            (json!([[]]), json!([])),
            (json!([]), json!({"any": [1]})),
            (json!(["dev-*"]), json!("dev-a, dev-b")),
        ] {
            assert!(allowed(&values, &value), "{values} {value}");
        }
        for (values, value) in [
            (json!([1]), json!(1)),
            (json!([1]), json!("1")),
            (json!([true]), json!("true")),
            (json!(["1"]), json!(1)),
            (json!(["true"]), json!(true)),
            (json!([["a", "b"]]), json!(["b", "a"])),
            (json!([["a", "b"]]), json!("a")),
            (json!(["a", "b"]), json!(["a"])),
            (json!(["*x"]), json!("xa")),
            (json!(["a*b"]), json!("acb")),
            (json!(["*"]), json!("z")),
            (json!([{"b": 1}]), json!({"b": 1})),
            (json!([""]), json!(null)),
            (json!(["A"]), json!("a")),
            (json!([[1]]), json!([1])),
            (json!(["dev-*"]), json!("dev-a,admin")),
        ] {
            assert!(!allowed(&values, &value), "{values} {value}");
        }
    }

    #[test]
    fn a_denial_is_for_every_spelling() {
        for value in [
            json!("admin"),
            json!("Admin"),
            json!(" admin"),
            json!(["ADMIN"]),
            json!("a,admin"),
            json!(["a", "b, Admin"]),
            json!([["admin"]]),
        ] {
            assert!(denied(&json!(["admin"]), &value), "{value}");
        }
        for value in [json!("administrator"), json!(["a"]), json!({"admin": 1}), json!(null), json!(1)] {
            assert!(!denied(&json!(["admin"]), &value), "{value}");
        }
        assert!(
            denied(&json!([1]), &json!(1)) && denied(&json!([1]), &json!("1")) && denied(&json!(["1"]), &json!([1]))
        );
        assert!(denied(&json!([["admin"]]), &json!("Admin")) && !denied(&json!([["admin"]]), &json!(["a", "admin"])));
        assert!(denied(&json!(["dark-*"]), &json!("DARK-red")) && denied(&json!(["*"]), &json!("any")));
        assert!(denied(&json!([]), &json!(null)));
    }

    #[test]
    fn keys() {
        let check = |rules: &ParameterRules, fields: Value| rules.admit(fields.as_object().unwrap());
        let named = rules(&json!({"a": ["1"], "b": []}), &json!({}), &[]);
        assert!(check(&named, json!({})) && check(&named, json!({"A": "1"})) && !check(&named, json!({"c": 1})));
        let others = rules(&json!({"a": ["1"], "*": ["ignored"]}), &json!({}), &[]);
        assert!(check(&others, json!({"c": "x"})) && !check(&others, json!({"a": "2", "c": "x"})));
        let all = rules(&json!({}), &json!({"*": ["ignored"]}), &[]);
        assert!(check(&all, json!({})) && !check(&all, json!({"x": 1})));
        let both = rules(&json!({"*": []}), &json!({"bad": []}), &[]);
        assert!(check(&both, json!({"x": 1})) && !check(&both, json!({"BAD": 1})));
        let required = rules(&json!({}), &json!({}), &["b"]);
        assert!(
            check(&required, json!({"b": null})) && !check(&required, json!({"B": 2})) && !check(&required, json!({}))
        );
    }

    #[test]
    fn merging_adds_up() {
        let mut first = rules(&json!({"a": ["1"]}), &json!({"d": ["1"]}), &["x"]);
        first.merge(&rules(&json!({"a": ["2"], "b": []}), &json!({"d": []}), &["y"]));
        assert_eq!(first, rules(&json!({"a": ["1", "2"], "b": []}), &json!({"d": []}), &["x", "y"]));
        first.merge(&rules(&json!({"a": []}), &json!({"d": ["9"]}), &[]));
        assert_eq!(first, rules(&json!({"a": [], "b": []}), &json!({"d": []}), &["x", "y"]));
    }
}
