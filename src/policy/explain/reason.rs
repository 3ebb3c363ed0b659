//! The sentence that people read.

use super::{Explanation, Missing, Question, Said};
use crate::api::Operation;
use crate::policy::acl::Source;
use crate::policy::permit::Access;

/// Why it is allowed or denied.
pub(super) fn sentence(explanation: &Explanation, sources: &[Source], question: &Question<'_>) -> String {
    if explanation.allowed { allowed(explanation, question) } else { denied(explanation, sources) }
}

fn allowed(explanation: &Explanation, question: &Question<'_>) -> String {
    match question.asked.access {
        Access::Public => return "Allowed: this is open to all, without a token.".to_owned(),
        Access::AnyToken => return "Allowed: this is open to any valid token, whatever its policies say.".to_owned(),
        Access::Policy | Access::Sudo => {}
    }
    match &explanation.rule {
        Some(rule) => format!("Allowed by {}.{}", origins(rule, &explanation.decided_by), overruled(explanation)),
        None if question.operation == Operation::Help => "Allowed: help needs no capability.".to_owned(),
        None => "Allowed: the policy \"root\" allows everything.".to_owned(),
    }
}

fn denied(explanation: &Explanation, sources: &[Source]) -> String {
    let Some(rule) = &explanation.rule else { return no_rule(sources) };
    let origins = origins(rule, &explanation.decided_by);
    if explanation.denied_explicitly {
        let denying = explanation.decided_by.iter().filter(|said| said.capabilities.contains(&"deny")).map(place);
        let who = list(denying.collect());
        return format!("Denied by {origins}: {who} says \"deny\", which beats whatever is given for the same path.");
    }
    let lacks: Vec<String> = explanation.missing.iter().map(phrase).collect();
    format!("Denied by {origins}: it {}.{}", lacks.join(", and it "), overruled(explanation))
}

fn no_rule(sources: &[Source]) -> String {
    let mut names: Vec<String> = sources.iter().map(|source| format!("\"{}\"", source.policy.name())).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return "Denied: there is no policy, so no rule matches the path.".to_owned();
    }
    let noun = if names.len() == 1 { "the policy" } else { "the policies" };
    format!("Denied: no rule of {noun} {} matches the path.", list(names))
}

/// `the rule "kv/*" of the policy "a" (line 1)`.
fn origins(rule: &str, decided_by: &[Said]) -> String {
    match decided_by {
        [one] => format!("the rule \"{rule}\" of {}", place(one)),
        several => {
            format!("the rules for \"{rule}\", which add up, of {}", list(several.iter().map(place).collect()))
        }
    }
}

fn place(said: &Said) -> String {
    format!("the policy \"{}\" (line {})", said.policy, said.line)
}

/// What a wider rule would have said.
fn overruled(explanation: &Explanation) -> String {
    let Some(other) = explanation.shadowed.iter().find(|other| other.would_allow != explanation.allowed) else {
        return String::new();
    };
    let would = if other.would_allow { "allow" } else { "deny" };
    format!(
        " The wider rule \"{}\", which would {would} it, does not count: only the most specific rule decides.",
        other.path
    )
}

fn phrase(missing: &Missing) -> String {
    match missing {
        Missing::Rule => "does not exist".to_owned(),
        Missing::Deny => "says \"deny\"".to_owned(),
        Missing::Capability { capability } => format!("does not give \"{capability}\""),
        Missing::RequiredParameter { parameter } => format!("demands the parameter {parameter:?}"),
        Missing::DisallowedParameter { parameter } => {
            format!("does not allow the parameter {parameter:?}, or not this value of it")
        }
        Missing::DeniedParameter { parameter } => format!("denies the parameter {parameter:?}, or this value of it"),
        Missing::Wrapping { min_wrapping_ttl, max_wrapping_ttl } => match (min_wrapping_ttl, max_wrapping_ttl) {
            (Some(min), Some(max)) => format!("wants the answer wrapped for {min} to {max} seconds"),
            (Some(min), None) => format!("wants the answer wrapped for at least {min} seconds"),
            (None, Some(max)) => format!("wants the answer wrapped for at most {max} seconds"),
            (None, None) => "wants the answer wrapped".to_owned(),
        },
        Missing::PageLimit { limit } => format!("wants a limit of 1 to {limit} keys"),
    }
}

fn list(mut words: Vec<String>) -> String {
    let last = words.pop().unwrap_or_default();
    if words.is_empty() { last } else { format!("{} and {last}", words.join(", ")) }
}
