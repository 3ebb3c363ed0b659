//! `username_template`: how users are called. The part of Go's template language that makes names: text, fields,
//! strings, numbers, pipes, parentheses, variables, `if`, `with` and a few functions.

mod blocks;
mod comparison;
mod functions;
mod layout;
mod parse;
mod render;

use crate::entropy::Entropy;
use crate::time::Timestamp;

use blocks::Part;

/// `v-<who asks>-<role>-<20 random characters>-<seconds since 1970>`, as far as PostgreSQL keeps it.
const DEFAULT: &str = "{{ printf \"v-%s-%s-%s-%s\" (.DisplayName | truncate 8) (.RoleName | truncate 8) \
    (random 20) (unix_time) | truncate 63 }}";

/// A template that was read.
#[derive(Debug)]
pub(super) struct UsernameTemplate(Vec<Part>);

/// What a name is made of.
#[derive(Clone, Copy)]
pub(super) struct Ingredients<'a> {
    /// `.DisplayName`: who asks.
    pub(super) display_name: &'a str,
    /// `.RoleName`.
    pub(super) role_name: &'a str,
    /// Now.
    pub(super) now: Timestamp,
    /// Randomness.
    pub(super) entropy: &'a dyn Entropy,
}

impl UsernameTemplate {
    /// Reads a template, empty for the default, and tries it. The error is a sentence for the caller.
    pub(super) fn parse(text: &str, trial: Ingredients<'_>) -> Result<Self, String> {
        let text = if text.trim().is_empty() { DEFAULT } else { text };
        let template = Self(blocks::template(text)?);
        template.render(trial)?;
        // What is made where there is nothing to tell is never used, but must not fail.
        render::text(&template.0, Ingredients { display_name: "", role_name: "", ..trial })?;
        Ok(template)
    }

    /// A name of at least one byte.
    pub(super) fn render(&self, ingredients: Ingredients<'_>) -> Result<String, String> {
        let name = render::text(&self.0, ingredients)?;
        if name.is_empty() { Err("the username template makes an empty name".to_owned()) } else { Ok(name) }
    }
}

/// What the fuzz target runs: a template (behind the second line) makes names of who asks (the first line) and of a role
/// (the second).
#[doc(hidden)]
pub fn fuzz(text: &str) {
    let mut lines = text.splitn(3, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (display_name, role_name, template) = (line(), line(), line());
    let name = || {
        let entropy = crate::entropy::SeededEntropy::new(1);
        let now = Timestamp::from_unix_seconds(1_800_000_000);
        let ingredients = Ingredients { display_name, role_name, now, entropy: &entropy };
        UsernameTemplate::parse(template, ingredients)?.render(ingredients)
    };
    let made = name();
    assert!(
        made.as_ref().is_ok_and(|name| (1..=render::LONGEST).contains(&name.len()))
            || made.as_ref().is_err_and(|why| !why.is_empty())
    );
    assert_eq!(made, name());
}

/// A value in a template.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Text(String),
    Number(i64),
    Truth(bool),
}

impl Value {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
            Self::Truth(truth) => truth.to_string(),
        }
    }

    /// Whether a condition holds with it: it is not empty, not 0 and not false.
    fn holds(&self) -> bool {
        match self {
            Self::Text(text) => !text.is_empty(),
            Self::Number(number) => *number != 0,
            Self::Truth(truth) => *truth,
        }
    }
}

