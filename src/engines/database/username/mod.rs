//! `username_template`: how users are called. The part of Go's template language that makes names: text, fields,
//! strings, numbers, pipes, parentheses and a few functions.

mod functions;
mod layout;
mod parse;

use crate::entropy::Entropy;
use crate::time::Timestamp;

use functions::Function;
use parse::{Command, Operand, Part};

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
        let template = Self(parse::template(text)?);
        template.render(trial)?;
        Ok(template)
    }

    /// A name of at least one byte.
    pub(super) fn render(&self, ingredients: Ingredients<'_>) -> Result<String, String> {
        let mut name = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => name.push_str(text),
                Part::Action(commands) => name.push_str(&pipeline(commands, ingredients)?.into_text()),
            }
        }
        if name.is_empty() { Err("the username template makes an empty name".to_owned()) } else { Ok(name) }
    }
}

/// A value in a template.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Text(String),
    Number(i64),
}

impl Value {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
        }
    }
}

/// The value of commands, each of which gets that of the one before as its last argument.
fn pipeline(commands: &[Command], ingredients: Ingredients<'_>) -> Result<Value, String> {
    let mut carried: Option<Value> = None;
    for command in commands {
        let mut arguments = Vec::new();
        for operand in &command.arguments {
            arguments.push(value(operand, ingredients)?);
        }
        arguments.extend(carried.take());
        let has_arguments = !arguments.is_empty();
        carried = Some(match &command.head {
            Operand::Function(function) => function.call(arguments, ingredients)?,
            Operand::DisplayName | Operand::RoleName | Operand::Literal(_) | Operand::Pipeline(_) if has_arguments => {
                return Err("only a function takes arguments in a username template".to_owned());
            }
            head @ (Operand::DisplayName | Operand::RoleName | Operand::Literal(_) | Operand::Pipeline(_)) => {
                value(head, ingredients)?
            }
        });
    }
    carried.ok_or_else(|| "an action of the username template is empty".to_owned())
}

fn value(operand: &Operand, ingredients: Ingredients<'_>) -> Result<Value, String> {
    match operand {
        Operand::DisplayName => Ok(Value::Text(ingredients.display_name.to_owned())),
        Operand::RoleName => Ok(Value::Text(ingredients.role_name.to_owned())),
        Operand::Literal(value) => Ok(value.clone()),
        Operand::Function(function) => function.call(Vec::new(), ingredients),
        Operand::Pipeline(commands) => pipeline(commands, ingredients),
    }
}

/// `text` up to `length` bytes, and not within a character.
pub(super) fn truncated(text: &str, length: usize) -> &str {
    text.get(..text.floor_char_boundary(length)).unwrap_or(text)
}

impl From<Function> for Operand {
    fn from(function: Function) -> Self {
        Self::Function(function)
    }
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
    fn what_is_wrong_is_said_at_once() {
        for template in [
            "{{ foo }}",
            "{{.Foo}}",
            "{{truncate 0 \"abc\"}}",
            "{{random -1}}",
            "{{random 100000}}",
            "{{truncate_sha256 1 \"a\"}}",
            "{{if .RoleName}}x{{end}}",
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
        }

        #[test]
        fn truncation_keeps_characters_whole(text in ".{0,20}", length in 0_usize..30) {
            let short = truncated(&text, length);
            prop_assert!(short.len() <= length && text.starts_with(short));
        }
    }
}
