//! What a rule lacks or has against a request, all of it and not only the first.

use schemars::JsonSchema;
use serde::Serialize;

use super::Question;
use crate::error::Result;
use crate::policy::acl::Rule;
use crate::policy::capability::{Capabilities, Capability};
use crate::policy::decision::{Denial, needed, objection};
use crate::policy::document::Terms;
use crate::policy::parameters::Fault;
use crate::policy::permit::{Access, WrapBounds};

/// One thing that a rule lacks or has against a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Missing {
    /// No rule matches the path.
    Rule,
    /// The rule says `deny`.
    Deny,
    /// The rule does not give this capability.
    Capability {
        /// Its name; `sudo` where the endpoint demands it beside the one of the operation.
        capability: &'static str,
    },
    /// The rule demands this field.
    RequiredParameter {
        /// Its name.
        parameter: String,
    },
    /// The rule allows other fields than this one, or other values of it.
    DisallowedParameter {
        /// Its name.
        parameter: String,
    },
    /// The rule denies this field, or the value that it has.
    DeniedParameter {
        /// Its name.
        parameter: String,
    },
    /// The rule wants the answer wrapped, and for a length between these.
    Wrapping {
        /// The shortest, in seconds.
        min_wrapping_ttl: Option<u64>,
        /// The longest, in seconds.
        max_wrapping_ttl: Option<u64>,
    },
    /// The rule lets a list have so many keys at most.
    PageLimit {
        /// How many.
        limit: u32,
    },
}

/// All that is missing.
pub(super) fn all(rule: Option<&Rule>, question: &Question<'_>) -> Result<Vec<Missing>> {
    let mut missing = Vec::new();
    let mut terms = Terms::default();
    match rule {
        None => missing.push(Missing::Rule),
        Some(rule) if rule.terms.capabilities == Capabilities::DENY => return Ok(vec![Missing::Deny]),
        Some(rule) => terms = rule.terms.clone(),
    }
    repair(&mut terms, question, &mut missing)?;
    Ok(missing)
}

/// Changes `terms` by the least that lets the request pass, and says what was `missing`. The objections are those that a
/// request meets, one after the other; each is gone before the next one is asked for.
pub(super) fn repair(terms: &mut Terms, question: &Question<'_>, missing: &mut Vec<Missing>) -> Result<()> {
    let Some(needed) = needed(question.operation, question.asked.existence) else { return Ok(()) };
    while let Some(denial) = objection(question.operation, terms, needed, &question.asked)? {
        match denial {
            Denial::NoRule => break,
            Denial::Capability(capability) => {
                missing.push(Missing::Capability { capability: capability.as_str() });
                terms.capabilities = terms.capabilities.union([capability].into_iter().collect());
            }
            Denial::Wrapping => {
                missing.push(wrapping(terms.wrap_bounds));
                terms.wrap_bounds = wider(terms.wrap_bounds, question);
            }
            Denial::PageLimit => {
                missing.push(Missing::PageLimit { limit: terms.page_limit.unwrap_or_default() });
                terms.page_limit =
                    question.asked.limit.and_then(|limit| u32::try_from(limit).ok()).filter(|most| *most > 0);
            }
            Denial::Parameters => {
                let fields = question.asked.parameters.fields()?;
                for fault in terms.parameters.faults(fields) {
                    terms.parameters.repair(&fault, fields);
                    let said = of_fault(fault);
                    if !missing.contains(&said) {
                        missing.push(said);
                    }
                }
            }
        }
    }
    Ok(())
}

/// The capabilities that the request needs, and nothing else.
pub(super) fn bare(question: &Question<'_>) -> Terms {
    let needed = needed(question.operation, question.asked.existence);
    let sudo = (question.asked.access == Access::Sudo).then_some(Capability::Sudo);
    Terms { capabilities: needed.into_iter().chain(sudo).collect(), ..Terms::default() }
}

fn of_fault(fault: Fault) -> Missing {
    match fault {
        Fault::Required(parameter) => Missing::RequiredParameter { parameter },
        Fault::NotAllowed(parameter) => Missing::DisallowedParameter { parameter },
        Fault::Denied(parameter) => Missing::DeniedParameter { parameter },
    }
}

fn wrapping(bounds: WrapBounds) -> Missing {
    Missing::Wrapping {
        min_wrapping_ttl: bounds.min.map(|ttl| ttl.as_secs()),
        max_wrapping_ttl: bounds.max.map(|ttl| ttl.as_secs()),
    }
}

/// Bounds that the asked length is within.
fn wider(bounds: WrapBounds, question: &Question<'_>) -> WrapBounds {
    match question.asked.wrap_ttl.filter(|ttl| !ttl.is_zero()) {
        None => WrapBounds::default(),
        Some(ttl) => WrapBounds { min: bounds.min.map(|min| min.min(ttl)), max: bounds.max.map(|max| max.max(ttl)) },
    }
}
