//! Takes SQL apart as far as is needed to put values into it safely and to find where one statement ends: quotes,
//! dollar quotes and comments, by PostgreSQL's rules (its manual, section 4.1, with `standard_conforming_strings` on).

/// A stretch of SQL text in which the same quoting rules hold throughout. Quotes are part of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    /// Which rules hold.
    pub(super) kind: Kind,
    /// The text itself.
    pub(super) text: &'a str,
}

/// The rules of quoting that hold in a [`Piece`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Outside of all quotes.
    Bare,
    /// `'…'`, where only the quote itself is doubled.
    Literal,
    /// `E'…'` and `U&'…'`, where the backslash escapes too.
    EscapedLiteral,
    /// `"…"`, where only the quote itself is doubled.
    Identifier,
    /// `U&"…"`, where the backslash escapes too.
    EscapedIdentifier,
    /// `$tag$…$tag$`: text up to the same tag, mostly a program in its own right.
    Dollar,
    /// `-- …` or `/* … */`.
    Comment,
    /// The semicolon between two statements.
    End,
}

/// SQL that stops in the middle of a quote or of a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unterminated;

/// The statements in `sql`, each in pieces, without the semicolons between them. What holds nothing but blanks and
/// comments is no statement.
pub(super) fn statements(sql: &str) -> Result<Vec<Vec<Piece<'_>>>, Unterminated> {
    let pieces = pieces(sql)?;
    let statements = pieces.split(|piece| piece.kind == Kind::End).map(<[Piece<'_>]>::to_vec);
    Ok(statements.filter(|pieces| pieces.iter().any(is_code)).collect())
}

/// All the pieces of `sql`; put together they are `sql` again.
pub(super) fn pieces(sql: &str) -> Result<Vec<Piece<'_>>, Unterminated> {
    let mut pieces = Vec::new();
    let mut bare_from = 0;
    let mut at = 0;
    let mut depth = 0_u32;
    while let Some(rest) = sql.get(at..).filter(|rest| !rest.is_empty()) {
        let before = sql.get(..at).unwrap_or_default();
        let (kind, length) = match special(before, rest)? {
            Some((Kind::End, _)) if depth > 0 => (Kind::Bare, 1),
            Some((Kind::Literal, _)) if goes_on(&pieces, sql.get(bare_from..at).unwrap_or_default()) => {
                (Kind::EscapedLiteral, quoted(rest, b'\'', true)?)
            }
            Some(found) => found,
            None => (Kind::Bare, rest.chars().next().map_or(1, char::len_utf8)),
        };
        if kind == Kind::Bare {
            depth = match rest.as_bytes().first() {
                Some(b'(') => depth + 1,
                Some(b')') => depth.saturating_sub(1),
                _ => depth,
            };
        } else {
            push(&mut pieces, Kind::Bare, sql.get(bare_from..at));
            push(&mut pieces, kind, sql.get(at..at + length));
            bare_from = at + length;
        }
        at += length;
    }
    push(&mut pieces, Kind::Bare, sql.get(bare_from..));
    Ok(pieces)
}

/// Whether a quote after these pieces and this bare text goes on with an `E'…'`, as it does behind a line's end: `E'a'` and,
/// on the next line, `'b'` are one text, with backslashes that escape throughout.
fn goes_on(pieces: &[Piece<'_>], bare: &str) -> bool {
    let is_blank = |piece: &&Piece<'_>| piece.kind == Kind::Comment || piece.text.trim().is_empty();
    let before = pieces.iter().rev().find(|piece| !is_blank(piece));
    bare.trim().is_empty() && before.is_some_and(|piece| piece.kind == Kind::EscapedLiteral)
}

fn push<'a>(pieces: &mut Vec<Piece<'a>>, kind: Kind, text: Option<&'a str>) {
    pieces.extend(text.filter(|text| !text.is_empty()).map(|text| Piece { kind, text }));
}

fn is_code(piece: &Piece<'_>) -> bool {
    match piece.kind {
        Kind::Comment | Kind::End => false,
        Kind::Bare => !piece.text.trim().is_empty(),
        Kind::Literal | Kind::EscapedLiteral | Kind::Identifier | Kind::EscapedIdentifier | Kind::Dollar => true,
    }
}

/// What begins at the start of `rest`, and how many bytes it has; nothing for bare text.
fn special(before: &str, rest: &str) -> Result<Option<(Kind, usize)>, Unterminated> {
    let found = match rest.as_bytes() {
        [b';', ..] => Some((Kind::End, 1)),
        [b'\'', ..] if has_prefix(before, &["e"]) => Some((Kind::EscapedLiteral, quoted(rest, b'\'', true)?)),
        // The backslash escapes characters there, and never the quote.
        [b'\'', ..] if has_prefix(before, &["u&"]) => Some((Kind::EscapedLiteral, quoted(rest, b'\'', false)?)),
        [b'\'', ..] => Some((Kind::Literal, quoted(rest, b'\'', false)?)),
        [b'"', ..] if has_prefix(before, &["u&"]) => Some((Kind::EscapedIdentifier, quoted(rest, b'"', false)?)),
        [b'"', ..] => Some((Kind::Identifier, quoted(rest, b'"', false)?)),
        [b'-', b'-', ..] => Some((Kind::Comment, rest.find(['\n', '\r']).map_or(rest.len(), |end| end + 1))),
        [b'/', b'*', ..] => Some((Kind::Comment, block_comment(rest)?)),
        [b'$', ..] if !ends_in_word(before) => match dollar_tag(rest) {
            Some(tag) => Some((Kind::Dollar, dollar_quoted(rest, tag)?)),
            None => None,
        },
        _ => None,
    };
    Ok(found)
}

