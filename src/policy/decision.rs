//! From the rule that matched to a decision, and from the decision to a [`Permit`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::acl::{Origin, Rule};
use super::capability::Capability;
use super::document::Terms;
use super::listing::ListFilter;
use super::parameters::Parameters;
use super::permit::{Access, GrantingPolicy, Permit, WrapBounds};
use crate::api::Operation;
use crate::error::{Error, Result};

/// The rule that decides about a request, if there is one.
#[derive(Clone, Copy, Debug)]
pub struct Matched<'a> {
    operation: Operation,
    root: Option<&'a Arc<GrantingPolicy>>,
    rule: Option<&'a Rule>,
}

/// Whether what a write is for exists already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existence {
    /// It does not: the write creates.
    Absent,
    /// It does: the write updates.
    Exists,
    /// The engine does not say. Counts as an update.
    Unknown,
}

impl From<bool> for Existence {
    fn from(exists: bool) -> Self {
        if exists { Self::Exists } else { Self::Absent }
    }
}

/// What a request asks for, besides operation and path.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// What the endpoint demands.
    pub access: Access,
    /// Whether the target of a write exists; see [`Matched::needs_existence`].
    pub existence: Existence,
    /// For how long the caller wants the answer wrapped, if at all.
    pub wrap_ttl: Option<Duration>,
    /// The number of keys that the caller of a list asks for, if it does.
    pub limit: Option<i64>,
    /// The fields of the body, or of a read's query. Only read if the rule has something to say about them.
    pub parameters: &'a dyn Parameters,
}

/// What the policies say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The request may go ahead.
    Granted(Grant),
    /// It may not.
    Denied(Denial),
}

/// What comes with a permission.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// The policies that gave it.
    pub granting: Vec<Arc<GrantingPolicy>>,
    /// How long the answer must or may be wrapped.
    pub wrap_bounds: WrapBounds,
    /// The most keys that a list may have.
    pub page_limit: Option<u32>,
    /// Which keys of a list may be seen; see [`super::Acl::shows`].
    pub list_filters: Vec<ListFilter>,
}

/// Why a request may not go ahead. For explanations to those who may read policies; the caller learns none of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// No rule matches the path.
    NoRule,
    /// The rule does not have this capability, or has `deny`.
    Capability(Capability),
    /// The rule does not let these fields pass.
    Parameters,
    /// The rule does not let a list be this long.
    PageLimit,
    /// The rule wants the answer wrapped, or not for so long.
    Wrapping,
}

impl fmt::Debug for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked")
            .field("access", &self.access)
            .field("existence", &self.existence)
            .finish_non_exhaustive()
    }
}

impl<'a> Matched<'a> {
    pub(super) fn new(operation: Operation, root: Option<&'a Arc<GrantingPolicy>>, rule: Option<&'a Rule>) -> Self {
        Self { operation, root, rule }
    }

