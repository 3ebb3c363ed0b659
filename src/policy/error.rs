//! Why a text is not a policy.

use crate::error::Error;
use crate::hcl::{Misshapen, Position, SyntaxError};

/// Why a text is not a policy. Names keys and capabilities, as the author must find them, and no other value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// There is no text.
    #[error("'policy' parameter not supplied or empty")]
    Empty,
    /// The text is not HCL or JSON.
    #[error("failed to parse policy: {0}")]
    Syntax(#[from] SyntaxError),
    /// A key that policies do not have.
    #[error("failed to parse policy: invalid key \"{key}\" on line {line}")]
    UnknownKey {
        /// The key.
        key: String,
        /// Its line.
        line: u32,
    },
    /// A capability that does not exist.
    #[error("failed to parse policy: invalid capability \"{name}\" on line {line}")]
    UnknownCapability {
        /// The capability.
        name: String,
        /// Its line.
        line: u32,
    },
    /// A rule that asks for a check which this server does not do; without it the rule would allow more.
    #[error("failed to parse policy: \"{key}\" on line {line} is not supported; remove it or deny the path")]
    Unsupported {
        /// The key.
        key: &'static str,
        /// Its line.
        line: u32,
    },
    /// Anything else that is wrong with a rule.
    #[error("failed to parse policy: line {line}: {what}")]
    Rule {
        /// The line.
        line: u32,
        /// What is wrong, and what is right.
        what: &'static str,
    },
}

impl PolicyError {
    pub(super) fn rule(position: Position, what: &'static str) -> Self {
        Self::Rule { line: position.line, what }
    }

    pub(super) fn unknown_key(key: &str, position: Position) -> Self {
        Self::UnknownKey { key: shown(key), line: position.line }
    }

    pub(super) fn unknown_capability(name: &str, position: Position) -> Self {
        Self::UnknownCapability { name: shown(name), line: position.line }
    }
}

/// At most 64 characters, without any that would change how a terminal shows the rest.
fn shown(name: &str) -> String {
    name.chars().take(64).flat_map(char::escape_debug).collect()
}

impl From<Misshapen> for PolicyError {
    fn from(misshapen: Misshapen) -> Self {
        Self::rule(misshapen.position, "a rule is written path \"…\" { … }")
    }
}

impl From<PolicyError> for Error {
    fn from(error: PolicyError) -> Self {
        Self::invalid(error.to_string())
    }
}
