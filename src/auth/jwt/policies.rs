//! Policies whose names come out of claims: `team-{{.team}}`.

use crate::policy::PolicyName;

use super::token::Claims;

/// A part of a template.
enum Part<'a> {
    Text(&'a str),
    /// The names of a claim and of what is in it: `.org.team`.
    Claim(Vec<&'a str>),
}

/// Whether these templates can be filled. The error is a sentence for the caller.
pub(super) fn check(templates: &[String]) -> Result<(), &'static str> {
    templates.iter().try_for_each(|template| parts(template).map(|_| ()))
}

/// The policies of these templates; one that comes out empty is left out. The error is a sentence for the caller.
pub(super) fn fill(templates: &[String], claims: &Claims) -> Result<Vec<String>, &'static str> {
    let mut names = Vec::new();
    for template in templates {
        let name = filled(template, claims)?;
        if !name.trim().is_empty() {
            let name = PolicyName::parse(&name).map_err(|_| "a policy that comes out of a claim has no valid name")?;
            names.push(name.as_str().to_owned());
        }
    }
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

fn filled(template: &str, claims: &Claims) -> Result<String, &'static str> {
    let mut name = String::new();
    for part in parts(template)? {
        match part {
            Part::Text(text) => name.push_str(text),
            Part::Claim(path) => {
                let (first, rest) = path.split_first().ok_or("a template names no claim")?;
                let found =
                    rest.iter().fold(claims.named(first), |value, name| value.and_then(|value| value.get(name)));
                let text = found.and_then(|value| value.as_str());
                name.push_str(
                    text.ok_or("a claim that the policies of the role are made of is not in the token, or no text")?,
                );
            }
        }
    }
    Ok(name)
}

fn parts(template: &str) -> Result<Vec<Part<'_>>, &'static str> {
    const FAULT: &str = "a policy with a claim in it must be written like team-{{.claim}} or team-{{.claim.member}}";
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some((text, after)) = rest.split_once("{{") {
        let (inner, after) = after.split_once("}}").ok_or(FAULT)?;
        let path: Vec<&str> = inner.trim().strip_prefix('.').ok_or(FAULT)?.split('.').collect();
        let is_name = |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        if !path.iter().all(is_name) {
            return Err(FAULT);
        }
        parts.extend([Part::Text(text), Part::Claim(path)]);
        rest = after;
    }
    parts.push(Part::Text(rest));
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn filled(templates: &[&str], claims: Value) -> Result<Vec<String>, &'static str> {
        let Value::Object(map) = claims else { panic!("no object") };
        fill(&templates.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>(), &Claims(map))
    }

    #[test]
    fn claims_fill_templates() {
        let claims = || json!({"sub": "Ann", "org": {"team": "blue"}, "empty": "", "n": 1});
        assert_eq!(
            filled(&["p-{{.sub}}", "{{ .org.team }}-x", "plain"], claims()).unwrap(),
            ["blue-x", "p-ann", "plain"]
        );
        assert_eq!(filled(&["{{.empty}}"], claims()).unwrap(), [""; 0]);
        for bad in ["{{.missing}}", "{{.n}}", "{{.org}}", "{{.org.none}}"] {
            assert!(filled(&[bad], claims()).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_claims_can_stand_in_templates() {
        for bad in ["{{.sub", "{{sub}}", "{{}}", "{{.}}", "{{if .a}}x{{end}}", "{{.a..b}}", "{{.a | x}}"] {
            assert!(check(&[bad.to_owned()]).is_err(), "{bad}");
        }
        assert!(check(&["a}}b".to_owned(), "p-{{.a.b}}-{{.c}}".to_owned()]).is_ok());
    }

    #[test]
    fn a_claim_does_not_leave_its_place() {
        for value in ["../root", "a//b", "x\u{0}", "a/"] {
            assert!(filled(&["team/{{.t}}"], json!({"t": value})).is_err(), "{value:?}");
        }
        assert_eq!(filled(&["t-{{.t}}"], json!({"t": "a,root"})).unwrap(), ["t-a,root"], "one name, not two");
        assert_eq!(filled(&["t-{{.t}}"], json!({"t": "*"})).unwrap(), ["t-*"], "a name, not a pattern");
    }
}
