//! Puts values into the statements that an operator wrote: `CREATE ROLE "{{name}}" PASSWORD '{{password}}'`.
//!
//! The statement is taken apart before any value is in it, and each value is quoted for the place where it stands, so
//! that no value can end a quote, start a comment or add a statement.

use std::ops::Range;

use serde_json::Value;
use zeroize::Zeroizing;

use super::sql::{self, Kind, Piece, Unterminated};

/// A value for a placeholder.
#[derive(Clone, Copy)]
pub(super) struct Binding<'a> {
    /// The placeholder: `name` for `{{name}}`.
    pub(super) name: &'static str,
    /// What it stands for.
    pub(super) value: &'a str,
    /// How it is quoted where the statement does not quote it.
    pub(super) role: Role,
}

/// What a value is in SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The name of something.
    Identifier,
    /// Text.
    Literal,
}

/// Why statements cannot be executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Defect {
    /// A quote or a comment is not closed.
    Unterminated,
    /// A value has a NUL in it, which PostgreSQL has nowhere.
    Nul,
    /// A value stands in a dollar-quoted body or in the text of a `DO`, and has characters that could end a quote there.
    Nested,
}

impl Defect {
    /// A sentence for the caller.
    pub(super) fn message(self) -> &'static str {
        match self {
            Self::Unterminated => "a statement ends within a quote or a comment; close it",
            Self::Nul => "a value for a statement has a NUL character in it, which PostgreSQL cannot take",
            Self::Nested => {
                "a value has quotes, blanks or other special characters and cannot be put into a dollar-quoted body \
                 or a DO statement safely; change the username template or the password policy, or move the \
                 placeholder into a plain statement"
            }
        }
    }
}

impl From<Unterminated> for Defect {
    fn from(_: Unterminated) -> Self {
        Self::Unterminated
    }
}

