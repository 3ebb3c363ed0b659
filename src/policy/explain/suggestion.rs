//! The smallest rule that would let a request pass.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Question, Said, missing, rule_text, spellings, words};
use crate::error::Result;
use crate::policy::acl::{Acl, Origin, Rule, Source};
use crate::policy::decision::Decision;
use crate::policy::document::{Policy, Terms};
use crate::policy::name::PolicyName;
use crate::policy::parameters::ParameterRules;
use crate::policy::permit::WrapBounds;
use crate::policy::template::TemplateFacts;
use crate::time::Timestamp;

/// A change of policies that would let the request pass. Someone who may write policies has to want it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Suggestion {
    /// What to do with the rule.
    pub action: Action,
    /// The rule, as it is written in a policy. Whatever the rule that decided gave at this path it gives too. Where the
    /// path ends in a slash, lists of it may have been decided by a rule for the path without one; this one is then
    /// the more specific, and decides instead.
    pub rule: String,
    /// The rules whose place it takes; none if it is added.
    pub replaces: Vec<Said>,
}

/// What to do with a suggested rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Add it to any policy of the token.
    Add,
    /// Put it in the place of others: what rules for one path forbid stays forbidden, whatever is added.
    Replace,
}

/// What there is to decide by.
pub(super) struct World<'a> {
    pub(super) sources: &'a [Source],
    pub(super) facts: &'a TemplateFacts,
    pub(super) now: Timestamp,
}

/// The first change in the order of their size with which the request passes, which is tried.
pub(super) fn tried(world: &World<'_>, decides: Option<&Rule>, question: &Question<'_>) -> Result<Option<Suggestion>> {
    let mut terms = decides.map_or_else(|| missing::bare(question), |rule| rule.terms.clone());
    missing::repair(&mut terms, question, &mut Vec::new())?;
    let path = question.path.as_str();
    let mut additions = Vec::new();
    match decides {
        None => additions.extend([(path.to_owned(), terms.clone()), (widened(path), terms.clone())]),
        Some(rule) => {
            let more = added(&rule.terms, &terms);
            if spellings(question).any(|path| path == rule.path) {
                additions.push((rule.path.clone(), more.clone()));
            }
            additions.push((path.to_owned(), terms.clone()));
            additions.extend(rule.origins.iter().map(|origin| (origin.path.clone(), more.clone())));
        }
    }
    for (path, terms) in additions {
        let Some(rule) = rule_text::written(&path, &terms) else { continue };
        if world.allows(&rule, None, question)? {
            return Ok(Some(Suggestion { action: Action::Add, rule, replaces: Vec::new() }));
        }
    }
    let Some(decides) = decides else { return Ok(None) };
    for origin in &decides.origins {
        let Some(rule) = rule_text::written(&origin.path, &terms) else { continue };
        if world.allows(&rule, Some(&decides.path), question)? {
            let replaces = decides.origins.iter().map(said).collect();
            return Ok(Some(Suggestion { action: Action::Replace, rule, replaces }));
        }
    }
    Ok(None)
}

impl World<'_> {
    /// Whether the request passes with `rule` besides, and without the rules for the path `without`.
    fn allows(&self, rule: &str, without: Option<&str>, question: &Question<'_>) -> Result<bool> {
        let Ok(policy) = Policy::parse(PolicyName::default_policy(), rule) else { return Ok(false) };
        let mut sources: Vec<Source> = self.sources.iter().map(|source| self.reduced(source, without)).collect();
        sources.push(Source { namespace_id: "".into(), policy: Arc::new(policy), expires: None });
        let acl = Acl::compile(&sources, self.facts, self.now);
        let decision = acl.rule(question.operation, question.path).decide(&question.asked)?;
        Ok(matches!(decision, Decision::Granted(_)))
    }

    fn reduced(&self, source: &Source, without: Option<&str>) -> Source {
        let Some(without) = without else { return source.clone() };
        let policy = &source.policy;
        let kept = policy.rules().iter().filter(|rule| rule.path.resolve(self.facts).as_deref() != Ok(without));
        let policy = Policy::with_rules(policy.name().clone(), policy.text().to_owned(), kept.cloned().collect());
        Source { policy: Arc::new(policy), ..source.clone() }
    }
}

fn said(origin: &Origin) -> Said {
    Said {
        policy: origin.policy.name.clone(),
        path: origin.path.clone(),
        line: origin.line,
        capabilities: words(origin.capabilities),
    }
}

/// What a rule for the same path has to say so that together they say `after`, as far as adding goes.
fn added(before: &Terms, after: &Terms) -> Terms {
    let allowed = after.parameters.allowed.iter();
    let allowed = allowed.filter(|(key, values)| before.parameters.allowed.get(*key) != Some(values));
    Terms {
        capabilities: after.capabilities.iter().filter(|capability| !before.capabilities.has(*capability)).collect(),
        parameters: ParameterRules {
            allowed: allowed.map(|(key, values)| (key.clone(), values.clone())).collect(),
            ..ParameterRules::default()
        },
        wrap_bounds: WrapBounds {
            min: after.wrap_bounds.min.filter(|_| before.wrap_bounds.min != after.wrap_bounds.min),
            max: None,
        },
        page_limit: None,
        list_filters: Vec::new(),
    }
}

/// The narrowest pattern for a path that a rule cannot have as it is: a plus in the place of each segment that has a
/// meaning in policies.
fn widened(path: &str) -> String {
    let has_meaning = |segment: &str| ["{{", "}}", "+*"].iter().any(|sign| segment.contains(sign));
    path.split('/').map(|segment| if has_meaning(segment) { "+" } else { segment }).collect::<Vec<_>>().join("/")
}
