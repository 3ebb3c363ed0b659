//! The older names of `token_*` parameters, which clients still write and read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::{LooseInt, StringList, Ttl};

use super::token_params::{TokenParams, TokenSettings, policy_names};

/// Token parameters that came by their older names. Each method reads those it has always had.
#[derive(Debug, Default)]
pub struct LegacyParams {
    /// For `token_policies`, and unlike that sorted.
    pub policies: Option<StringList>,
    /// For `token_ttl`.
    pub ttl: Option<Ttl>,
    /// For `token_max_ttl`.
    pub max_ttl: Option<Ttl>,
    /// For `token_period`.
    pub period: Option<Ttl>,
    /// For `token_bound_cidrs`.
    pub bound_cidrs: Option<StringList>,
    /// For `token_num_uses`.
    pub num_uses: Option<LooseInt>,
}

/// Which parameters were written by their older names, when they were last written: they are shown under both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LegacyNames {
    policies: bool,
    ttl: bool,
    max_ttl: bool,
    period: bool,
    bound_cidrs: bool,
    num_uses: bool,
}

/// Settings under their older names, in a reply.
#[derive(Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LegacySettings {
    /// `token_policies` again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policies: Option<Vec<String>>,
    /// `token_ttl` again, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Ttl>,
    /// `token_max_ttl` again, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_ttl: Option<Ttl>,
    /// `token_period` again, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<Ttl>,
    /// `token_bound_cidrs` again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound_cidrs: Option<Vec<String>>,
    /// `token_num_uses` again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_uses: Option<u64>,
}

impl LegacyParams {
    /// Puts these where the newer name was not given, and notes in `names` what was written by its older name, if also by
    /// the newer one.
    pub fn merge(self, asked: &mut TokenParams, names: &mut LegacyNames) {
        let Self { policies, ttl, max_ttl, period, bound_cidrs, num_uses } = self;
        let policies = policies.map(|names| StringList::new(policy_names(&names)));
        merge(&mut asked.token_policies, policies, &mut names.policies);
        merge(&mut asked.token_ttl, ttl, &mut names.ttl);
        merge(&mut asked.token_max_ttl, max_ttl, &mut names.max_ttl);
        merge(&mut asked.token_period, period, &mut names.period);
        merge(&mut asked.token_bound_cidrs, bound_cidrs, &mut names.bound_cidrs);
        merge(&mut asked.token_num_uses, num_uses, &mut names.num_uses);
    }
}

impl LegacyNames {
    /// What is shown under the older names; nothing where it is not set.
    pub fn shown(self, settings: &TokenSettings) -> LegacySettings {
        let length = |named: bool, ttl: Ttl| (named && !ttl.is_zero()).then_some(ttl);
        let list = |named: bool, list: &[String]| (named && !list.is_empty()).then(|| list.to_vec());
        LegacySettings {
            policies: list(self.policies, &settings.token_policies),
            ttl: length(self.ttl, settings.token_ttl),
            max_ttl: length(self.max_ttl, settings.token_max_ttl),
            period: length(self.period, settings.token_period),
            bound_cidrs: list(self.bound_cidrs, &settings.token_bound_cidrs),
            num_uses: (self.num_uses && settings.token_num_uses > 0).then_some(settings.token_num_uses),
        }
    }
}

fn merge<T>(newer: &mut Option<T>, older: Option<T>, named: &mut bool) {
    if newer.is_some() || older.is_some() {
        *named = older.is_some();
    }
    if newer.is_none() {
        *newer = older;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Option<Ttl> = Some(Ttl::from_seconds(60));
    const HOUR: Option<Ttl> = Some(Ttl::from_seconds(3600));

    #[test]
    fn an_older_name_is_shown_until_the_newer_one_is_written() {
        let mut names = LegacyNames::default();
        let mut asked = TokenParams::default();
        LegacyParams { ttl: MINUTE, ..LegacyParams::default() }.merge(&mut asked, &mut names);
        let settings = TokenSettings::new().changed(&asked).unwrap();
        assert_eq!(names.shown(&settings), LegacySettings { ttl: MINUTE, ..LegacySettings::default() });

        let mut asked = TokenParams { token_ttl: HOUR, ..TokenParams::default() };
        LegacyParams { ttl: MINUTE, ..LegacyParams::default() }.merge(&mut asked, &mut names);
        let settings = settings.changed(&asked).unwrap();
        assert_eq!(settings.token_ttl.seconds(), 3600);
        assert_eq!(names.shown(&settings), LegacySettings { ttl: HOUR, ..LegacySettings::default() });

        LegacyParams::default().merge(&mut TokenParams::default(), &mut names);
        assert_eq!(names.shown(&settings).ttl, HOUR);
        LegacyParams::default().merge(&mut asked, &mut names);
        assert_eq!(names.shown(&settings), LegacySettings::default());
    }
}
