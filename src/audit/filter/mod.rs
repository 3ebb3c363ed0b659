//! `Filter`: which entries a device takes, as an expression in CEL (Common Expression Language) over what is plain about
//! an entry.
//!
//! What could take long, or fail for one entry and not for another, is no part of it: no loops, no arithmetic, no regular
//! expressions, no names that are not known. So whatever compiles can be evaluated.

mod facts;
mod syntax;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cel::parser::{Expression, PrattParser};
use cel::{Context, Env, Value};

pub use facts::FilterFacts;
use syntax::{check, unreserved};

/// An expression that is true of the entries that a device takes.
#[derive(Clone)]
pub struct Filter {
    text: String,
    compiled: Arc<Compiled>,
}

struct Compiled {
    expression: Expression,
    environment: Arc<Env>,
    /// Whether a failure to evaluate it was logged.
    complained: AtomicBool,
}

/// Why a filter was refused. No message repeats it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// More text, or more deeply nested, than anyone writes.
    #[error("filter must have at most 2048 bytes, and parts within parts at most 32 deep")]
    TooLarge,
    /// No expression in CEL.
    #[error("filter cannot be read from line {line}, column {column} on; write one such as mount_type == \"kv\"")]
    Syntax {
        /// Counts from 1.
        line: usize,
        /// Counts from 1.
        column: usize,
    },
    /// A name that means nothing here.
    #[error("filter has an unknown name at line {line}, column {column}; the names are {known}", known = FilterFacts::NAMES.join(", "))]
    UnknownName {
        /// Counts from 1.
        line: usize,
        /// Counts from 1.
        column: usize,
    },
    /// Something that CEL has and a filter has not.
    #[error(
        "filter has something at line {line}, column {column} that is not allowed; it can use &&, ||, !, ?:, ==, !=, <, \
         <=, >, >=, in, size(), startsWith(), endsWith() and contains()"
    )]
    NotAllowed {
        /// Counts from 1.
        line: usize,
        /// Counts from 1.
        column: usize,
    },
    /// Text is compared with a number, or the whole is neither true nor false.
    #[error("filter must be true or false for every entry; compare names with texts, as in path == \"sys/mounts\"")]
    Type,
}

impl Filter {
    /// Compiles an expression.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        if text.len() > MAX_LEN || deepest(text) > MAX_DEPTH {
            return Err(FilterError::TooLarge);
        }
        let written = unreserved(text)?;
        let parser = PrattParser::new().max_recursion_depth(PARSER_DEPTH).error_reporting_limit(1);
        let expression = parser.parse(&written).map_err(|errors| syntax_error(text, &errors))?;
        check(&expression, &written)?;
        let environment = Arc::new(Env::stdlib());
        let compiled = Arc::new(Compiled { expression, environment, complained: AtomicBool::new(false) });
        let filter = Self { text: text.to_owned(), compiled };
        // What compares a text with a number does so for every entry alike.
        if FilterFacts::SAMPLES.iter().any(|facts| filter.evaluate(facts).is_none()) {
            return Err(FilterError::Type);
        }
        Ok(filter)
    }

    /// Whether the device takes the entry. One about which the expression says nothing is taken: a broken filter loses
    /// none. That is logged once.
    pub(super) fn takes(&self, facts: &FilterFacts<'_>, device: &str) -> bool {
        self.evaluate(facts).unwrap_or_else(|| {
            if !self.compiled.complained.swap(true, Ordering::Relaxed) {
                tracing::warn!(device, "an audit filter cannot be evaluated; the device takes such entries");
            }
            true
        })
    }

    fn evaluate(&self, facts: &FilterFacts<'_>) -> Option<bool> {
        let mut context = Context::with_env(Arc::clone(&self.compiled.environment));
        context.set_variable_resolver(facts);
        match Value::resolve(&self.compiled.expression, &context) {
            Ok(Value::Bool(taken)) => Some(taken),
            Ok(_) | Err(_) => None,
        }
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Filter").field(&self.text).finish()
    }
}

impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Filter {}

