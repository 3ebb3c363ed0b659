//! The policies that every vault has.

/// The text of the `default` policy as a new vault has it. It may be edited, not deleted.
///
/// It lets a token look after itself: look up, renew and revoke itself, look at its entity, ask what it may do, use its cubbyhole, and
/// handle leases and wrapped answers of which it knows the id or the token.
pub const DEFAULT_POLICY: &str = r#"# The token itself: look up, renew, revoke
path "auth/token/lookup-self" {
  capabilities = ["read"]
}

path "auth/token/renew-self" {
  capabilities = ["update"]
}

path "auth/token/revoke-self" {
  capabilities = ["update"]
}

# The entity behind the token
path "identity/entity/id/{{identity.entity.id}}" {
  capabilities = ["read"]
}

path "identity/entity/name/{{identity.entity.name}}" {
  capabilities = ["read"]
}

# What the token may do
path "sys/capabilities-self" {
  capabilities = ["update"]
}

path "sys/internal/ui/resultant-acl" {
  capabilities = ["read"]
}

# Leases whose id the token's holder knows
path "sys/leases/lookup" {
  capabilities = ["update"]
}

path "sys/leases/renew" {
  capabilities = ["update"]
}

# The token's own cubbyhole
path "cubbyhole/*" {
  capabilities = ["create", "read", "update", "delete", "list"]
}

# Wrapped answers whose token the holder knows
path "sys/wrapping/lookup" {
  capabilities = ["update"]
}

path "sys/wrapping/unwrap" {
  capabilities = ["update"]
}

path "sys/wrapping/wrap" {
  capabilities = ["update"]
}

# Digests
path "sys/tools/hash" {
  capabilities = ["update"]
}

path "sys/tools/hash/*" {
  capabilities = ["update"]
}
"#;

/// The text of the `response-wrapping` policy: what a wrapping token may do, and nothing else. It is fixed.
pub const RESPONSE_WRAPPING_POLICY: &str = r#"path "cubbyhole/response" {
  capabilities = ["create", "read"]
}

path "sys/wrapping/unwrap" {
  capabilities = ["update"]
}

path "auth/token/revoke-self" {
  capabilities = ["update"]
}
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hcl;
    use crate::policy::{Policy, PolicyName};

    #[test]
    fn the_texts_are_policies_in_their_canonical_form() {
        for (name, text) in [("default", DEFAULT_POLICY), ("response-wrapping", RESPONSE_WRAPPING_POLICY)] {
            let policy = Policy::parse(PolicyName::parse(name).unwrap(), text).unwrap();
            assert_eq!(policy.name().as_str(), name);
            assert_eq!(hcl::format(text.as_bytes()).unwrap(), text);
        }
    }
}
