//! The `token_*` parameters that roles and users of every auth method share.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::{LooseBool, LooseInt, LooseText, StringList, Ttl, given};
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
    #[serde(default, deserialize_with = "given")]
    pub token_policies: Option<StringList>,
    /// The addresses that tokens may be used from.
    #[serde(default, deserialize_with = "given")]
    pub token_bound_cidrs: Option<StringList>,
    /// A bound that no renewal and no period can lift.
    pub token_explicit_max_ttl: Option<Ttl>,
    /// Whether the policy `default` is left out.
    #[serde(default, deserialize_with = "given")]
    pub token_no_default_policy: Option<LooseBool>,
    /// How many requests a token is good for; 0 is any number.
    #[serde(default, deserialize_with = "given")]
    pub token_num_uses: Option<LooseInt>,
    /// Each renewal makes tokens last this long again.
    pub token_period: Option<Ttl>,
    /// `service`, `batch`, or `default` for the mount's.
    pub token_type: Option<LooseText>,
    /// Whether tokens may be used from the address only that they were got from.
    #[serde(default, deserialize_with = "given")]
    pub token_strictly_bind_ip: Option<LooseBool>,
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
    /// See [`TokenParams::token_strictly_bind_ip`].
    pub token_strictly_bind_ip: bool,
}

impl TokenSettings {
    /// The policies as one text that is the same whatever their order, to see at a renewal whether they have changed.
    pub fn granted_policies(&self) -> String {
        sorted(&self.token_policies).join("\n")
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
            token_strictly_bind_ip,
        } = asked;
        self.token_ttl = token_ttl.unwrap_or(self.token_ttl);
        self.token_max_ttl = token_max_ttl.unwrap_or(self.token_max_ttl);
        self.token_explicit_max_ttl = token_explicit_max_ttl.unwrap_or(self.token_explicit_max_ttl);
        self.token_period = token_period.unwrap_or(self.token_period);
        self.token_no_default_policy = token_no_default_policy.map_or(self.token_no_default_policy, |flag| flag.0);
        self.token_strictly_bind_ip = token_strictly_bind_ip.map_or(self.token_strictly_bind_ip, |flag| flag.0);
        if let Some(policies) = token_policies {
            self.token_policies = policies.clone().filled();
        }
        if let Some(cidrs) = token_bound_cidrs {
            self.token_bound_cidrs = bound_cidrs(cidrs.as_slice())?;
        }
        if let Some(uses) = token_num_uses {
            self.token_num_uses =
                u64::try_from(uses.0).map_err(|_| Error::invalid("'token_num_uses' cannot be negative"))?;
        }
        if let Some(LooseText(kind)) = token_type {
            self.token_type = token_type_name(kind)?;
        }
        self.checked()
    }

    /// What the token of a login from `address` is like. Whom a token cannot be bound to gets none.
    pub fn terms_from(&self, address: Option<IpAddr>) -> Result<Terms> {
        let mut terms = self.terms();
        if self.token_strictly_bind_ip {
            let address = address.ok_or_else(|| {
                Error::invalid("the client's address is unknown, and the token must be bound to it; ask the operator")
            })?;
            terms.bound_cidrs = vec![address.to_canonical().to_string()];
        }
        Ok(terms)
    }

    /// What a token by these settings is like, wherever its holder is.
    pub fn terms(&self) -> Terms {
        let token_type = match self.token_type.as_str() {
            "batch" => Some(TokenType::Batch),
            "service" => Some(TokenType::Service),
            _ => None,
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
        let batch =
            |what: &str| format!("'token_type' cannot be 'batch' or 'default_batch' when set to generate {what}");
        if self.token_type == "batch" && !self.token_period.is_zero() {
            return Err(Error::invalid(batch("periodic tokens")));
        }
        if self.token_type == "batch" && self.token_num_uses > 0 {
            return Err(Error::invalid(batch("tokens with limited use count")));
        }
        if self.token_strictly_bind_ip && !self.token_bound_cidrs.is_empty() {
            return Err(Error::invalid("'token_strictly_bind_ip' conflicts with 'token_bound_cidrs'; set only one"));
        }
        Ok(self)
    }
}

