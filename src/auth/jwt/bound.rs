//! Bound claims: what a token must say for a role to take it.

use serde_json::{Map, Value};

use crate::engine::fits_glob;

use super::roles::ClaimsType;
use super::token::Claims;

/// Why a claim does not fit. The sentences name the claim, which the operator wrote, and never its value.
pub(super) type Mismatch = String;

/// Whether bound claims make sense for their type. The error is a sentence for the caller.
pub(super) fn check(bound: &Map<String, Value>, kind: ClaimsType) -> Result<(), &'static str> {
    let is_text = |value: &Value| each(value).is_some_and(|values| values.into_iter().all(Value::is_string));
    if kind == ClaimsType::Glob && !bound.values().all(is_text) {
        return Err("claim is not a string: a bound claim of the type 'glob' must be text, or a list of texts");
    }
    Ok(())
}

/// Whether `claims` have, for every bound claim, one of the values that are bound.
pub(super) fn fit(claims: &Claims, bound: &Map<String, Value>, kind: ClaimsType) -> Result<(), Mismatch> {
    for (name, wanted) in bound {
        let said = claims.find(name).ok_or_else(|| format!("claim {name:?} is missing"))?;
        let said = each(said).ok_or_else(|| format!("claim {name:?} is not a string, bool, int or list"))?;
        let wanted = each(wanted).ok_or_else(|| format!("bound claim {name:?} is not a string, bool, int or list"))?;
        if !said.iter().any(|said| wanted.iter().any(|wanted| equal(said, wanted, kind))) {
            return Err(format!("claim {name:?} does not match any associated bound claim values"));
        }
    }
    Ok(())
}

/// The values of a list, or the one value; nothing for what cannot be compared.
fn each(value: &Value) -> Option<Vec<&Value>> {
    match value {
        Value::String(_) | Value::Bool(_) | Value::Number(_) => Some(vec![value]),
        Value::Array(items) => Some(items.iter().collect()),
        Value::Object(_) | Value::Null => None,
    }
}

fn equal(said: &Value, wanted: &Value, kind: ClaimsType) -> bool {
    match (said, wanted, kind) {
        (Value::String(said), Value::String(pattern), ClaimsType::Glob) => fits_glob(pattern, said),
        (_, _, ClaimsType::Glob) | (Value::Object(_) | Value::Array(_) | Value::Null, _, ClaimsType::String) => false,
        (Value::Number(said), Value::Number(wanted), ClaimsType::String) => {
            said == wanted
                || said.as_f64().zip(wanted.as_f64()).is_some_and(|(said, wanted)| said.total_cmp(&wanted).is_eq())
        }
        (Value::String(_) | Value::Bool(_) | Value::Number(_), _, ClaimsType::String) => said == wanted,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn fits(bound: Value, claims: Value, kind: ClaimsType) -> bool {
        let (Value::Object(bound), Value::Object(claims)) = (bound, claims) else { panic!("no objects") };
        fit(&Claims(claims), &bound, kind).is_ok()
    }

    #[test]
    fn values_of_the_same_type_are_compared() {
        for (bound, claim, is_fit) in [
            (json!("a"), json!("a"), true),
            (json!("A"), json!("a"), false),
            (json!(""), json!(""), true),
            (json!(1), json!(1), true),
            (json!(1.0), json!(1), true),
            (json!("1"), json!(1), false),
            (json!(1), json!("1"), false),
            (json!(true), json!(true), true),
            (json!("true"), json!(true), false),
            (json!(true), json!("true"), false),
            (json!(["a", "b"]), json!(["c", "b"]), true),
            (json!(["a", "b"]), json!("b"), true),
            (json!("b"), json!(["a", "b"]), true),
            (json!("a,b"), json!("a"), false),
            (json!([]), json!("a"), false),
            (json!([]), json!([]), false),
            (json!("a"), json!([]), false),
            (json!(null), json!(null), false),
            (json!({"a": 1}), json!({"a": 1}), false),
            (json!([{"a": 1}]), json!([{"a": 1}]), false),
            (json!([["a"]]), json!([["a"]]), false),
            (json!("a*"), json!("ab"), false),
        ] {
            let outcome = fits(json!({"n": bound}), json!({"n": claim}), ClaimsType::String);
            assert_eq!(outcome, is_fit, "{bound} {claim}");
        }
        assert!(!fits(json!({"n": "a"}), json!({}), ClaimsType::String), "a claim that is missing");
        assert!(fits(json!({"/l/1": "b"}), json!({"l": ["a", "b"]}), ClaimsType::String));
        assert!(!fits(json!({"/l": "b"}), json!({"/l": "b"}), ClaimsType::String), "a pointer is no name");
        assert!(!fits(json!({"a": "x", "b": "y"}), json!({"a": "x", "b": "z"}), ClaimsType::String), "all must fit");
    }

    #[test]
    fn patterns() {
        for (pattern, text, is_fit) in [
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("a*a", "a", false),
            ("*", "", true),
            ("**", "x", true),
            ("a?c", "abc", false),
            ("a**c", "abxc", true),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "a1c2b", false),
            ("a[bc]", "ab", false),
            ("a\\*", "a*", false),
            ("refs/heads/*", "refs/heads/a/b", true),
            ("refs/heads/*", "refs/tags/a", false),
            ("A*", "abc", false),
            ("", "", true),
            ("", "a", false),
            ("é*", "éa", true),
        ] {
            assert_eq!(fits_glob(pattern, text), is_fit, "{pattern} {text}");
        }
        assert!(!fits(json!({"n": "1*"}), json!({"n": 12}), ClaimsType::Glob));
        assert!(fits(json!({"n": ["x*", "a*"]}), json!({"n": ["q", "abc"]}), ClaimsType::Glob));
    }

    /// The same by trying every place.
    fn matches_slowly(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|at| matches_slowly(rest, &text[at..])),
            Some((c, rest)) => text.first() == Some(c) && matches_slowly(rest, &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn a_pattern_fits_what_it_says(pattern in "[ab*é]{0,6}", text in "[abé]{0,8}") {
            let (chars, of): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
            prop_assert_eq!(fits_glob(&pattern, &text), matches_slowly(&chars, &of));
        }
    }
}