/// How deep the brackets of a text are. Those within quotes count too, which refuses nothing that anyone writes.
fn deepest(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

fn syntax_error(text: &str, errors: &cel::ParseErrors) -> FilterError {
    let (line, column) = errors.errors.first().map_or((1, 1), |error| error.pos);
    let place = |number: isize| usize::try_from(number).unwrap_or(1).max(1);
    let lines = text.lines().count().max(1);
    FilterError::Syntax { line: place(line).min(lines), column: place(column) }
}

const MAX_LEN: usize = 2048;
const MAX_DEPTH: usize = 32;
const PARSER_DEPTH: u16 = 48;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn facts() -> FilterFacts<'static> {
        FilterFacts {
            kind: "response",
            path: "kv/data/a",
            operation: "read",
            namespace: "team/",
            mount_point: "kv/",
            mount_type: "kv",
            mount_class: "secret",
            error: "permission denied",
            denied: true,
        }
    }

    fn takes(text: &str) -> bool {
        Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).takes(&facts(), "file/")
    }

    #[test]
    fn every_name_can_be_asked_for() {
        for text in [
            "type == 'response'",
            "path == \"kv/data/a\"",
            "operation in ['read', \"list\"]",
            "namespace == 'team/'",
            "namespace != 'namespace' // it's the namespace",
            "'namespace' != path&&namespace!=''",
            "mount_point == 'kv/'",
            "mount_type != 'pki'",
            "mount_class == 'secret'",
            "error != '' && error.contains('denied')",
            "denied",
            "!(path.startsWith('sys/')) && path.endsWith('/a') && size(path) > 3",
            "mount_type == 'kv' ? denied : false",
            "path > 'a' && path < 'z' && size(path) >= 9 && path.size() <= 9",
            "true",
        ] {
            assert!(takes(text), "{text}");
        }
        for text in ["false", "!denied", "path == 'KV/data/a'", "operation in []", "'x' == path"] {
            assert!(!takes(text), "{text}");
        }
    }

    #[test]
    fn the_place_of_a_mistake_is_named() {
        let refused = |text: &str| Filter::parse(text).unwrap_err();
        assert!(matches!(refused("path ==\n && denied"), FilterError::Syntax { line: 2, .. }));
        assert!(matches!(refused(""), FilterError::Syntax { .. }));
        assert!(matches!(refused("path == 'a"), FilterError::Syntax { .. }));
        assert_eq!(refused("denied &&\n pth == 'a'"), FilterError::UnknownName { line: 2, column: 2 });
        assert_eq!(refused("path == 'pth' || pth == ''"), FilterError::UnknownName { line: 1, column: 18 });
        assert_eq!(refused("path.matches('a.*')"), FilterError::NotAllowed { line: 1, column: 6 });
        assert!(matches!(refused("[1, 2].all(x, x > 0)"), FilterError::NotAllowed { .. }));
        assert!(matches!(refused("path + 'a' == 'b'"), FilterError::NotAllowed { .. }));
        assert!(matches!(refused("path[0] == 'b'"), FilterError::NotAllowed { .. }));
        assert!(matches!(refused("path.length == 'b'"), FilterError::NotAllowed { .. }));
        assert!(matches!(refused("{'a': 'b'} == path"), FilterError::NotAllowed { .. }));
        assert_eq!(refused("path == 'a\\'b'"), FilterError::NotAllowed { line: 1, column: 11 });
        assert_eq!(refused("denied ||\n path == \"\"\"a\"\"\""), FilterError::NotAllowed { line: 2, column: 10 });
        assert_eq!(refused("namespaces == ''"), FilterError::UnknownName { line: 1, column: 1 });
        for text in ["path", "1", "path > 1", "path && denied", "denied < 1", "size(denied) > 1", "!path"] {
            assert_eq!(refused(text), FilterError::Type, "{text}");
        }
    }

    #[test]
    fn what_is_too_large_is_refused() {
        for text in ["(".repeat(3000), format!("{}denied{}", "(".repeat(40), ")".repeat(40)), " ".repeat(2049)] {
            assert_eq!(Filter::parse(&text).unwrap_err(), FilterError::TooLarge);
        }
        let chain = vec!["denied"; 200].join("||");
        assert!(takes(&chain));
        for unary in ["!", "-", "!-"] {
            let _ = Filter::parse(&format!("{}denied", unary.repeat(1000)));
        }
        assert!(Filter::parse(&format!("path{} == ''", ".a".repeat(1000))).is_err());
        assert!(Filter::parse(&format!("{} true", "true ? false : ".repeat(130))).is_err());
    }

    #[test]
    fn an_expression_may_be_as_deep_as_is_said_and_no_deeper() {
        let nested = |depth| format!("{}true", "true ? true : ".repeat(depth));
        assert!(takes(&nested(MAX_DEPTH)));
        assert_eq!(Filter::parse(&nested(MAX_DEPTH + 1)).unwrap_err(), FilterError::TooLarge);
    }

    #[test]
    fn an_entry_that_cannot_be_judged_is_taken() {
        let mut filter = Filter::parse("denied").unwrap();
        let broken = PrattParser::new().parse("path > 1").unwrap();
        let environment = Arc::new(Env::stdlib());
        filter.compiled = Arc::new(Compiled { expression: broken, environment, complained: AtomicBool::new(false) });
        assert!(filter.takes(&facts(), "file/"));
        assert!(filter.compiled.complained.load(Ordering::Relaxed));
    }

    proptest! {
        #[test]
        fn any_text_is_compiled_or_refused(text in "[a-z=&|!<>()\\[\\]'\". ?:,{}0-9+*-]{0,60}|\\PC{0,40}") {
            if let Ok(filter) = Filter::parse(&text) {
                filter.takes(&facts(), "file/");
            }
        }

        #[test]
        fn a_comparison_is_what_it_says(value in "[a-zA-Z0-9/_. -]{0,20}") {
            let filter = Filter::parse(&format!("path == '{value}'")).unwrap();
            let same = FilterFacts { path: &value, ..facts() };
            prop_assert!(filter.takes(&same, ""));
            let other = format!("{value}x");
            let facts = FilterFacts { path: &other, ..facts() };
            prop_assert!(!filter.takes(&facts, ""));
        }
    }
}
