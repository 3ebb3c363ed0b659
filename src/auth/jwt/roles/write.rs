//! `POST /v1/auth/{mount}/role/{name}`: makes or changes a role.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::api::{KeyValues, LooseBool, LooseInt, LooseText, StringList, Ttl, given};
use crate::auth::jwt::{Jwt, bound, policies};
use crate::engine::{Caller, Cx, Done, Endpoint, Existence, LegacyParams, Route, TokenParams, TokenSettings};
use crate::error::{Error, Result};

use super::leeway::Leeway;
use super::{CallbackMode, ClaimsType, LONGEST_NAME, Role, RolePath, RoleType, key};

/// A role; what is left out stays as it is, but for what says how strict a login is: `role_type`, `bound_claims_type`,
/// `callback_mode` and `oidc_disable_confirmation` are then what a new role has.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(in crate::auth::jwt) struct WriteRole {
    /// `jwt` for callers who bring a token, `oidc` for those who are sent to the provider.
    role_type: LooseText,
    /// What the claim `aud` must have one of.
    #[serde(deserialize_with = "given")]
    bound_audiences: Option<StringList>,
    /// What the claim `sub` must be.
    bound_subject: Option<LooseText>,
    /// Claims, by name or by JSON Pointer, and the value, or one of the values, that each must have.
    bound_claims: Option<Map<String, Value>>,
    /// `string` or `glob`: how the values of bound claims are compared.
    bound_claims_type: LooseText,
    /// Claims, by name or by JSON Pointer, and the name under which each goes into the token's metadata.
    claim_mappings: Option<KeyValues>,
    /// The claim that names the caller.
    user_claim: Option<LooseText>,
    /// Whether `user_claim` may be a JSON Pointer.
    user_claim_json_pointer: Option<LooseBool>,
    /// The claim with the caller's groups at the provider.
    groups_claim: Option<LooseText>,
    /// How far clocks may be apart; 0 is a minute.
    clock_skew_leeway: Option<Leeway>,
    /// How long a token without `exp` is good after its `iat` or `nbf`; 0 is 150 seconds.
    expiration_leeway: Option<Leeway>,
    /// How long before its `exp` a token without `iat` and `nbf` becomes good; 0 is 150 seconds.
    not_before_leeway: Option<Leeway>,
    /// Where the provider may send the browser.
    #[serde(deserialize_with = "given")]
    allowed_redirect_uris: Option<StringList>,
    /// What the provider is asked for beside `openid`.
    #[serde(deserialize_with = "given")]
    oidc_scopes: Option<StringList>,
    /// The longest time since the caller has typed a password at the provider; 0 is any.
    max_age: Option<Ttl>,
    /// `client`, or `direct` where the provider sends the browser to this server.
    callback_mode: LooseText,
    /// Seconds between two polls; 0 is 5 seconds.
    poll_interval: Option<LooseInt>,
    /// Tokens of the provider to show. Not supported.
    oauth2_metadata: StringList,
    /// Whether a login in the mode `direct` goes on without the caller's consent to it.
    oidc_disable_confirmation: LooseBool,
    /// Kept and shown; tokens and claims are never logged.
    verbose_oidc_logging: Option<LooseBool>,
    /// Whether `{{.claim}}` in `token_policies` stands for a claim.
    token_policies_template_claims: Option<LooseBool>,
    /// What tokens are like.
    #[serde(flatten)]
    token: TokenParams,
    /// Older name of `token_policies`.
    #[serde(deserialize_with = "given")]
    policies: Option<StringList>,
    /// Older name of `token_ttl`.
    ttl: Option<Ttl>,
    /// Older name of `token_max_ttl`.
    max_ttl: Option<Ttl>,
    /// Older name of `token_period`.
    period: Option<Ttl>,
    /// Older name of `token_num_uses`.
    #[serde(deserialize_with = "given")]
    num_uses: Option<LooseInt>,
    /// Older name of `token_bound_cidrs`.
    #[serde(deserialize_with = "given")]
    bound_cidrs: Option<StringList>,
}

