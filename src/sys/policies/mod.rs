//! `/v1/sys/policies/*` and `/v1/sys/policy`: ACL policies and password policies.

mod acl;
mod explain;
mod legacy;
mod password;

use std::sync::Arc;

use crate::engine::Routes;
use crate::vault::Unsealed;

/// Adds what is below `sys/policies` and `sys/policy`.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    let routes = acl::add(routes);
    let routes = legacy::add(routes);
    password::add(routes).endpoint::<explain::ExplainPolicies>()
}
