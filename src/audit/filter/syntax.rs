//! What of CEL a filter may have.

use cel::common::ast::{CallExpr, Expr, operators};
use cel::parser::Expression;

use super::facts::UNRESERVED;
use super::{FilterError, FilterFacts, MAX_DEPTH};

/// Checks that an expression has nothing but what a filter may have.
pub(super) fn check(expression: &Expression, text: &str) -> Result<(), FilterError> {
    part(expression, text, 0)
}

fn part(expression: &Expression, text: &str, depth: usize) -> Result<(), FilterError> {
    if depth > MAX_DEPTH {
        return Err(FilterError::TooLarge);
    }
    match &expression.expr {
        Expr::Literal(_) => Ok(()),
        Expr::Ident(name) if name == UNRESERVED || FilterFacts::NAMES.contains(&name.as_str()) => Ok(()),
        Expr::Ident(name) => {
            let (line, column) = place(text, name);
            Err(FilterError::UnknownName { line, column })
        }
        Expr::Call(call) => self::call(call, text, depth),
        Expr::List(list) => list.elements.iter().try_for_each(|element| part(element, text, depth + 1)),
        Expr::Select(select) => Err(not_allowed(text, &select.field)),
        Expr::Unspecified | Expr::Comprehension(_) | Expr::Map(_) | Expr::Struct(_) => Err(not_allowed(text, "")),
    }
}

fn call(call: &CallExpr, text: &str, depth: usize) -> Result<(), FilterError> {
    if !CALLS.contains(&call.func_name.as_str()) {
        return Err(not_allowed(text, &call.func_name));
    }
    call.target.as_deref().into_iter().chain(&call.args).try_for_each(|argument| part(argument, text, depth + 1))
}

/// Where it stands: an operator by its sign, anything else by its name.
fn not_allowed(text: &str, name: &str) -> FilterError {
    let (line, column) = place(text, name.trim_matches('_'));
    FilterError::NotAllowed { line, column }
}

/// The text with the reserved word `namespace` replaced where it is a name. Refuses the ways to write a text that would make
/// it hard to say what is a name: with backslashes, and between three quotes.
pub(super) fn unreserved(text: &str) -> Result<String, FilterError> {
    let mut out = text.to_owned();
    for token in Tokens::of(text) {
        match token.what {
            What::Name if token.text == RESERVED => {
                out.replace_range(token.start..token.start + RESERVED.len(), UNRESERVED);
            }
            What::Odd => {
                let (line, column) = line_and_column(text, token.start);
                return Err(FilterError::NotAllowed { line, column });
            }
            What::Name | What::Other => {}
        }
    }
    Ok(out)
}

/// The line and the column of the first time that `word` stands in `text` outside of quotes and on its own; those of the
/// beginning if it does not.
fn place(text: &str, word: &str) -> (usize, usize) {
    let is_it = |token: &Token<'_>| match token.what {
        What::Name => token.text == word,
        What::Other => !word.is_empty() && token.text.starts_with(word),
        What::Odd => false,
    };
    Tokens::of(text).find(is_it).map_or((1, 1), |token| line_and_column(text, token.start))
}

/// Both count from 1.
fn line_and_column(text: &str, index: usize) -> (usize, usize) {
    let before = text.get(..index).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    (line, before.rsplit('\n').next().unwrap_or_default().chars().count() + 1)
}

/// The parts of a text outside of quotes and comments: names, and every other character with what follows it.
struct Tokens<'t> {
    text: &'t str,
    next: usize,
}

struct Token<'t> {
    start: usize,
    /// A name; for anything else, all of the text from here on.
    text: &'t str,
    what: What,
}

#[derive(Clone, Copy)]
enum What {
    Name,
    Other,
    /// What is not to be in a filter.
    Odd,
}

impl<'t> Tokens<'t> {
    fn of(text: &'t str) -> Self {
        Self { text, next: 0 }
    }
}

impl<'t> Iterator for Tokens<'t> {
    type Item = Token<'t>;

    fn next(&mut self) -> Option<Token<'t>> {
        loop {
            let start = self.next;
            let rest = self.text.get(start..)?;
            let first = rest.chars().next()?;
            let is_name = |c: char| c.is_alphanumeric() || c == '_';
            let (length, what) = match first {
                _ if ["\\", "\"\"\"", "'''"].iter().any(|odd| rest.starts_with(odd)) => (rest.len(), What::Odd),
                '"' | '\'' => {
                    let inside = rest.get(1..)?.find(['\\', first]).map_or(rest.len(), |end| end + 1);
                    // The quote that closes is passed over, a backslash is not.
                    self.next += inside + usize::from(rest.get(inside..).is_some_and(|end| end.starts_with(first)));
                    continue;
                }
                _ if rest.starts_with("//") => {
                    self.next += rest.find('\n').unwrap_or(rest.len());
                    continue;
                }
                c if is_name(c) => (rest.find(|c| !is_name(c)).unwrap_or(rest.len()), What::Name),
                c => (c.len_utf8(), What::Other),
            };
            self.next += length;
            let text = match what {
                What::Name => rest.get(..length)?,
                What::Other | What::Odd => rest,
            };
            return Some(Token { start, text, what });
        }
    }
}

const RESERVED: &str = "namespace";

/// The operators and functions. None of them fails for some values of a type and not for others.
const CALLS: [&str; 15] = [
    operators::LOGICAL_AND,
    operators::LOGICAL_OR,
    operators::LOGICAL_NOT,
    operators::CONDITIONAL,
    operators::EQUALS,
    operators::NOT_EQUALS,
    operators::LESS,
    operators::LESS_EQUALS,
    operators::GREATER,
    operators::GREATER_EQUALS,
    operators::IN,
    "size",
    "startsWith",
    "endsWith",
    "contains",
];