/// The bytes of a quoted stretch with both its quotes.
fn quoted(rest: &str, quote: u8, backslash: bool) -> Result<usize, Unterminated> {
    let mut bytes = rest.bytes().enumerate().skip(1).peekable();
    while let Some((index, byte)) = bytes.next() {
        if backslash && byte == b'\\' {
            bytes.next();
        } else if byte == quote && bytes.next_if(|(_, next)| *next == quote).is_none() {
            return Ok(index + 1);
        }
    }
    Err(Unterminated)
}

/// The bytes of a block comment; they nest.
fn block_comment(rest: &str) -> Result<usize, Unterminated> {
    let mut depth = 0_u32;
    let mut at = 0;
    while let Some(tail) = rest.as_bytes().get(at..).filter(|tail| !tail.is_empty()) {
        let step = match tail {
            [b'/', b'*', ..] => {
                depth += 1;
                2
            }
            [b'*', b'/', ..] => {
                depth -= 1;
                2
            }
            _ => 1,
        };
        at += step;
        if depth == 0 {
            return Ok(at);
        }
    }
    Err(Unterminated)
}

/// The `$tag$` that `rest` begins with, with its dollars.
fn dollar_tag(rest: &str) -> Option<&str> {
    let inner = rest.strip_prefix('$')?;
    let length = inner.find('$')?;
    let tag = inner.get(..length)?;
    let starts_well = tag.chars().next().is_none_or(|first| first == '_' || first.is_alphabetic() || !first.is_ascii());
    let goes_on_well = tag.chars().all(|c| c == '_' || c.is_alphanumeric() || !c.is_ascii());
    if starts_well && goes_on_well { rest.get(..length + 2) } else { None }
}

fn dollar_quoted(rest: &str, tag: &str) -> Result<usize, Unterminated> {
    let body = rest.get(tag.len()..).unwrap_or_default();
    body.find(tag).map(|end| end + 2 * tag.len()).ok_or(Unterminated)
}

/// Whether `before` ends in one of these prefixes, in any case, as a word of its own.
fn has_prefix(before: &str, prefixes: &[&str]) -> bool {
    prefixes.iter().any(|prefix| {
        let split = before.len().checked_sub(prefix.len()).and_then(|at| before.split_at_checked(at));
        split.is_some_and(|(head, tail)| tail.eq_ignore_ascii_case(prefix) && !ends_in_word(head))
    })
}

fn ends_in_word(text: &str) -> bool {
    text.chars().next_back().is_some_and(|c| c == '_' || c == '$' || c.is_alphanumeric() || !c.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(sql: &str) -> Vec<String> {
        let joined = |pieces: Vec<Piece<'_>>| pieces.iter().map(|piece| piece.text).collect::<String>();
        statements(sql).unwrap().into_iter().map(joined).map(|text| text.trim().to_owned()).collect()
    }

    #[test]
    fn statements_end_at_semicolons_outside_of_quotes() {
        assert_eq!(split("a; b;"), ["a", "b"]);
        assert_eq!(
            split("a 'x;y'; b \"x;y\"; c $$x;y$$; d $t$x;$$;$t$; e"),
            ["a 'x;y'", "b \"x;y\"", "c $$x;y$$", "d $t$x;$$;$t$", "e"]
        );
        assert_eq!(split("a -- x;y\n b; /* x; /* ; */ ; */ c"), ["a -- x;y\n b", "/* x; /* ; */ ; */ c"]);
        assert_eq!(split("create rule r do (a; b); c"), ["create rule r do (a; b)", "c"]);
        assert_eq!(split(" ;; -- nothing\n; /* nothing */ ;"), [""; 0]);
        assert_eq!(split("a 'it''s;' ; b E'\\';' ; c"), ["a 'it''s;'", "b E'\\';'", "c"]);
        assert_eq!(split("a 'x\\'; b"), ["a 'x\\'", "b"]);
        assert_eq!(split("a E'x'\n'\\';' ; b"), ["a E'x'\n'\\';'", "b"]);
        assert_eq!(split("a U&'x\\'; b"), ["a U&'x\\'", "b"]);
        assert_eq!(split("a -- x;y\r; b"), ["a -- x;y", "b"]);
        assert_eq!(split("select $1; select x$a$; y$a$"), ["select $1", "select x$a$", "y$a$"]);
    }

    #[test]
    fn what_is_cut_short_is_refused() {
        for sql in ["a 'x", "a \"x", "a $$x", "a $t$x$$", "a /* x /* y */", "a E'x\\'"] {
            assert_eq!(statements(sql), Err(Unterminated), "{sql}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost(sql in "[a-eEuU&'\"$;/*() \\\\\n-]{0,60}") {
            if let Ok(pieces) = pieces(&sql) {
                let joined: String = pieces.iter().map(|piece| piece.text).collect();
                prop_assert_eq!(joined, sql);
            }
        }

        #[test]
        fn any_text_is_taken_apart_without_a_panic(sql in ".{0,60}") {
            let _ = statements(&sql);
        }
    }
}