/// `text` up to `length` bytes, and not within a character.
pub(super) fn truncated(text: &str, length: usize) -> &str {
    text.get(..text.floor_char_boundary(length)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;
    use proptest::prelude::*;

    fn render(text: &str) -> Result<String, String> {
        let entropy = SeededEntropy::new(1);
        let now = Timestamp::from_unix_nanos(1_795_319_332_646_000_000);
        let ingredients =
            Ingredients { display_name: "token-with-a-long-name", role_name: "ut", now, entropy: &entropy };
        UsernameTemplate::parse(text, ingredients)?.render(ingredients)
    }

    #[test]
    fn the_default_has_its_form() {
        let name = render("").unwrap();
        let parts: Vec<_> = name.split('-').collect();
        assert_eq!((parts[0], parts[1], parts[2], parts[3]), ("v", "token", "wi", "ut"));
        assert_eq!((parts[4].len(), parts[5]), (20, "1795319332"));
    }

    #[test]
    fn functions_as_vault_has_them() {
        for (template, name) in [
            ("plain", "plain"),
            ("{{.RoleName}}-{{.DisplayName | uppercase | truncate 2}}-{{unix_time}}", "ut-TO-1795319332"),
            ("{{.RoleName | sha256}}", "469cc643a19fb75901e5d331b8dc14befa8b98810b246c2fb22fff0c382dc39e"),
            ("{{timestamp \"2006-01-02T15:04:05Z\"}}", "2026-11-22T03:48:52Z"),
            ("{{ .RoleName | replace \"u\" \"Z\" }}", "Zt"),
            ("{{base64 \"abc\"}}", "YWJj"),
            ("{{truncate 3 (printf \"abcdef\")}}", "abc"),
            ("{{truncate_sha256 12 \"abcdefghijklmnop\"}}", "abcdc1bd5d19"),
            ("{{truncate_sha256 12 \"abc\"}}", "abc"),
            ("{{unix_time_millis}}", "1795319332646"),
            ("{{lowercase \"ABC\"}}{{/* c */}}x", "abcx"),
            ("a  {{- \"b\" -}}   c", "abc"),
            ("{{`r\"aw`}}{{ \"q\\\"\\u0041\" }}", "r\"awq\"A"),
            ("{{printf \"%s-%d-%v%%\" .RoleName 5 \"x\"}}", "ut-5-x%"),
        ] {
            assert_eq!(render(template).as_deref(), Ok(name), "{template}");
        }
        assert_eq!(render("{{random 100}}").unwrap().len(), 100);
        assert_eq!(render("{{uuid}}").unwrap().len(), 36);
    }

    #[test]
    fn conditions_and_variables_as_go_has_them() {
        for (template, name) in [
            ("{{if .RoleName}}a{{else}}b{{end}}", "a"),
            ("{{if \"\"}}a{{else if .RoleName}}{{$.RoleName}}{{else}}c{{end}}", "ut"),
            ("{{if 0}}a{{else if false}}b{{else}}c{{if true}}d{{end}}{{end}}", "cd"),
            ("{{with .RoleName}}{{.}}-{{$.RoleName}}{{end}}", "ut-ut"),
            ("{{with \"\"}}a{{else with .RoleName}}{{. | uppercase}}{{end}}", "UT"),
            ("{{with \"\"}}a{{else}}{{.RoleName}}{{end}}", "ut"),
            ("{{with $x := .RoleName}}{{$x}}{{with \"in\"}}{{.}}{{$x}}{{end}}{{.}}{{end}}", "utinutut"),
            ("{{$x := \"a\"}}{{if .RoleName}}{{$x = \"b\"}}{{end}}{{$x}}", "b"),
            ("{{$x := \"a\"}}{{if .RoleName}}{{$x := \"b\"}}{{$x}}{{end}}{{$x}}", "ba"),
            ("{{$x:=.RoleName | uppercase}}{{ $x }}", "UT"),
            ("{{if $x := .RoleName}}{{$x}}{{end}}", "ut"),
            ("{{if .RoleName -}}\n x \n{{- else -}} y {{- end -}} z", "xz"),
            ("{{len .RoleName}}{{.RoleName | len}}{{len \"ä\"}}", "222"),
            ("{{if eq .RoleName \"a\" \"ut\"}}y{{end}}", "y"),
            ("{{if not (ne .RoleName \"ut\")}}y{{end}}{{not 1}}", "yfalse"),
            ("{{and .RoleName \"x\"}}{{or \"\" .RoleName}}{{and 0 \"x\"}}{{.RoleName | eq \"ut\"}}", "xut0true"),
            ("{{if lt (len .RoleName) 5}}a{{end}}{{if ge 5 5}}b{{end}}{{le 2 1}}{{gt \"b\" \"a\"}}", "abfalsetrue"),
        ] {
            assert_eq!(render(template).as_deref(), Ok(name), "{template}");
        }
        let twice = render("{{$x := random 8}}{{$x}}{{$x}}").unwrap();
        assert_eq!(twice.get(..8), twice.get(8..), "{twice}");
    }

    #[test]
    fn a_text_that_doubles_comes_to_an_end() {
        let doubling = "{{$x = printf \"%s%s\" $x $x}}";
        assert!(render(&format!("{{{{$x := random 8}}}}{}{{{{$x}}}}", doubling.repeat(10))).is_ok());
        assert!(render(&format!("{{{{$x := random 8}}}}{}{{{{$x}}}}", doubling.repeat(60))).is_err());
    }

    #[test]
    fn a_name_has_a_longest_length() {
        assert_eq!(render(&"{{random 1024}}".repeat(8)).map(|name| name.len()), Ok(8192));
        assert!(render(&"{{random 1024}}".repeat(9)).is_err());
    }

    #[test]
    fn blocks_nest_so_deep_and_no_deeper() {
        let nested = |depth: usize| format!("{}x{}", "{{if 1}}".repeat(depth), "{{end}}".repeat(depth));
        assert_eq!(render(&nested(15)).as_deref(), Ok("x"));
        assert!(render(&nested(17)).is_err() && render(&nested(10_000)).is_err());
        let chained = format!("{{{{if 0}}}}a{}{{{{end}}}}", "{{else if 0}}b".repeat(10_000));
        assert!(render(&chained).is_err());
    }

    #[test]
    fn what_is_wrong_is_said_at_once() {
        for template in [
            "{{ foo }}",
            "{{.Foo}}",
            "{{truncate 0 \"abc\"}}",
            "{{random -1}}",
            "{{random 100000}}",
            "{{truncate_sha256 1 \"a\"}}",
            "{{if .RoleName}}x",
            "{{if}}x{{end}}",
            "{{end}}",
            "x{{else}}y",
            "{{if .RoleName}}a{{else}}b{{else}}c{{end}}",
            "{{if .RoleName}}a{{else}}b{{else if .RoleName}}c{{end}}",
            "{{range .RoleName}}x{{end}}",
            "x{{break}}",
            "{{$x}}",
            "{{$x = 5}}x",
            "{{$x := }}x",
            "{{$ := 5}}x",
            "{{if .RoleName}}{{$x := random 3}}{{end}}{{$x}}",
            "{{with .RoleName}}{{.DisplayName}}{{end}}x",
            "{{.}}",
            "{{$}}",
            "{{if \"\"}}{{len 5}}{{end}}{{.Foo}}",
            "x{{if .RoleName}}y{{else}}{{len 5}}{{end}}",
            "{{if eq .RoleName 5}}y{{end}}x",
            "{{eq 1}}",
            "{{and}}",
            "{{lt true false}}",
            "{{",
            "{{ \"a }}",
            "{{ .RoleName | }}",
            "{{ (random 2 }}",
            "{{truncate \"x\" 1}}",
            "{{\"a\" \"b\"}}",
            "{{}}",
            "{{\"\"}}",
        ] {
            assert!(render(template).is_err(), "{template}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[a-z{}().|\" 0-9%\\\\-]{0,40}") {
            let _ = render(&text);
            let _ = render(&format!("{{{{ {text} }}}}"));
            let _ = render(&format!("{{{{if {text}}}}}{{{{$a := 1}}}}{text}{{{{else}}}}{{{{end}}}}"));
        }

        #[test]
        fn truncation_keeps_characters_whole(text in ".{0,20}", length in 0_usize..30) {
            let short = truncated(&text, length);
            prop_assert!(short.len() <= length && text.starts_with(short));
        }
    }
}
