//! From what a caller asks for, and what the role, the parent and the mount allow, to a token that is to be made.

use std::borrow::Cow;

use crate::api::Ttl;
use crate::engine::{Bounds, Granted, Mount, TokenType, grant};
use crate::error::{Error, Result};
use crate::secret::ClientToken;
use crate::time::Timestamp;
use crate::token::{NewToken, TokenRecord, Uses};

use super::super::roles::TokenRole;
use super::policies::Wish;
use super::request::TokenRequest;

/// Who asks for a token, and where.
pub(super) struct Maker<'a> {
    /// The id of the token that asks.
    pub(super) id: &'a str,
    /// What is stored of it.
    pub(super) record: &'a TokenRecord,
    /// Whether it is of another namespace.
    pub(super) foreign: bool,
    /// Whether it has sudo on this path.
    pub(super) sudo: bool,
    /// The mount of tokens.
    pub(super) mount: &'a Mount,
    /// The path that made it, as it is shown with the token.
    pub(super) path: String,
    /// Whether the path makes orphans.
    pub(super) makes_orphans: bool,
    /// The role, if there is one.
    pub(super) role: Option<&'a TokenRole>,
    /// Now.
    pub(super) now: Timestamp,
}

/// A token that is to be made.
pub(super) struct Plan {
    pub(super) new: NewToken,
    pub(super) warnings: Vec<Cow<'static, str>>,
}

/// How long a token lasts.
struct Lengths {
    granted: Granted,
    period: Ttl,
    explicit_max_ttl: Ttl,
    ends: bool,
}

