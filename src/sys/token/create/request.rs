//! What a caller asks a new token to be like.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use crate::api::{KeyValues, LooseBool, LooseInt, LooseText, Ttl};
use crate::secret::ClientToken;

/// What a caller asks a new token to be like. What is left out is as the role, the parent and the mount have it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct TokenRequest {
    /// The token itself. For those with sudo only.
    pub(super) id: Option<ClientToken>,
    /// Its policies; the parent's if there are none.
    pub(super) policies: Policies,
    /// What is shown with it.
    pub(super) meta: KeyValues,
    /// Whether it outlives its parent. For those with sudo only.
    pub(super) no_parent: LooseBool,
    /// Whether the policy `default` is left out.
    pub(super) no_default_policy: LooseBool,
    /// Whether it can be renewed; it can if this is left out.
    pub(super) renewable: Option<LooseBool>,
    /// How long it lasts.
    pub(super) ttl: Ttl,
    /// The older name of `ttl`.
    pub(super) lease: Ttl,
    /// `service` or `batch`.
    #[serde(rename = "type")]
    pub(super) kind: Option<LooseText>,
    /// A bound that no renewal can lift.
    pub(super) explicit_max_ttl: Ttl,
    /// How its holder is called in lists and logs; `token-` is put before it.
    pub(super) display_name: Option<LooseText>,
    /// How many requests it is good for; 0 is any number.
    pub(super) num_uses: LooseInt,
    /// Each renewal makes it last this long again. For those with sudo only.
    pub(super) period: Ttl,
    /// The name by which an entity is known to this mount. With a role that allows it only.
    pub(super) entity_alias: Option<LooseText>,
}

/// Names of policies: nothing where none are asked for. Unlike elsewhere a single text is *one* name, whatever is in
/// it.
///
/// Blank names are no names, but they are asked for: whoever sends nothing else gets none of the parent's policies.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Policies(pub(super) Option<Vec<String>>);

impl<'de> Deserialize<'de> for Policies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expected = || de::Error::custom("expected a list of names of policies");
        let names = match Value::deserialize(deserializer)? {
            Value::Null => Vec::new(),
            Value::String(name) if name.is_empty() => Vec::new(),
            Value::String(name) => vec![name],
            Value::Array(items) => {
                let name = |item: Value| {
                    let name = if item.is_null() { Some("") } else { item.as_str() };
                    name.map(str::to_owned).ok_or_else(expected)
                };
                items.into_iter().map(name).collect::<Result<_, _>>()?
            }
            Value::Bool(_) | Value::Number(_) | Value::Object(_) => return Err(expected()),
        };
        if names.is_empty() {
            return Ok(Self(None));
        }
        let mut names: Vec<String> = names.iter().map(|name| name.trim().to_lowercase()).collect();
        names.retain(|name| !name.is_empty());
        names.sort_unstable();
        names.dedup();
        Ok(Self(Some(names)))
    }
}

impl JsonSchema for Policies {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Policies".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": ["array", "string"], "items": {"type": "string"}})
    }
}

impl TokenRequest {
    /// How its holder is called: `token`, with what the caller says behind it, of which only letters, digits and
    /// hyphens stay.
    pub(super) fn shown_name(&self) -> String {
        let asked = self.display_name.as_ref().map(|name| name.0.as_str()).unwrap_or_default();
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        let name: String = format!("token-{asked}").chars().map(plain).collect();
        name.strip_suffix('-').unwrap_or(&name).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policies(json: &str) -> Option<Vec<String>> {
        serde_json::from_str::<Policies>(json).unwrap().0
    }

    #[test]
    fn a_single_text_is_one_name() {
        assert_eq!(policies(r#""a,B, c""#), Some(vec!["a,b, c".to_owned()]));
        assert_eq!(policies(r#"["b", " A ", "", "a"]"#), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert!(serde_json::from_str::<Policies>("[1]").is_err());
        assert!(serde_json::from_str::<Policies>("{}").is_err());
    }

    #[test]
    fn blank_names_are_not_the_same_as_none_asked_for() {
        for nothing in ["null", "\"\"", "[]"] {
            assert_eq!(policies(nothing), None, "{nothing}");
        }
        for blank in ["\" \"", "[\"\"]", "[\" \"]", "[\"\",\"\"]", "[null]"] {
            assert_eq!(policies(blank), Some(Vec::new()), "{blank}");
        }
    }

    #[test]
    fn names_are_made_plain() {
        let name = |asked: &str| {
            let display_name = Some(LooseText(asked.to_owned()));
            TokenRequest { display_name, ..TokenRequest::default() }.shown_name()
        };
        assert_eq!(name(""), "token");
        assert_eq!(name("x y"), "token-x-y");
        assert_eq!(name("root-üx"), "token-root--x");
        assert_eq!(name("a!"), "token-a");
    }
}
