//! `POST /v1/auth/token/roles/{role_name}`: writes a role; what is left out stays as it is.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::{LooseBool, LooseInt, LooseText, StringList, Ttl};
use crate::engine::{Caller, Cx, Done, Endpoint, Existence, Route, bound_cidrs, policy_names};
use crate::error::{Error, Result};
use crate::vault::Unsealed;

use super::RolePath;
use super::record::{RoleTokenType, TokenRole, roles};

/// What a role is to be like.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct WriteRole {
    /// The policies that tokens may have.
    allowed_policies: Option<StringList>,
    /// The same as globs.
    allowed_policies_glob: Option<StringList>,
    /// The policies that tokens may not have.
    disallowed_policies: Option<StringList>,
    /// The same as globs.
    disallowed_policies_glob: Option<StringList>,
    /// The aliases that tokens may be made for, as globs.
    allowed_entity_aliases: Option<StringList>,
    /// Whether tokens have no parent.
    orphan: Option<LooseBool>,
    /// Whether tokens can be renewed.
    renewable: Option<LooseBool>,
    /// What stands behind the path of tokens, so that they can be revoked by a prefix.
    path_suffix: Option<LooseText>,
    /// The addresses that tokens may be used from.
    token_bound_cidrs: Option<StringList>,
    /// A bound that no renewal can lift.
    token_explicit_max_ttl: Option<Ttl>,
    /// Each renewal makes tokens last this long again.
    token_period: Option<Ttl>,
    /// How many requests a token is good for; 0 is any number.
    token_num_uses: Option<LooseInt>,
    /// Whether the policy `default` is left out.
    token_no_default_policy: Option<LooseBool>,
    /// `service`, `batch`, `default-service` or `default-batch`.
    token_type: Option<LooseText>,
    /// The older name of `token_bound_cidrs`.
    bound_cidrs: Option<StringList>,
    /// The older name of `token_explicit_max_ttl`.
    explicit_max_ttl: Option<Ttl>,
    /// The older name of `token_period`.
    period: Option<Ttl>,
    /// Read and not looked at: the path names the role.
    #[serde(rename = "name")]
    _name: Option<LooseText>,
}

impl Endpoint for WriteRole {
    type Target = Arc<Unsealed>;
    type Path = RolePath;
    type Reply = Done;
    const ROUTE: Route = Route::write("roles/{role_name}").summary("Write a role");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: RolePath, cx: &mut Cx<'_>) -> Result<Done> {
        let known = roles(unsealed).fetch::<TokenRole>(cx.txn(), &path.role_name).await?;
        let role = known.unwrap_or_else(|| TokenRole { name: path.role_name.clone(), ..TokenRole::default() });
        let role = self.changed(role)?;
        if !cx.mount.max_ttl.is_zero() && role.explicit_max_ttl > cx.mount.max_ttl {
            cx.warn("The explicit max TTL is greater than the mount's max TTL, which holds all the same");
        }
        roles(unsealed).put(cx.txn(), &path.role_name, &role)?;
        Ok(Done)
    }

    async fn existence(unsealed: &Arc<Unsealed>, path: RolePath, _: Option<&Caller>) -> Result<Existence> {
        Ok(roles(unsealed).exists(&path.role_name).await?.into())
    }
}

impl WriteRole {
    fn changed(self, role: TokenRole) -> Result<TokenRole> {
        let names = |given: Option<StringList>, old| given.map_or(old, |names| policy_names(&names));
        let cidrs =
            self.token_bound_cidrs.or(self.bound_cidrs).map(|cidrs| bound_cidrs(cidrs.as_slice())).transpose()?;
        let uses = self.token_num_uses.map(|uses| u64::try_from(uses.0)).transpose();
        let uses = uses.map_err(|_| Error::invalid("'token_num_uses' cannot be negative"))?;
        let token_type = self.token_type.map(|word| RoleTokenType::parse(&word.0)).transpose()?;
        let role = TokenRole {
            name: role.name,
            allowed_policies: names(self.allowed_policies, role.allowed_policies),
            allowed_policies_glob: names(self.allowed_policies_glob, role.allowed_policies_glob),
            disallowed_policies: names(self.disallowed_policies, role.disallowed_policies),
            disallowed_policies_glob: names(self.disallowed_policies_glob, role.disallowed_policies_glob),
            allowed_entity_aliases: names(self.allowed_entity_aliases, role.allowed_entity_aliases),
            orphan: self.orphan.map_or(role.orphan, |flag| flag.0),
            renewable: self.renewable.map_or(role.renewable, |flag| flag.0),
            path_suffix: self.path_suffix.map_or(Ok(role.path_suffix), |suffix| checked_suffix(suffix.0))?,
            bound_cidrs: cidrs.unwrap_or(role.bound_cidrs),
            explicit_max_ttl: self.token_explicit_max_ttl.or(self.explicit_max_ttl).unwrap_or(role.explicit_max_ttl),
            period: self.token_period.or(self.period).unwrap_or(role.period),
            num_uses: uses.unwrap_or(role.num_uses),
            no_default_policy: self.token_no_default_policy.map_or(role.no_default_policy, |flag| flag.0),
            token_type: token_type.unwrap_or(role.token_type),
        };
        checked(role)
    }
}

