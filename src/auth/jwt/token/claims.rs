//! What a token says.

use serde_json::{Map, Number, Value};

use super::times::Times;

/// The claims of a token whose signature was verified, or of an answer that came from the provider itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::auth::jwt) struct Claims(pub(in crate::auth::jwt) Map<String, Value>);

/// The claims of RFC 7519 that are looked at in each token, in their own types.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::auth::jwt) struct Registered {
    /// `iss`.
    pub(in crate::auth::jwt) issuer: Option<String>,
    /// `sub`.
    pub(in crate::auth::jwt) subject: Option<String>,
    /// `aud`, of which a single text is a list of one.
    pub(in crate::auth::jwt) audiences: Vec<String>,
    /// `exp`, `nbf` and `iat`.
    pub(in crate::auth::jwt) times: Times,
}

impl Claims {
    /// A claim by its name, or by a JSON Pointer (RFC 6901), which begins with a slash. `null` is as good as nothing.
    pub(in crate::auth::jwt) fn find(&self, name: &str) -> Option<&Value> {
        let found = match name.strip_prefix('/') {
            None => self.0.get(name),
            Some(path) => {
                let (first, rest) = path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest)));
                let top = self.0.get(&first.replace("~1", "/").replace("~0", "~"));
                match rest {
                    None => top,
                    Some(rest) => top.and_then(|value| value.pointer(&format!("/{rest}"))),
                }
            }
        };
        found.filter(|value| !value.is_null())
    }

    /// A claim by its very name, whatever that begins with.
    pub(in crate::auth::jwt) fn named(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A claim that is a text.
    pub(in crate::auth::jwt) fn text(&self, name: &str) -> Option<&str> {
        self.named(name).and_then(Value::as_str)
    }

    /// The claims of RFC 7519. One of the wrong type is an error, for which the sentence is for the caller.
    pub(in crate::auth::jwt) fn registered(&self) -> Result<Registered, &'static str> {
        let text = |name: &str, fault| match self.named(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) | Value::Null) => Err(fault),
        };
        let time = |name: &str, fault| match self.named(name) {
            None => Ok(None),
            Some(Value::Number(number)) => seconds(number).map(Some).ok_or(fault),
            Some(Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) | Value::Null) => Err(fault),
        };
        Ok(Registered {
            issuer: text("iss", "the issuer (iss) claim must be text")?,
            subject: text("sub", "the subject (sub) claim must be text")?,
            audiences: self.audiences()?,
            times: Times {
                expires: time("exp", "the expiration time (exp) claim must be a number of seconds")?,
                not_before: time("nbf", "the not before (nbf) claim must be a number of seconds")?,
                issued: time("iat", "the issued at (iat) claim must be a number of seconds")?,
            },
        })
    }

    fn audiences(&self) -> Result<Vec<String>, &'static str> {
        const FAULT: &str = "the audience (aud) claim must be text or a list of texts";
        match self.named("aud") {
            None => Ok(Vec::new()),
            Some(Value::String(text)) => Ok(vec![text.clone()]),
            Some(Value::Array(items)) => {
                let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
                texts.collect::<Option<Vec<_>>>().ok_or(FAULT)
            }
            Some(Value::Bool(_) | Value::Number(_) | Value::Object(_) | Value::Null) => Err(FAULT),
        }
    }
}

/// A `NumericDate` in whole seconds, rounded down; nothing outside of the years that a clock can show.
fn seconds(number: &Number) -> Option<i64> {
    const LATEST: i64 = 253_402_300_799;
    let whole = match number.as_i64() {
        Some(whole) => whole,
        #[expect(clippy::cast_possible_truncation, reason = "a number outside of the range becomes its bound")]
        None => number.as_f64()?.floor() as i64,
    };
    (-LATEST..=LATEST).contains(&whole).then_some(whole)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(value: Value) -> Claims {
        let Value::Object(map) = value else { panic!("no object") };
        Claims(map)
    }

    #[test]
    fn pointers_and_names() {
        let claims = claims(json!({"a": {"b": ["x", {"c/d": 1}]}, "/a": "literal", "n": null, "e~f": 2}));
        assert_eq!(claims.find("/a/b/0"), Some(&json!("x")));
        assert_eq!(claims.find("/a/b/1/c~1d"), Some(&json!(1)));
        assert_eq!(claims.find("/e~0f"), Some(&json!(2)));
        assert_eq!(claims.named("/a"), Some(&json!("literal")));
        for missing in ["/a/b/2", "/a/b/-", "/", "", "n", "/n", "b", "/a/c"] {
            assert_eq!(claims.find(missing), None, "{missing}");
        }
    }

    #[test]
    fn registered_claims_have_their_types() {
        let fine = claims(json!({"iss": "i", "sub": "s", "aud": "a", "exp": 10.9, "nbf": -1.5, "iat": null}));
        let registered = fine.registered().unwrap();
        assert_eq!(registered.audiences, ["a"]);
        assert_eq!(registered.times, Times { expires: Some(10), not_before: Some(-2), issued: None });
        for (name, bad) in [
            ("iss", json!(1)),
            ("sub", json!(["a"])),
            ("aud", json!(1)),
            ("aud", json!(["a", 1])),
            ("aud", json!({"a": 1})),
            ("exp", json!("10")),
            ("exp", json!(1e30)),
            ("exp", json!(9e18)),
            ("nbf", json!(true)),
            ("iat", json!([1])),
        ] {
            let map = Map::from_iter([(name.to_owned(), bad.clone())]);
            assert!(Claims(map).registered().is_err(), "{name}: {bad}");
        }
    }
}
