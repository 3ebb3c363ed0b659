//! From claims that are believed to what a caller gets.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::engine::{Cx, Identity, Login, Terms, address_is_bound};
use crate::error::{Error, Result};

use super::config::Product;
use super::roles::Role;
use super::token::Claims;
use super::{Jwt, bound, policies};

const ROLE: &str = "role";

/// The login of a caller about whom `claims` of this provider were verified, if all that the role binds fits.
pub(super) fn login(name: &str, role: &Role, claims: &Claims, product: Product, cx: &Cx<'_>) -> Result<Login> {
    check_address(role, cx)?;
    if let Some(wanted) = &role.bound_claims {
        bound::fit(claims, wanted, role.bound_claims_type)
            .map_err(|mismatch| Error::invalid(format!("error validating claims: {mismatch}")))?;
    }
    let alias = alias(role, claims)?;
    let metadata = metadata(name, role, claims)?;
    let policies = if role.token_policies_template_claims {
        policies::fill(&role.token.token_policies, claims).map_err(Error::invalid)?
    } else {
        role.token.token_policies.clone()
    };
    let terms = role.token.terms_from(cx.client.address)?;
    let identity = Identity {
        role: name.to_owned(),
        display_name: cx.mount.display_name(&alias),
        alias,
        policies,
        alias_metadata: metadata.clone(),
        metadata,
        groups: groups(role, claims, product)?,
        internal: BTreeMap::from([(ROLE.to_owned(), name.to_owned())]),
    };
    Ok(Login { identity, terms })
}

/// Whether the caller's address is one that tokens of the role may be used from.
pub(super) fn check_address(role: &Role, cx: &Cx<'_>) -> Result<()> {
    if address_is_bound(&role.token.token_bound_cidrs, cx.client.address) { Ok(()) } else { Err(Error::bad_token()) }
}

/// Whether `identity` is still good: its role is there. The token that it logged in with is spent, so that what it said
/// cannot be looked at again.
pub(super) async fn renew(jwt: &Jwt, identity: &Identity) -> Result<Option<Terms>> {
    let name = identity.internal.get(ROLE).map(String::as_str).unwrap_or_default();
    Ok(jwt.role(name).await?.map(|role| role.token.terms()))
}

fn alias(role: &Role, claims: &Claims) -> Result<String> {
    let name = &role.user_claim;
    let found = if role.user_claim_json_pointer { claims.find(name) } else { claims.named(name) };
    let found = found.ok_or_else(|| Error::invalid(format!("claim {name:?} not found in token")))?;
    match found.as_str() {
        None => Err(Error::invalid(format!("claim {name:?} could not be converted to string"))),
        // Without a name whoever logs in would be the same.
        Some(text) if text.trim().is_empty() => Err(Error::invalid(format!("claim {name:?} is empty"))),
        Some(text) => Ok(text.to_owned()),
    }
}

fn metadata(name: &str, role: &Role, claims: &Claims) -> Result<BTreeMap<String, String>> {
    let mut metadata = BTreeMap::from([(ROLE.to_owned(), name.to_owned())]);
    for (claim, key) in role.claim_mappings.iter().flatten() {
        let Some(value) = claims.find(claim) else { continue };
        let text =
            value.as_str().ok_or_else(|| Error::invalid(format!("error converting claim '{claim}' to string")))?;
        metadata.insert(key.clone(), text.to_owned());
    }
    Ok(metadata)
}

fn groups(role: &Role, claims: &Claims, product: Product) -> Result<Vec<String>> {
    let name = &role.groups_claim;
    if name.is_empty() {
        return Ok(Vec::new());
    }
    let found = claims.find(name).ok_or_else(|| {
        let left_out = match product {
            Product::Azure if claims.named("_claim_names").is_some() => {
                "; it is left out for callers of many groups: have the application send only those assigned to it"
            }
            Product::Any | Product::Azure | Product::IbmIsam | Product::SecureAuth => "",
        };
        Error::invalid(format!("failed to fetch groups: {name:?} claim not found in token{left_out}"))
    })?;
    let mut groups = match found {
        Value::String(text) => product.groups(text),
        Value::Array(items) => {
            let texts = items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
            texts.ok_or_else(|| Error::invalid("a value in groups claim could not be parsed as string"))?
        }
        Value::Bool(_) | Value::Number(_) | Value::Object(_) | Value::Null => {
            return Err(Error::invalid(format!("{name:?} claim could not be converted to string list")));
        }
    };
    groups.retain(|group| !group.is_empty());
    groups.sort_unstable();
    groups.dedup();
    Ok(groups)
}
