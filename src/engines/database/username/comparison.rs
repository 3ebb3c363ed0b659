//! The functions of a template that compare and decide.

use std::cmp::Ordering;

use super::Value;

/// A function that compares values, or decides by whether they hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    /// The first value that does not hold, or the last one.
    And,
    /// Whether the first value is one of the others.
    Eq,
    Ge,
    Gt,
    Le,
    Lt,
    Ne,
    Not,
    /// The first value that holds, or the last one.
    Or,
}

impl Comparison {
    /// The comparison of that name.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "and" => Some(Self::And),
            "eq" => Some(Self::Eq),
            "ge" => Some(Self::Ge),
            "gt" => Some(Self::Gt),
            "le" => Some(Self::Le),
            "lt" => Some(Self::Lt),
            "ne" => Some(Self::Ne),
            "not" => Some(Self::Not),
            "or" => Some(Self::Or),
            _ => None,
        }
    }

    /// Its value.
    pub(super) fn call(self, values: Vec<Value>) -> Result<Value, String> {
        let truth = match self {
            Self::And => return first_that(false, values),
            Self::Or => return first_that(true, values),
            Self::Eq => is_any(&values)?,
            Self::Ge => ordered(&values)?.is_ge(),
            Self::Gt => ordered(&values)?.is_gt(),
            Self::Le => ordered(&values)?.is_le(),
            Self::Lt => ordered(&values)?.is_lt(),
            Self::Ne => !are_equal(two(&values)?)?,
            Self::Not => match values.as_slice() {
                [value] => !value.holds(),
                _ => return Err("not takes one value in a username template".to_owned()),
            },
        };
        Ok(Value::Truth(truth))
    }
}

fn is_any(values: &[Value]) -> Result<bool, String> {
    let Some((first, others @ [_, ..])) = values.split_first() else { return Err(missing()) };
    let mut found = false;
    for other in others {
        found |= are_equal((first, other))?;
    }
    Ok(found)
}

fn ordered(values: &[Value]) -> Result<Ordering, String> {
    match two(values)? {
        (Value::Text(a), Value::Text(b)) => Ok(a.cmp(b)),
        (Value::Number(a), Value::Number(b)) => Ok(a.cmp(b)),
        (Value::Text(_) | Value::Number(_) | Value::Truth(_), _) => {
            Err("the username template compares what has no order: two numbers or two texts have".to_owned())
        }
    }
}

/// The first value that holds, or that does not, as `decides` says; the last one if there is none.
fn first_that(decides: bool, values: Vec<Value>) -> Result<Value, String> {
    let mut last = None;
    for value in values {
        let is_decided = value.holds() == decides;
        last = Some(value);
        if is_decided {
            break;
        }
    }
    last.ok_or_else(missing)
}

fn are_equal(values: (&Value, &Value)) -> Result<bool, String> {
    match values {
        (Value::Text(a), Value::Text(b)) => Ok(a == b),
        (Value::Number(a), Value::Number(b)) => Ok(a == b),
        (Value::Truth(a), Value::Truth(b)) => Ok(a == b),
        (Value::Text(_) | Value::Number(_) | Value::Truth(_), _) => {
            Err("the username template compares values of two kinds".to_owned())
        }
    }
}

fn two(values: &[Value]) -> Result<(&Value, &Value), String> {
    match values {
        [a, b] => Ok((a, b)),
        _ => Err("a comparison of the username template takes two values".to_owned()),
    }
}

fn missing() -> String {
    "a function of the username template has too few arguments".to_owned()
}