/// The statements in `texts`, one by one, with the values in their places.
pub(super) fn render(texts: &[String], bindings: &[Binding<'_>]) -> Result<Vec<Zeroizing<String>>, Defect> {
    if bindings.iter().any(|binding| binding.value.contains('\0')) {
        return Err(Defect::Nul);
    }
    let mut rendered = Vec::new();
    for text in texts {
        for written in unpacked(text) {
            for pieces in sql::statements(&written)? {
                rendered.push(statement(&pieces, bindings)?);
            }
        }
    }
    Ok(rendered)
}

/// `name` as an identifier in SQL.
pub(super) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `text` as a literal in SQL. One with a backslash says what that means, whatever stands before it: behind an `E` it would
/// escape otherwise. libpq writes it so, too.
fn literal(text: &str) -> Zeroizing<String> {
    let doubled = Zeroizing::new(text.replace('\'', "''"));
    Zeroizing::new(if doubled.contains('\\') {
        format!(" E'{}'", doubled.replace('\\', "\\\\"))
    } else {
        format!("'{}'", *doubled)
    })
}

/// The texts in `text`, which may be a list in JSON, and either of them in base64, as old clients send them.
fn unpacked(text: &str) -> Vec<String> {
    let decoded = data_encoding::BASE64.decode(text.trim().as_bytes()).ok();
    let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok()).filter(|decoded| !decoded.is_empty());
    let text = decoded.unwrap_or_else(|| text.to_owned());
    match serde_json::from_str::<Value>(&text) {
        Ok(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Ok(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) | Err(_) => {
            vec![text]
        }
    }
}

fn statement(pieces: &[Piece<'_>], bindings: &[Binding<'_>]) -> Result<Zeroizing<String>, Defect> {
    let code = pieces.iter().find(|piece| piece.kind == Kind::Bare && !piece.text.trim().is_empty());
    let first = code.and_then(|piece| piece.text.split_whitespace().next()).unwrap_or_default();
    let is_program = first.eq_ignore_ascii_case("do");
    let mut text = Zeroizing::new(String::with_capacity(256));
    for piece in pieces {
        match piece.kind {
            // No value belongs into a comment.
            Kind::Comment => text.push(' '),
            Kind::Dollar => program(piece.text, bindings, &mut text)?,
            Kind::Bare
            | Kind::Literal
            | Kind::EscapedLiteral
            | Kind::Identifier
            | Kind::EscapedIdentifier
            | Kind::End => fill(*piece, bindings, is_program, &mut text)?,
        }
    }
    Ok(text)
}

/// A dollar-quoted body: a program with quotes of its own, so that only harmless values may go in.
fn program(quoted: &str, bindings: &[Binding<'_>], text: &mut String) -> Result<(), Defect> {
    let opening = quoted.get(1..).and_then(|inner| inner.find('$')).map_or(0, |end| end + 2);
    let (tag, body) = quoted.split_at_checked(opening).unwrap_or_default();
    let body = body.strip_suffix(tag).unwrap_or(body);
    let start = text.len();
    text.push_str(tag);
    match sql::pieces(body) {
        Ok(pieces) => {
            for piece in pieces {
                fill(piece, bindings, true, text)?;
            }
        }
        // Not SQL (another language, or prose): the values are harmless in any case.
        Err(Unterminated) => fill(Piece { kind: Kind::Literal, text: body }, bindings, true, text)?,
    }
    text.push_str(tag);
    let within = text.get(start + tag.len()..).unwrap_or_default();
    // The body must end where it ended before the values were in it.
    if within.find(tag) == within.len().checked_sub(tag.len()) { Ok(()) } else { Err(Defect::Nested) }
}

fn fill(piece: Piece<'_>, bindings: &[Binding<'_>], nested: bool, text: &mut String) -> Result<(), Defect> {
    let mut rest = piece.text;
    while let Some((place, binding)) = placeholder(rest, bindings) {
        text.push_str(rest.get(..place.start).unwrap_or_default());
        if nested && !is_harmless(binding.value) {
            return Err(Defect::Nested);
        }
        // Behind a dollar a bare name would become the tag of a quote.
        let is_tag = !nested && text.ends_with('$');
        text.push_str(&quoted(binding, piece.kind, is_tag));
        rest = rest.get(place.end..).unwrap_or_default();
    }
    text.push_str(rest);
    Ok(())
}

/// The first placeholder in `text` that has a value. Others stay as they are: `'{{1,2},{3,4}}'` is an array.
fn placeholder<'b, 'v>(text: &str, bindings: &'b [Binding<'v>]) -> Option<(Range<usize>, &'b Binding<'v>)> {
    text.match_indices("{{").find_map(|(start, _)| {
        let inner = text.get(start + 2..)?;
        let length = inner.find("}}")?;
        let name = inner.get(..length)?.trim();
        let binding = bindings.iter().find(|binding| binding.name == name)?;
        Some((start..start + length + 4, binding))
    })
}

fn quoted(binding: &Binding<'_>, kind: Kind, is_tag: bool) -> Zeroizing<String> {
    let value = binding.value;
    let text = match kind {
        Kind::Literal => value.replace('\'', "''"),
        Kind::EscapedLiteral => value.replace('\\', "\\\\").replace('\'', "''"),
        Kind::Identifier => value.replace('"', "\"\""),
        Kind::EscapedIdentifier => value.replace('\\', "\\\\").replace('"', "\"\""),
        Kind::Bare | Kind::Dollar | Kind::Comment | Kind::End => match binding.role {
            Role::Identifier if is_plain_name(value) && !is_tag => value.to_owned(),
            Role::Identifier => identifier(value),
            Role::Literal => return literal(value),
        },
    };
    Zeroizing::new(text)
}

/// Whether `value` means the same with and without quotes.
fn is_plain_name(value: &str) -> bool {
    // A keyword would not: it is quoted, because no keyword has a digit or an underscore at its end.
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    value.starts_with(|c: char| c.is_ascii_lowercase())
        && value.ends_with(|c: char| c.is_ascii_digit() || c == '_')
        && value.chars().all(plain)
}

