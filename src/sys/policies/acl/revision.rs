//! A new revision of a policy: check-and-set, expiry, text.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use crate::api::{LooseBool, LooseInt, LooseText, Ttl};
use crate::engine::Txn;
use crate::error::{Error, Result};
use crate::policy::{Policy, PolicyName};
use crate::time::Timestamp;
use crate::vault::{PolicyRecord, Unsealed};

/// A revision that is to be written.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Revision {
    /// The text: HCL or JSON, or either of them in base64.
    pub(in crate::sys) policy: LooseText,
    /// The version that this one replaces; 0 or -1 for a policy that must not be there yet.
    cas: Option<LooseInt>,
    /// Whether each write must name the version that it replaces.
    cas_required: Option<LooseBool>,
    /// When the policy stops to hold: RFC 3339, or seconds since 1970.
    #[schemars(with = "Option<String>")]
    expiration: Option<Moment>,
    /// After how long it stops to hold.
    ttl: Option<Ttl>,
}

/// A moment as callers write it.
#[derive(Clone, Copy, Debug)]
struct Moment(Timestamp);

/// What becomes of what a revision does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unnamed {
    /// It is reset, as a write does.
    Reset,
    /// It stays, as a patch does.
    Kept,
}

impl Revision {
    /// Writes this revision of the policy `name`; the change goes into `txn`.
    pub(in crate::sys) async fn write(
        self,
        unsealed: &Unsealed,
        name: PolicyName,
        now: Timestamp,
        txn: &mut Txn,
    ) -> Result<()> {
        if self.policy.0.is_empty() {
            return Err(Error::invalid("'policy' parameter not supplied or empty"));
        }
        refuse_fixed(&name)?;
        let present = present(unsealed, &name, now, txn).await?;
        let next = self.next(name, present, now, Unnamed::Reset)?;
        unsealed.policies.write(&next, txn)
    }

    /// Changes what this revision names of the policy `name`; the change goes into `txn`.
    pub(super) async fn patch(
        self,
        unsealed: &Unsealed,
        name: PolicyName,
        now: Timestamp,
        txn: &mut Txn,
    ) -> Result<()> {
        refuse_fixed(&name)?;
        let present = present(unsealed, &name, now, txn).await?;
        let present = present.ok_or_else(|| Error::invalid("policy not found"))?;
        let next = self.next(name, Some(present), now, Unnamed::Kept)?;
        unsealed.policies.write(&next, txn)
    }

    /// The revision as it is stored, if it may replace `present`.
    fn next(
        self,
        name: PolicyName,
        present: Option<PolicyRecord>,
        now: Timestamp,
        unnamed: Unnamed,
    ) -> Result<PolicyRecord> {
        let required = present.as_ref().is_some_and(|record| record.cas_required);
        let cas_required = match (self.cas_required, unnamed) {
            (Some(flag), _) => flag.0,
            (None, Unnamed::Reset) => false,
            (None, Unnamed::Kept) => required,
        };
        let version = present.as_ref().map_or(0, |record| record.version);
        self.check_set(version, required || (cas_required && unnamed == Unnamed::Reset))?;
        let expires = match (self.expires(now)?, unnamed) {
            (Some(expires), _) => Some(expires),
            (None, Unnamed::Reset) => None,
            (None, Unnamed::Kept) => present.as_ref().and_then(|record| record.expires),
        };
        let text = match present {
            Some(present) if self.policy.0.is_empty() => present.text,
            Some(_) | None => {
                let policy = Policy::parse(name.clone(), &self.policy.0);
                let policy = policy.map_err(|error| Error::invalid(error.to_string()))?;
                policy.text().to_owned()
            }
        };
        Ok(PolicyRecord { name, text, version: version + 1, cas_required, modified: now, expires })
    }

    /// Whether the version that was named is the present one; 0 is a policy that is not there.
    fn check_set(&self, present: u64, required: bool) -> Result<()> {
        let Some(LooseInt(named)) = self.cas else {
            if required {
                return Err(Error::invalid("check-and-set parameter required for this call"));
            }
            return Ok(());
        };
        match u64::try_from(named) {
            Ok(named) if named == present => Ok(()),
            Ok(_) => {
                Err(Error::invalid(format!("check-and-set parameter did not match the current version {present}")))
            }
            Err(_) if named == -1 && present == 0 => Ok(()),
            Err(_) if named == -1 => Err(Error::invalid("check-and-set parameter set to -1 on existing entry")),
            Err(_) => Err(Error::invalid("the check-and-set parameter must be a version, or -1 for none")),
        }
    }

