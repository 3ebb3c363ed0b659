//! The `token_*` parameters that roles and users of every auth method share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::{LooseBool, LooseInt, StringList, Ttl};
use crate::error::{Error, Result};

use super::cidr::bound_cidrs;
use super::identity::{Terms, TokenType};

/// The `token_*` parameters as a caller sends them; what is left out stays as it is. Flatten into a request.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub struct TokenParams {
    /// How long tokens last; 0 is the mount's default.
    pub token_ttl: Option<Ttl>,
    /// The longest they can be renewed to; 0 is the mount's maximum.
    pub token_max_ttl: Option<Ttl>,
    /// The policies that tokens get.
    pub token_policies: Option<StringList>,
    /// The addresses that tokens may be used from.
    pub token_bound_cidrs: Option<StringList>,
    /// A bound that no renewal and no period can lift.
    pub token_explicit_max_ttl: Option<Ttl>,
    /// Whether the policy `default` is left out.
    pub token_no_default_policy: Option<LooseBool>,
    /// How many requests a token is good for; 0 is any number.
    pub token_num_uses: Option<LooseInt>,
    /// Each renewal makes tokens last this long again.
    pub token_period: Option<Ttl>,
    /// `service`, `batch`, or `default` for the mount's.
    pub token_type: Option<String>,
}

/// The same as they are stored and shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TokenSettings {
    /// See [`TokenParams::token_ttl`].
    pub token_ttl: Ttl,
    /// See [`TokenParams::token_max_ttl`].
    pub token_max_ttl: Ttl,
    /// See [`TokenParams::token_policies`].
    pub token_policies: Vec<String>,
    /// See [`TokenParams::token_bound_cidrs`].
    pub token_bound_cidrs: Vec<String>,
    /// See [`TokenParams::token_explicit_max_ttl`].
    pub token_explicit_max_ttl: Ttl,
    /// See [`TokenParams::token_no_default_policy`].
    pub token_no_default_policy: bool,
    /// See [`TokenParams::token_num_uses`].
    pub token_num_uses: u64,
    /// See [`TokenParams::token_period`].
    pub token_period: Ttl,
    /// See [`TokenParams::token_type`].
    pub token_type: String,
    /// Always empty, and read by clients.
    pub token_strictly_bind_ip: bool,
}

impl TokenSettings {
    /// The policies as one text that is the same whatever their order, to see at a renewal whether they have changed.
    pub fn granted_policies(&self) -> String {
        policy_names(&StringList(self.token_policies.clone())).join("\n")
    }

    /// The settings of a role that says nothing.
    pub fn new() -> Self {
        Self { token_type: "default".to_owned(), ..Self::default() }
    }

    /// These settings with the changes that a caller asks for, checked as a whole.
    pub fn changed(mut self, asked: &TokenParams) -> Result<Self> {
        let TokenParams {
            token_ttl,
            token_max_ttl,
            token_policies,
            token_bound_cidrs,
            token_explicit_max_ttl,
            token_no_default_policy,
            token_num_uses,
            token_period,
            token_type,
        } = asked;
        self.token_ttl = token_ttl.unwrap_or(self.token_ttl);
        self.token_max_ttl = token_max_ttl.unwrap_or(self.token_max_ttl);
        self.token_explicit_max_ttl = token_explicit_max_ttl.unwrap_or(self.token_explicit_max_ttl);
        self.token_period = token_period.unwrap_or(self.token_period);
        self.token_no_default_policy = token_no_default_policy.map_or(self.token_no_default_policy, |flag| flag.0);
        if let Some(policies) = token_policies {
            self.token_policies = folded(policies);
        }
        if let Some(cidrs) = token_bound_cidrs {
            self.token_bound_cidrs = bound_cidrs(cidrs.as_slice())?;
        }
        if let Some(uses) = token_num_uses {
            self.token_num_uses =
                u64::try_from(uses.0).map_err(|_| Error::invalid("'token_num_uses' cannot be negative"))?;
        }
        if let Some(kind) = token_type {
            self.token_type = token_type_name(kind)?;
        }
        self.checked()
    }

    /// What a token by these settings is like. `default_type` is the mount's.
    pub fn terms(&self, default_type: TokenType) -> Terms {
        let token_type = match self.token_type.as_str() {
            "batch" => TokenType::Batch,
            "service" => TokenType::Service,
            _ => default_type,
        };
        Terms {
            ttl: self.token_ttl,
            max_ttl: self.token_max_ttl,
            explicit_max_ttl: self.token_explicit_max_ttl,
            period: self.token_period,
            num_uses: self.token_num_uses,
            token_type,
            no_default_policy: self.token_no_default_policy,
            bound_cidrs: self.token_bound_cidrs.clone(),
        }
    }

    fn checked(self) -> Result<Self> {
        if !self.token_max_ttl.is_zero() && self.token_ttl > self.token_max_ttl {
            return Err(Error::invalid("'token_ttl' cannot be greater than 'token_max_ttl'"));
        }
        if self.token_type == "batch" && (!self.token_period.is_zero() || self.token_num_uses > 0) {
            return Err(Error::invalid(
                "'token_type' cannot be 'batch' when 'token_period' or 'token_num_uses' is set",
            ));
        }
        Ok(self)
    }
}

/// Policy names in lower case, each once, in the order that they came in: that is how roles show them.
fn folded(names: &StringList) -> Vec<String> {
    let mut folded: Vec<String> = Vec::with_capacity(names.0.len());
    for name in names.0.iter().map(|name| name.to_lowercase()) {
        if !folded.contains(&name) {
            folded.push(name);
        }
    }
    folded
}

/// Policy names in their one spelling: lower case, sorted, each once.
pub fn policy_names(names: &StringList) -> Vec<String> {
    let mut names: Vec<String> = names.0.iter().map(|name| name.to_lowercase()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn token_type_name(kind: &str) -> Result<String> {
    match kind {
        "" | "default" | "default-service" | "default-batch" => Ok("default".to_owned()),
        "service" | "batch" => Ok(kind.to_owned()),
        _ => Err(Error::invalid("'token_type' must be service, batch or default")),
    }
}
