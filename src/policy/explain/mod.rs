//! `Explanation`: why a request may or may not go ahead, and the smallest rule that would let it.
//!
//! It asks the compiled list itself what it decides, so it cannot disagree with it, and it tries what it suggests before
//! it says so. None of it is on the way of a request.

mod missing;
mod reason;
mod rule_text;
mod suggestion;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::acl::{Acl, Origin, Rule, Source};
use super::capability::{Capabilities, Capability};
use super::decision::{Asked, Decision, Matched};
use super::permit::{Access, GrantingPolicy};
use super::template::TemplateFacts;
use super::trie::{self, Trie};
use crate::api::{ApiPath, Operation};
use crate::error::Result;
use crate::time::Timestamp;

pub use missing::Missing;
pub use suggestion::{Action, Suggestion};

/// A request that may or may not be made.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What it does.
    pub operation: Operation,
    /// Where, as policies see it: the path of a list ends in a slash.
    pub path: &'a ApiPath,
    /// With what.
    pub asked: Asked<'a>,
}

/// Why a request may or may not go ahead. Has no value of a field that was sent, and no token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Explanation {
    /// Whether it may.
    pub allowed: bool,
    /// Whether a rule says `deny`: no smaller rule is suggested against that.
    pub denied_explicitly: bool,
    /// One sentence or two for people.
    pub reason: String,
    /// The path of the rule that decides, placeholders replaced; nothing if no rule does.
    pub rule: Option<String>,
    /// The policies that this rule comes from. Several add up.
    pub decided_by: Vec<Said>,
    /// What the rule lacks or has against the request.
    pub missing: Vec<Missing>,
    /// Wider rules that match too and do not count, the best first.
    pub shadowed: Vec<Shadowed>,
    /// What would let the request pass; nothing if it may pass, or if a rule says `deny`.
    pub suggestion: Option<Suggestion>,
    /// Rules that were left out because a placeholder in them has no value for this identity, or an unsafe one.
    pub left_out: Vec<String>,
}

/// What one policy says about the path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Said {
    /// The policy's name.
    pub policy: String,
    /// The rule's path as it is written there, with its placeholders; empty for a policy without rules (`root`).
    pub path: String,
    /// The line of the policy on which the rule stands; 0 for a policy without rules.
    pub line: u32,
    /// What it gives.
    pub capabilities: Vec<&'static str>,
}

/// A rule that matches the path too, and does not count because another one is more specific.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Shadowed {
    /// Its path, placeholders replaced.
    pub path: String,
    /// The policies that it comes from.
    pub policies: Vec<String>,
    /// What it gives.
    pub capabilities: Vec<&'static str>,
    /// Whether it would let the request pass if it were the one that decides.
    pub would_allow: bool,
}

impl Explanation {
    /// Explains what the policies `sources` of one identity say about `question` at `now`. An error means that the fields
    /// of the request cannot be read.
    pub fn of(sources: &[Source], facts: &TemplateFacts, now: Timestamp, question: &Question<'_>) -> Result<Self> {
        let acl = Acl::compile(sources, facts, now);
        let matched = acl.rule(question.operation, question.path);
        let allowed = matches!(matched.decide(&question.asked)?, Decision::Granted(_));
        let rule = matched.rule().filter(|_| is_checked(question));
        let missing = if allowed { Vec::new() } else { missing::all(rule, question)? };
        let denied_explicitly = !allowed && rule.is_some_and(|rule| rule.terms.capabilities == Capabilities::DENY);
        let shadowed = if rule.is_some() { shadowed(&acl, rule, question)? } else { Vec::new() };
        let suggestion = if allowed || denied_explicitly {
            None
        } else {
            suggestion::tried(&suggestion::World { sources, facts, now }, rule, question)?
        };
        let mut explanation = Self {
            allowed,
            denied_explicitly,
            reason: String::new(),
            rule: rule.map(|rule| rule.path.clone()),
            decided_by: decided_by(&acl, rule, question),
            missing,
            shadowed,
            suggestion,
            left_out: acl.warnings().to_vec(),
        };
        explanation.reason = reason::sentence(&explanation, sources, question);
        Ok(explanation)
    }
}

/// Whether policies are asked at all.
fn is_checked(question: &Question<'_>) -> bool {
    match question.asked.access {
        Access::Public | Access::AnyToken => false,
        Access::Policy | Access::Sudo => question.operation != Operation::Help,
    }
}

fn decided_by(acl: &Acl, rule: Option<&Rule>, question: &Question<'_>) -> Vec<Said> {
    let root = acl.root().filter(|_| is_checked(question));
    let all_powerful = |policy: &Arc<GrantingPolicy>| Said {
        policy: policy.name.clone(),
        path: String::new(),
        line: 0,
        capabilities: vec!["root"],
    };
    let said = |origin: &Origin| Said {
        policy: origin.policy.name.clone(),
        path: origin.path.clone(),
        line: origin.line,
        capabilities: words(origin.capabilities),
    };
    let mut found: Vec<Said> = root.map(all_powerful).into_iter().collect();
    found.extend(rule.into_iter().flat_map(|rule| &rule.origins).map(said));
    found.sort_by(|a, b| (&a.policy, a.line).cmp(&(&b.policy, b.line)));
    found
}

fn words(capabilities: Capabilities) -> Vec<&'static str> {
    capabilities.iter().map(Capability::as_str).collect()
}

/// The rules that match as well, the best first.
fn shadowed(acl: &Acl, decides: Option<&Rule>, question: &Question<'_>) -> Result<Vec<Shadowed>> {
    let decides = decides.map(|rule| rule.path.as_str());
    let mut others: Vec<&Rule> =
        acl.rules().filter(|rule| Some(rule.path.as_str()) != decides && applies(&rule.path, question)).collect();
    others.sort_by(|a, b| rank(b).cmp(&rank(a)));
    others.into_iter().map(|rule| shadow(rule, question)).collect()
}

fn rank(rule: &Rule) -> impl Ord + '_ {
    (!trie::is_wildcard(&rule.path), trie::rank(&rule.path))
}

fn shadow(rule: &Rule, question: &Question<'_>) -> Result<Shadowed> {
    let decision = Matched::new(question.operation, None, Some(rule)).decide(&question.asked)?;
    let mut policies: Vec<String> = rule.origins.iter().map(|origin| origin.policy.name.clone()).collect();
    policies.sort_unstable();
    policies.dedup();
    Ok(Shadowed {
        path: rule.path.clone(),
        policies,
        capabilities: words(rule.terms.capabilities),
        would_allow: matches!(decision, Decision::Granted(_)),
    })
}

/// Whether the pattern of a rule matches the path, for a list also without its slash.
fn applies(pattern: &str, question: &Question<'_>) -> bool {
    let matches = |path: &str| Trie::new([(0, pattern)]).best(path).is_some();
    spellings(question).any(|path| if trie::is_wildcard(pattern) { matches(path) } else { pattern == path })
}

/// The texts that an exact rule for the path can have.
fn spellings<'a>(question: &Question<'a>) -> impl Iterator<Item = &'a str> + use<'a> {
    let path = question.path.as_str();
    [Some(path), path.strip_suffix('/').filter(|_| question.operation.is_listing())].into_iter().flatten()
}

#[cfg(test)]
mod tests;