    fn expires(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        let expires = match (self.expiration, self.ttl) {
            (Some(_), Some(_)) => {
                return Err(Error::invalid("cannot supply both 'expiration' and 'ttl' for policies"));
            }
            (Some(Moment(moment)), None) => moment,
            (None, Some(ttl)) => now.plus(ttl.duration()),
            (None, None) => return Ok(None),
        };
        if expires <= now {
            return Err(Error::invalid("refusing to update policy as expiration time has already elapsed"));
        }
        Ok(Some(expires))
    }
}

/// The policy as it is, if it is there and still holds.
async fn present(
    unsealed: &Unsealed,
    name: &PolicyName,
    now: Timestamp,
    txn: &mut Txn,
) -> Result<Option<PolicyRecord>> {
    let record = unsealed.policies.fetch(name, txn).await?;
    Ok(record.filter(|record| holds(record, now)))
}

/// Whether the policy still holds at `now`.
pub(super) fn holds(record: &PolicyRecord, now: Timestamp) -> bool {
    record.expires.is_none_or(|expires| expires > now)
}

fn refuse_fixed(name: &PolicyName) -> Result<()> {
    if name.is_fixed() {
        return Err(Error::invalid(format!("cannot update {:?} policy", name.as_str())));
    }
    Ok(())
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let moment = match Value::deserialize(deserializer)? {
            Value::String(text) => {
                Timestamp::parse(&text).or_else(|| text.parse().ok().map(Timestamp::from_unix_seconds))
            }
            Value::Number(seconds) => seconds.as_i64().map(Timestamp::from_unix_seconds),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        moment.map(Self).ok_or_else(|| de::Error::custom("expected a time as RFC 3339, or seconds since 1970"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_nanos(1_800_000_000_000_000_000);

    fn next(body: &str, present: Option<PolicyRecord>, unnamed: Unnamed) -> Result<PolicyRecord> {
        let revision: Revision = serde_json::from_str(body).unwrap();
        revision.next(PolicyName::parse("p").unwrap(), present, NOW, unnamed)
    }

    fn written(fields: &str) -> String {
        format!(r#"{{"policy":"path \"a\" {{}}"{fields}}}"#)
    }

    #[test]
    fn a_version_that_is_named_must_be_the_present_one() {
        let first = next(&written(r#","cas":-1"#), None, Unnamed::Reset).unwrap();
        assert_eq!((first.version, first.cas_required), (1, false));
        for cas in ["0", "-1", "2", "-2"] {
            assert!(next(&written(&format!(",\"cas\":{cas}")), Some(first.clone()), Unnamed::Reset).is_err(), "{cas}");
        }
        let body = written(r#","cas":"1","cas_required":true"#);
        let second = next(&body, Some(first), Unnamed::Reset).unwrap();
        assert_eq!((second.version, second.cas_required), (2, true));
        assert!(next(&written(""), Some(second.clone()), Unnamed::Reset).is_err());
        assert!(next(&written(r#","cas":2"#), Some(second), Unnamed::Reset).is_ok());
        assert!(next(&written(r#","cas_required":true"#), None, Unnamed::Reset).is_err());
    }

    #[test]
    fn a_patch_keeps_what_it_does_not_name() {
        let first = next(&written(r#","ttl":"1h""#), None, Unnamed::Reset).unwrap();
        assert_eq!(first.expires, Some(NOW.plus(std::time::Duration::from_hours(1))));
        let patched = next(r#"{"cas_required":true}"#, Some(first.clone()), Unnamed::Kept).unwrap();
        assert_eq!((patched.expires, patched.cas_required, patched.version), (first.expires, true, 2));
        assert_eq!(patched.text, first.text);
        assert_eq!(next(&written(""), Some(first), Unnamed::Reset).unwrap().expires, None);
    }

    #[test]
    fn the_end_lies_ahead() {
        for fields in
            [r#","ttl":0"#, r#","expiration":"2020-01-01T00:00:00Z""#, r#","expiration":1900000000,"ttl":"1h""#]
        {
            assert!(next(&written(fields), None, Unnamed::Reset).is_err(), "{fields}");
        }
        let expires = next(&written(r#","expiration":1900000000"#), None, Unnamed::Reset).unwrap().expires;
        assert_eq!(expires, Some(Timestamp::from_unix_seconds(1_900_000_000)));
        assert!(serde_json::from_str::<Revision>(r#"{"expiration":"soon"}"#).is_err());
    }
}