impl Maker<'_> {
    /// The token that `request` comes to.
    pub(super) fn plan(&self, request: TokenRequest) -> Result<Plan> {
        let mut warnings = Vec::new();
        let orphan = self.is_orphan(&request)?;
        let token_type = self.token_type(&request)?;
        let num_uses = self.num_uses(&request)?;
        let policies = Wish {
            asked: request.policies.0.as_deref(),
            no_default: request.no_default_policy.0,
            parent: &self.record.policies,
            foreign: self.foreign,
            sudo: self.sudo,
            role: self.role,
        }
        .granted()?;
        let lengths = self.lengths(&request, &policies, &mut warnings)?;
        let batch = token_type == TokenType::Batch;
        if batch {
            refuse_for_batch(&policies, num_uses, &lengths)?;
        }
        let renewable = request.renewable.is_none_or(|flag| flag.0) && self.role.is_none_or(|role| role.renewable);
        let role_cidrs = self.role.map(|role| &role.bound_cidrs).filter(|cidrs| !cidrs.is_empty());
        let record = TokenRecord {
            accessor: String::new(),
            parent: None,
            policies,
            path: self.path.clone(),
            display_name: request.shown_name(),
            metadata: request.meta.0,
            uses: Uses::of(num_uses),
            created: self.now,
            ttl: lengths.granted.ttl,
            creation_ttl: lengths.granted.ttl,
            expires: lengths.ends.then(|| self.now.plus(lengths.granted.ttl.duration())),
            last_renewal: None,
            renewable: renewable && lengths.ends && !batch,
            // What the role says of them is asked again at each renewal.
            period: request.period,
            explicit_max_ttl: request.explicit_max_ttl,
            // A token that ends with its parent belongs to whom the parent belongs to.
            entity_id: if orphan { String::new() } else { self.record.entity_id.clone() },
            // A token that may be used from some addresses only must not make one that may be used from any.
            bound_cidrs: role_cidrs.unwrap_or(&self.record.bound_cidrs).clone(),
            role: self.role.map(|role| role.name.clone()).unwrap_or_default(),
            identity: None,
            batch,
            namespace_id: self.record.namespace_id.clone(),
        };
        let custom_id = request.id.filter(|id| !id.is_empty() && !batch);
        if custom_id.is_some() {
            warnings
                .push("A token that was chosen is only as hard to guess as it was made; better leave out 'id'.".into());
        }
        let parent = (!orphan).then(|| self.id.to_owned());
        let record = TokenRecord { parent: parent.clone(), ..record };
        Ok(Plan { new: NewToken { token_type, custom_id, parent, record }, warnings })
    }

    fn is_orphan(&self, request: &TokenRequest) -> Result<bool> {
        // A role says itself whether it makes orphans.
        let no_parent = request.no_parent.0 && self.role.is_none();
        let needs_sudo = [
            (request.id.as_ref().is_some_and(|id| !id.is_empty()), "specify token id"),
            (no_parent, "create orphan token"),
            (!request.period.is_zero(), "create periodic token"),
        ];
        if let Some((_, what)) = needs_sudo.iter().find(|(asked, _)| *asked && !self.sudo) {
            return Err(Error::invalid(format!("root or sudo privileges required to {what}")));
        }
        request.id.as_ref().map_or(Ok(()), checked_id)?;
        Ok(self.makes_orphans || no_parent || self.role.is_some_and(|role| role.orphan))
    }

    fn token_type(&self, request: &TokenRequest) -> Result<TokenType> {
        let asked = match request.kind.as_ref().map(|kind| kind.0.as_str()).unwrap_or_default() {
            "" => None,
            "service" => Some(TokenType::Service),
            "batch" => Some(TokenType::Batch),
            _ => return Err(Error::invalid("invalid 'token_type' value")),
        };
        Ok(self.role.map(|role| role.token_type).unwrap_or_default().of_a_token(asked))
    }

    fn num_uses(&self, request: &TokenRequest) -> Result<u64> {
        let asked = u64::try_from(request.num_uses.0);
        let asked = asked.map_err(|_| Error::invalid("number of uses cannot be negative"))?;
        let of_role = self.role.map_or(0, |role| role.num_uses);
        Ok(if asked == 0 || (of_role > 0 && of_role < asked) { of_role } else { asked })
    }

    fn lengths(
        &self,
        request: &TokenRequest,
        policies: &[String],
        warnings: &mut Vec<Cow<'static, str>>,
    ) -> Result<Lengths> {
        let is_root = policies.iter().any(|policy| policy == "root");
        let asked = request.ttl.or(request.lease);
        let explicit_max_ttl = lesser(
            "Explicit max TTL",
            request.explicit_max_ttl,
            self.role.map_or(Ttl::default(), |role| role.explicit_max_ttl),
            warnings,
        );
        let of_role = self.role.map_or(Ttl::default(), |role| role.period);
        let period = lesser("Period", request.period, of_role, warnings);
        let ends = !is_root || [asked, period, explicit_max_ttl].iter().any(|length| !length.is_zero());
        if !ends && self.record.expires.is_some() {
            return Err(Error::invalid("expiring root tokens cannot create non-expiring root tokens"));
        }
        let max_ttl = self.mount.max_ttl;
        let default_ttl = if is_root { Ttl::default() } else { self.mount.default_ttl };
        if !ends {
            return Ok(Lengths { granted: Granted::default(), period, explicit_max_ttl, ends });
        }
        let mut granted = grant(asked, Bounds { default_ttl, max_ttl, period, explicit_max_ttl });
        warnings.extend(granted.warnings.drain(..).map(Cow::from));
        Ok(Lengths { granted, period, explicit_max_ttl, ends })
    }
}

/// The lesser of what the caller and the role say, of which zero says nothing.
fn lesser(what: &str, asked: Ttl, role: Ttl, warnings: &mut Vec<Cow<'static, str>>) -> Ttl {
    if asked.is_zero() || role.is_zero() {
        return asked.or(role);
    }
    let lesser = asked.min(role);
    let seconds = lesser.seconds();
    let warning =
        format!("{what} specified both during creation call and in role; using the lesser value of {seconds} seconds");
    warnings.push(warning.into());
    lesser
}

