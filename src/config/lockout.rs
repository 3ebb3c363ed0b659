//! `user_lockout "…"`: how long a user must wait after wrong passwords.

use std::collections::BTreeMap;

use super::error::{ConfigError, Warning};
use super::section::Initial::Default;
use super::section::section;
use super::source::Stanza;
use super::value::Switch;
use crate::api::Ttl;
use crate::engine::LockoutPolicy;

/// For each kind of auth method what happens after wrong passwords; `all` is for those that are not named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserLockout(BTreeMap<String, LockoutPolicy>);

section! {
    /// A `user_lockout` block as the file has it.
    RawLockout {
        /// Wrong passwords after which a user is locked out.
        lockout_threshold: u32 = Default("5"),
        /// For how long.
        lockout_duration: Ttl = Default("\"15m\""),
        /// After how long without a wrong password they are forgotten.
        lockout_counter_reset: Ttl = Default("\"15m\""),
        /// Never lock anyone out.
        disable_lockout: Switch = Default("false"),
    }
    blocks &[];
    ignored &[];
}

impl UserLockout {
    /// Adds what a block says; a block for a kind that is known already replaces it.
    pub(super) fn add(&mut self, stanza: &Stanza<'_>, warnings: &mut Vec<Warning>) -> Result<(), ConfigError> {
        let raw = RawLockout::read(&stanza.entries(), warnings)?;
        let lockout = LockoutPolicy {
            threshold: (!raw.disable_lockout.0 && raw.lockout_threshold > 0).then_some(raw.lockout_threshold),
            duration: raw.lockout_duration.duration(),
            counter_reset: raw.lockout_counter_reset.duration(),
        };
        self.0.insert(stanza.label(0).to_lowercase(), lockout);
        Ok(())
    }

    /// The policies by kind of auth method (`userpass`), and `all`.
    pub fn policies(&self) -> &BTreeMap<String, LockoutPolicy> {
        &self.0
    }
}
