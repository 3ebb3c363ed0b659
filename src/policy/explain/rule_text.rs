//! A rule as the text of a policy.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;

use crate::hcl;
use crate::policy::capability::Capability;
use crate::policy::document::Terms;

/// The rules that say `terms` about `path`, in the canonical form. One, unless lists are filtered in several ways at
/// once. Nothing if a policy cannot say it.
pub(super) fn written(path: &str, terms: &Terms) -> Option<String> {
    let Terms { capabilities, parameters, wrap_bounds, page_limit, list_filters } = terms;
    let words: Vec<String> = capabilities.iter().map(Capability::as_str).map(quoted).collect();
    let mut body = format!("  capabilities = [{}]\n", words.join(", "));
    lists(&mut body, "allowed_parameters", &parameters.allowed);
    lists(&mut body, "denied_parameters", &parameters.denied);
    if !parameters.required.is_empty() {
        let keys: Vec<String> = parameters.required.iter().map(|key| quoted(key)).collect();
        let _ = writeln!(body, "  required_parameters = [{}]", keys.join(", "));
    }
    let ttls = [("min_wrapping_ttl", wrap_bounds.min), ("max_wrapping_ttl", wrap_bounds.max)];
    for (name, ttl) in ttls.into_iter().filter_map(|(name, ttl)| Some((name, seconds(ttl?, name)?))) {
        let _ = writeln!(body, "  {name} = \"{ttl}s\"");
    }
    if let Some(limit) = page_limit {
        let _ = writeln!(body, "  pagination_limit = {limit}");
    }
    let filters: Vec<String> = list_filters.iter().map(|filter| quoted(&filter.text())).collect();
    let blocks = (0..filters.len().max(1)).map(|number| {
        let filter = filters.get(number).map(|filter| format!("  list_scan_response_keys_filter_path = {filter}\n"));
        format!("path {} {{\n{body}{}}}\n", quoted(path), filter.unwrap_or_default())
    });
    let text = blocks.collect::<Vec<_>>().join("\n");
    hcl::format(text.as_bytes()).ok()
}

fn lists(body: &mut String, name: &str, values: &BTreeMap<String, Vec<Value>>) {
    if values.is_empty() {
        return;
    }
    let _ = writeln!(body, "  {name} = {{");
    for (key, values) in values {
        let values: Vec<String> = values.iter().map(literal).collect();
        let _ = writeln!(body, "    {} = [{}]", quoted(key), values.join(", "));
    }
    body.push_str("  }\n");
}

/// A bound in whole seconds, rounded so that it is no tighter; nothing where it would be none.
fn seconds(ttl: Duration, name: &str) -> Option<u64> {
    let up = u64::from(ttl.subsec_nanos() > 0 && name == "max_wrapping_ttl");
    Some(ttl.as_secs().saturating_add(up)).filter(|seconds| *seconds > 0)
}

fn literal(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(items) => format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| format!("{} = {}", quoted(key), literal(value)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// A text between quotes, with escapes for what would end it or begin something else.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '$' => out.push_str("\\x24"),
            '\n' => out.push_str("\\n"),
            control if control.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            plain => out.push(plain),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::policy::{Policy, PolicyName};

    fn terms(text: &str) -> Terms {
        let policy = Policy::parse(PolicyName::parse("p").unwrap(), text).unwrap();
        Arc::new(policy).rules()[0].terms.clone()
    }

    #[test]
    fn every_attribute_is_written_and_read_back() {
        let text = r#"path "a" {
          capabilities         = ["create", "list", "sudo"]
          allowed_parameters   = { "a" = [] "b" = ["x", 1, 2.5, true, ["y"], { c = "d" }] }
          denied_parameters    = { "*" = [] }
          required_parameters  = ["q\"uote"]
          min_wrapping_ttl     = "1m"
          max_wrapping_ttl     = 3600
          pagination_limit     = 7
          list_scan_response_keys_filter_path = "{{ .path }}{{ .key }}"
        }"#;
        let terms_of_text = terms(text);
        let again = terms(&written("a", &terms_of_text).unwrap());
        assert_eq!(format!("{terms_of_text:?}"), format!("{again:?}"));
    }

    proptest! {
        #[test]
        fn any_text_can_be_quoted(text in any::<String>()) {
            let document = format!("path \"a\" {{ required_parameters = [{}] }}", quoted(&text));
            let read = terms(&document);
            prop_assert_eq!(read.parameters.required.iter().next().unwrap(), &text.to_lowercase());
        }
    }
}