/// Policy names in their one spelling: lower case, sorted, each once. A blank one is none.
pub fn policy_names(names: &StringList) -> Vec<String> {
    sorted(names.as_slice())
}

fn sorted(names: &[String]) -> Vec<String> {
    let mut names: Vec<String> = names.iter().filter(|name| !name.is_empty()).map(|name| name.to_lowercase()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn token_type_name(kind: &str) -> Result<String> {
    match kind {
        "" | "default" => Ok("default".to_owned()),
        "service" | "batch" => Ok(kind.to_owned()),
        _ => Err(Error::invalid("invalid 'token_type' value; use service, batch or default")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(before: TokenSettings, json: &str) -> Result<TokenSettings> {
        before.changed(&serde_json::from_str(json).unwrap())
    }

    fn new(json: &str) -> Result<TokenSettings> {
        changed(TokenSettings::new(), json)
    }

    #[test]
    fn null_empties_what_has_a_value_for_it() {
        let full = r#"{"token_policies":["a"],"token_bound_cidrs":"10.0.0.0/8","token_num_uses":5,"token_ttl":60,
            "token_max_ttl":70,"token_explicit_max_ttl":80,"token_no_default_policy":true,"token_type":"service"}"#;
        let full = new(full).unwrap();
        for (field, emptied) in [
            ("token_policies", TokenSettings { token_policies: Vec::new(), ..full.clone() }),
            ("token_bound_cidrs", TokenSettings { token_bound_cidrs: Vec::new(), ..full.clone() }),
            ("token_num_uses", TokenSettings { token_num_uses: 0, ..full.clone() }),
            ("token_no_default_policy", TokenSettings { token_no_default_policy: false, ..full.clone() }),
            ("token_ttl", full.clone()),
            ("token_max_ttl", full.clone()),
            ("token_explicit_max_ttl", full.clone()),
            ("token_period", full.clone()),
            ("token_type", full.clone()),
        ] {
            assert_eq!(changed(full.clone(), &format!("{{\"{field}\":null}}")).unwrap(), emptied, "{field}");
        }
        assert_eq!(changed(full.clone(), "{}").unwrap(), full);
    }

    #[test]
    fn policies_are_shown_as_they_were_written() {
        assert_eq!(new(r#"{"token_policies":["x","Y"," a "]}"#).unwrap().token_policies, ["x", "Y", "a"]);
    }

    #[test]
    fn kinds_of_tokens() {
        for (json, kind) in [("\"\"", "default"), ("\"batch\"", "batch"), ("\"service\"", "service")] {
            assert_eq!(new(&format!("{{\"token_type\":{json}}}")).unwrap().token_type, kind);
        }
        for json in ["\"default-service\"", "\"default-batch\"", "\"Batch\"", "\"hunter2\"", "5"] {
            let error = new(&format!("{{\"token_type\":{json}}}")).unwrap_err().to_string();
            assert!(error.starts_with("invalid 'token_type' value") && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_token_can_be_bound_to_the_address_of_its_login() {
        let strict = new(r#"{"token_strictly_bind_ip":"true"}"#).unwrap();
        let bound = |address: &str| strict.terms_from(address.parse().ok()).map(|terms| terms.bound_cidrs);
        assert_eq!(bound("10.1.2.3").unwrap(), ["10.1.2.3"]);
        assert_eq!(bound("::ffff:10.1.2.3").unwrap(), ["10.1.2.3"]);
        assert!(bound("nowhere").is_err());
        assert!(changed(strict.clone(), r#"{"token_bound_cidrs":"10.0.0.0/8"}"#).is_err());
        let loose = changed(strict, r#"{"token_strictly_bind_ip":null}"#).unwrap();
        assert!(loose.terms_from(None).unwrap().bound_cidrs.is_empty());
    }
}