/// Whether `value` can end no quote at whatever depth of quoting it stands. A dollar is harmless if what follows it
/// within the value cannot be the tag of a dollar quote, as in a SCRAM verifier.
fn is_harmless(value: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.@:+=/ $".contains(c);
    let mut after_dollars = value.split('$').skip(1);
    let is_no_tag = |rest: &str| rest.contains(|c: char| c != '_' && !c.is_ascii_alphanumeric());
    (is_moment(value) || !value.contains(' '))
        && !value.starts_with('$')
        && value.chars().all(plain)
        && after_dollars.all(is_no_tag)
}

/// Whether `value` has the form of the moments that this engine writes, the only values with a blank in them.
fn is_moment(value: &str) -> bool {
    value.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | ':' | '+' | ' '))
}

/// What the fuzz target runs: whatever the name (the first line) and the password (the second) are, the statements (the
/// rest) have the pieces that they have with harmless ones.
#[doc(hidden)]
pub fn fuzz(text: &str) {
    let mut lines = text.splitn(3, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (name, password, text) = (line(), line(), line());
    if let Ok(pieces) = sql::pieces(text) {
        assert_eq!(pieces.iter().map(|piece| piece.text).collect::<String>(), text);
    }
    let kinds = |statement: &Zeroizing<String>| {
        let statements = sql::statements(statement).ok()?;
        let [pieces] = statements.as_slice() else { return None };
        Some(pieces.iter().map(|piece| piece.kind).collect::<Vec<_>>())
    };
    let shape = |name, password| {
        let bindings = [
            Binding { name: "name", value: name, role: Role::Identifier },
            Binding { name: "password", value: password, role: Role::Literal },
        ];
        let rendered = render(&[text.to_owned()], &bindings).ok()?;
        Some(rendered.iter().map(kinds).collect::<Vec<_>>())
    };
    let harmless =
        shape(if is_plain_name(name) { "a1" } else { "A" }, if password.contains('\\') { "\\" } else { "p" });
    if let (Some(found), Some(expected)) = (shape(name, password), harmless) {
        assert_eq!(found, expected);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ROLE: [&str; 2] = ["name", "password"];

    fn bindings<'a>(name: &'a str, password: &'a str) -> [Binding<'a>; 2] {
        let [first, second] = ROLE;
        [
            Binding { name: first, value: name, role: Role::Identifier },
            Binding { name: second, value: password, role: Role::Literal },
        ]
    }

    fn one(text: &str, name: &str, password: &str) -> Result<String, Defect> {
        let rendered = render(&[text.to_owned()], &bindings(name, password))?;
        assert_eq!(rendered.len(), 1);
        Ok(rendered[0].to_string())
    }

    /// Where the quote of that kind stands in `"'`.
    fn place_of(kind: Kind) -> std::ops::RangeInclusive<usize> {
        if kind == Kind::Identifier { 0..=0 } else { 1..=1 }
    }

    #[test]
    fn values_are_quoted_for_their_place() {
        let name = "a\"; DROP ROLE x; --";
        let password = "p'; DROP ROLE x; --\\";
        let cases = [
            (
                "CREATE ROLE \"{{name}}\" PASSWORD '{{password}}'",
                "CREATE ROLE \"a\"\"; DROP ROLE x; --\" PASSWORD 'p''; DROP ROLE x; --\\'",
            ),
            ("A {{name}} {{ password }}", "A \"a\"\"; DROP ROLE x; --\"  E'p''; DROP ROLE x; --\\\\'"),
            ("A E{{password}}", "A E E'p''; DROP ROLE x; --\\\\'"),
            ("A E'a'\n'{{password}}'", "A E'a'\n'p''; DROP ROLE x; --\\\\'"),
            ("A '{{name}}'", "A 'a\"; DROP ROLE x; --'"),
            ("A E'{{password}}'", "A E'p''; DROP ROLE x; --\\\\'"),
            ("A '{{1,2},{3,4}}' -- {{password}}", "A '{{1,2},{3,4}}'  "),
        ];
        for (text, expected) in cases {
            assert_eq!(one(text, name, password).unwrap(), expected);
        }
    }

    #[test]
    fn a_name_is_no_tag() {
        assert_eq!(one("A ${{name}}$ B", "a1", "").unwrap(), "A $\"a1\"$ B");
        assert_eq!(one("A {{name}} B", "a1", "").unwrap(), "A a1 B");
    }

    #[test]
    fn bodies_take_harmless_values_only() {
        let body = "DO $$ BEGIN EXECUTE 'CREATE ROLE \"{{name}}\" PASSWORD ''{{password}}'''; END $$";
        let verifier = "SCRAM-SHA-256$4096:AAAA$b+/=:c";
        let rendered = one(body, "v-root--r-1", verifier).unwrap();
        assert!(rendered.contains(&format!("\"v-root--r-1\" PASSWORD ''{verifier}''")), "{rendered}");
        for value in ["a'b", "a\"b", "a\\b", "a;b", "a b", "a$$b", "$1", "a$", "a*b", "ä"] {
            assert_eq!(one(body, value, "x"), Err(Defect::Nested), "{value}");
            assert_eq!(one("DO '{{name}}'", value, "x"), Err(Defect::Nested), "{value}");
        }
        assert_eq!(one("A '{{name}}'", "a\0b", ""), Err(Defect::Nul));
    }

    #[test]
    fn packed_statements_are_unpacked() {
        for text in ["a; b", "[\"a\", \"b\"]", "YTsgYg==", "WyJhIiwgImIiXQ=="] {
            let rendered = render(&[text.to_owned()], &[]).unwrap();
            let rendered: Vec<_> = rendered.iter().map(|text| text.trim()).collect();
            assert_eq!(rendered, ["a", "b"], "{text}");
        }
    }

    proptest! {
        /// Whatever the value: the statement has the same pieces as before, and the value can be read back out of them.
        #[test]
        fn no_value_leaves_its_quotes(value in "(?s)[^\\x00]{0,20}|['\"\\\\;$/*a-b\n-]{1,20}") {
            for (text, kind, place) in [
                ("A '{{name}}' B", Kind::Literal, 1),
                ("A \"{{name}}\" B", Kind::Identifier, 1),
                ("A E'{{name}}' B", Kind::EscapedLiteral, 1),
            ] {
                let rendered = one(text, &value, "").unwrap();
                let statements = sql::statements(&rendered).unwrap();
                prop_assert_eq!(statements.len(), 1);
                prop_assert_eq!(statements[0].len(), 3);
                let piece = statements[0][place];
                prop_assert_eq!(piece.kind, kind);
                let inner = &piece.text[1..piece.text.len() - 1];
                let read = inner.replace(&"\"'"[place_of(kind)].repeat(2), &"\"'"[place_of(kind)]);
                let read = if kind == Kind::EscapedLiteral { read.replace("\\\\", "\\") } else { read };
                prop_assert_eq!(&read, &value);
            }
        }

        /// The same where the statement has no quotes of its own.
        #[test]
        fn no_bare_value_adds_anything(value in "(?s)[^\\x00]{0,20}|['\"\\\\;$/*a-b\n-]{1,20}") {
            let rendered = one("A {{password}} B", "", &value).unwrap();
            let pieces = &sql::statements(&rendered).unwrap()[0];
            prop_assert_eq!(pieces.len(), 3);
            let kind = if value.contains('\\') { Kind::EscapedLiteral } else { Kind::Literal };
            prop_assert_eq!(pieces[1].kind, kind);
            let rendered = one("A {{name}} B", &value, "").unwrap();
            let statements = sql::statements(&rendered).unwrap();
            prop_assert_eq!(statements.len(), 1);
            let kinds: Vec<_> = statements[0].iter().map(|piece| piece.kind).collect();
            prop_assert!(kinds == [Kind::Bare, Kind::Identifier, Kind::Bare] || kinds == [Kind::Bare]);
        }

        /// A body ends where its author ended it, or the value is refused.
        #[test]
        fn no_value_leaves_a_body(value in "(?s)[^\\x00]{0,12}|['\"\\\\;$/*a-b1\n-]{1,12}") {
            if let Ok(rendered) = one("DO $a$ x $b$ '{{name}}' $b$ y $a$", &value, "") {
                let pieces = &sql::statements(&rendered).unwrap()[0];
                prop_assert_eq!(pieces.len(), 2);
                prop_assert!(pieces[1].text.ends_with("y $a$"));
            }
        }
    }
}
