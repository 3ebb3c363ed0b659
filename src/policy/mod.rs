//! Policies, the compiled access-control list, and the permit that it makes.
//!
//! Text becomes a [`Policy`], the policies of a token become an [`Acl`] (shared through an [`AclCache`]), the list finds
//! the one rule that decides ([`Acl::rule`]), and that rule makes a [`Permit`] or refuses ([`Matched::authorise`]). Why it
//! does so says an [`Explanation`].
//! Nothing here reads storage: who does hands over parsed policies as [`Source`]s.

mod acl;
mod builtin;
mod cache;
mod capability;
mod decision;
mod document;
mod error;
mod explain;
mod folding;
mod listing;
mod name;
mod parameters;
mod permit;
mod reach;
mod template;
mod trie;

pub use acl::{Acl, Origin, Source};
pub use builtin::{DEFAULT_POLICY, RESPONSE_WRAPPING_POLICY};
pub use cache::AclCache;
pub use capability::{Capabilities, Capability};
pub use decision::{Asked, Decision, Denial, Existence, Grant, Matched};
pub use document::Policy;
pub use error::PolicyError;
pub use explain::{Action, Explanation, Missing, Question, Said, Shadowed, Suggestion};
pub use listing::ListFilter;
pub use name::{BadName, PolicyName};
pub use parameters::Parameters;
pub use permit::{Access, GrantingPolicy, Permit, WrapBounds};
pub use reach::Summary;
pub use template::{AliasFacts, EntityFacts, GroupFacts, TemplateFacts};

#[cfg(test)]
mod tests;