fn checked_id(id: &ClientToken) -> Result<()> {
    let text = id.expose();
    if text.starts_with("s.") {
        return Err(Error::invalid("custom token ID cannot have the 's.' prefix"));
    }
    if text.contains('.') {
        return Err(Error::invalid("custom token ID cannot have a '.' in the value"));
    }
    Ok(())
}

fn refuse_for_batch(policies: &[String], num_uses: u64, lengths: &Lengths) -> Result<()> {
    if policies.iter().any(|policy| policy == "root") {
        return Err(Error::invalid("batch tokens cannot be root tokens"));
    }
    let refused = [
        (num_uses > 0, "num_uses"),
        (!lengths.period.is_zero(), "period"),
        (!lengths.explicit_max_ttl.is_zero(), "explicit_max_ttl"),
    ];
    match refused.iter().find(|(set, _)| *set) {
        Some((_, field)) => Err(Error::invalid(format!("batch tokens cannot have {field:?} set"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::token::roles::RoleTokenType;

    fn seconds(seconds: u64) -> Ttl {
        Ttl::from_seconds(seconds)
    }

    fn parent(policies: &[&str], expires: Option<i64>) -> TokenRecord {
        TokenRecord {
            accessor: "acc".to_owned(),
            parent: None,
            policies: policies.iter().map(|policy| (*policy).to_owned()).collect(),
            path: "auth/token/create".to_owned(),
            metadata: std::collections::BTreeMap::new(),
            display_name: "token".to_owned(),
            uses: Uses::Unlimited,
            created: Timestamp::from_unix_seconds(0),
            ttl: Ttl::default(),
            creation_ttl: Ttl::default(),
            expires: expires.map(Timestamp::from_unix_seconds),
            last_renewal: None,
            renewable: false,
            period: Ttl::default(),
            explicit_max_ttl: Ttl::default(),
            entity_id: "entity".to_owned(),
            bound_cidrs: vec!["127.0.0.1".to_owned()],
            role: String::new(),
            identity: None,
            batch: false,
            namespace_id: "root".to_owned(),
        }
    }

    fn plan(parent: &TokenRecord, sudo: bool, role: Option<&TokenRole>, body: &str) -> Result<Plan> {
        let mount = Mount { default_ttl: seconds(100), max_ttl: seconds(1000), ..Mount::NONE };
        let maker = Maker {
            id: "parent",
            record: parent,
            foreign: false,
            sudo,
            mount: &mount,
            path: "auth/token/create".to_owned(),
            makes_orphans: false,
            role,
            now: Timestamp::from_unix_seconds(10),
        };
        maker.plan(serde_json::from_str(body).unwrap())
    }

    fn root() -> TokenRecord {
        parent(&["root"], None)
    }

    #[test]
    fn a_child_inherits() {
        let parent = parent(&["default", "mk"], Some(500));
        let Plan { new, warnings } = plan(&parent, false, None, "{}").unwrap();
        assert_eq!(new.parent.as_deref(), Some("parent"));
        assert_eq!(new.record.policies, ["default", "mk"]);
        assert_eq!(new.record.entity_id, "entity");
        assert_eq!(new.record.bound_cidrs, ["127.0.0.1"]);
        assert_eq!(new.record.expires, Some(Timestamp::from_unix_seconds(110)));
        assert!(new.record.renewable);
        assert!(warnings.is_empty());
    }

    #[test]
    fn what_needs_sudo_is_refused_without() {
        let parent = parent(&["default"], None);
        for body in [r#"{"id":"mine"}"#, r#"{"no_parent":true}"#, r#"{"period":"1m"}"#] {
            assert!(plan(&parent, false, None, body).is_err(), "{body}");
            assert!(plan(&parent, true, None, body).is_ok(), "{body}");
        }
        for body in [r#"{"id":"s.mine"}"#, r#"{"id":"a.b"}"#, r#"{"num_uses":-1}"#, r#"{"type":"x"}"#] {
            assert!(plan(&parent, true, None, body).is_err(), "{body}");
        }
    }

    #[test]
    fn an_orphan_belongs_to_no_one() {
        let Plan { new, .. } = plan(&root(), true, None, r#"{"no_parent":true,"policies":["a"]}"#).unwrap();
        assert_eq!((new.parent, new.record.entity_id.as_str()), (None, ""));
        let role = TokenRole { orphan: true, ..TokenRole::default() };
        assert!(plan(&root(), true, Some(&role), "{}").unwrap().new.parent.is_none());
        // Whether a role makes orphans is for the role to say.
        let role = TokenRole::default();
        let plan = plan(&parent(&["a"], None), false, Some(&role), r#"{"no_parent":true}"#).unwrap();
        assert!(plan.new.parent.is_some());
    }

    #[test]
    fn lengths_are_bounded_with_a_warning() {
        let of = |body| {
            let Plan { new, warnings } = plan(&root(), true, None, body).unwrap();
            (new.record.ttl.seconds(), new.record.period.seconds(), warnings.len())
        };
        assert_eq!(of(r#"{"policies":["a"]}"#), (100, 0, 0));
        assert_eq!(of(r#"{"policies":["a"],"ttl":5000}"#), (1000, 0, 1));
        assert_eq!(of(r#"{"policies":["a"],"ttl":500,"explicit_max_ttl":200}"#), (200, 0, 1));
        // The period stays what it was asked to be; each grant is bounded.
        assert_eq!(of(r#"{"policies":["a"],"period":5000}"#), (1000, 5000, 1));
        assert_eq!(of(r#"{"policies":["a"],"period":50,"ttl":500}"#), (50, 50, 0));
    }

    #[test]
    fn a_root_token_ends_only_if_someone_says_so() {
        assert_eq!(plan(&root(), true, None, "{}").unwrap().new.record.expires, None);
        let record = plan(&root(), true, None, r#"{"explicit_max_ttl":60}"#).unwrap().new.record;
        assert_eq!(record.expires, Some(Timestamp::from_unix_seconds(70)));
        let ending = parent(&["root"], Some(500));
        assert!(plan(&ending, true, None, "{}").is_err());
        assert!(plan(&ending, true, None, r#"{"ttl":60}"#).is_ok());
    }

    #[test]
    fn batch_tokens_have_less() {
        let batch = plan(&root(), true, None, r#"{"type":"batch","policies":["a"]}"#).unwrap().new;
        assert_eq!(batch.token_type, TokenType::Batch);
        assert!(batch.record.batch && !batch.record.renewable);
        assert_eq!(batch.record.parent.as_deref(), Some("parent"));
        for field in [r#""num_uses":1"#, r#""period":60"#, r#""explicit_max_ttl":60"#] {
            let body = format!(r#"{{"type":"batch","policies":["a"],{field}}}"#);
            assert!(plan(&root(), true, None, &body).is_err(), "{body}");
        }
        assert!(plan(&root(), true, None, r#"{"type":"batch"}"#).is_err());
    }

    #[test]
    fn a_role_narrows() {
        let role = TokenRole {
            name: "r".to_owned(),
            num_uses: 5,
            period: seconds(60),
            renewable: false,
            bound_cidrs: vec!["10.0.0.0/8".to_owned()],
            token_type: RoleTokenType::Service,
            ..TokenRole::default()
        };
        let body = r#"{"type":"batch","policies":["a"],"num_uses":9,"period":90,"renewable":true}"#;
        let record = plan(&root(), true, Some(&role), body).unwrap().new.record;
        assert!(!record.batch && !record.renewable);
        assert_eq!((record.uses, record.ttl), (Uses::Left(5), seconds(60)));
        assert_eq!(record.period, seconds(90), "the role's is looked up when it is renewed");
        assert_eq!((record.role.as_str(), record.bound_cidrs), ("r", vec!["10.0.0.0/8".to_owned()]));
    }
}
