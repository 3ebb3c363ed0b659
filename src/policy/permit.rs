//! `Permit`: that a request may go ahead, as a value that only this module can make.

use std::sync::Arc;
use std::time::Duration;

use super::decision::Grant;
use super::listing::ListFilter;

/// What an endpoint asks of its caller. Declared once, on its route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// Anyone, without a token: logins, `sys/health`, unsealing.
    Public,
    /// A token whose policies allow it.
    Policy,
    /// The same, and `sudo`.
    Sudo,
    /// Any valid token, whatever its policies say (`sys/internal/ui/*`, which filter by policy themselves).
    AnyToken,
}

/// A request that may go ahead. Made by [`super::Matched::authorise`] and by [`Permit::public`], nowhere else.
#[derive(Debug)]
pub struct Permit(Grant);

/// A policy that allowed a request, as the audit log names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantingPolicy {
    /// The policy's name.
    pub name: String,
    /// The id of the namespace that it is in.
    pub namespace_id: String,
    /// `acl`.
    pub kind: &'static str,
}

/// How long an answer must or may be wrapped; nothing where the policy does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WrapBounds {
    /// The answer must be wrapped for at least so long.
    pub min: Option<Duration>,
    /// The answer must be wrapped for at most so long.
    pub max: Option<Duration>,
}

impl Permit {
    /// A permit for an endpoint that is open to all; nothing for any other.
    pub fn public(access: Access) -> Option<Self> {
        match access {
            Access::Public => Some(Self(Grant::default())),
            Access::Policy | Access::Sudo | Access::AnyToken => None,
        }
    }

    /// Only the access-control list makes this.
    pub(super) fn granted(grant: Grant) -> Self {
        Self(grant)
    }

    /// The policies that allowed the request.
    pub fn granting(&self) -> &[Arc<GrantingPolicy>] {
        &self.0.granting
    }

    /// How long the answer must or may be wrapped.
    pub fn wrap_bounds(&self) -> WrapBounds {
        self.0.wrap_bounds
    }

    /// The most keys that the list may have, also if its caller asked for no number.
    pub fn page_limit(&self) -> Option<u32> {
        self.0.page_limit
    }

    /// Which keys of the list its caller may see; see [`super::Acl::shows`].
    pub fn list_filters(&self) -> &[ListFilter] {
        &self.0.list_filters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_to_all_needs_no_list_and_nothing_else_goes_without_one() {
        assert!(Permit::public(Access::Public).is_some());
        for access in [Access::Policy, Access::Sudo, Access::AnyToken] {
            assert!(Permit::public(access).is_none(), "{access:?}");
        }
    }
}