/// Refuses a role that could make no token.
fn checked(role: TokenRole) -> Result<TokenRole> {
    let makes_batch = matches!(role.token_type, RoleTokenType::Batch | RoleTokenType::DefaultBatch);
    if makes_batch && role.num_uses > 0 {
        return Err(Error::invalid(
            "'token_type' cannot be 'batch' or 'default_batch' when set to generate tokens with limited use count",
        ));
    }
    let refused = [
        (!role.orphan, "role is set to generate non-orphan tokens"),
        (!role.period.is_zero(), "role is set to generate periodic tokens"),
        (role.renewable, "role is set to generate renewable tokens"),
        (!role.explicit_max_ttl.is_zero(), "role is set to generate tokens with an explicit max TTL"),
    ];
    match refused.iter().find(|(set, _)| *set && role.token_type == RoleTokenType::Batch) {
        Some((_, when)) => Err(Error::invalid(format!("'token_type' cannot be 'batch' when {when}"))),
        None => Ok(role),
    }
}

/// A suffix: word characters at its ends, word characters, hyphens and points between them; or nothing.
fn checked_suffix(suffix: String) -> Result<String> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let inner = |c: char| word(c) || c == '-' || c == '.';
    let good = suffix.is_empty()
        || (suffix.len() > 2 && suffix.starts_with(word) && suffix.ends_with(word) && suffix.chars().all(inner));
    if good {
        Ok(suffix)
    } else {
        Err(Error::invalid("given role path suffix contains invalid characters; must match \\w[\\w-.]+\\w"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(role: TokenRole, body: &str) -> Result<TokenRole> {
        serde_json::from_str::<WriteRole>(body).unwrap().changed(role)
    }

    #[test]
    fn what_is_left_out_stays() {
        let body =
            r#"{"allowed_policies":"B,a","token_period":"1h","token_bound_cidrs":["127.0.0.1/32"],"orphan":true}"#;
        let role = changed(TokenRole::default(), body).unwrap();
        assert_eq!((role.allowed_policies.clone(), role.period.seconds()), (vec!["a".into(), "b".into()], 3600));
        assert_eq!(role.bound_cidrs, ["127.0.0.1"]);
        let role = changed(role, r#"{"period":60,"path_suffix":"abc"}"#).unwrap();
        assert_eq!((role.period.seconds(), role.path_suffix.as_str(), role.orphan), (60, "abc", true));
    }

    #[test]
    fn a_role_that_could_make_no_token_is_refused() {
        for body in [
            r#"{"token_type":"batch"}"#,
            r#"{"token_type":"batch","orphan":true}"#,
            r#"{"token_type":"batch","orphan":true,"renewable":false,"token_period":60}"#,
            r#"{"token_type":"batch","orphan":true,"renewable":false,"token_explicit_max_ttl":60}"#,
            r#"{"token_type":"default-batch","token_num_uses":1}"#,
            r#"{"token_type":"default"}"#,
            r#"{"token_num_uses":-1}"#,
            r#"{"token_bound_cidrs":"zz"}"#,
            r#"{"path_suffix":"ab"}"#,
            r#"{"path_suffix":"a b!"}"#,
            r#"{"path_suffix":"-bc"}"#,
        ] {
            assert!(changed(TokenRole::default(), body).is_err(), "{body}");
        }
        assert!(changed(TokenRole::default(), r#"{"token_type":"batch","orphan":true,"renewable":false}"#).is_ok());
    }
}
