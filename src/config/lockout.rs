//! `user_lockout "…"`: how long a user must wait after wrong passwords.

use std::collections::BTreeMap;
use std::time::Duration;

use super::error::{ConfigError, Warning};
use super::section::Initial::Default;
use super::section::section;
use super::source::Stanza;
use super::value::Switch;
use crate::api::Ttl;

/// For each kind of auth method what happens after wrong passwords; `all` is for those that are not named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserLockout(BTreeMap<String, Lockout>);

/// What happens after wrong passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lockout {
    /// So many wrong passwords lock the user out; nothing for never.
    pub threshold: Option<u32>,
    /// For so long.
    pub duration: Duration,
    /// After so long without a wrong one, they are forgotten.
    pub counter_reset: Duration,
}

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
        let lockout = Lockout {
            threshold: (!raw.disable_lockout.0 && raw.lockout_threshold > 0).then_some(raw.lockout_threshold),
            duration: raw.lockout_duration.duration(),
            counter_reset: raw.lockout_counter_reset.duration(),
        };
        self.0.insert(stanza.label(0).to_lowercase(), lockout);
        Ok(())
    }

    /// What holds for the auth methods of a kind (`userpass`).
    pub fn of(&self, kind: &str) -> Lockout {
        let quarter = Duration::from_mins(15);
        let usual = Lockout { threshold: Some(5), duration: quarter, counter_reset: quarter };
        self.0.get(kind).or_else(|| self.0.get("all")).copied().unwrap_or(usual)
    }
}