impl Endpoint for WriteRole {
    type Target = Jwt;
    type Path = RolePath;
    type Reply = Done;

    const ROUTE: Route =
        Route::write("role/{name:name}").summary("Make or change a role for tokens of identity providers.");

    async fn handle(self, jwt: &Jwt, RolePath { name }: RolePath, cx: &mut Cx<'_>) -> Result<Done> {
        if name.len() > LONGEST_NAME {
            return Err(Error::invalid(format!("a role's name must have at most {LONGEST_NAME} characters")));
        }
        let role = jwt.view.fetch(cx.txn(), &key(&name)).await?;
        let role = role.unwrap_or_else(|| Role { token: TokenSettings::new(), ..Role::default() });
        let role = self.change(role)?.checked()?;
        let max_ttl = cx.mount.max_ttl;
        if role.token.token_period > max_ttl {
            return Err(Error::invalid(format!(
                "'period' is greater than the backend's maximum lease TTL of {} seconds",
                max_ttl.seconds()
            )));
        }
        if role.token.token_max_ttl > max_ttl {
            cx.warn(
                "token max ttl is greater than the system or backend mount's maximum TTL value; issued tokens' max TTL value \
                 will be truncated",
            );
        }
        if role.verbose_oidc_logging {
            cx.warn(
                "verbose_oidc_logging has been enabled for this role. It changes nothing here: tokens and claims are never \
                 logged.",
            );
        }
        jwt.view.put(cx.txn(), &key(&name), &role)?;
        Ok(Done)
    }

    async fn existence(jwt: &Jwt, RolePath { name }: RolePath, _: Option<&Caller>) -> Result<Existence> {
        Ok(jwt.view.exists(&key(&name)).await?.into())
    }
}

impl WriteRole {
    fn change(mut self, mut role: Role) -> Result<Role> {
        if !self.oauth2_metadata.as_slice().is_empty() {
            return Err(Error::invalid(
                "'oauth2_metadata' is not supported: tokens of the provider would stand in metadata, which is not secret",
            ));
        }
        role.role_type = role_type(&self.role_type.0)?;
        self.change_claims(&mut role)?;
        self.change_flow(&mut role)?;
        role.token_policies_template_claims =
            flag(self.token_policies_template_claims, role.token_policies_template_claims);
        let legacy = LegacyParams {
            policies: self.policies,
            ttl: self.ttl,
            max_ttl: self.max_ttl,
            period: self.period,
            bound_cidrs: self.bound_cidrs,
            num_uses: self.num_uses,
        };
        let mut token = self.token;
        // A claim's name may have capitals, which policies do not keep that come by their older name.
        let templates = token.token_policies.clone().or_else(|| legacy.policies.clone());
        legacy.merge(&mut token, &mut role.legacy);
        role.token = role.token.changed(&token)?;
        if let Some(templates) = templates.filter(|_| role.token_policies_template_claims) {
            role.token.token_policies = templates.filled();
        }
        Ok(role)
    }

    fn change_claims(&mut self, role: &mut Role) -> Result<()> {
        if let Some(audiences) = self.bound_audiences.take() {
            role.bound_audiences = Some(audiences.all());
        }
        replace_text(&mut role.bound_subject, self.bound_subject.take());
        if let Some(claims) = self.bound_claims.take() {
            role.bound_claims = Some(claims);
        }
        role.bound_claims_type = match self.bound_claims_type.0.as_str() {
            "" | "string" => ClaimsType::String,
            "glob" => ClaimsType::Glob,
            _ => return Err(Error::invalid("invalid 'bound_claims_type': use 'string' or 'glob'")),
        };
        if let Some(KeyValues(mappings)) = self.claim_mappings.take() {
            role.claim_mappings = Some(mappings);
        }
        replace_text(&mut role.user_claim, self.user_claim.take());
        replace_text(&mut role.groups_claim, self.groups_claim.take());
        role.user_claim_json_pointer = flag(self.user_claim_json_pointer, role.user_claim_json_pointer);
        role.clock_skew_leeway = self.clock_skew_leeway.map_or(role.clock_skew_leeway, |leeway| leeway.0);
        role.expiration_leeway = self.expiration_leeway.map_or(role.expiration_leeway, |leeway| leeway.0);
        role.not_before_leeway = self.not_before_leeway.map_or(role.not_before_leeway, |leeway| leeway.0);
        Ok(())
    }