    /// The rule itself; nothing for a list that allows everything, and where no rule matches.
    pub(super) fn rule(&self) -> Option<&'a Rule> {
        self.rule.filter(|_| self.root.is_none())
    }

    /// Whether the decision depends on whether the target of the write exists. If not, do not look.
    pub fn needs_existence(&self) -> bool {
        let has = |capability| self.rule.is_some_and(|rule| rule.terms.capabilities.has(capability));
        let differs = has(Capability::Create) != has(Capability::Update);
        matches!(self.operation, Operation::Write) && self.root.is_none() && differs
    }

    /// The path of the rule as it counts for this identity: placeholders are replaced.
    pub fn path(&self) -> Option<&'a str> {
        self.rule.map(|rule| rule.path.as_str())
    }

    /// Which policies say what, on which line.
    pub fn origins(&self) -> &'a [Origin] {
        self.rule.map_or(&[], |rule| &rule.origins)
    }

    /// What the policies say about the request. An error means that its fields cannot be read.
    pub fn decide(&self, asked: &Asked<'_>) -> Result<Decision> {
        match asked.access {
            Access::Public | Access::AnyToken => return Ok(Decision::Granted(Grant::default())),
            Access::Policy | Access::Sudo => {}
        }
        if let Some(root) = self.root {
            return Ok(Decision::Granted(Grant { granting: vec![root.clone()], ..Grant::default() }));
        }
        let Some(needed) = needed(self.operation, asked.existence) else {
            return Ok(Decision::Granted(Grant::default()));
        };
        let Some(rule) = self.rule else { return Ok(Decision::Denied(Denial::NoRule)) };
        if let Some(denial) = objection(self.operation, &rule.terms, needed, asked)? {
            return Ok(Decision::Denied(denial));
        }
        let granting = rule.origins.iter().filter(|origin| origin.capabilities.has(needed));
        Ok(Decision::Granted(Grant {
            granting: granting.map(|origin| origin.policy.clone()).collect(),
            wrap_bounds: rule.terms.wrap_bounds,
            page_limit: rule.terms.page_limit.filter(|_| self.operation.is_listing()),
            list_filters: if self.operation.is_listing() { rule.terms.list_filters.clone() } else { Vec::new() },
        }))
    }

    /// The permit for the request, or the refusal that its caller reads. With [`Permit::public`] the only maker of one.
    pub fn authorise(&self, asked: &Asked<'_>) -> Result<Permit> {
        match self.decide(asked)? {
            Decision::Granted(grant) => Ok(Permit::granted(grant)),
            Decision::Denied(_) => Err(Error::denied()),
        }
    }
}

/// What `terms` have against the request, which needs the capability `needed`; nothing if they let it pass.
pub(super) fn objection(
    operation: Operation,
    terms: &Terms,
    needed: Capability,
    asked: &Asked<'_>,
) -> Result<Option<Denial>> {
    if !terms.capabilities.has(needed) {
        return Ok(Some(Denial::Capability(needed)));
    }
    if asked.access == Access::Sudo && !terms.capabilities.has(Capability::Sudo) {
        return Ok(Some(Denial::Capability(Capability::Sudo)));
    }
    if !terms.wrap_bounds.admit(asked.wrap_ttl) {
        return Ok(Some(Denial::Wrapping));
    }
    if operation.is_listing() && terms.page_limit.is_some_and(|most| !within(asked.limit, most)) {
        return Ok(Some(Denial::PageLimit));
    }
    let has_fields = matches!(operation, Operation::Read | Operation::Write | Operation::Patch);
    if has_fields && !terms.parameters.is_empty() && !terms.parameters.admit(asked.parameters.fields()?) {
        return Ok(Some(Denial::Parameters));
    }
    Ok(None)
}

/// The capability that an operation needs; help needs none.
pub(super) fn needed(operation: Operation, existence: Existence) -> Option<Capability> {
    match (operation, existence) {
        (Operation::Read, _) => Some(Capability::Read),
        (Operation::Write, Existence::Absent) => Some(Capability::Create),
        (Operation::Write, Existence::Exists | Existence::Unknown) => Some(Capability::Update),
        (Operation::Patch, _) => Some(Capability::Patch),
        (Operation::Delete, _) => Some(Capability::Delete),
        (Operation::List, _) => Some(Capability::List),
        (Operation::Scan, _) => Some(Capability::Scan),
        (Operation::Help, _) => None,
    }
}

/// Whether a list of as many keys as were asked for is short enough; one that asks for none gets the most.
fn within(asked: Option<i64>, most: u32) -> bool {
    asked.is_none_or(|asked| asked > 0 && asked <= i64::from(most))
}

impl WrapBounds {
    /// Whether an answer may be wrapped for `ttl`, or not at all. Where there is a bound it must be wrapped.
    pub(super) fn admit(self, ttl: Option<Duration>) -> bool {
        let Self { min, max } = self;
        match ttl.filter(|ttl| !ttl.is_zero()) {
            None => min.is_none() && max.is_none(),
            Some(ttl) => min.is_none_or(|min| ttl >= min) && max.is_none_or(|max| ttl <= max),
        }
    }
}
