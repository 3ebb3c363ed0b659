//! An explanation as people read it: of the server's, and of a table of expectations.

use crate::json::Json;
use crate::output::{key_value, wrap};

/// The whole of it: what was asked, the reason, and what would help.
pub(super) fn text(explanation: &Json) -> String {
    let allowed = explanation.is_true_at("allowed");
    let mut rows = vec![("Allowed".to_owned(), if allowed { "yes" } else { "no" }.to_owned())];
    let mut row = |name: &str, value: String| rows.push((name.to_owned(), value));
    row("Path", explanation.text_at("path").to_owned());
    row("Operation", explanation.text_at("operation").to_owned());
    for said in items(explanation, "decided_by") {
        row("Decided by", origin(said));
    }
    for missing in items(explanation, "missing") {
        row("Missing", lack(missing));
    }
    for other in items(explanation, "shadowed") {
        let would = if other.is_true_at("would_allow") { "would allow it" } else { "would not allow it" };
        let policies = other.texts_at("policies").join(", ");
        row("Does not count", format!("{:?} of {policies}, which {would}", other.text_at("path")));
    }
    for text in explanation.texts_at("left_out") {
        row("Left out", text.to_owned());
    }
    let mut text = key_value(rows).to_string();
    text.push('\n');
    text.push_str(&wrap(explanation.text_at("reason"), 100));
    text.push('\n');
    text + &suggestion(explanation)
}

/// What would let the request pass, with an empty line before it; nothing if there is nothing to suggest.
pub(super) fn suggestion(explanation: &Json) -> String {
    let Some(suggestion) = explanation.some("suggestion") else { return String::new() };
    let replaces: Vec<String> = items(suggestion, "replaces").iter().map(place).collect();
    let what = if replaces.is_empty() {
        "This rule, added to one of the token's policies, would allow it:".to_owned()
    } else {
        format!("This rule, in the place of {}, would allow it:", replaces.join(" and of "))
    };
    format!("\n{what}\n\n{}", suggestion.text_at("rule"))
}

fn items<'a>(json: &'a Json, key: &str) -> &'a [Json] {
    json.some(key).map_or(&[], Json::items)
}

fn origin(said: &Json) -> String {
    let capabilities = said.texts_at("capabilities").join(", ");
    match said.text_at("path") {
        "" => format!("policy {} ({capabilities})", said.text_at("policy")),
        path => format!("{}: {path:?} ({capabilities})", place(said)),
    }
}

fn place(said: &Json) -> String {
    format!("policy {}, line {}", said.text_at("policy"), said.integer_at("line"))
}

fn lack(missing: &Json) -> String {
    let parameter = missing.text_at("parameter");
    let seconds = |key: &str| missing.some(key).and_then(Json::as_integer).map(|seconds| format!("{key} {seconds} s"));
    match missing.text_at("kind") {
        "rule" => "a rule that matches the path".to_owned(),
        "deny" => "nothing: a rule says deny".to_owned(),
        "capability" => format!("the capability {}", missing.text_at("capability")),
        "required_parameter" => format!("the parameter {parameter:?}, which the rule demands"),
        "disallowed_parameter" => format!("the parameter {parameter:?}, or this value of it, among what is allowed"),
        "denied_parameter" => format!("a rule that does not deny the parameter {parameter:?}, or this value of it"),
        "wrapping" => {
            let bounds = ["min_wrapping_ttl", "max_wrapping_ttl"].into_iter().filter_map(seconds);
            format!("wrapping of the answer ({})", bounds.collect::<Vec<_>>().join(", "))
        }
        "page_limit" => format!("a limit of 1 to {} keys", missing.integer_at("limit")),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_is_told_with_what_would_help() {
        let explanation = Json::parse(
            r#"{"allowed": false, "path": "kv/a", "operation": "delete", "reason": "Denied by …", "rule": "kv/*",
                "decided_by": [{"policy": "app", "path": "kv/*", "line": 3, "capabilities": ["read"]}],
                "missing": [{"kind": "capability", "capability": "delete"}, {"kind": "wrapping", "min_wrapping_ttl": 5}],
                "shadowed": [{"path": "*", "policies": ["b"], "capabilities": ["delete"], "would_allow": true}],
                "suggestion": {"action": "add", "rule": "path \"kv/a\" {}\n", "replaces": []}, "left_out": ["x"]}"#,
        )
        .unwrap();
        let text = text(&explanation);
        for line in [
            "Decided by        policy app, line 3: \"kv/*\" (read)",
            "Missing           the capability delete",
            "Missing           wrapping of the answer (min_wrapping_ttl 5 s)",
            "Does not count    \"*\" of b, which would allow it",
            "Left out          x",
            "path \"kv/a\" {}",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}:\n{text}");
        }
    }
}