    fn change_flow(&mut self, role: &mut Role) -> Result<()> {
        replace(&mut role.allowed_redirect_uris, self.allowed_redirect_uris.take());
        replace(&mut role.oidc_scopes, self.oidc_scopes.take());
        role.max_age = self.max_age.unwrap_or(role.max_age);
        role.callback_mode = match self.callback_mode.0.as_str() {
            "" | "client" => CallbackMode::Client,
            "direct" => CallbackMode::Direct,
            "device" => {
                return Err(Error::invalid(
                    "'callback_mode' device is not supported: use 'client', or 'direct' where no browser can reach the \
                     client",
                ));
            }
            _ => return Err(Error::invalid("invalid 'callback_mode': use 'client' or 'direct'")),
        };
        if let Some(LooseInt(seconds)) = self.poll_interval {
            role.poll_interval =
                u64::try_from(seconds).map_err(|_| Error::invalid("poll_interval cannot be negative"))?;
        }
        role.oidc_disable_confirmation = self.oidc_disable_confirmation.0;
        role.verbose_oidc_logging = flag(self.verbose_oidc_logging, role.verbose_oidc_logging);
        Ok(())
    }
}

impl Role {
    /// This role, if it holds together.
    fn checked(self) -> Result<Self> {
        if self.user_claim.is_empty() {
            return Err(Error::invalid("a user claim must be defined on the role"));
        }
        let mut names = BTreeSet::from(["role"]);
        for name in self.claim_mappings.iter().flat_map(|mappings| mappings.values()) {
            if name == "role" {
                return Err(Error::invalid("metadata key \"role\" is reserved and may not be a mapping destination"));
            }
            if !names.insert(name) {
                return Err(Error::invalid("multiple keys are mapped to the same metadata key"));
            }
        }
        if let Some(claims) = &self.bound_claims {
            bound::check(claims, self.bound_claims_type).map_err(Error::invalid)?;
        }
        if self.token_policies_template_claims {
            policies::check(&self.token.token_policies).map_err(Error::invalid)?;
        }
        match self.role_type {
            RoleType::Oidc if self.allowed_redirect_uris.iter().flatten().next().is_none() => {
                Err(Error::invalid("'allowed_redirect_uris' must be set if 'role_type' is 'oidc' or unspecified."))
            }
            RoleType::Jwt if !self.is_bound() => {
                Err(Error::invalid("must have at least one bound constraint when creating/updating a role"))
            }
            RoleType::Oidc | RoleType::Jwt => Ok(self),
        }
    }

    fn is_bound(&self) -> bool {
        self.audiences().iter().any(|audience| !audience.is_empty())
            || !self.bound_subject.is_empty()
            || self.bound_claims.as_ref().is_some_and(|claims| !claims.is_empty())
            || !self.token.token_bound_cidrs.is_empty()
    }
}

fn role_type(text: &str) -> Result<RoleType> {
    match text {
        "jwt" => Ok(RoleType::Jwt),
        "" | "oidc" => Ok(RoleType::Oidc),
        _ => Err(Error::invalid("invalid 'role_type': use 'jwt' or 'oidc'")),
    }
}

fn replace(list: &mut Option<Vec<String>>, asked: Option<StringList>) {
    if let Some(texts) = asked {
        *list = Some(texts.filled());
    }
}

fn replace_text(text: &mut String, asked: Option<LooseText>) {
    if let Some(LooseText(asked)) = asked {
        *text = asked;
    }
}

fn flag(asked: Option<LooseBool>, before: bool) -> bool {
    asked.map_or(before, |flag| flag.0)
}
