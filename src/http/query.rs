//! Queries and forms, as JSON objects.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::api::LooseBool;
use crate::error::{Error, Result};
use crate::secret::SecretBytes;

/// Names that say what a request is rather than what it carries.
pub(super) const DIRECTIONS: [&str; 3] = ["list", "scan", "help"];

/// Whether the query has `name` with a true value. An error for a value that is neither true nor false.
pub(super) fn flag(query: &str, name: &'static str) -> Result<bool> {
    let Some((_, value)) = pairs(query).find(|(key, _)| key == name) else { return Ok(false) };
    if value.is_empty() {
        return Ok(false);
    }
    let flag = LooseBool::parse(&value).map(|flag| flag.0);
    flag.ok_or_else(|| Error::invalid(format!("the query's {name} must be true or false")))
}

/// The first value of `name`.
pub(super) fn value(query: &str, name: &str) -> Option<String> {
    pairs(query).find(|(key, _)| key == name).map(|(_, value)| value)
}

/// The fields of a query as a JSON object; nothing where there are none.
pub(super) fn fields(query: &str) -> Result<SecretBytes> {
    object(pairs(query).filter(|(key, _)| !DIRECTIONS.contains(&key.as_str())))
}

/// The fields of a form as a JSON object.
pub(super) fn form(body: &[u8]) -> Result<SecretBytes> {
    let text = std::str::from_utf8(body).map_err(|_| Error::invalid("the form is not UTF-8"))?;
    object(pairs(text))
}

/// A name that comes several times becomes one text with commas, which the fields of lists take apart again.
fn object(pairs: impl Iterator<Item = (String, String)>) -> Result<SecretBytes> {
    let mut fields = Map::new();
    for (key, value) in pairs {
        match fields.get_mut(&key) {
            Some(Value::String(before)) => {
                before.push(',');
                before.push_str(&value);
            }
            _ => {
                fields.insert(key, Value::String(value));
            }
        }
    }
    if fields.is_empty() {
        return Ok(SecretBytes::default());
    }
    serde_json::to_vec(&fields).map(SecretBytes::new).map_err(|_| Error::invalid("the query cannot be read"))
}

pub(super) fn pairs(text: &str) -> impl Iterator<Item = (String, String)> {
    text.split('&').filter(|part| !part.is_empty()).map(|part| {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        (decoded(key), decoded(value))
    })
}

fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_become_objects() {
        let json = form(b"a=1&b=2&b=3&c=x%20y+z").unwrap();
        assert_eq!(&json[..], br#"{"a":"1","b":"2,3","c":"x y z"}"#);
        assert!(fields("list=true").unwrap().is_empty());
        assert!(flag("a=1&list=true", "list").unwrap());
        assert!(!flag("list=false", "list").unwrap());
        assert!(flag("list=maybe", "list").is_err());
    }
}
